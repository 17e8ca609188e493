"""What all commands share: how results are printed, and the exit codes of verdicts."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixwright.ground.errors import InputError

if TYPE_CHECKING:
    from mixwright.ground.store import StageEvent

EXIT_CODES = {None: 0, "PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def print_json(value: Any) -> None:
    """Readable JSON on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


@contextlib.contextmanager
def writing(file: Path) -> Iterator[Path]:
    """A file that the user asked for: what keeps it from being written is told as bad input."""
    try:
        yield file
    except OSError as error:
        fix = "Name a place that exists, may be written and has room."
        raise InputError(f"the file cannot be written ({error.strerror})", where=str(file), fix=fix) from None


def show_event(event: StageEvent) -> None:
    """One line on stderr for a stage that is done."""
    facts = "" if event.status == "cached" else facts_line(event.counts)
    seconds = "cached" if event.status == "cached" else f"{event.seconds:.1f} s"
    print(f"  {event.label:<22} {seconds:>8}  {facts}".rstrip(), file=sys.stderr, flush=True)


def facts_line(counts: Any) -> str:
    """Counts as words: `records 60, tokens 2,254, dropped: template 3`."""
    facts = []
    for key, value in counts.items():
        if isinstance(value, int | float):
            facts.append(f"{key.replace('_', ' ')} {value:,}")
        elif isinstance(value, str):
            facts.append(value)
        elif key == "dropped" and value:
            rules = ", ".join(f"{rule.replace('_', ' ')} {count:,}" for rule, count in value.items())
            facts.append(f"dropped: {rules}")
    return ", ".join(facts)
