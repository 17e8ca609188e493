"""Which files a recipe's `path` means: files and globs, always in the same order."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from mixwright.ground.errors import InputError

SUFFIXES = (".jsonl", ".csv", ".parquet")
GZIP = ".gz"


def kind_of(path: Path) -> str | None:
    """`.jsonl`, `.csv` or `.parquet`, through `.gz`; None when the name says nothing known."""
    suffix = Path(path.stem).suffix if path.suffix == GZIP else path.suffix
    return suffix if suffix in SUFFIXES and not (suffix == ".parquet" and path.suffix == GZIP) else None


def find_files(path: str | Sequence[str], where: str) -> list[Path]:
    """The files of a path, sorted within each glob. where: the recipe path for messages.

    Raises InputError when a path does not exist, is a folder, matches nothing, or is of an unknown kind.
    """
    found: dict[Path, Path] = {}  # by real path: a link inside a ** would count its rows again
    for pattern in (path,) if isinstance(path, str) else path:
        if os.path.isdir(pattern):  # os.path: no exception for a name that no file system can hold
            inside = sorted({kind for entry in Path(pattern).iterdir() if (kind := kind_of(entry))})
            fix = f"Write {pattern}/*{inside[0]} for the files in it." if inside else "Name a file in it."
            raise InputError(f"{pattern} is a folder, not a file", where=where, fix=fix)
        if glob.has_magic(pattern) and not os.path.exists(pattern):
            matches = sorted(Path(name) for name in glob.glob(pattern, recursive=True) if os.path.isfile(name))
            if not matches:
                raise InputError(f"no file matches {pattern}", where=where, fix=_nearest(Path(pattern)))
        else:
            matches = [Path(pattern)]
            if os.path.islink(pattern) and not os.path.exists(pattern):
                fix = "Mend the link, or name the file itself."
                raise InputError(f"{pattern} is a link that leads nowhere", where=where, fix=fix)
            if not os.path.exists(pattern):
                raise InputError(f"there is no file {pattern}", where=where, fix=_nearest(matches[0]))
            if not os.path.isfile(pattern):
                fix = "It is read more than once: write its content into a file."
                raise InputError(f"{pattern} is a pipe or device, not a regular file", where=where, fix=fix)
        for match in matches:
            if kind_of(match) is None:
                raise InputError(
                    f"{match} is of no kind that can be read",
                    where=where,
                    fix=f"Known: {', '.join(SUFFIXES)}, and .jsonl.gz, .csv.gz.",
                )
            found.setdefault(match.resolve(), match)
    if not found:
        raise InputError(
            "the list of files is empty", where=where, fix="Name a file, or a pattern such as data/*.jsonl."
        )
    return list(found.values())


def _nearest(path: Path) -> str:
    folder = path.parent
    if not os.path.isdir(folder):
        while not os.path.isdir(folder) and folder != folder.parent:
            folder = folder.parent
        return f"The folder {path.parent} does not exist; {folder} does."
    names = sorted(entry.name for entry in folder.iterdir() if kind_of(entry))
    if not names:
        return f"The folder {folder} holds no file that can be read ({', '.join(SUFFIXES)})."
    return f"The folder holds: {', '.join(names[:8])}."
