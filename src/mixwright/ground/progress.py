"""Progress on stderr: a bar for what takes longer than two seconds, where somebody looks at a terminal, and lines."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

Advance = Callable[[int, str], None]

DELAY_SECONDS = 2.0
_silent = False


def silence() -> None:
    """Tell nothing in this process: it is one of several, and the one that started it tells how far they are."""
    global _silent
    _silent = True


def tell(line: str) -> None:
    """One line on stderr, whether or not anybody looks at a terminal."""
    if not _silent:
        print(line, file=sys.stderr)


@contextlib.contextmanager
def progress(label: str, total: int | None, *, done: int = 0) -> Iterator[Advance]:
    """Yields `advance(count, note)`.

    total: number of units, None where it is not known. done: units an earlier run has finished already.
    """
    if _silent or not sys.stderr.isatty():
        yield lambda count, note: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(label, total=total, completed=done, note="")
    started = time.monotonic()
    shown = False

    def advance(count: int, note: str) -> None:
        nonlocal shown
        if not shown and time.monotonic() - started > DELAY_SECONDS:
            bar.start()
            shown = True
        bar.update(task, advance=count, note=note)

    try:
        yield advance
    finally:
        if shown:
            bar.stop()
