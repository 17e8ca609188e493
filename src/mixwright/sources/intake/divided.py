"""A source divided among worker processes: the records of one process, in its order, sooner.

A worker makes the records of a piece (`parts`) and leaves them in an Arrow file; this process only puts them one behind
the other. So line numbers, counts and the first error are those of one process, and memory is bounded by the rows that
a worker and this process hold at a time, however many pieces lie ready.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from mixwright.ground.executor import Executor
from mixwright.recipe.data import Source
from mixwright.sources.intake.intake import NOT_THE_FORM, Intake, Tally, write_all
from mixwright.sources.intake.parts import FilePart, Part, RowGroups, rows_of
from mixwright.sources.intake.records import BatchFile, Dropped, Record, RecordWriter, batches_of
from mixwright.sources.rows.formats.row import MALFORMED


class _Reading(NamedTuple):
    """A piece of a source, as it travels to another process. first: the row before it that decides the form; None where
    there is none. folder: where the result goes, as long as it is there."""

    name: str
    source: Source
    piece: tuple[Part, ...]
    first: Mapping[str, Any] | None
    number: int
    folder: Path


def write_divided(
    name: str,
    source: Source,
    pieces: Iterator[tuple[Part, ...]],
    executor: Executor,
    scratch: Path,
    records: RecordWriter,
    dropped: RecordWriter,
    advance: Callable[[int, str], None],
) -> Tally:
    """Write the records and dropped rows of all pieces. scratch: a folder for what workers hand over; removed."""
    tally = Tally()
    folder = scratch / "pieces"
    shutil.rmtree(scratch, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        head, first = _head(name, source, pieces)
        known = chain(((piece, None) for piece in head), ((piece, first) for piece in pieces))
        readings = (_Reading(name, source, piece, form, number, folder) for number, (piece, form) in enumerate(known))
        for number, made in enumerate(executor.map(_read, readings)):
            for path, writer in zip(_results(folder, number), (records, dropped), strict=True):
                for batch in batches_of(path):
                    writer.write_batch(batch)
                    advance(batch.num_rows, "")
                path.unlink()
            tally.add(made)
    finally:
        folder.rename(scratch / "over")  # after an error workers are busy still: they find no folder to write in
        shutil.rmtree(scratch)
    return tally


def _head(
    name: str, source: Source, pieces: Iterator[tuple[Part, ...]]
) -> tuple[list[tuple[Part, ...]], Mapping[str, Any] | None]:
    """The pieces up to the one with the first row that decides the form, taken from `pieces`, and that row; None where
    an error comes before it."""
    head = []
    intake = Intake(name, source)
    for piece in pieces:
        head.append(piece)
        for part in piece:
            for row in rows_of(part, source):
                if row.value is not None:
                    try:
                        intake.decide(row.value, part)
                        return head, row.value
                    except NOT_THE_FORM:
                        pass
                elif row.rule != MALFORMED:
                    continue
                if source.malformed == "refuse":
                    return head, None
    return head, None


def _results(folder: Path, number: int) -> tuple[Path, Path]:
    """Where the records of a piece lie, and its dropped rows."""
    return folder / f"{number}.records.arrow", folder / f"{number}.dropped.arrow"


def _read(reading: _Reading) -> Tally:
    """Make the records of a piece, in a worker process."""
    name, source, folder = reading.name, reading.source, reading.folder
    intake = Intake(name, source, reading.first)
    rows = (row for part in reading.piece for row in intake.read(part, rows_of(part, source)))

    def advance(count: int, note: str) -> None:
        if not folder.exists():
            raise FileNotFoundError(f"nobody waits for {folder} any more")

    kept, left = _results(folder, reading.number)
    packed = not all(isinstance(part, FilePart | RowGroups) for part in reading.piece)  # a file may be of any size
    with BatchFile(kept, Record, packed=packed) as records, BatchFile(left, Dropped, packed=packed) as dropped:
        return write_all(rows, records, dropped, advance)
