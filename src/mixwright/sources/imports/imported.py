"""What comes out of an import: the recipe, and what to know about it."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mixwright.ground.errors import InputError
from mixwright.recipe.load import VARIABLE
from mixwright.recipe.paths import project_of
from mixwright.recipe.problems import as_problems, dotted
from mixwright.recipe.schema import Recipe


@dataclass
class Imported:
    """recipe: its keys, in order, with absolute paths. warnings: what differs from the configuration, or has no
    counterpart."""

    recipe: dict[str, Any]
    warnings: list[str] = field(default_factory=list)

    def as_yaml(self) -> str:
        """The recipe with its warnings above it as comments."""
        noted = "".join(f"# {_on_one_line(warning)}\n" for warning in self.warnings)
        return noted + yaml.safe_dump(self.recipe, sort_keys=False, allow_unicode=True, width=110)

    def seen_from(self, file: Path) -> Imported:
        """The same with its paths as a recipe at this place has them: relative inside its project, else absolute."""
        recipe = copy.deepcopy(self.recipe)
        folder, project = file.resolve().parent, project_of(file)

        def seen(path: str) -> str:
            inside = all(Path(one).is_relative_to(project) for one in (path, os.path.realpath(path)))
            return os.path.relpath(path, folder) if os.path.isabs(path) and inside else path

        for entry in recipe["sources"].values():
            path = entry.get("path")
            if path is not None:
                entry["path"] = seen(path) if isinstance(path, str) else [seen(one) for one in path]
        recipe["base"]["model"] = seen(recipe["base"]["model"])
        return Imported(recipe, [*self.warnings])


def finished(recipe: Mapping[str, Any], warnings: list[str], file: Path) -> Imported:
    """The recipe with the variables that it names. Raises InputError where it is none. file: the configuration."""
    named = dict.fromkeys(name for text in _texts(recipe) for name in VARIABLE.findall(text))
    first = {key: recipe[key] for key in ("mixwright", "name")}
    whole = {**first, **({"variables": named} if named else {}), **recipe}
    try:
        Recipe.model_validate(whole)
    except ValidationError as error:
        problems = as_problems(error)
        listed = "; ".join(f"{dotted(problem.path)}: {problem.message}" for problem in problems)
        fix = problems[0].fix or "Change the configuration."
        raise InputError(f"what it says makes no recipe ({listed})", where=str(file), fix=fix) from None
    return Imported(whole, list(dict.fromkeys(warnings)))


def _on_one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for entry in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(entry)


def located(text: str, file: Path, exists: Callable[[str], bool] = os.path.exists) -> str:
    """The absolute path of what a configuration calls by this text; a URL as it stands.

    The tools see paths from the folder where they are called: that is the configuration's, one above it, or this one.
    """
    if "://" in text:
        return text
    here = file.resolve().parent
    paths = [os.path.normpath(folder / os.path.expanduser(text)) for folder in (here, *here.parents, Path.cwd())]
    return next((path for path in paths if exists(path)), paths[0])
