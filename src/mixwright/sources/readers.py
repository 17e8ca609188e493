"""Rows of a file, each with its place, one at a time, whatever the format.

A reader never loses a row: what cannot be understood comes out as a fault with its line and raw text, and the caller
decides whether that ends the run or goes to quarantine. Only damage that hides the rest of the file (broken gzip,
Parquet that does not open, JSON that is one value and torn) is an error at once.

Memory is bounded by the longest line that is read (`LONGEST_LINE`), by a batch of a columnar file or by a tree of
messages; only `.json` that is one value, and a text read as one document, are held whole.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

from mixwright.ground.errors import InputError
from mixwright.recipe.data import Rows, Source
from mixwright.sources.files import TEXT, DataFile, RemoteFile, kind_of, opened, reached
from mixwright.sources.formats.columnar import arrow_rows, parquet_rows, without_typing
from mixwright.sources.formats.delimited import csv_rows
from mixwright.sources.formats.json_rows import expanded, json_rows, jsonl_rows
from mixwright.sources.formats.row import Row
from mixwright.sources.formats.text_rows import text_rows
from mixwright.sources.selection import conditions, selected
from mixwright.sources.threads import threaded

AS_IT_STANDS = Rows()
COLUMNAR = (".parquet", ".arrow", ".feather")


def read_rows(file: DataFile, entry: Rows = AS_IT_STANDS) -> Iterator[Row]:
    """All rows of a file in order, as a source or suite has them read; those that its `where` leaves out have a reason
    instead of a value. Where rows are messages (`threads`), a row is a conversation.

    Raises InputError when the file as a whole cannot be read.
    """
    kind = kind_of(file)
    rows = _whole_rows(file, entry.rows, entry.documents)
    if kind != ".json":
        rows = expanded(rows, entry.rows)
    if entry.threads is not None:
        roles = (entry.roles if isinstance(entry, Source) else None) or {}
        rows = threaded(rows, entry.threads, conditions(entry.where or {}), roles)
    elif entry.where is not None:
        rows = selected(rows, entry.where)
    return without_typing(rows) if kind in COLUMNAR else rows


def _whole_rows(file: DataFile, rows: str | None, documents: str) -> Iterator[Row]:
    line = 0
    where = str(file)
    try:
        for row in _of_kind(file, rows, documents):
            line = row.line
            yield row
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        fix = "Fetch or compress it again."
        raise InputError(f"the gzip file is damaged after line {line} ({error})", where=where, fix=fix) from None
    except OSError as error:  # vanished since it was found, no rights, a broken disk, a stream that zstd cannot unpack
        if file.name.endswith(".zst") and error.errno is None:
            fix = "Fetch or compress it again."
            raise InputError(f"the zstd file is damaged after line {line} ({error})", where=where, fix=fix) from None
        fix = "Check the file and its rights, and give the same command again."
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=where, fix=fix) from None


def _of_kind(file: DataFile, rows: str | None, documents: str) -> Iterator[Row]:
    kind = kind_of(file)
    if kind == ".parquet":
        return parquet_rows(file)
    if kind in COLUMNAR:
        return arrow_rows(file)
    return _from_bytes(file, kind or "", rows, documents)


def _from_bytes(file: DataFile, kind: str, rows: str | None, documents: str) -> Iterator[Row]:
    with opened(file) as stream:
        found: Iterator[Row]
        if kind in (".jsonl", ".ndjson"):
            found = jsonl_rows(stream)
        elif kind == ".json":
            found = json_rows(stream, str(file), rows)
        elif kind in TEXT:
            found = text_rows(stream, file.name, documents)
        else:
            found = csv_rows(stream, str(file), "\t" if kind == ".tsv" else ",")
        if isinstance(file, RemoteFile):
            found = _while_reached(file, found)
        yield from found


def _while_reached(file: RemoteFile, rows: Iterator[Any]) -> Iterator[Any]:
    """A connection that breaks in the middle is bad input, whatever its library raises."""
    while True:
        with reached(file.url, file.url):
            try:
                row = next(rows)
            except (StopIteration, EOFError, zlib.error, gzip.BadGzipFile) as end:
                if isinstance(end, StopIteration):
                    return
                raise InputError(f"the gzip file is damaged ({end})", where=file.url, fix="Store it again.") from None
        yield row
