"""Rows inside nested JSON: `data.*.paragraphs.*.qas.*` is every question of every paragraph of every article.

A step is a key, or `*` for each element of a list or each value of an object. A row has its own columns and those of
everything around it (the paragraph's `context`, the article's `title`), inner ones first where names are equal; what
stands under the key of an object is also its column `key`. An element that is no object is the column `value`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mixwright.ground.errors import InputError

EVERY = "*"
KEY, VALUE = "key", "value"
ROWS = (("prompt", "completion"), ("instruction", "output"), ("query", "response"), ("question", "answer"), ("text",))
TURNS = ("messages", "conversations", "conversation")  # an object with one of these is a row, not a file of rows


def rows_at(value: Any, path: str | Sequence[str]) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """(place, row) of every row at a path, or at its steps; instead of a row, what is wrong where the path leads
    nowhere."""
    steps = path.split(".") if isinstance(path, str) and path else path
    yield from _walk(value, [*steps], {}, "")


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


def where_rows_lie(value: Any, where: str | None = None) -> tuple[str, ...]:
    """The steps to the rows of a file that does not say: the list that it is or holds, the values of an object whose
    values are all objects, or the file itself. where: the file, for messages.

    Raises InputError for an object that may as well be one row, or columns.
    """
    if isinstance(value, list):
        return (EVERY,)
    if not isinstance(value, Mapping) or any(key in value for key in TURNS):
        return ()
    if _holds_columns(value):
        fix = "Write it as rows, [{...}, {...}]; 'rows: \"\"' takes it as a single row."
        message = f"the file holds columns ({', '.join(map(str, list(value)[:4]))}), not rows"
        raise InputError(message, where=where, fix=fix)
    lists = [key for key, entry in value.items() if isinstance(entry, list) and entry and isinstance(entry[0], Mapping)]
    if len(lists) == 1:
        form = next((form for form in ROWS if all(isinstance(value.get(key), str) for key in form)), None)
        if form is not None:
            fix = f"Say which with 'rows: {lists[0]}.{EVERY}' or, for the object, 'rows: \"\"'."
            message = f"the object has {' and '.join(form)} as a row has, and in '{lists[0]}' a list of objects"
            raise InputError(f"it is not clear what the rows are: {message}", where=where, fix=fix)
        return lists[0], EVERY
    return (EVERY,) if len(value) > 1 and all(isinstance(entry, Mapping) for entry in value.values()) else ()


def _holds_columns(value: Mapping[str, Any]) -> bool:
    """Whether an object has a list of cells under every key, or an object of numbered ones."""
    columns = [*value.values()]
    if len(columns) < 2:
        return False
    if all(isinstance(column, list) for column in columns):
        cells = [cell for column in columns for cell in column[:8]]
        return len(columns[0]) > 1 and len({*map(len, columns)}) == 1 and not any(map(_is_nested, cells))
    if not all(isinstance(column, Mapping) and column.keys() == columns[0].keys() for column in columns):
        return False
    return bool(columns[0]) and all(str(key).isdecimal() for key in columns[0])


def _is_nested(value: Any) -> bool:
    return isinstance(value, list | Mapping)
