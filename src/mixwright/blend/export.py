"""The realised mix as files, in the order of training, for trainers elsewhere.

Both forms are made of the very tensors that our own trainer is given. Parquet keeps rows, and what is learnt of them,
as they are. Megatron-LM's indexed dataset (`megatron/core/datasets/indexed_dataset.py`) knows neither rows nor loss
masks: they stand beside it. Memory is that of a million tokens, or of one step where that is more.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from mixwright.blend.batches import Assembler, Batch
from mixwright.blend.kernel import UNITS, Integers
from mixwright.blend.mixer import BatchPlan, Mixer, MixPlan
from mixwright.ground.artefacts import write_json
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json
from mixwright.ground.progress import progress
from mixwright.ground.store import Counts
from mixwright.tokens.mapping import map_file
from mixwright.tokens.store import TokenStore

Stores: TypeAlias = Mapping[str, TokenStore]

CHUNK = 1 << 20  # tokens, with padding, that are copied at once; index entries that are written at once
_PARQUET: dict[str, Any] = {"compression": "zstd", "use_dictionary": False, "write_statistics": ["step", "row"]}
_CODES = {"uint8": 1, "int32": 4, "uint16": 8}  # Megatron's numbers of the types
_HOW_TO_READ = {
    "order": "Sequences stand as they are trained: by step, by row, and in a row one behind the other. Read them by "
    "index from 0. GPTDataset of Megatron-LM shuffles them and cuts rows of its own: neither may happen.",
    "loss": "loss.bin and loss.idx: uint8 for each token of mix.bin, 1 where that token is learnt, never the first of "
    "a sequence. Not shifted: where labels are the tokens from the second on, the loss mask is too.",
    "rows": "rows.bin: int64 (rows, 2), the step of each row, from 1, and its number of sequences.",
}


def export_parquet(plan: MixPlan, stores: Stores, out: Path, *, rows_per_file: int = 1 << 16) -> Counts:
    """Write `part-00000.parquet` and so on, a line for each packed row in order of training. Returns counts.

    Columns: step (int64, from 1); row (int32, from 0 in each step); lists of int32 with an entry per token: input_ids,
    labels (the token itself, not shifted, -100 where it is not learnt), position_ids and segment_ids (from 0); lists
    with an entry per segment: sources (string), records (int64, index in the source's token store). No padding.
    Raises InputError when `out` exists, and where the mixer does.
    """
    import pyarrow.parquet as pq

    mix = _Mix(plan, stores)
    num_rows = 0
    with _whole(out) as folder, ExitStack() as files:
        for stretch in mix:
            table = _table(stretch, mix.names)
            while table.num_rows:
                number, full = divmod(num_rows, rows_per_file)
                if not full:
                    files.close()
                    path = folder / f"part-{number:05d}.parquet"
                    writer = files.enter_context(pq.ParquetWriter(path, table.schema, **_PARQUET))
                part, table = table.slice(0, rows_per_file - full), table.slice(rows_per_file - full)
                writer.write_table(part)
                num_rows += part.num_rows
    return mix.counts


def export_megatron(plan: MixPlan, stores: Stores, out: Path) -> Counts:
    """Write an indexed dataset with a sequence, and document, per record in order of training. Returns counts.

    `mix.bin`, `mix.idx`: tokens as uint16, or as int32 where the stores have uint32. `loss.bin`, `loss.idx`: the loss
    mask as a dataset of the same lengths, uint8. `rows.bin`: which sequences make up a row, and rows a step.
    `mix.json`: what is in them and how they are to be read.
    Raises InputError when `out` exists, and where the mixer does.
    """
    mix = _Mix(plan, stores)
    dtype = np.dtype(np.uint16 if stores[mix.names[0]].tokens.itemsize == 2 else np.int32)
    with _whole(out) as folder:
        with ExitStack() as files:
            tokens, loss, rows, lengths = (
                files.enter_context((folder / f"{name}.bin").open("wb")) for name in ("mix", "loss", "rows", "lengths")
            )
            for stretch in mix:
                kept = stretch.batch.segment >= 0
                stretch.batch.ids[kept].astype(dtype).tofile(tokens)
                stretch.batch.loss[kept].tofile(loss)
                np.column_stack([stretch.step, np.bincount(stretch.pieces.row)]).tofile(rows)
                stretch.pieces.length.astype(np.int32).tofile(lengths)
        all_lengths = map_file(folder / "lengths.bin", np.int32)
        _write_index(folder / "mix.idx", all_lengths, dtype)
        _write_index(folder / "loss.idx", all_lengths, np.dtype(np.uint8))
        (folder / "lengths.bin").unlink()
        columns = zip(mix.names, mix.units.T.tolist(), strict=True)
        sources = {name: dict(zip(UNITS, units, strict=True)) for name, units in columns}
        about: dict[str, Json] = {"sequences": len(all_lengths), "dtype": dtype.name, "unit": plan.unit}
        write_json(folder / "mix.json", {**mix.counts, **about, "sources": sources, "how_to_read": _HOW_TO_READ})
    return mix.counts


class _Stretch(NamedTuple):
    """The R rows of consecutive steps. step, row: int64 (R,), the step, from 1, and the row of its batch. pieces: their
    records row by row, with rows numbered through. batch: their tensors."""

    step: Integers
    row: Integers
    pieces: BatchPlan
    batch: Batch


class _Mix:
    """The stretches of a plan in order. units: int64 (3, S), what those given so far hold of each source."""

    def __init__(self, plan: MixPlan, stores: Stores) -> None:
        self.plan, self.stores, self.names = plan, stores, plan.names
        self.num_steps = self.num_rows = 0
        self.units = np.zeros((len(UNITS), len(self.names)), np.int64)

    @property
    def counts(self) -> Counts:
        whole = dict(zip(UNITS, self.units.sum(axis=1).tolist(), strict=True))
        return {"steps": self.num_steps, "rows": self.num_rows, **whole}

    def __iter__(self) -> Iterator[_Stretch]:
        mixer = Mixer(self.plan, self.stores)
        assembler = Assembler(self.stores, self.names, pad_id=0)
        together = max(1, CHUNK // (self.plan.rows_per_batch * self.plan.row_tokens))
        batches = iter(mixer)
        with progress("export", self.plan.budget_tokens, done=mixer.state.tokens) as advance:
            while some := list(islice(batches, together)):
                num_rows = [batch.num_rows for batch in some]
                before = np.cumsum([0, *num_rows[:-1]])
                rows = np.concatenate([batch.row + first for batch, first in zip(some, before, strict=True)])
                order = np.argsort(rows, kind="stable")
                columns = (np.concatenate(column)[order] for column in zip(*some, strict=True))
                pieces = BatchPlan(*columns)._replace(row=rows[order])
                step = np.repeat(mixer.state.step + np.arange(1 - len(some), 1), num_rows)
                row = np.arange(len(step)) - np.repeat(before, num_rows)
                yield _Stretch(step, row, pieces, assembler.tensors(pieces, range(len(step))))
                self.num_steps += len(some)
                self.num_rows += len(step)
                for unit, values in enumerate((pieces.length, pieces.supervised, None)):
                    self.units[unit] += np.bincount(pieces.source, values, len(self.names)).astype(np.int64)
                advance(int(pieces.length.sum()), f"step {mixer.state.step}")


def _table(stretch: _Stretch, names: list[str]) -> Any:
    """A stretch as an Arrow table, see `export_parquet`."""
    import pyarrow as pa

    batch, kept = stretch.batch, stretch.batch.segment >= 0
    ids, position, segment = (array[kept].astype(np.int32) for array in (batch.ids, batch.position, batch.segment))
    labels = np.where(batch.loss[kept], ids, np.int32(-100))
    of_tokens = {"input_ids": ids, "labels": labels, "position_ids": position, "segment_ids": segment}
    of_records = {"sources": pa.array(names).take(pa.array(stretch.pieces.source)), "records": stretch.pieces.record}
    columns = {"step": pa.array(stretch.step), "row": pa.array(stretch.row.astype(np.int32))}
    for sizes, lists in ((kept.sum(axis=1), of_tokens), (np.bincount(stretch.pieces.row), of_records)):
        ends = pa.array(np.cumsum([0, *sizes]), pa.int32())
        columns |= {name: pa.ListArray.from_arrays(ends, pa.array(values)) for name, values in lists.items()}
    return pa.table(columns)


def _write_index(path: Path, lengths: npt.NDArray[np.int32], dtype: np.dtype[Any]) -> None:
    """The `.idx` of sequences of a type: a magic word, version, code of the type, numbers of sequences and of document
    bounds; lengths (int32); where sequences begin, in bytes (int64); document bounds, in sequences (int64)."""
    num, begin = len(lengths), 0
    with path.open("wb") as file:
        file.write(struct.pack("<9sQBQQ", b"MMIDIDX", 1, _CODES[dtype.name], num, num + 1))
        lengths.tofile(file)
        for first in range(0, num, CHUNK):
            sizes = lengths[first : first + CHUNK].astype(np.int64) * dtype.itemsize
            (begin + np.cumsum(sizes) - sizes).tofile(file)
            begin += int(sizes.sum())
        for first in range(0, num + 1, CHUNK):
            np.arange(first, min(first + CHUNK, num + 1)).tofile(file)


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its place when everything is in it."""
    if out.exists():
        raise InputError("it exists already", where=str(out), fix="Name another folder, or remove this one.")
    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of an export that was killed
    partial.mkdir(parents=True)
    try:
        yield partial
        for path in partial.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
