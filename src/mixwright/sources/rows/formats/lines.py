"""Lines of a stream, none of which can exhaust the memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple

LONGEST_LINE = 64 << 20  # bytes; a longer row is a fault, and what follows it is read


class Line(NamedTuple):
    """number: from 1. raw: its bytes, newline included, or the first of them where fault says what is wrong."""

    number: int
    raw: bytes
    fault: str | None = None


def lines_of(file: IO[bytes]) -> Iterator[Line]:
    """Every line that is not blank."""
    number = 0
    while raw := file.readline(LONGEST_LINE):
        number += 1
        if len(raw) < LONGEST_LINE or raw.endswith(b"\n"):
            if not raw.isspace():
                yield Line(number, raw)
            continue
        beginning, length = raw[:500], len(raw)
        del raw
        while piece := file.readline(1 << 20):
            length += len(piece)
            if piece.endswith(b"\n"):
                break
        fault = f"{length:,} bytes long, more than the {LONGEST_LINE >> 20} MiB that a row may have"
        yield Line(number, beginning, fault)


def shown(raw: bytes) -> str:
    """The beginning of a row that cannot be read, for quarantine."""
    return raw[:500].decode("utf-8", "replace")
