"""Texts with `{column}` fields, filled from a row.

Only look-ups: `{text}`, `{answers.0.text}` to walk into nested JSON, `{facts.*}` for the lines of a list. No
expressions, no attribute access - a template comes from a file that somebody else may have written. `{{` and `}}` are
braces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mixwright.ground.errors import did_you_mean
from mixwright.ground.hashing import ordered_json

LINES = ".*"  # behind a path to a list: its elements, one below the other
FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


def fill(template: str, row: Mapping[str, Any]) -> str:
    """The template with every field replaced. Raises ValueError for a column the row does not have."""

    def replace(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group(0)[0]
        return text_at(match.group(1).strip(), row)

    return FIELD.sub(replace, template)


def look_up(path: str, row: Mapping[str, Any]) -> Any:
    """The value at `column.key.0`. Raises ValueError when there is none."""
    if path in row:
        return row[path]
    value: Any = row
    for part in path.split("."):
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
    if path.endswith(LINES) and path not in row:
        lines = look_up(path.removesuffix(LINES), row)
        if not isinstance(lines, list):
            raise ValueError(f"the column '{path.removesuffix(LINES)}' holds no list")
        return "\n".join(line if isinstance(line, str) else ordered_json(line) for line in lines)
    value = look_up(path, row)
    if isinstance(value, str):
        return value
    if value is None or value != value:
        raise ValueError(f"the column '{path}' is {'null' if value is None else 'not a number (NaN)'}")
    if isinstance(value, bytes):  # Parquet columns of texts that do not say so
        return value.decode("utf-8")
    return ordered_json(value) if isinstance(value, dict | list | bool) else str(value)
