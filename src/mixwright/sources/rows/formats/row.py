"""A row as a reader finds it."""

from __future__ import annotations

from typing import Any, NamedTuple

MALFORMED = "malformed"
LEFT_OUT = "where"
NOT_UTF8 = "not UTF-8"


class Row(NamedTuple):
    """One row. line: its line (CSV, JSONL, text) or number (other forms), from 1. value: its columns, or None with a
    fault. part: where it lies inside that line or number, for rows of nested JSON. rule: why there is no value:
    `malformed`, or `where` for a row that the conditions leave out, which is no error. note: what to know of a row that
    can be read."""

    line: int
    value: dict[str, Any] | None
    fault: str | None = None
    raw: str = ""
    part: str = ""
    rule: str = MALFORMED
    note: str = ""

    @property
    def place(self) -> str:
        """What follows the file's name: `12`, or `12/data.3.questions.0`."""
        return f"{self.line}/{self.part}" if self.part else str(self.line)

    def without_value(self, fault: str, rule: str = MALFORMED) -> Row:
        """The same row, left out or faulty."""
        raw = str(self.value)[:500] if rule == MALFORMED else ""
        return Row(self.line, None, fault, raw, self.part, rule)


def mending(fault: str) -> str:
    """What to do where no row can be read. fault: that of the first."""
    if NOT_UTF8 in fault:
        return "Save the file as UTF-8."
    return "Mend the rows, or say with 'columns' or 'template' how to read them."
