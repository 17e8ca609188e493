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
        fix = "Fetch or compress it again."
        raise InputError(f"the gzip file is damaged after line {line} ({error})", where=str(path), fix=fix) from None
    except OSError as error:  # vanished since it was found, no rights, a broken disk
        fix = "Check the file and its rights, and give the same command again."
        raise InputError(f"the file cannot be read ({error.strerror})", where=str(path), fix=fix) from None


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
            array = "; the file is one array, JSONL holds one object in each line" if raw.strip() == b"[" else ""
            yield Row(line, None, f"not valid JSON ({error}){array}", _shown(raw))
        else:
            if b"\\ud" in raw.lower() and _holds_half_a_character(value):
                yield Row(line, None, "half a character (a lone surrogate \\ud...)", _shown(raw))
            elif isinstance(value, dict):
                yield Row(line, value)
            else:
                yield Row(line, None, f"a {type(value).__name__}, not an object", _shown(raw))


def _shown(raw: bytes) -> str:
    return raw[:500].decode("utf-8", "replace")


def _holds_half_a_character(value: Any) -> bool:
    """JSON can write half of a surrogate pair; no text can hold it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


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
            where = f"{getattr(file, 'name', 'csv')}:{line}"
            if not _is_text(",".join(header)):
                raise InputError("the header is not UTF-8", where=where, fix="Save the file as UTF-8.")
            other = [sign for sign in (";", "\t") if len(header) == 1 and sign in header[0]]
            if other:
                fix = "Save it with commas."
                raise InputError(f"the columns are separated by {other[0]!r}, not by commas", where=where, fix=fix)
            twice = [name for i, name in enumerate(header) if name in header[:i]]
            if twice:
                raise InputError(f"the header names '{twice[0]}' twice", where=where, fix="Rename one of the columns.")
            continue
        joined = ",".join(cells)
        if not _is_text(joined):
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


def _is_text(text: str) -> bool:
    """Whether no byte had to be smuggled through as half a character."""
    return text.isprintable() or not any("\udc80" <= letter <= "\udcff" for letter in text)


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
        fix = "Fetch or write it again."
        raise InputError(f"this is not a readable Parquet file ({error})", where=str(path), fix=fix) from None
