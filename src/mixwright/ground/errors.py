"""Errors written for the person at the keyboard: what is wrong, where, what to do.

Two families. `InputError` is the user's to mend (recipe, data, arguments; exit code 2). `BrokenRun` is a run that
could not finish although its input was good (disk full, a worker killed; exit code 4). Everything else that escapes
is our own defect and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MixwrightError(Exception):
    """Base of the errors shown without a traceback.

    message: what is wrong and what was found, one sentence.
    where: `file:line`, a recipe path such as `sources.tickets.path`, or a path on disk.
    fix: what to do about it, one sentence.
    """

    exit_code = 4

    def __init__(self, message: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  {self.fix}" if self.fix else head

    def as_json(self) -> dict[str, str | int | None]:
        """The error as one JSON object, for `--json`."""
        return {"error": self.message, "where": self.where, "fix": self.fix, "exit_code": self.exit_code}


class InputError(MixwrightError):
    """The recipe, the data or the arguments are wrong; nothing was spent."""

    exit_code = 2


class BrokenRun(MixwrightError):
    """The run broke; what was finished is kept, and the same command resumes it."""

    exit_code = 4


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`Did you mean 'x'?` for a near match, otherwise the list of what exists (at most twelve names)."""
    names = sorted(set(known))
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{close[0]}'?"
    if not names:
        return "There is none to choose from."
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return f"Known: {shown}."
