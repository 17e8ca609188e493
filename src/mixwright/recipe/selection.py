"""Which rows of a file belong to a source or suite, and what makes messages of a tree a conversation.

    where: {source: [flan, sciriff], language: en, score: {min: 4}, "meta.tier": {not: [x, null]}}

A value stands for itself, a list for any one of it, `{min, max}` for numbers from and up to, `{not: ...}` for all
others. A row belongs when every condition holds.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BeforeValidator

from mixwright.ground.errors import did_you_mean
from mixwright.recipe.problems import Problem, problems_error
from mixwright.recipe.values import Strict

MIN, MAX, NOT = "min", "max", "not"
LIMITS = (MIN, MAX)
EXAMPLE = "Write a value, a list of values, {min: 1, max: 5} or {not: value}."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | bool) or _is_number(value)


def _conditions(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, dict) or not value:
        raise problems_error([Problem((), "there are no conditions", "Write column: value.")])
    problems = [problem for path, asked in value.items() for problem in _problems(str(path), asked)]
    if problems:
        raise problems_error(problems)
    return value


def _problems(path: str, asked: Any) -> list[Problem]:
    if not isinstance(asked, dict):
        return _value_problems((path,), asked)
    unknown = [str(key) for key in asked if key not in (*LIMITS, NOT)]
    if unknown:
        return [Problem((path, key), "unknown key", did_you_mean(key, (*LIMITS, NOT))) for key in unknown]
    if not asked or (NOT in asked and len(asked) > 1):
        return [Problem((path,), "is no one condition", EXAMPLE)]
    if NOT in asked:
        return _value_problems((path, NOT), asked[NOT])
    wrong = [key for key in asked if not _is_number(asked[key])]
    if wrong:
        return [Problem((path, key), f"found {asked[key]!r}", "Write a number.") for key in wrong]
    if asked.get(MIN, -math.inf) > asked.get(MAX, math.inf):
        return [Problem((path,), f"nothing is from {asked[MIN]} up to {asked[MAX]}", "Exchange the two.")]
    return []


def _value_problems(place: tuple[str, ...], value: Any) -> list[Problem]:
    if value == []:
        return [Problem(place, "no value is one of none", EXAMPLE)]
    for entry in value if isinstance(value, list | tuple) else [value]:
        if not _is_plain(entry):
            quotes = "Put it in quotes." if hasattr(entry, "isoformat") else EXAMPLE
            return [Problem(place, f"found {str(entry)!r}, which no column is compared with", quotes)]
    return []


Where = Annotated[dict[str, Any] | None, BeforeValidator(_conditions)]


class Threads(Strict):
    """The columns of rows that are messages of trees: what a message answers, and how well its rivals were liked."""

    id: str  # of the message
    parent: str  # the id of what it answers; null for the first of a tree
    tree: str  # the same for all messages of a tree, whose rows follow one another
    rank: str | None = None  # among the answers to one message, the best lowest; by their order when absent
    role: str = "role"
    text: str = "text"
