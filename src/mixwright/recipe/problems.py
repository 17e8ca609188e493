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
    """Every pydantic error as problems with a full path."""
    found: list[Problem] = []
    for entry in error.errors(include_url=False):
        path = tuple(part for part in entry["loc"] if not _is_branch(part))
        context = entry.get("ctx", {})
        if "problems" in context:
            found.extend(Problem((*path, *p.path), p.message, p.fix) for p in context["problems"])
            continue
        found.append(Problem(path, *_in_words(entry, context)))
    return found


def _is_branch(part: str | int) -> bool:
    """Pydantic marks the branches of a union with type names; a person never wrote those."""
    return isinstance(part, str) and (part.startswith(("function-", "list[", "literal[")) or part in ("str", "bool"))


def _in_words(entry: Mapping[str, Any], context: Mapping[str, Any]) -> tuple[str, str | None]:
    value = entry.get("input")
    match entry["type"]:
        case "missing":
            return "this key is required and missing", None
        case "literal_error":
            names = [name.strip().strip("'") for name in str(context["expected"]).replace(" or ", ", ").split(",")]
            return f"found {_shown(value)}", did_you_mean(str(value), names)
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"found {_shown(value)}, expected a mapping (key: value)", None
        case "string_pattern_mismatch":
            return f"found {_shown(value)}", "Use letters, digits, '-' and '_' only, starting with a letter."
        case _:
            message = str(entry["msg"]).removeprefix("Value error, ")
            return f"{message[:1].lower()}{message[1:]}; found {_shown(value)}", None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def recipe_error(file: str, problems: Sequence[Problem], lines: Mapping[RecipePath, int]) -> InputError:
    """One error for all problems. lines: line number (from 1) of every path that stands in the file."""

    def place(path: RecipePath) -> str:
        known = path
        while known and known not in lines:
            known = known[:-1]
        at = f"{file}:{lines[known]}" if known in lines else file
        return f"{at} ({dotted(path)})" if path else at

    if len(problems) == 1:
        only = problems[0]
        return InputError(only.message, where=place(only.path), fix=only.fix)
    listed = "\n  ".join(f"{place(p.path)}: {p.message}" + (f" - {p.fix}" if p.fix else "") for p in problems)
    return InputError(f"the recipe has {len(problems)} problems", where=file, fix=listed)


def dotted(path: RecipePath) -> str:
    """`sources.tickets.path` for ('sources', 'tickets', 'path')."""
    return ".".join(str(part) for part in path)
