"""The files of a source or suite: those that its `path` names, or those of a data set of a hub."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mixwright.ground.progress import tell
from mixwright.recipe.data import Rows
from mixwright.sources.files.choosing import Found
from mixwright.sources.files.data_file import DataFile, check_names, printable
from mixwright.sources.files.finding import find
from mixwright.sources.files.hub import Repository


def found(entry: Rows, where: str, project: Path | None = None) -> Found:
    """The files in their order, and what to know of how they were chosen.

    where: `sources.name`, for messages. project: that links may not lead out of. Raises InputError as `find` and
    `Repository` do.
    """
    if entry.hub is None:
        files, notes = find(entry.path or (), f"{where}.path", project)
    else:
        repository = Repository.found(entry.hub, entry.revision, where)
        files, notes = repository.data_files(entry.config, entry.split or "train", where)
        check_names(map(str, files), f"{where}.hub")
    return Found(files, [printable(note) for note in notes])


def files_of(entry: Rows, where: str, project: Path | None = None) -> list[DataFile]:
    """The files that are `found`; what to know of their choice is told, once."""
    files, notes = found(entry, where, project)
    for note in notes:
        _tell_once(f"{where}: {note}")
    return files


_tell_once = cache(tell)


def commit_of(entry: Rows, where: str) -> str | None:
    """The commit that `revision` means now; None for files, and for a folder that is no clone of a hub's."""
    return None if entry.hub is None else Repository.found(entry.hub, entry.revision, where).commit
