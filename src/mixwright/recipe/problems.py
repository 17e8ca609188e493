"""Problems of a recipe: collected while it is validated, shown together, each with its line.

Pydantic finds most of them; this module gives them the words a person needs (path, value found, what is allowed, the
near match) and lets cross-field rules report several problems at once through one custom error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from mixwright.ground.errors import InputError, did_you_mean

RecipePath = tuple[str | int, ...]


class Problem(NamedTuple):
    """One thing wrong: where in the recipe, what, and what to do."""

    path: RecipePath
    message: str
    fix: str | None = None


def problems_error(problems: Sequence[Problem]) -> PydanticCustomError:
    """Raise this in a validator to report problems; their paths are relative to the model being validated."""
    return PydanticCustomError("problems", "see problems", {"problems": list(problems)})


def unknown_keys(keys: Sequence[str], known: Sequence[str]) -> list[Problem]:
    return [Problem((key,), "unknown key", did_you_mean(key, known)) for key in keys]


def as_problems(error: ValidationError) -> list[Problem]:
    """Every pydantic error as problems with a full path; of a union, the branch that came furthest."""
    found: list[Problem] = []
    unions: dict[RecipePath, dict[str | int, list[Problem]]] = {}  # place of the union -> branch -> its problems
    for entry in error.errors(include_url=False):
        place, context = entry["loc"], entry.get("ctx", {})
        path = tuple(part for part in place if not _is_branch(part))
        problems = [Problem((), *_in_words(entry, context))] if "problems" not in context else context["problems"]
        into = found
        if len(path) < len(place):
            at = next(i for i, part in enumerate(place) if _is_branch(part))
            into = unions.setdefault(place[:at], {}).setdefault(place[at], [])
        into += [Problem((*path, *p.path), p.message, p.fix) for p in problems]
    for branches in unions.values():
        found += max(branches.items(), key=_furthest)[1]
    return found


def _furthest(branch: tuple[str | int, list[Problem]]) -> tuple[int, bool]:
    """The deepest problem says most; of equals, the branch that can name the words it knows."""
    name, problems = branch
    return max(len(problem.path) for problem in problems), str(name).startswith("literal[")


def _is_branch(part: str | int) -> bool:
    """Pydantic marks keys and the branches of a union; a person never wrote those marks."""
    marks = ("function-", "list[", "dict[", "tuple[", "literal[", "[key]")
    return isinstance(part, str) and (part.startswith(marks) or part in ("str", "bool", "Template"))


EXPECTED = {
    "bool": "true or false",
    "dict": "a mapping (key: value)",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "model": "a mapping (key: value)",
    "string": "text",
    "tuple": "a list",
}


def _in_words(entry: Mapping[str, Any], context: Mapping[str, Any]) -> tuple[str, str | None]:
    value, kind = entry.get("input"), str(entry["type"])
    expected, _, rest = kind.partition("_")
    if kind == "missing":
        return "this key is required and missing", f"Add '{entry['loc'][-1]}: ...' here."
    if kind == "literal_error":
        names = [name.strip().strip("'") for name in str(context["expected"]).replace(" or ", ", ").split(",")]
        if str(value) in names:
            return f"found {_shown(value)}", f"Write {value} without quotes."
        return f"found {_shown(value)}", did_you_mean(str(value), names)
    if kind == "too_short":
        return f"found {_shown(value)}", "Give at least one."
    if kind == "string_pattern_mismatch":
        return f"found {_shown(value)}", "Use letters, digits, '-' and '_' only, starting with a letter."
    if expected in EXPECTED and rest in ("type", "parsing", "from_float", "attributes_type", "parsing_size"):
        quoted = " (in quotes)" if expected == "string" and isinstance(value, bool | int | float) else ""
        return f"found {_shown(value)}, expected {EXPECTED[expected]}", f"Write {EXPECTED[expected]}{quoted}."
    return f"found {_shown(value)}", f"{str(entry['msg']).replace('Input should', 'It should')}."


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def recipe_error(file: str, problems: Sequence[Problem], lines: Mapping[RecipePath, int | str]) -> InputError:
    """One error for all problems. lines: where each path was given, a line of the file (from 1) or a `--set`."""

    def place(path: RecipePath) -> str:
        known = path
        while known and known not in lines:
            known = known[:-1]
        line = lines.get(known)
        at = file if line is None else line if isinstance(line, str) else f"{file}:{line}"
        return f"{at} ({dotted(path)})" if path else at

    if len(problems) == 1:
        only = problems[0]
        return InputError(only.message, where=place(only.path), fix=only.fix)
    listed = "\n  ".join(f"{place(p.path)}: {p.message}" + (f" - {p.fix}" if p.fix else "") for p in problems)
    return InputError(f"the recipe has {len(problems)} problems", where=file, fix=listed)


def dotted(path: RecipePath) -> str:
    """`sources.tickets.path` for ('sources', 'tickets', 'path')."""
    return ".".join(str(part) for part in path)
