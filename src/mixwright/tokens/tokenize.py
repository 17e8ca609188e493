"""The tokenize stage: one source of the corpus through the chat template into a token store.

Records that cannot be learnt from as they are - longer than a row, nothing supervised, refused by the template - are
dropped here with their reason, so that what the blend counts is what the model sees.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mixwright.ground.artefacts import write_json
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json
from mixwright.ground.progress import progress
from mixwright.models.tokenizer import ChatTokenizer, Encoded
from mixwright.sources.intake.records import (
    DOCUMENT,
    TEXTS,
    Dropped,
    Record,
    RecordWriter,
    holds_documents,
    num_records,
    read_record_batches,
)

TEXT_AT_ONCE = 1 << 20  # characters that are tokenized together
FIXES = {
    "template": "Mend the chat template of base.model, or the conversations that it refuses.",
    "longer_than_a_row": "Raise train.sequence_length and batch_tokens with it, or set the source's longer: truncate.",
    "nothing_supervised": "Give the rows answers, or set the source's loss: all.",
    "nothing_supervised_in_its_beginning": "Raise train.sequence_length, or set the source's longer: split.",
}


def tokenize(
    name: str,
    records: Path,
    tokenizer: ChatTokenizer,
    hashes: Mapping[str, str],
    *,
    loss: str,
    longer: str,
    max_tokens: int,
    out: Path,
) -> Mapping[str, Json]:
    """Write the token store of one source. Returns counts of records, tokens, supervised tokens, and drops by rule.

    records: a Parquet file of the corpus, all of one kind. hashes: of tokenizer and template, kept with the store.
    loss: see `ChatTokenizer.encode`. max_tokens: the row length. longer: what becomes of a record that exceeds it: it
    is dropped, truncated, or split into several; `auto` splits documents and drops conversations. Raises InputError
    when nothing is left.
    """
    _ = tokenizer.closing_id  # a template that never closes an answer is refused before anything is learnt from it
    if longer == "auto":
        longer = "split" if holds_documents(records) else "drop"
    dtype = np.dtype(np.uint16 if tokenizer.vocabulary_size <= 1 << 16 else np.uint32)
    lengths: list[int] = []
    supervised: list[int] = []
    rules: Counter[str] = Counter()
    cut = 0
    first_fault = ""
    with ExitStack() as stack:
        tokens_file = stack.enter_context((out / "tokens.bin").open("wb"))
        loss_file = stack.enter_context((out / "loss.bin").open("wb"))
        kept = stack.enter_context(RecordWriter(out / "records.parquet", Record))
        dropped = stack.enter_context(RecordWriter(out / "dropped.parquet", Dropped))
        advance = stack.enter_context(progress(f"tokenize {name}", num_records(records)))
        for batch in read_record_batches(records):
            encoded = (result for part in _parts(batch) for result in _encoded(part, tokenizer, loss))
            for record, result in zip(batch, encoded, strict=True):
                pieces = [] if isinstance(result, ValueError) else _pieces(result, longer, max_tokens)
                if not pieces:
                    fault = _fault(result, longer, max_tokens)
                    rules[fault[0]] += 1
                    first_fault = first_fault or f"{record.origin}: {fault[1]}"
                    origin, text = record.origin, record.messages or record.text
                    dropped.write(Dropped(record.record_id, name, origin, *fault, "", text))
                    continue
                cut += pieces[0] is not result
                for piece in pieces:
                    tokens_file.write(piece.ids.astype(dtype).tobytes())
                    loss_file.write(piece.loss.astype(np.uint8).tobytes())
                    lengths.append(len(piece.ids))
                    supervised.append(int(piece.loss.sum()))
                    kept.write(record._replace(messages="", text="", rejected=""))
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
    about: dict[str, Json] = {"dtype": dtype.name, "loss": loss, "supervised_tokens": sum(supervised), **hashes}
    write_json(out / "store.json", about)
    return {
        "records": len(lengths),
        "tokens": sum(lengths),
        "supervised_tokens": sum(supervised),
        **({} if longer == "drop" else {"cut": cut}),
        "dropped": dict(sorted(rules.items())),
    }


def _parts(batch: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """The records in parts of about `TEXT_AT_ONCE`: tokens with their places in the text take many times its memory."""
    start = size = 0
    for i, record in enumerate(batch, 1):
        size += len(record.messages) + len(record.text)
        if size >= TEXT_AT_ONCE or i == len(batch):
            yield batch[start:i]
            start, size = i, 0


def _encoded(batch: Sequence[Record], tokenizer: ChatTokenizer, loss: str) -> list[Encoded | ValueError]:
    """A batch of one source, whose records are of one kind."""
    if batch[0].kind in TEXTS:
        return tokenizer.encode_documents(
            [record.text for record in batch], whole=[record.kind == DOCUMENT for record in batch]
        )
    tools = [json.loads(record.tools) if record.tools else None for record in batch]
    return tokenizer.encode([record.turns() for record in batch], loss=loss, tools=tools if any(tools) else ())


def _pieces(encoded: Encoded, longer: str, max_tokens: int) -> list[Encoded]:
    """What a record gives to learn from: itself, its beginning, its parts, or nothing."""
    num = len(encoded.ids)
    if num <= max_tokens:
        pieces = [encoded]
    elif longer == "drop":
        return []
    else:
        starts = range(0, num if longer == "split" else 1, max_tokens)
        pieces = [
            Encoded(encoded.ids[i : i + max_tokens], _after_first(encoded.loss[i : i + max_tokens])) for i in starts
        ]
    return [piece for piece in pieces if piece.loss.any()]


def _after_first(loss: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The first token of a row is predicted from nothing."""
    loss = loss.copy()
    loss[0] = False
    return loss


def _fault(result: Encoded | ValueError, longer: str, max_tokens: int) -> tuple[str, str]:
    """Why a record gives nothing to learn from: rule and reason."""
    if isinstance(result, ValueError):
        return "template", str(result)
    if len(result.ids) > max_tokens and longer == "drop":
        return "longer_than_a_row", f"{len(result.ids)} tokens, more than {max_tokens}"
    if len(result.ids) > max_tokens and longer == "truncate" and result.loss.any():
        reason = f"no token would be learnt of the first {max_tokens} of this record's {len(result.ids)}"
        return "nothing_supervised_in_its_beginning", reason
    return "nothing_supervised", "no token of this record would be learnt"
