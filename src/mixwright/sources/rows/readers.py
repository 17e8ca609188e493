"""Rows of a file, each with its place, one at a time, whatever the format.

A reader never loses a row: what cannot be understood comes out as a fault with its line and raw text, and the caller
decides whether that ends the run or goes to quarantine. Only damage that hides the rest of the file (broken gzip,
Parquet that does not open, JSON that is one value and torn) is an error at once.

Memory is bounded by the longest line that is read (`LONGEST_LINE`), by a batch of a columnar file or by a tree of
messages; only `.json` that is one value, and a text read as one document, are held whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from mixwright.ground.errors import InputError
from mixwright.recipe.data import Rows, Source
from mixwright.sources.files.data_file import TEXT, Damaged, DataFile, compression_of, kind_of, opened
from mixwright.sources.rows.formats.columnar import arrow_rows, parquet_rows, without_typing
from mixwright.sources.rows.formats.delimited import csv_rows
from mixwright.sources.rows.formats.json_rows import expanded, json_rows, jsonl_rows
from mixwright.sources.rows.formats.row import Row
from mixwright.sources.rows.formats.signs import LOOKED_AT, check_beginning, check_disguise
from mixwright.sources.rows.formats.text_rows import text_rows
from mixwright.sources.rows.selection import conditions, selected
from mixwright.sources.rows.threads import threaded

AS_IT_STANDS = Rows()
COLUMNAR = (".parquet", ".arrow", ".feather")


def read_rows(file: DataFile, entry: Rows = AS_IT_STANDS, *, closely: bool = False) -> Iterator[Row]:
    """All rows of a file in order, as a source or suite has them read; those that its `where` leaves out have a reason
    instead of a value. Where rows are messages (`threads`), a row is a conversation.

    closely: a row of JSON Lines in which a name stands twice has a note; looking for that takes as long as reading.
    Raises InputError when the file as a whole cannot be read.
    """
    kind = kind_of(file)
    rows = _whole_rows(file, entry, closely)
    if kind != ".json":
        rows = expanded(rows, entry.rows)
    if entry.threads is not None:
        roles = (entry.roles if isinstance(entry, Source) else None) or {}
        rows = threaded(rows, entry.threads, conditions(entry.where or {}), roles)
    elif entry.where is not None:
        rows = selected(rows, entry.where)
    return without_typing(rows) if kind in COLUMNAR else rows


def _whole_rows(file: DataFile, entry: Rows, closely: bool) -> Iterator[Row]:
    line = 0
    where = str(file)
    try:
        for row in _of_kind(file, entry, closely):
            line = row.line
            yield row
    except Damaged as error:
        check_disguise(file)
        fix = "Fetch or compress it again."
        message = f"the {compression_of(file)} file is damaged after line {line} ({error})"
        raise InputError(message, where=where, fix=fix) from None
    except OSError as error:  # vanished since it was found, no rights, a broken disk
        fix = "Check the file and its rights, and give the same command again."
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=where, fix=fix) from None


def _of_kind(file: DataFile, entry: Rows, closely: bool) -> Iterator[Row]:
    kind = kind_of(file)
    if kind == ".parquet":
        return parquet_rows(file)
    if kind in COLUMNAR:
        return arrow_rows(file)
    return _from_bytes(file, kind or "", entry, closely)


def _from_bytes(file: DataFile, kind: str, entry: Rows, closely: bool) -> Iterator[Row]:
    where = str(file)
    with opened(file) as stream:
        check_beginning(stream.peek(LOOKED_AT), kind, where)
        if kind in (".jsonl", ".ndjson"):
            yield from jsonl_rows(stream, where, closely=closely)
        elif kind == ".json":
            yield from json_rows(stream, where, entry.rows, closely=closely)
        elif kind in TEXT:
            yield from text_rows(stream, file.name, entry.documents)
        else:
            yield from csv_rows(stream, where, "\t" if kind == ".tsv" else ",")
