"""CSV and TSV with a header, UTF-8."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import IO

from mixwright.ground.errors import InputError
from mixwright.sources.formats.lines import LONGEST_LINE
from mixwright.sources.formats.row import Row

csv.field_size_limit(LONGEST_LINE)


def csv_rows(file: IO[bytes], name: str, separator: str) -> Iterator[Row]:
    """A row for every record behind the header. Raises InputError for a header that names no columns."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=separator, strict=True)
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
            where = f"{name}:{line}"
            if not _is_text(",".join(header)):
                raise InputError("the header is not UTF-8", where=where, fix="Save the file as UTF-8.")
            other = [sign for sign in (";", "\t", ",") if len(header) == 1 and sign in header[0]]
            if other:
                fix = "Save it with commas, or with tabs as .tsv."
                message = f"the columns are separated by {other[0]!r}, not by {separator!r}"
                raise InputError(message, where=where, fix=fix)
            twice = [name for i, name in enumerate(header) if name in header[:i]]
            if twice:
                raise InputError(f"the header names '{twice[0]}' twice", where=where, fix="Rename one of the columns.")
            continue
        joined = separator.join(cells)
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
