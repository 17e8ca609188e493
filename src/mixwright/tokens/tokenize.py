"""The tokenize stage: one source of the corpus through the chat template into a token store.

Records that cannot be learnt from as they are - longer than a row, nothing supervised, refused by the template - are
dropped here with their reason, so that what the blend counts is what the model sees.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from mixwright.ground.artefacts import write_json
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json
from mixwright.ground.progress import progress
from mixwright.models.tokenizer import ChatTokenizer, Encoded
from mixwright.sources.records import Dropped, Record, RecordWriter, num_records, read_record_batches

FIXES = {
    "template": "Mend the chat template of base.model, or the conversations that it refuses.",
    "longer_than_a_row": "Raise train.sequence_length, and batch_tokens with it.",
    "nothing_supervised": "Give the rows answers, or set the source's loss: all.",
}


def tokenize(
    name: str,
    records: Path,
    tokenizer: ChatTokenizer,
    hashes: Mapping[str, str],
    *,
    loss: str,
    max_tokens: int,
    out: Path,
) -> Mapping[str, Json]:
    """Write the token store of one source. Returns counts of records, tokens, supervised tokens, and drops by rule.

    records: a Parquet file of the corpus. hashes: of tokenizer and template, kept with the store.
    loss: see `ChatTokenizer.encode`. max_tokens: the row length. Raises InputError when nothing is left.
    """
    _ = tokenizer.closing_id  # a template that never closes an answer is refused before anything is learnt from it
    dtype = np.dtype(np.uint16 if tokenizer.vocabulary_size <= 1 << 16 else np.uint32)
    lengths: list[int] = []
    supervised: list[int] = []
    rules: Counter[str] = Counter()
    first_fault = ""
    with ExitStack() as stack:
        tokens_file = stack.enter_context((out / "tokens.bin").open("wb"))
        loss_file = stack.enter_context((out / "loss.bin").open("wb"))
        kept = stack.enter_context(RecordWriter(out / "records.parquet", Record))
        dropped = stack.enter_context(RecordWriter(out / "dropped.parquet", Dropped))
        advance = stack.enter_context(progress(f"tokenize {name}", num_records(records)))
        for batch in read_record_batches(records):
            encoded = tokenizer.encode([json.loads(record.messages) for record in batch], loss=loss)
            for record, result in zip(batch, encoded, strict=True):
                fault = _fault(result, max_tokens)
                if isinstance(result, ValueError) or fault is not None:
                    assert fault is not None
                    rules[fault[0]] += 1
                    first_fault = first_fault or f"{record.origin}: {fault[1]}"
                    origin, text = record.origin, record.messages
                    dropped.write(Dropped(record.record_id, name, origin, *fault, "", text))
                    continue
                tokens_file.write(result.ids.astype(dtype).tobytes())
                loss_file.write(result.loss.astype(np.uint8).tobytes())
                lengths.append(len(result.ids))
                supervised.append(int(result.loss.sum()))
                kept.write(record._replace(messages=""))
            advance(len(batch), "")
    if not lengths:
        reasons = ", ".join(f"{rule} {count}" for rule, count in rules.items())
        raise InputError(
            f"no record can be trained on ({reasons}; the first, {first_fault})",
            where=f"sources.{name}",
            fix=FIXES[rules.most_common(1)[0][0]],
        )
    np.save(out / "offsets.npy", np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint64))
    np.save(out / "supervised.npy", np.asarray(supervised, np.uint32))
    write_json(out / "store.json", {"dtype": dtype.name, "loss": loss, **hashes})
    return {
        "records": len(lengths),
        "tokens": sum(lengths),
        "supervised_tokens": sum(supervised),
        "dropped": dict(sorted(rules.items())),
    }


def _fault(result: Encoded | ValueError, max_tokens: int) -> tuple[str, str] | None:
    if isinstance(result, ValueError):
        return "template", str(result)
    if len(result.ids) > max_tokens:
        return "longer_than_a_row", f"{len(result.ids)} tokens, more than {max_tokens}"
    if not result.loss.any():
        return "nothing_supervised", "no token of this record would be learnt"
    return None
