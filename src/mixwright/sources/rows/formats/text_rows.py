"""Plain text and Markdown: a document is the file, or each of its lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from mixwright.sources.rows.formats.lines import LONGEST_LINE, lines_of, shown
from mixwright.sources.rows.formats.row import NOT_UTF8, Row

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def text_rows(file: IO[bytes], name: str, documents: str) -> Iterator[Row]:
    """Rows `{"text": ..., "path": name}`; empty lines, and a file of blanks, are none."""
    if documents == "line":
        for line in lines_of(file):
            yield _document(line.raw, name, line.number) if line.fault is None else Row(line.number, None, line.fault)
        return
    raw = file.read(LONGEST_LINE + 1)
    if len(raw) > LONGEST_LINE:
        fault = f"longer than {LONGEST_LINE >> 20} MiB, too long for one document; set the source's 'documents: line'"
        yield Row(1, None, fault, shown(raw))
    elif raw.removeprefix(BYTE_ORDER_MARK).strip():
        yield _document(raw, name, 1)


def _document(raw: bytes, name: str, line: int) -> Row:
    try:
        text = raw.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        return Row(line, None, f"{NOT_UTF8} (byte {error.start})", repr(raw[:500]))
    return Row(line, {"text": text.strip("\r\n"), "path": name})
