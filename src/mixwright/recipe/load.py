"""From a YAML file to a `Recipe`, remembering the line of every key.

`${name}` in a text is replaced by a variable of the recipe; `--set name=value` sets a variable, `--set a.b=value` any
other key. Paths in the file are relative to the file and stay inside its project; a path given with `--set` is relative
to the working directory, because that is where the person typed it, and leads anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.recipe.data import Source
from mixwright.recipe.paths import absolute, begins_a_path, make_absolute, names_a_folder, out_of_project, project_of
from mixwright.recipe.problems import Problem, RecipePath, as_problems, dotted, recipe_error
from mixwright.recipe.schema import Recipe
from mixwright.recipe.yaml_file import given_value, parse_yaml

VARIABLE = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class LoadedRecipe:
    """A valid recipe and where it came from. Its paths are absolute. project: the folder that they stay in."""

    recipe: Recipe
    file: Path
    project: Path
    lines: dict[RecipePath, int | str]

    def error(self, path: RecipePath, message: str, fix: str | None = None) -> InputError:
        """An error that points at a place in the recipe file."""
        return recipe_error(str(self.file), [Problem(path, message, fix)], self.lines)

    def located(self, error: InputError) -> InputError:
        """The same error with file and line, when its `where` is a recipe path such as `sources.tickets.path`."""
        where = error.where or ""
        written = next((path for path in self.lines if dotted(path) == where), None)  # keys may hold dots themselves
        path = written or tuple(where.split("."))
        return self.error(path, error.message, error.fix) if path[0] in Recipe.model_fields else error


def load_recipe(file: Path, settings: Sequence[str] = ()) -> LoadedRecipe:
    """Read, fill in and validate a recipe. settings: `key=value` texts. Raises InputError with every problem found."""
    data, lines = parse_yaml(file)
    variables = dict(data.get("variables") or {}) if isinstance(data.get("variables"), dict | None) else {}
    for setting in settings:
        _apply(file, data, variables, setting, lines)
    if variables:
        data["variables"] = variables
    problems: list[Problem] = []
    filled = _fill(data, variables, (), problems)
    if problems:
        raise recipe_error(str(file), problems, lines)
    folder, project = file.resolve().parent, project_of(file)
    problems = out_of_project(filled, data, folder, project)
    make_absolute(filled, folder)
    try:
        recipe = Recipe.model_validate(filled)
    except ValidationError as error:
        problems += as_problems(error)
    if problems:
        raise recipe_error(str(file), problems, lines)
    return LoadedRecipe(recipe, file, project, lines)


def source_of(about: dict[str, Any], settings: Sequence[str]) -> Source:
    """A source outside a recipe. settings: `key=value`, as of `--set`. Raises InputError for what is no source."""
    entry = dict(about)
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            fix = "Write --set key=value, for example --set columns='{prompt: text, completion: label}'."
            raise InputError(f"'{setting}' is no setting", where="--set", fix=fix)
        entry[key.strip()] = given_value(text, f"--set {key.strip()}")
    make_absolute({"sources": {"it": entry}}, Path.cwd())
    try:
        return Source.model_validate(entry)
    except ValidationError as error:
        raise recipe_error("--set", as_problems(error), {}) from None


def _apply(
    file: Path, data: dict[str, Any], variables: dict[str, Any], setting: str, lines: dict[RecipePath, int | str]
) -> None:
    key, equals, text = setting.partition("=")
    key = key.strip()
    if not equals or not all(key.split(".")):
        raise InputError(
            f"'{setting}' is no setting",
            where="--set",
            fix="Write --set name=value, for example --set data=corpus.",
        )
    value = given_value(text, f"--set {key}")
    key = key.removeprefix("variables.")
    if key in variables:
        names_path = begins_a_path(data, f"${{{key}}}") or names_a_folder(text)  # the text: a folder may be called 2024
        variables[key] = absolute(text, Path.cwd()) if names_path else value
        return
    known: list[str] = [*variables, *data]
    parts = key.split(".")
    if parts[0] not in Recipe.model_fields:
        raise InputError(
            f"the recipe has no variable or key '{parts[0]}'",
            where=f"--set {setting}",
            fix=did_you_mean(parts[0], {*known, *Recipe.model_fields}),
        )
    place = data
    for part in parts[:-1]:
        below = place.setdefault(part, {})
        if not isinstance(below, dict):
            fix = f"Set '{part}' as a whole, or check the key."
            raise InputError(f"'{part}' is not a mapping in {file}", where=f"--set {setting}", fix=fix)
        place = below
    if parts[-1] == "path":
        value = [str(one) for one in value] if isinstance(value, list) else text
    place[parts[-1]] = _from_working_directory(parts, value)
    whole: RecipePath = tuple(parts)
    for path in [path for path in lines if path[: len(whole)] == whole]:
        del lines[path]
    lines[whole] = f"--set {setting}"


def _from_working_directory(parts: Sequence[str], value: Any) -> Any:
    """What is set at a place of the recipe, its paths as seen from the working directory."""
    whole: Any = value
    for part in reversed(parts):
        whole = {part: whole}
    make_absolute(whole, Path.cwd())
    for part in parts:
        whole = whole[part]
    return whole


def _fill(value: Any, variables: dict[str, Any], path: RecipePath, problems: list[Problem]) -> Any:
    """Replace `${name}` everywhere but in the variables themselves."""
    if isinstance(value, dict):
        return {
            key: entry if (not path and key == "variables") else _fill(entry, variables, (*path, key), problems)
            for key, entry in value.items()
        }
    if isinstance(value, list):
        return [_fill(entry, variables, (*path, i), problems) for i, entry in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in variables:
            fix = did_you_mean(name, variables) if variables else f"Add 'variables: {{{name}: ...}}' to the recipe."
            problems.append(Problem(path, f"there is no variable '{name}'", fix))
            return ""
        if variables[name] is None:
            problems.append(Problem(path, f"the variable '{name}' has no value", f"Give it: --set {name}=..."))
            return ""
        return str(variables[name])

    return VARIABLE.sub(replace, value)
