"""Texts with `{column}` fields, filled from a row.

Only look-ups, no expressions and no attribute access: a template comes from a file that somebody else may have written.

    {text}                    a column
    {answers.0.text}          a key of an object, an element of a list
    {facts.*}                 the elements of a list, one below the other
    {turns.*.text}            a key of each of them
    {context.sentences.*}     of a list of lists of texts each one a line, its sentences joined by a blank where there
                              is none
    {{ }}                     braces
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mixwright.ground.errors import did_you_mean
from mixwright.ground.hashing import ordered_json

EVERY = "*"
FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


def fill(template: str, row: Mapping[str, Any]) -> str:
    """The template with every field replaced. Raises ValueError for a column the row does not have."""

    def replace(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group(0)[0]
        return text_at(match.group(1).strip(), row)

    return FIELD.sub(replace, template)


def fields(template: str) -> set[str]:
    """The paths that a template names."""
    return {path.strip() for path in FIELD.findall(template) if path}


def look_up(path: str, row: Mapping[str, Any]) -> Any:
    """The value at `column.key.0`. Raises ValueError when there is none."""
    return row[path] if path in row else _walk(row, path.split("."), path)


def _walk(value: Any, parts: Sequence[str], path: str) -> Any:
    for part in parts:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, Sequence) and not isinstance(value, str) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            known = list(value) if isinstance(value, Mapping) else []
            raise ValueError(f"there is no column '{path}'. {did_you_mean(part, map(str, known))}")
    return value


def text_at(path: str, row: Mapping[str, Any]) -> str:
    """The value at `column.key.0` as it stands in a text. Raises ValueError when there is none or it has no text."""
    parts = path.split(".")
    if EVERY in parts and path not in row:
        return "\n".join(_line(entry, path) for entry in _every(row, parts, path))
    return _text(look_up(path, row), path)


def plain_text_at(path: str, row: Mapping[str, Any]) -> str:
    """The same of a column that is a text by itself. Raises ValueError for a list or an object as well: as JSON it is
    learnt only where a template asks for it."""
    if EVERY not in path.split(".") or path in row:
        value = look_up(path, row)
        if isinstance(value, list | Mapping):
            found = "a list" if isinstance(value, list) else "an object"
            raise ValueError(f"the column '{path}' is {found}, not text; a template says how it becomes one")
    return text_at(path, row)


def _every(value: Any, parts: Sequence[str], path: str) -> Iterator[Any]:
    """What lies at a path with `*`, for each element of the list before it."""
    first = parts.index(EVERY)
    before, rest = parts[:first], parts[first + 1 :]
    found = _walk(value, before, path)
    if not isinstance(found, list):
        raise ValueError(f"the column '{'.'.join(before)}' holds no list")
    for entry in found:
        yield [*_every(entry, rest, path)] if EVERY in rest else _walk(entry, rest, path)


def _line(value: Any, path: str) -> str:
    """An element of a list: its text, or the texts in it joined."""
    if not isinstance(value, list) or not _holds_texts(value):
        return _text(value, path)
    joined = ""
    for entry in value:
        text = _line(entry, path)
        is_apart = not joined or not text or joined[-1].isspace() or text[0].isspace()
        joined += text if is_apart else f" {text}"
    return joined


def _holds_texts(value: list[Any]) -> bool:
    return all(_holds_texts(entry) if isinstance(entry, list) else isinstance(entry, str) for entry in value)


def _missing(value: float | None) -> str:
    return "null" if value is None else "not a number (NaN)" if math.isnan(value) else "infinite"


def _text(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"the column '{path}' is {_missing(value)}")
    try:
        if isinstance(value, bytes):  # Parquet columns of texts that do not say so
            return value.decode("utf-8")
        return ordered_json(value) if isinstance(value, dict | list | bool) else str(value)
    except UnicodeDecodeError:
        raise ValueError(f"the column '{path}' holds bytes that are no text in UTF-8") from None
    except TypeError as error:
        raise ValueError(f"the column '{path}' holds what JSON cannot ({error})") from None
