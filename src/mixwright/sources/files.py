"""Which files a recipe's `path` means: files and globs, always in the same order."""

from __future__ import annotations

import glob
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
    found: list[Path] = []
    for pattern in (path,) if isinstance(path, str) else path:
        if Path(pattern).is_dir():
            inside = sorted({kind for entry in Path(pattern).iterdir() if (kind := kind_of(entry))})
            fix = f"Write {pattern}/*{inside[0]} for the files in it." if inside else None
            raise InputError(f"{pattern} is a folder, not a file", where=where, fix=fix)
        if glob.has_magic(pattern) and not Path(pattern).exists():
            matches = sorted(Path(name) for name in glob.glob(pattern, recursive=True) if Path(name).is_file())
            if not matches:
                raise InputError(f"no file matches {pattern}", where=where)
        else:
            matches = [Path(pattern)]
            if not matches[0].exists():
                raise InputError(f"there is no file {pattern}", where=where, fix=_nearest(matches[0]))
        for match in matches:
            if kind_of(match) is None:
                raise InputError(
                    f"{match} is of no kind that can be read",
                    where=where,
                    fix=f"Known: {', '.join(SUFFIXES)}, and .jsonl.gz, .csv.gz.",
                )
        found.extend(match for match in matches if match not in found)
    return found


def _nearest(path: Path) -> str | None:
    folder = path.parent
    if not folder.is_dir():
        while not folder.is_dir() and folder != folder.parent:
            folder = folder.parent
        return f"The folder {path.parent} does not exist; {folder} does."
    names = sorted(entry.name for entry in folder.iterdir() if kind_of(entry))
    return f"The folder holds: {', '.join(names[:8])}." if names else None
