"""Which rows belong, by the conditions of `where`.

A row that does not belong is not lost: it comes out without a value, under the rule `where`, with what kept it out. A
column that a row does not have is a fault of the row, and never a condition that holds by accident.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import yaml

from mixwright.ground.errors import InputError
from mixwright.recipe.selection import LIMITS, NOT
from mixwright.sources.forms.templates import look_up
from mixwright.sources.rows.formats.row import LEFT_OUT, Row

SHOWN = 60  # characters of a value, and values of a list, in a reason


class Condition(NamedTuple):
    """path: of a column. miss: what is wrong with a value, in words that follow it; None when it fits."""

    path: str
    miss: Callable[[Any], str | None]


def conditions(where: Mapping[str, Any]) -> list[Condition]:
    """The conditions of a recipe, ready to be asked."""
    return [Condition(path, _miss(asked)) for path, asked in where.items()]


def reason_against(row: Mapping[str, Any], asked: list[Condition]) -> str | None:
    """What keeps a row out, or None when it belongs. Raises ValueError for a column that it does not have."""
    for path, miss in asked:
        value = _plain(look_up(path, row))
        missed = miss(value)
        if missed is not None:
            return f"{path} is {_shown(value)}, {missed}"
    return None


def selected(rows: Iterator[Row], where: Mapping[str, Any]) -> Iterator[Row]:
    """All rows, those that do not belong without their value."""
    asked = conditions(where)
    for row in rows:
        if row.value is None:
            yield row
            continue
        try:
            reason = reason_against(row.value, asked)
        except ValueError as error:
            yield row.without_value(str(error))
            continue
        yield row if reason is None else row.without_value(reason, LEFT_OUT)


def nothing_belongs(where: Mapping[str, Any], num_rows: int, first: str, place: str) -> InputError:
    """The error where no row of a source or suite belongs. first: the first of them, with its reason. place:
    `sources.name`, or what is inspected."""
    asked = yaml.safe_dump(dict(where), default_flow_style=True, sort_keys=False, width=math.inf).strip()
    message = f"no row belongs to it: {num_rows:,} do not fit where: {asked} (the first: {first})"
    return InputError(message, where=place, fix="Loosen the conditions; mixwright inspect shows the rows.")


def _plain(value: Any) -> Any:
    """A cell as a recipe could write it: numbers of any kind, times and dates as templates have them, the text in bytes
    that do not say that they are, null for NaN."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, date | time | timedelta):
        return str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def _miss(asked: Any) -> Callable[[Any], str | None]:
    if isinstance(asked, Mapping):
        return _none_of(asked[NOT]) if NOT in asked else _between(*(asked.get(limit) for limit in LIMITS))
    return _one_of(asked)


def _one_of(asked: Any) -> Callable[[Any], str | None]:
    values = [*asked] if isinstance(asked, list | tuple) else [asked]
    words = ", ".join(map(_shown, values[:SHOWN]))
    missed = f"not {words}" if len(values) == 1 else f"not one of {words}"
    keys = {_key(value) for value in values}
    return lambda value: None if _key(value) in keys else missed


def _none_of(asked: Any) -> Callable[[Any], str | None]:
    values = [*asked] if isinstance(asked, list | tuple) else [asked]
    keys = {_key(value) for value in values}
    return lambda value: "which is left out" if _key(value) in keys else None


def _between(least: float | None, most: float | None) -> Callable[[Any], str | None]:
    def miss(value: Any) -> str | None:
        number = as_number(value)
        if number is None:
            return "no number"
        if least is not None and number < least:
            return f"below {least}"
        return f"above {most}" if most is not None and number > most else None

    return miss


def _key(value: Any) -> Any:
    """What equal values have in common: true is not 1, and lists and objects equal no condition."""
    return (isinstance(value, bool), value) if value is None or isinstance(value, str | int | float) else None


def as_number(value: Any) -> int | float | None:
    """A number, or the one that a text writes, as in CSV."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str) or "_" in value:
        return None
    try:
        return int(value)
    except ValueError:
        pass
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping | list):
        return "an object" if isinstance(value, Mapping) else "a list"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
