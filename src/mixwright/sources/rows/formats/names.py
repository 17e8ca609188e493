"""Names that stand twice in one JSON object: every reader of JSON takes the last in silence.

Names are counted, not compared: a text has as many as it has quotes before a colon, and a value as many as its objects
have keys. Where the two differ, the text is read again, slowly, to see whether a name stands twice. Counting takes
nearly as long as reading lines does, which is why theirs are counted only where somebody looks closely; beside the
slower reading of JSON that is one value it is little.
"""

from __future__ import annotations

import json
from typing import Any

STYLE = 1 << 16  # bytes: who puts a blank before a colon does so from the beginning


def name_twice(raw: bytes, num_names: int) -> str | None:
    """A name that stands twice in an object of a text, of which a value with so many names was read; None where there
    is none, or where it is nested too deeply to be read again."""
    named = raw.count(b'":')
    if b'" :' not in raw[:STYLE]:
        if named == num_names:
            return None
        quoted = raw.count(b'\\":') - raw.count(b'\\\\":')  # within texts; behind two backslashes a name may end
        if named - quoted == num_names:
            return None
    twice: list[str] = []

    def check(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        if len({*names}) < len(names):
            twice.append(next(name for i, name in enumerate(names) if name in names[:i]))

    try:
        json.loads(raw, object_pairs_hook=check)
    except RecursionError:
        return None
    return twice[0] if twice else None
