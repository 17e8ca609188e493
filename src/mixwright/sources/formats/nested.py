"""Rows inside nested JSON: `data.*.paragraphs.*.qas.*` is every question of every paragraph of every article.

A step is a key, or `*` for each element of a list or each value of an object. A row has its own columns and those of
everything around it (the paragraph's `context`, the article's `title`), inner ones first where names are equal; what
stands under the key of an object is also its column `key`. An element that is no object is the column `value`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

EVERY = "*"
KEY, VALUE = "key", "value"
TURNS = ("messages", "conversations", "conversation")  # an object with one of these is a row, not a file of rows


def rows_at(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """(place, row) of every row at a path; instead of a row, what is wrong where the path leads nowhere."""
    yield from _walk(value, path.split(".") if path else [], {}, "")


def _walk(
    value: Any, steps: Sequence[str], around: Mapping[str, Any], place: str
) -> Iterator[tuple[str, dict[str, Any] | str]]:
    if not steps:
        yield place, {**around, **(value if isinstance(value, Mapping) else {VALUE: value})}
        return
    step, rest = steps[0], steps[1:]
    if step == EVERY and isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _walk(entry, rest, {**around, KEY: key}, _under(place, key))
    elif step == EVERY and isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _walk(entry, rest, around, _under(place, str(number)))
    elif isinstance(value, Mapping) and step in value:
        beside = {key: entry for key, entry in value.items() if key != step}
        yield from _walk(value[step], rest, {**around, **beside}, _under(place, step))
    else:
        found = f"an object with {', '.join(map(str, list(value)[:8]))}" if isinstance(value, Mapping) else None
        yield place, f"'rows' asks for '{step}' of {found or f'a {type(value).__name__}'}"


def _under(place: str, step: str) -> str:
    return f"{place}.{step}" if place else step


def where_rows_lie(value: Any) -> str:
    """The path of the rows of a file that does not say: the list that it is or holds, the values of an object whose
    values are all objects, or the file itself."""
    if isinstance(value, list):
        return EVERY
    if not isinstance(value, Mapping) or any(key in value for key in TURNS):
        return ""
    lists = [key for key, entry in value.items() if isinstance(entry, list) and entry and isinstance(entry[0], Mapping)]
    if len(lists) == 1:
        return f"{lists[0]}.{EVERY}"
    return EVERY if len(value) > 1 and all(isinstance(entry, Mapping) for entry in value.values()) else ""
