"""CSV and TSV with a header, UTF-8.

A record may go over many lines, and only its end shows whether it should: a quote that nobody closed takes all lines up
to the next quote for its cell. So the lines of a record are kept until it is whole. Where it is none, reading goes on
with the second of them: a broken quote costs its own line, not the rest of the file. No line is read again more often
than once for each quote before it that opens a cell, which the next one closes, so reading stays linear.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from typing import IO

from mixwright.ground.errors import InputError
from mixwright.sources.rows.formats.lines import LONGEST_LINE
from mixwright.sources.rows.formats.row import NOT_UTF8, Row

csv.field_size_limit(LONGEST_LINE)
OPEN = "a quote of the first line may never be closed"
MANY_LINES = 10  # of a record, from which on it may be that a quote is open
LOOKED_AFTER = 1024  # lines of a record, before its size is looked at again
LINE_ENDS = ("\n", "\r")
OF_A_LINE = 64  # bytes that a line takes besides its characters


class _TooLong(csv.Error):
    """A line or record beyond what a row may have."""


class _Records:
    """The records of a text, one after the other. first: the number of a record's first line. lines: all of its lines,
    once it is read or refused."""

    def __init__(self, text: io.TextIOWrapper, separator: str) -> None:
        self.first = 1
        self.lines: list[str] = []
        self._text = text
        self._again: deque[str] = deque()  # lines to be read before what follows in the text
        self._separator = separator
        self._reader = self._new_reader()

    @property
    def last(self) -> int:
        """The number of the record's last line."""
        return self.first + len(self.lines) - 1

    def next(self) -> list[str] | None:
        """The cells of the next record; None at the end. Raises csv.Error for what is none."""
        self.first += len(self.lines)
        self.lines.clear()
        return next(self._reader, None)

    def go_back(self) -> None:
        """Go on with the second line of the record that was read or refused."""
        self._again.extendleft(reversed(self.lines[1:]))
        del self.lines[1:]
        self._reader = self._new_reader()

    def num_cells(self, line: str) -> int:
        """How many cells a line has, by itself; 0 when it is no record."""
        try:
            return len(next(csv.reader([line], delimiter=self._separator, strict=True), ()))
        except csv.Error:
            return 0

    def _new_reader(self) -> Iterator[list[str]]:
        return csv.reader(self._given(), delimiter=self._separator, strict=True)

    def _given(self) -> Iterator[str]:
        lines, again, readline, longest = self.lines, self._again, self._text.readline, LONGEST_LINE
        size = 0
        while line := again.popleft() if (is_again := bool(again)) else readline(longest):
            lines.append(line)
            if len(line) >= longest and not line.endswith(LINE_ENDS):
                if not is_again:
                    self._pass_over()
                raise _TooLong(f"a line of more than {longest >> 20} MiB")
            if len(lines) % LOOKED_AFTER == 0:
                size = (size if len(lines) > LOOKED_AFTER else 0) + OF_A_LINE * LOOKED_AFTER
                size += sum(map(len, lines[-LOOKED_AFTER:]))
                if size > longest:
                    raise _TooLong(f"a record of more than {longest >> 20} MiB")
            yield line

    def _pass_over(self) -> None:
        """What is left of a line."""
        while piece := self._text.readline(1 << 20):
            if piece.endswith(LINE_ENDS):
                return


def csv_rows(file: IO[bytes], name: str, separator: str) -> Iterator[Row]:
    """A row for every record behind the header. Raises InputError for a header that names no columns."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    records = _Records(text, separator)
    header = _header(records, name, separator)
    while header:
        try:
            cells = records.next()
        except csv.Error as error:
            open_since = f" in line {records.last}: {OPEN}" if records.last > records.first else ""
            yield Row(records.first, None, f"not valid CSV ({error}{open_since})", _shown(records.lines[0]))
            records.go_back()
            continue
        if cells is None:
            return
        if not cells:
            continue
        if len(cells) == len(header) and _is_text(separator.join(cells)):
            row = Row(records.first, dict(zip(header, cells, strict=True)))
            yield row if len(records.lines) < MANY_LINES else row._replace(note=_note(records, len(header)))
            continue
        yield _faulty(cells, header, records)


def _header(records: _Records, name: str, separator: str) -> list[str]:
    """The names of the columns, in the first line that is not blank; none where there is no such line."""
    header: list[str] | None = []
    try:
        while header == []:
            header = records.next()
    except csv.Error as error:
        fix = "Mend the first line: it names the columns."
        raise InputError(f"the header is not valid CSV ({error})", where=f"{name}:{records.first}", fix=fix) from None
    where = f"{name}:{records.first}"
    header = header or []
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
    return header


def _faulty(cells: Sequence[str], header: Sequence[str], records: _Records) -> Row:
    """The fault of a record. Where it goes over several lines, and the second is one by itself, that is read next."""
    raw = _shown("".join(records.lines))
    if len(cells) == len(header):
        return Row(records.first, None, NOT_UTF8, raw)
    fault = f"{len(cells)} fields where the header has {len(header)}"
    if records.last > records.first:
        fault += f", in lines {records.first} to {records.last}"
        if records.num_cells(records.lines[1]) == len(header):
            fault += f": {OPEN}"
            records.go_back()
    return Row(records.first, None, fault, raw)


def _note(records: _Records, num_columns: int) -> str:
    """What a record over many lines may be in truth: each of the lines inside it is a record by itself."""
    inside = records.lines[1:MANY_LINES]
    if num_columns < 2 or any(records.num_cells(line) != num_columns for line in inside):
        return ""
    return f"lines {records.first} to {records.last} are one record, and look like many: {OPEN}"


def _is_text(text: str) -> bool:
    """Whether no byte had to be smuggled through as half a character."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(text: str) -> str:
    return text[:500].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
