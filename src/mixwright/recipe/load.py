"""From a YAML file to a `Recipe`, remembering the line of every key.

`${name}` in a text is replaced by a variable of the recipe; `--set name=value` sets a variable, `--set a.b=value` any
other key. Paths in the file are relative to the file; a path given with `--set` is relative to the working directory,
because that is where the person typed it.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.recipe.data import Source
from mixwright.recipe.problems import Problem, RecipePath, as_problems, dotted, recipe_error
from mixwright.recipe.schema import Recipe
from mixwright.recipe.yaml_file import parse_yaml

VARIABLE = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class LoadedRecipe:
    """A valid recipe and where it came from. Its paths are absolute."""

    recipe: Recipe
    file: Path
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
    try:
        recipe = Recipe.model_validate(_with_absolute_paths(filled, file.resolve().parent))
    except ValidationError as error:
        raise recipe_error(str(file), as_problems(error), lines) from None
    return LoadedRecipe(recipe, file, lines)


def source_of(about: dict[str, Any], settings: Sequence[str]) -> Source:
    """A source outside a recipe. settings: `key=value`, as of `--set`. Raises InputError for what is no source."""
    entry = dict(about)
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            fix = "Write --set key=value, for example --set columns='{prompt: text, completion: label}'."
            raise InputError(f"'{setting}' is no setting", where="--set", fix=fix)
        try:
            entry[key.strip()] = yaml.safe_load(text)
        except yaml.YAMLError:
            entry[key.strip()] = text
    try:
        return Source.model_validate(_with_absolute_paths({"sources": {"it": entry}}, Path.cwd())["sources"]["it"])
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
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        value = text
    key = key.removeprefix("variables.")
    if key in variables:
        names_path = _begins_a_path(data, key) or _names_a_folder(text)  # of the text: a folder may be called 2024
        variables[key] = _from_working_directory(text) if names_path else value
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
        value = (
            [_from_working_directory(str(v)) for v in value]
            if isinstance(value, list)
            else _from_working_directory(text)
        )
    elif parts[-1] == "model" and _names_a_folder(text):
        value = _from_working_directory(text)
    place[parts[-1]] = value
    whole: RecipePath = tuple(parts)
    for path in [path for path in lines if path[: len(whole)] == whole]:
        del lines[path]
    lines[whole] = f"--set {setting}"


def _begins_a_path(data: dict[str, Any], variable: str) -> bool:
    """Does a path of the recipe begin with this variable?"""
    entries = [entry for part in ("sources", "suites") for entry in _mapping(data.get(part)).values()]
    places = [_mapping(entry).get("path") for entry in entries]
    texts = [text for place in places for text in (place if isinstance(place, list) else [place])]
    return any(isinstance(text, str) and text.startswith(f"${{{variable}}}") for text in texts)


def _names_a_folder(text: str) -> bool:
    return text.startswith(("./", "../", "~/")) or ("/" in text and Path(text).is_dir())


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _from_working_directory(text: str) -> str:
    if "://" in text:
        return text
    with contextlib.suppress(RuntimeError):  # ~somebody who does not exist
        return str(Path(text).expanduser().absolute())
    return str(Path(text).absolute())


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


def _with_absolute_paths(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    def absolute(path: Any) -> Any:
        if isinstance(path, list):
            return [absolute(entry) for entry in path]
        if not isinstance(path, str) or "://" in path:
            return path
        return os.path.normpath(folder / Path(path).expanduser())

    for section in ("sources", "suites"):
        entries = data.get(section)
        for entry in entries.values() if isinstance(entries, dict) else ():
            if isinstance(entry, dict) and "path" in entry:
                entry["path"] = absolute(entry["path"])
            if isinstance(entry, dict) and isinstance(entry.get("hub"), str) and _is_local(entry["hub"], folder):
                entry["hub"] = absolute(entry["hub"])
    base = data.get("base")
    if isinstance(base, dict) and isinstance(base.get("model"), str) and _is_local(base["model"], folder):
        base["model"] = absolute(base["model"])
    return data


def _is_local(name: str, folder: Path) -> bool:
    """Whether a model or data set is a folder rather than a name on the hub."""
    return name.startswith((".", "~", "/")) or (folder / name).is_dir()
