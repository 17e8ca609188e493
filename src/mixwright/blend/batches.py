"""From rows to tensors: what enters the model.

A batch is `rows_per_batch` consecutive rows of the mixer. Records in a row are kept apart by an explicit block mask and
positions that start again at 0 - never by position-id detection, which silently leaks on some back ends.

Shapes: R rows, L row length (tokens). Padding has segment -1 and attends to itself only, so that no softmax is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mixwright.blend.mixer import Mixer, Row
from mixwright.tokens.store import TokenStore


@dataclass(frozen=True)
class Batch:
    """ids int64 (R, L); loss bool (R, L); source int64 (R, L), index into `sources`, -1 for padding; segment int64
    (R, L), number of the record in its row, -1 for padding; position int64 (R, L), from 0 in each record."""

    ids: npt.NDArray[np.int64]
    loss: npt.NDArray[np.bool_]
    source: npt.NDArray[np.int64]
    segment: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]

    @property
    def num_tokens(self) -> int:
        return int((self.segment >= 0).sum())

    @property
    def num_supervised(self) -> int:
        return int(self.loss.sum())


def batches(
    mixer: Mixer, stores: Mapping[str, TokenStore], names: Sequence[str], *, rows_per_batch: int, pad_id: int
) -> Iterator[Batch]:
    """The batches still to come. The last one may have fewer rows. After each, the mixer's state is that behind it."""
    numbers = {name: i for i, name in enumerate(names)}
    rows: list[Row] = []
    for row in mixer.rows():
        rows.append(row)
        if len(rows) == rows_per_batch:
            yield _tensors(rows, stores, numbers, mixer.plan.row_tokens, pad_id)
            rows = []
    if rows:
        yield _tensors(rows, stores, numbers, mixer.plan.row_tokens, pad_id)


def _tensors(
    rows: Sequence[Row],
    stores: Mapping[str, TokenStore],
    numbers: Mapping[str, int],
    row_tokens: int,
    pad_id: int,
) -> Batch:
    shape = (len(rows), row_tokens)
    ids = np.full(shape, pad_id, np.int64)
    loss = np.zeros(shape, np.bool_)
    source = np.full(shape, -1, np.int64)
    segment = np.full(shape, -1, np.int64)
    position = np.zeros(shape, np.int64)
    for r, row in enumerate(rows):
        start = 0
        for number, piece in enumerate(row):
            tokens, mask = stores[piece.source].record(piece.record)
            place = slice(start, start + piece.length)
            ids[r, place] = tokens
            loss[r, place] = mask
            source[r, place] = numbers[piece.source]
            segment[r, place] = number
            position[r, place] = np.arange(piece.length)
            start += piece.length
    width = max(1, int((segment >= 0).sum(1).max()))
    if width < row_tokens:  # nothing but padding on the right: computing it would change no result
        ids, loss, source = ids[:, :width], loss[:, :width], source[:, :width]
        segment, position = segment[:, :width], position[:, :width]
    return Batch(ids, loss, source, segment, position)
