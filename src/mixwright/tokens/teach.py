"""The teach stage: the base reads a token store and says what it would expect at every learnt token.

For tokens that the base wrote itself at temperature 1, learning the token that stands there is a one-sample estimate of
learning the base's distribution: the same gradient on average, with more noise. Keeping the distribution takes the
noise away. It costs one pass of the base over the source, and 4 k + 2 bytes a learnt token (6 k + 2 for vocabularies
beyond 65,536). The base is asked about the tokens as they will be learnt, not while it writes: text that is rendered
and tokenized again may be cut into other tokens than were drawn, and curated sources can be taught as well.

Records are read in chunks of a fixed size, each whole in the files or not there, so that a killed pass goes on behind
the last whole chunk and ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mixwright.ground.artefacts import write_json
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json
from mixwright.ground.progress import progress
from mixwright.models.device import autocast
from mixwright.models.handle import load_model
from mixwright.models.packing import plain_inputs
from mixwright.models.predictions import head_stands_alone, likeliest_at
from mixwright.tokens.store import TokenStore
from mixwright.tokens.teacher import ABOUT, IDS, LOG_PROBABILITIES, OFFSETS

CHUNK = 1024  # records
BATCH_TOKENS = 8192  # of a forward pass, padding included


def teach(
    name: str, store: TokenStore, base: Path, *, top_k: int, device: str, precision: str, out: Path
) -> Mapping[str, Json]:
    """Write a source's `Teacher` to `out`, behind what an interrupted call has left there. Returns counts.

    top_k: the tokens to keep for each learnt one. Raises InputError where the vocabulary has no more than that.
    """
    import torch

    model = load_model(base, device)
    model.eval()
    if top_k >= model.get_input_embeddings().weight.shape[0]:
        fix = "Keep fewer; 8 to 64 are usual."
        raise InputError(f"the vocabulary has no {top_k} tokens and others", where=f"sources.{name}.kl.top_k", fix=fix)
    head_alone = head_stands_alone(model)
    offsets = np.concatenate([[0], np.cumsum(store.supervised, dtype=np.uint64)]).astype(np.uint64)
    dtype = store.tokens.dtype
    width = {IDS: top_k * dtype.itemsize, LOG_PROBABILITIES: (top_k + 1) * 2}
    done = min(_chunks_in(out / file, size, offsets) for file, size in width.items())
    with (
        (out / IDS).open("ab") as ids_file,
        (out / LOG_PROBABILITIES).open("ab") as probabilities_file,
        progress(f"teach {name}", len(store), done=min(done * CHUNK, len(store))) as advance,
    ):
        learnt = int(offsets[min(done * CHUNK, len(store))])
        ids_file.truncate(learnt * width[IDS])
        probabilities_file.truncate(learnt * width[LOG_PROBABILITIES])
        for start in range(done * CHUNK, len(store), CHUNK):
            records = range(start, min(start + CHUNK, len(store)))
            first, num = int(offsets[start]), int(offsets[records.stop] - offsets[start])
            ids, log_probabilities = np.empty((num, top_k), dtype), np.empty((num, top_k + 1), np.float16)
            for batch in _batches(store, records):
                tokens, segment, chosen = (torch.from_numpy(array).to(device) for array in _padded(store, batch))
                inputs = plain_inputs(tokens, segment)
                with torch.inference_mode(), autocast(device, precision):
                    expected = likeliest_at(model, inputs, chosen[:, 1:], top_k, head_alone=head_alone)
                found = [part.cpu().numpy() for part in expected]
                places = np.concatenate([np.arange(offsets[i], offsets[i + 1], dtype=np.int64) for i in batch]) - first
                ids[places] = found[0]
                log_probabilities[places] = np.maximum(found[1], np.finfo(np.float16).min)
            ids_file.write(ids.tobytes())
            probabilities_file.write(log_probabilities.tobytes())
            advance(len(records), "")
    np.save(out / OFFSETS, offsets)
    write_json(out / ABOUT, {"dtype": dtype.name, "k": top_k})
    return {"records": len(store), "supervised_tokens": int(offsets[-1]), "top_k": top_k}


def _chunks_in(file: Path, width: int, offsets: npt.NDArray[np.uint64]) -> int:
    """How many chunks of records stand whole in a file with so many bytes a learnt token."""
    if not file.exists():
        return 0
    records = int(np.searchsorted(offsets, file.stat().st_size // width, side="right")) - 1
    return records // CHUNK


def _batches(store: TokenStore, records: range) -> list[list[int]]:
    """Records of like length together."""
    lengths = np.diff(store.offsets[records.start : records.stop + 1].astype(np.int64))
    batches: list[list[int]] = []
    for i in sorted(records, key=lambda i: (lengths[i - records.start], i)):
        longest = int(lengths[i - records.start])  # so far, as they come by length
        if not batches or longest * (len(batches[-1]) + 1) > BATCH_TOKENS:
            batches.append([])
        batches[-1].append(i)
    return batches


def _padded(
    store: TokenStore, records: Sequence[int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Tokens, segment (0, -1 for padding) and whether they are learnt of one record a row, each (R, L)."""
    found = [store.record(i) for i in records]
    shape = len(found), max(len(tokens) for tokens, _ in found)
    ids, segment, learn = np.zeros(shape, np.int64), np.full(shape, -1, np.int64), np.zeros(shape, np.bool_)
    for row, (tokens, loss) in enumerate(found):
        ids[row, : len(tokens)], segment[row, : len(tokens)], learn[row, : len(tokens)] = tokens, 0, loss
    return ids, segment, learn
