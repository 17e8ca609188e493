"""Rows of a file, each with its place, one at a time: JSONL, CSV and Parquet, gzip allowed.

A reader never loses a row: what cannot be understood comes out as a fault with its line and raw text, and the caller
decides whether that ends the run or goes to quarantine. Only damage that hides the rest of the file (broken gzip,
Parquet that does not open) is an error at once.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from mixwright.ground.errors import InputError
from mixwright.sources.files import GZIP, kind_of

csv.field_size_limit(1 << 27)


class Row(NamedTuple):
    """One row. line: its line (CSV, JSONL) or number (Parquet), from 1. value: its columns, or None with a fault."""

    line: int
    value: dict[str, Any] | None
    fault: str | None = None
    raw: str = ""


def read_rows(path: Path) -> Iterator[Row]:
    """All rows of a file in order. Raises InputError when the file as a whole cannot be read."""
    kind = kind_of(path)
    rows = {".jsonl": _jsonl, ".csv": _csv}.get(kind or "")
    line = 0
    try:
        if rows is None:
            yield from _parquet(path)
            return
        with _opened(path) as file:
            for row in rows(file):
                line = row.line
                yield row
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"the gzip file is damaged after line {line} ({error})", where=str(path)) from None
    except PermissionError:
        raise InputError("the file may not be read (permission denied)", where=str(path)) from None


def _opened(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == GZIP else path.open("rb")  # type: ignore[return-value]


def _jsonl(file: BinaryIO) -> Iterator[Row]:
    for line, raw in enumerate(file, 1):
        if not raw.strip():
            continue
        try:
            value = json.loads(raw.decode("utf-8-sig" if line == 1 else "utf-8"), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            yield Row(line, None, f"not UTF-8 (byte {error.start} of the line)", repr(raw[:500]))
        except (ValueError, RecursionError) as error:
            yield Row(line, None, f"not valid JSON ({error})", raw[:500].decode("utf-8", "replace"))
        else:
            if isinstance(value, dict):
                yield Row(line, value)
            else:
                yield Row(line, None, f"a {type(value).__name__}, not an object", raw[:500].decode())


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _csv(file: BinaryIO) -> Iterator[Row]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, None, f"not valid CSV ({error})")
            continue
        if not cells:
            continue
        if header is None:
            header = cells
            if len(set(header)) < len(header):
                raise InputError("the header names a column twice", where=f"{getattr(file, 'name', 'csv')}:{line}")
            continue
        joined = ",".join(cells)
        if not joined.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in joined):
            yield Row(
                line,
                None,
                "not UTF-8",
                joined.encode("utf-8", "surrogateescape")[:500].decode("utf-8", "replace"),
            )
        elif len(cells) != len(header):
            yield Row(line, None, f"{len(cells)} fields where the header has {len(header)}", joined[:500])
        else:
            yield Row(line, dict(zip(header, cells, strict=True)))


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=1024):
                for value in batch.to_pylist():
                    number += 1
                    yield Row(number, value)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"this is not a readable Parquet file ({error})", where=str(path)) from None
