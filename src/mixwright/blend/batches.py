"""From records to tensors: what enters the model.

Records in a row are kept apart by an explicit block mask and positions that start again at 0 - never by position-id
detection, which silently leaks on some back ends. Tokens are copied from the mapped files by compiled code that knows
no list of sources: a thousand cost no more than one.

Shapes: R rows, L row length (tokens), N records. Padding has segment -1 and attends to itself only, so that no softmax
is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mixwright.blend.compiled import compiled
from mixwright.blend.kernel import Integers
from mixwright.blend.memory import addresses, copy_bytes, load_u64
from mixwright.blend.mixer import BatchPlan
from mixwright.blend.taught import Taught, taught_tokens
from mixwright.ground.errors import InputError
from mixwright.tokens.store import TokenStore
from mixwright.tokens.teacher import Teacher


class _Places(NamedTuple):
    source: Integers
    segment: Integers
    position: Integers


@dataclass(frozen=True)
class Batch:
    """Rows of a global batch.

    ids: (R, L), in the type of the token stores. loss: bool (R, L). records: int64 (4, N): source, row, column and
    length of each record. From these follow, int64 (R, L): source, index into the names, -1 for padding; segment,
    number of the record in its row, -1 for padding; position, from 0 in each record. taught: what the base expects of
    the sources that have a teacher, None where none has.
    """

    ids: npt.NDArray[np.unsignedinteger]
    loss: npt.NDArray[np.bool_]
    records: Integers
    taught: Taught | None = None

    @property
    def source(self) -> Integers:
        return self._places.source

    @property
    def segment(self) -> Integers:
        return self._places.segment

    @property
    def position(self) -> Integers:
        return self._places.position

    @cached_property
    def _places(self) -> _Places:
        return _Places(*_spread(self.records, *self.ids.shape))

    @property
    def num_tokens(self) -> int:
        return int(self.records[3].sum())

    @property
    def num_supervised(self) -> int:
        return int(self.loss.sum())


class _Files(NamedTuple):
    """Addresses (S,) of offsets, tokens and loss masks."""

    offsets: npt.NDArray[np.uint64]
    tokens: npt.NDArray[np.uint64]
    loss: npt.NDArray[np.uint64]


class Assembler:
    """Makes tensors of the batches of a mixer with the sources `names`. teachers: of those that are taught. Raises
    InputError for stores of tokenizers that differ in how wide a token is."""

    def __init__(
        self,
        stores: Mapping[str, TokenStore],
        names: Sequence[str],
        *,
        pad_id: int,
        teachers: Mapping[str, Teacher] | None = None,
    ) -> None:
        self._teachers = [(teachers or {}).get(name) for name in names]
        self._stores = [stores[name] for name in names]  # kept alive: they are read by address
        self._files = _Files(
            addresses([store.offsets for store in self._stores]),
            addresses([store.tokens for store in self._stores]),
            addresses([store.loss for store in self._stores]),
        )
        dtypes = {store.tokens.dtype for store in self._stores}
        if len(dtypes) > 1:
            fix = "Make their tokens anew, with one tokenizer."
            raise InputError("the token stores were made by different tokenizers", where=", ".join(names), fix=fix)
        self._pad = np.full(1, pad_id, dtypes.pop())

    def tensors(self, batch: BatchPlan, rows: range) -> Batch:
        """The given rows of a global batch, as wide as the longest row of the whole batch."""
        copied = _copy(batch, rows.start, len(rows), self._files, self._pad)
        return Batch(*copied, taught_tokens(batch, rows, self._teachers))


@compiled
def _copy(
    batch: BatchPlan, first_row: int, num_rows: int, files: _Files, pad: npt.NDArray[np.unsignedinteger]
) -> tuple[npt.NDArray[np.unsignedinteger], npt.NDArray[np.bool_], Integers]:
    """ids, loss and records of a `Batch`."""
    used = np.zeros(batch.row.max() + 1, np.int64)
    for piece in range(len(batch.row)):
        used[batch.row[piece]] += batch.length[piece]
    width = used.max()
    used[:] = 0
    ids, loss = np.empty((num_rows, width), pad.dtype), np.empty((num_rows, width), np.bool_)
    to_ids, to_loss, size = np.uint64(ids.ctypes.data), np.uint64(loss.ctypes.data), np.uint64(pad.itemsize)
    records, num = np.empty((4, len(batch.row)), np.int64), 0
    for piece in range(len(batch.row)):
        row = batch.row[piece] - first_row
        if row < 0 or row >= num_rows:
            continue
        i, column, length = batch.source[piece], used[batch.row[piece]], batch.length[piece]
        begin, place = load_u64(files.offsets[i], batch.record[piece]), np.uint64(row * width + column)
        copy_bytes(to_ids + place * size, files.tokens[i] + begin * size, length * pad.itemsize)
        copy_bytes(to_loss + place, files.loss[i] + begin, length)
        records[0, num], records[1, num], records[2, num], records[3, num] = i, row, column, length
        num += 1
        used[batch.row[piece]] += length
    for row in range(num_rows):
        end = used[row + first_row] if row + first_row < len(used) else np.int64(0)
        ids[row, end:] = pad[0]
        loss[row, end:] = False
    return ids, loss, records[:, :num]


@compiled
def _spread(records: Integers, num_rows: int, width: int) -> Integers:
    """Source, segment and position of every token, (3, R, L)."""
    places = np.empty((3, num_rows, width), np.int64)
    places[:2] = -1
    places[2] = 0
    number = np.zeros(num_rows, np.int64)
    for i in range(records.shape[1]):
        source, row, column, length = records[:, i]
        for k in range(length):
            places[0, row, column + k] = source
            places[1, row, column + k] = number[row]
            places[2, row, column + k] = k
        number[row] += 1
    return places
