"""The files of a source or suite: those that its `path` names, or those of a data set of a hub."""

from __future__ import annotations

from pathlib import Path

from mixwright.recipe.data import Rows
from mixwright.sources.files import DataFile, find_files
from mixwright.sources.hub import Repository


def files_of(entry: Rows, where: str, project: Path | None = None) -> list[DataFile]:
    """The files in their order. where: `sources.name`, for messages. project: that links may not lead out of.

    Raises InputError as `find_files` and `hub` do.
    """
    if entry.hub is None:
        return find_files(entry.path or (), f"{where}.path", project)
    repository = Repository.found(entry.hub, entry.revision, where)
    return repository.data_files(entry.config, entry.split or "train", where)


def commit_of(entry: Rows, where: str) -> str | None:
    """The commit that `revision` means now; None for files, and for a folder that is no clone of a hub's."""
    return None if entry.hub is None else Repository.found(entry.hub, entry.revision, where).commit
