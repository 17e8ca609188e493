"""The paths of a recipe: seen from where they were written, and kept inside its project.

What a recipe says in relative paths goes where the recipe goes: into a repository, to a colleague, to a cluster. A path
that leads out of the project means something else there, or nothing. An absolute path, and what the command line gives,
are the user's own word and lead anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mixwright.recipe.problems import Problem, RecipePath

MARKS = (".git", "pyproject.toml")  # of a project's folder
HERE = re.compile(r"^(file|local)://")  # a URL of this machine is a path


def project_of(file: Path) -> Path:
    """The real path of the nearest folder at or above a recipe that holds one of `MARKS`; its own when none does."""
    folder = file.resolve().parent
    marked = (one for one in (folder, *folder.parents) if any(os.path.exists(one / mark) for mark in MARKS))
    return next(marked, folder)


def absolute(path: str, folder: Path) -> str:
    """A path as it is seen from a folder; a URL as it stands."""
    local = _local(path)
    return path if local is None else os.path.normpath(os.path.join(folder, local))


def _local(path: str) -> str | None:
    """A path on this machine, `~` and `file://` written out; None for a URL."""
    path = HERE.sub("", path)
    return None if "://" in path else os.path.expanduser(path)


def make_absolute(data: dict[str, Any], folder: Path) -> None:
    """Make every path of a recipe's plain data absolute, as seen from a folder."""
    for _, holder, key in _paths(data, folder):
        holder[key] = absolute(holder[key], folder)


def leads_out(path: str, folder: Path, project: Path) -> str | None:
    """Where a relative path really goes, when that is out of the project, by itself or through a link; else None."""
    local = _local(path)
    if local is None or os.path.isabs(local):
        return None
    try:
        real = os.path.realpath(absolute(path, folder))
    except ValueError:  # of a name that no file system can hold: it will not be found
        return None
    return None if Path(real).is_relative_to(project) else real


def out_of_project(data: dict[str, Any], written: dict[str, Any], folder: Path, project: Path) -> list[Problem]:
    """A problem for every relative path of a recipe that leads out of its project.

    data: filled in, its paths not yet absolute. written: the same before its variables were filled in.
    """
    found = []
    for place, holder, key in _paths(data, folder):
        real = leads_out(holder[key], folder, project)
        if real is not None:
            message = f"'{holder[key]}' leads out of the project {project}, to {real}"
            found.append(Problem(place, message, _ways_out(real, _at(written, place))))
    return found


def _at(data: Any, place: RecipePath) -> str:
    for key in place:
        data = data[key]
    return str(data)


def _ways_out(real: str, written: str) -> str:
    folder, name = os.path.split(real)
    variable = re.match(r"\$\{(\w+)\}", written)
    given = f"--set {variable[1]}=..." if variable else f"${{data}}/{name} with --set data={folder}"
    return f"Move it into the project, write the absolute path, or let the command line say where it is ({given})."


def begins_a_path(data: dict[str, Any], text: str) -> bool:
    """Whether a path to the files of a source or suite begins with this text."""
    return any(holder[key].startswith(text) for place, holder, key in _paths(data, Path()) if place[2:3] == ("path",))


def names_a_folder(text: str) -> bool:
    return text.startswith(("./", "../", "~/")) or ("/" in text and os.path.isdir(text))


def _paths(data: dict[str, Any], folder: Path) -> Iterator[tuple[RecipePath, Any, Any]]:
    """Where each path stands in a recipe: its place, and the mapping or list that holds it with the key there."""
    for section in ("sources", "suites"):
        for name, entry in _mapping(data.get(section)).items():
            path = _mapping(entry).get("path")
            if isinstance(path, list):
                yield from (((section, name, "path", n), path, n) for n, one in enumerate(path) if isinstance(one, str))
            elif isinstance(path, str):
                yield (section, name, "path"), entry, "path"
            if _is_local(_mapping(entry).get("hub"), folder):
                yield (section, name, "hub"), entry, "hub"
    base = _mapping(data.get("base"))
    if _is_local(base.get("model"), folder):
        yield ("base", "model"), base, "model"


def _is_local(name: Any, folder: Path) -> bool:
    """Whether a model or data set is a folder rather than a name on the hub."""
    return isinstance(name, str) and (name.startswith((".", "~", "/")) or os.path.isdir(folder / name))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
