"""A blend for training loops elsewhere: the same rows in the same order, as PyTorch data sets.

`BlendRows` is a stream of rows. `BlendSampler` with `BlendTable` is the same stream as a batch sampler and a data set
in which its keys are looked up. `BlendCollator` turns rows into what a model is called with. The rows of a global
batch are decided before they are divided: any number of ranks and workers sees the same batches.

A row is a dict of int64 tensors (L,), without padding: input_ids; labels, the token itself where it is learnt and
-100 elsewhere, not shifted; position_ids, from 0 in each record; segment_ids, the number of the record in its row.
Every global batch has all its rows: those without records are one token of padding, whose segment is -1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset, IterableDataset, Sampler, get_worker_info

from mixwright.blend.batches import Assembler, Batch
from mixwright.blend.mixer import BatchPlan, Mixer, MixerState, MixPlan
from mixwright.ground.errors import InputError
from mixwright.models.packing import packed_inputs
from mixwright.tokens.store import TokenStore

Row: TypeAlias = dict[str, torch.Tensor]
Key: TypeAlias = tuple[tuple[int, int], ...]  # of a row: source, as index into the plan's names, and record
Stores: TypeAlias = Mapping[str, TokenStore]

UNLEARNT = -100  # the label that cross-entropy leaves out


class _Stream:
    """A walk over the batches of a plan that can be left and taken up again in the middle of a batch.

    Each new iteration begins at the plan's start, or where `load_state_dict` has said.
    """

    def __init__(self, plan: MixPlan, stores: Stores) -> None:
        self.plan, self.stores = plan, stores
        self._before: MixerState | None = None  # that before the present batch
        self._given = 0  # rows of the present batch
        self._skip: int | None = None  # in a worker: blocks of other workers before its next one
        self._loaded = False

    def state_dict(self) -> dict[str, Any]:
        """JSON-able, and as small as the mixer's state however far the run is."""
        before = None if self._before is None else self._before.as_json()
        return {"of": self._identity(), "before": before, "given": self._given, "skip": self._skip}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next iteration goes on there. Raises InputError for the state of another plan or of other tokens."""
        for part, value in self._identity().items():
            if state["of"].get(part) != value:
                fix = "Give the plan and the token stores of which the state was taken."
                raise InputError("the state belongs to another mix", where=part, fix=fix)
        self._before = None if state["before"] is None else MixerState(**state["before"])
        self._given, self._skip, self._loaded = int(state["given"]), state["skip"], True

    def _identity(self) -> dict[str, str]:
        return {"plan": self.plan.identity} | {f"sources.{n}": self.stores[n].identity for n in self.plan.names}

    def _batches(self) -> Iterator[BatchPlan]:
        """Every batch still to come; of the first, `_given` rows were given before."""
        if not self._loaded:
            self._before, self._given, self._skip = None, 0, None
        self._loaded = False
        mixer = Mixer(self.plan, self.stores, self._before)
        before = mixer.state
        for batch in mixer:
            self._before = before
            yield batch
            before, self._given = mixer.state, 0
        self._before = before


class BlendRows(_Stream, IterableDataset[Row]):
    """The rows of a rank, one after the other, for a `DataLoader` that takes `rows` of them at a time.

    rank, num_ranks: which slice of every global batch; leave them out where the framework divides batches itself, as
    accelerate does. rows: of one step or micro-batch; all of the rank's when None. Raises InputError when the ranks do
    not divide a batch, or `rows` a rank's part.
    """

    def __init__(
        self,
        plan: MixPlan,
        stores: Stores,
        *,
        pad_id: int,
        rows: int | None = None,
        rank: int = 0,
        num_ranks: int = 1,
    ) -> None:
        super().__init__(plan, stores)
        size = _divided(plan.rows_per_batch, num_ranks, "num_ranks")
        self.rows = rows or size
        _divided(size, self.rows, "rows")
        self._slice = range(rank * size, (rank + 1) * size)
        self._pad_id = pad_id

    def __iter__(self) -> Iterator[Row]:
        worker = get_worker_info()
        num_workers, skip = (1, 0) if worker is None else (worker.num_workers, worker.id)
        assembler = Assembler(self.stores, self.plan.names, pad_id=self._pad_id)
        for number, batch in enumerate(self._batches()):
            if number == 0 and self._skip is not None:
                skip = self._skip
            for begin in range(self._given - self._given % self.rows, len(self._slice), self.rows):
                if skip:  # a block of another worker
                    skip, self._given = skip - 1, begin + self.rows
                    continue
                skip = num_workers - 1
                first = max(begin, self._given)  # left in the middle of a block
                block = self._slice[first : begin + self.rows]
                for row in _rows(assembler.tensors(batch, block), self._pad_id):
                    self._given += 1
                    self._skip = None if worker is None else skip
                    yield row


class BlendSampler(_Stream, Sampler[list[Key]]):
    """The keys of `BlendTable` for one batch after the other, as `batch_sampler` of a `DataLoader`.

    Of every global batch come the parts of its `num_ranks` ranks one behind the other, as accelerate deals them out.
    num_steps: of the plan, where somebody asks for the length.
    """

    def __init__(self, plan: MixPlan, stores: Stores, *, num_ranks: int = 1, num_steps: int | None = None) -> None:
        super().__init__(plan, stores)
        self.rows = _divided(plan.rows_per_batch, num_ranks, "num_ranks")
        self._num_lists = None if num_steps is None else num_steps * num_ranks

    def __len__(self) -> int:
        if self._num_lists is None:
            raise TypeError("the number of steps was not given")
        return self._num_lists

    def __iter__(self) -> Iterator[list[Key]]:
        for batch in self._batches():
            keys: list[list[tuple[int, int]]] = [[] for _ in range(self.plan.rows_per_batch)]
            columns = (batch.row.tolist(), batch.source.tolist(), batch.record.tolist())
            for row, source, record in zip(*columns, strict=True):
                keys[row].append((source, record))
            for begin in range(self._given, len(keys), self.rows):
                self._given = begin + self.rows
                yield [tuple(key) for key in keys[begin : begin + self.rows]]


class BlendTable(Dataset[Row]):
    """Rows by their keys, which `BlendSampler` gives."""

    def __init__(self, plan: MixPlan, stores: Stores, *, pad_id: int) -> None:
        self._stores = [stores[name] for name in plan.names]
        self._assembler = Assembler(stores, plan.names, pad_id=pad_id)
        self._pad_id = pad_id

    def __getitem__(self, key: Key) -> Row:
        return self.__getitems__([key])[0]

    def __getitems__(self, keys: Sequence[Key]) -> list[Row]:
        """Several rows at once, as a `DataLoader` asks for them."""
        pieces = [(source, record, row) for row, key in enumerate(keys) for source, record in key]
        if not pieces:
            return [_padding(self._pad_id) for _ in keys]
        source, record, row = np.array(pieces, np.int64).T.copy()
        bounds = [self._stores[s].offsets[r : r + 2] for s, r, _ in pieces]
        length = np.array([int(end - begin) for begin, end in bounds], np.int64)
        return _rows(
            self._assembler.tensors(BatchPlan(source, record, length, length, row), range(len(keys))), self._pad_id
        )


class BlendCollator:
    """Rows to the arguments of a model: input_ids and labels (R, L), position_ids, and the mask that keeps the records
    of a row apart, as `models.packing` has it for the model."""

    def __init__(self, model: Any, pad_id: int) -> None:
        self._model, self._pad_id = model, pad_id

    def __call__(self, rows: Sequence[Row]) -> dict[str, Any]:
        def padded(name: str, value: int) -> torch.Tensor:
            return pad_sequence([row[name] for row in rows], batch_first=True, padding_value=value)

        ids, segment, position = padded("input_ids", self._pad_id), padded("segment_ids", -1), padded("position_ids", 0)
        return {**packed_inputs(self._model, ids, segment, position), "labels": padded("labels", UNLEARNT)}


def _rows(batch: Batch, pad_id: int) -> list[Row]:
    """The rows of a batch without their padding."""
    ids = batch.ids.astype(np.int64)
    labels = np.where(batch.loss, ids, UNLEARNT)
    arrays = {"input_ids": ids, "labels": labels, "position_ids": batch.position, "segment_ids": batch.segment}
    used = np.bincount(batch.records[1], batch.records[3], len(ids)).astype(int).tolist()
    return [
        {name: torch.from_numpy(array[row, :length]) for name, array in arrays.items()} if length else _padding(pad_id)
        for row, length in enumerate(used)
    ]


def _padding(pad_id: int) -> Row:
    values = {"input_ids": pad_id, "labels": UNLEARNT, "position_ids": 0, "segment_ids": -1}
    return {name: torch.tensor([value]) for name, value in values.items()}


def _divided(whole: int, parts: int, what: str) -> int:
    if parts < 1 or whole % parts:
        fix = f"Choose a divisor of {whole}."
        raise InputError(f"{parts} does not divide {whole} rows", where=what, fix=fix)
    return whole // parts
