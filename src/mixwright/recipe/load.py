"""From a YAML file to a `Recipe`, remembering the line of every key.

`${name}` in a text is replaced by a variable of the recipe; `--set name=value` sets a variable, `--set a.b=value` any
other key. Paths in the file are relative to the file; a path given with `--set` is relative to the working directory,
because that is where the person typed it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.recipe.problems import Problem, RecipePath, as_problems, dotted, recipe_error
from mixwright.recipe.schema import Recipe

VARIABLE = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class LoadedRecipe:
    """A valid recipe and where it came from. Its paths are absolute."""

    recipe: Recipe
    file: Path
    lines: dict[RecipePath, int]

    def error(self, path: RecipePath, message: str, fix: str | None = None) -> InputError:
        """An error that points at a place in the recipe file."""
        return recipe_error(str(self.file), [Problem(path, message, fix)], self.lines)

    def located(self, error: InputError) -> InputError:
        """The same error with file and line, when its `where` is a recipe path such as `sources.tickets.path`."""
        path = tuple((error.where or "").split("."))
        return self.error(path, error.message, error.fix) if path[0] in Recipe.model_fields else error


def load_recipe(file: Path, settings: Sequence[str] = ()) -> LoadedRecipe:
    """Read, fill in and validate a recipe. settings: `key=value` texts. Raises InputError with every problem found."""
    text = _read(file)
    lines: dict[RecipePath, int] = {}
    data = _parse(file, text, lines)
    variables = dict(data.get("variables") or {}) if isinstance(data.get("variables"), dict | None) else {}
    for setting in settings:
        _apply(file, data, variables, setting)
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


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError("there is no such recipe", where=str(file)) from None
    except IsADirectoryError:
        found = sorted(path.name for path in file.glob("*.y*ml"))
        fix = f"It holds: {', '.join(found)}." if found else None
        raise InputError("this is a folder, a recipe is a YAML file", where=str(file), fix=fix) from None
    except UnicodeDecodeError as error:
        raise InputError(f"the recipe is not UTF-8 text (byte {error.start})", where=str(file)) from None
    except OSError as error:
        raise InputError(f"the recipe cannot be read ({error.strerror})", where=str(file)) from None


def _parse(file: Path, text: str, lines: dict[RecipePath, int]) -> dict[str, Any]:
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        data = _build(file, loader, node, (), lines) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        raise InputError(f"this is not valid YAML: {error.problem or error.context}", where=where) from None
    except yaml.YAMLError as error:
        raise InputError(f"this is not valid YAML: {error}", where=str(file)) from None
    if not isinstance(data, dict):
        raise InputError("the recipe is not a mapping (key: value)", where=str(file))
    return data


def _build(file: Path, loader: Any, node: yaml.Node, path: RecipePath, lines: dict[RecipePath, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise InputError("a key must be a plain word", where=f"{file}:{line}")
            key = str(key_node.value)
            if key in built:
                fix = f"First given in line {lines[(*path, key)]}."
                raise InputError(f"the key '{dotted((*path, key))}' stands here twice", where=f"{file}:{line}", fix=fix)
            lines[(*path, key)] = line
            built[key] = _build(file, loader, value_node, (*path, key), lines)
        return built
    if isinstance(node, yaml.SequenceNode):
        return [_build(file, loader, entry, (*path, i), lines) for i, entry in enumerate(node.value)]
    return loader.construct_object(node)


def _apply(file: Path, data: dict[str, Any], variables: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    key = key.strip()
    if not equals or not key:
        raise InputError(
            f"'{setting}' is no setting",
            where="--set",
            fix="Write --set name=value, for example --set data=corpus.",
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    if key in variables:
        variables[key] = _from_working_directory(text)
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
            raise InputError(f"'{part}' is not a mapping in {file}", where=f"--set {setting}")
        place = below
    place[parts[-1]] = value


def _from_working_directory(text: str) -> str:
    path = Path(text).expanduser()
    if text.startswith((".", "~")) or path.exists():
        return str(path.absolute())
    return text


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
            problems.append(Problem(path, f"there is no variable '{name}'", did_you_mean(name, variables)))
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
        return os.path.normpath(folder / Path(path).expanduser()) if isinstance(path, str) else path

    for section in ("sources", "suites"):
        entries = data.get(section)
        for entry in entries.values() if isinstance(entries, dict) else ():
            if isinstance(entry, dict) and "path" in entry:
                entry["path"] = absolute(entry["path"])
    base = data.get("base")
    if isinstance(base, dict) and isinstance(base.get("model"), str):
        model = base["model"]
        if model.startswith((".", "~", "/")) or (folder / model).is_dir():
            base["model"] = absolute(model)
    return data
