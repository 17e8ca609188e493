"""Which files a recipe's `path` means: files, folders, globs and URLs, always in the same order."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mixwright.ground.errors import InputError
from mixwright.sources.files.choosing import Choice, Found, chosen, listed
from mixwright.sources.files.data_file import (
    COMPRESSIONS,
    SUFFIXES,
    WHOLE,
    DataFile,
    LocalFile,
    RemoteFile,
    check_names,
    ending_of,
    kind_of,
)
from mixwright.sources.files.splits import gaps, split_of
from mixwright.sources.files.stores import is_url, is_web, reached, system_of, version_of


class _Match(NamedTuple):
    """A file that a pattern means. label: its path from what the pattern names. about: what a store says of it."""

    path: str
    label: str
    about: Mapping[str, Any] | None = None


def find(path: str | Sequence[str], where: str, project: Path | None = None) -> Found:
    """The files of a path, sorted within each glob or folder. where: the recipe path for messages.

    project: where given, a link that leads out of it is refused, unless it stays in the folder that the path names.
    Raises InputError when a path does not exist, matches nothing, is of an unknown kind, is a folder of several kinds,
    or cannot be reached.
    """
    found: dict[str, _Match] = {}  # by real path: a link inside a ** would count its rows again
    notes: list[str] = []
    patterns = (path,) if isinstance(path, str) else path
    check_names(patterns, where)
    for pattern in patterns:
        matches = _remote(pattern, where, notes) if is_url(pattern) else _local(pattern, where, notes)
        if project is not None and not is_url(pattern):
            _check_links([match.path for match in matches], pattern, project, where)
        check_names([match.path for match in matches], where)
        for match in matches:
            if kind_of(_named(match.path)) is None:
                raise _of_no_kind(match.path, where)
            found.setdefault(match.path if is_url(match.path) else os.path.realpath(match.path), match)
    if not found:
        fix = "Name a file, or a pattern such as data/*.jsonl."
        raise InputError("the list of files is empty", where=where, fix=fix)
    for pattern in patterns:
        notes += _passed_over(pattern, found.keys())
    return Found(_told_apart([*found.values()]), notes)


def find_files(path: str | Sequence[str], where: str, project: Path | None = None) -> list[DataFile]:
    """The files that `find` finds."""
    return find(path, where, project).files


def _named(path: str) -> PurePosixPath | RemoteFile:
    return RemoteFile(path) if is_url(path) else PurePosixPath(path)


def _of_no_kind(path: str, where: str) -> InputError:
    packings = ", ".join(COMPRESSIONS)
    fix = f"Known: {', '.join(SUFFIXES)}; all but {', '.join(WHOLE)} also compressed ({packings})."
    if is_web(path) and "?" in path:
        fix = f"What follows the ? is a query, not part of the name. {fix}"
    return InputError(f"{path} is of no kind that can be read", where=where, fix=fix)


def _told_apart(matches: Sequence[_Match]) -> list[DataFile]:
    """The files with labels of which no two are alike: as much of the path before each is added as it takes."""
    labels = [match.label for match in matches]
    paths = [PurePosixPath(urlsplit(match.path).path if is_web(match.path) else match.path) for match in matches]
    while len({*labels}) < len(labels):
        counts, before = Counter(labels), labels
        labels = [
            "/".join(path.parts[-label.count("/") - 2 :]).lstrip("/") if counts[label] > 1 else label
            for path, label in zip(paths, labels, strict=True)
        ]
        if labels == before:  # addresses that differ in their query alone
            alike = [counts[label] > 1 for label in labels]
            labels = [f"{label}#{number}" if alike[number - 1] else label for number, label in enumerate(labels, 1)]
    return [_file(match, label) for match, label in zip(matches, labels, strict=True)]


def _file(match: _Match, label: str) -> DataFile:
    about = match.about
    if about is None:
        return LocalFile(Path(match.path), label)
    return RemoteFile(match.path, about.get("size"), version_of({**about}), label)


def _local(pattern: str, where: str, notes: list[str]) -> list[_Match]:
    if os.path.isdir(pattern):  # os.path: no exception for a name that no file system can hold
        return _in_folder(pattern, where, notes)
    if glob.has_magic(pattern) and not os.path.exists(pattern):
        names = [name for name in _globbed(pattern) if _is_file(name, where)]
        if not names:
            raise InputError(f"no file matches {pattern}", where=where, fix=_nearest(Path(pattern)))
        labels = [Path(name).relative_to(named_folder(pattern)).as_posix() for name in names]
        notes += _of_splits(pattern, labels, "name the files of one")
        return [_Match(name, label) for name, label in zip(names, labels, strict=True)]
    is_file = _is_file(pattern, where)
    if not os.path.exists(pattern):
        raise InputError(f"there is no file {pattern}", where=where, fix=_nearest(Path(pattern)))
    if not is_file:
        fix = "It is read more than once: write its content into a file."
        raise InputError(f"{pattern} is a pipe or device, not a regular file", where=where, fix=fix)
    return [_Match(pattern, PurePosixPath(pattern).name)]


def _globbed(pattern: str) -> list[str]:
    return [str(path) for path in sorted(map(Path, glob.glob(pattern, recursive=True)))]


def named_folder(pattern: str) -> str:
    """The folder that a pattern names before its first wildcard."""
    while glob.has_magic(pattern) and not os.path.exists(pattern):
        pattern = os.path.dirname(pattern)
    return pattern


def _is_file(path: str, where: str) -> bool:
    if os.path.islink(path) and not os.path.exists(os.path.realpath(path)):
        fix = "Mend the link, or name the file itself."
        raise InputError(f"{path} is a link that leads nowhere", where=where, fix=fix)
    return os.path.isfile(path)


def _in_folder(folder: str, where: str, notes: list[str]) -> list[_Match]:
    """The data files of a folder and those below it, hidden ones aside."""
    names = [entry.relative_to(folder).as_posix() for entry in sorted(_below(folder))]
    choice = chosen(names, f"the folder {folder}", glob.escape(folder), where)
    notes += _of_folder(folder, choice)
    paths = {label: str(Path(folder, label)) for label in choice.chosen}
    return [_Match(path, label) for label, path in paths.items() if _is_file(path, where)]


def _below(folder: str) -> Iterator[Path]:
    """What is in a folder and those below it, through links, each folder once."""
    seen: set[str] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        folders[:] = [] if real in seen else sorted(name for name in folders if not name.startswith("."))
        names = [] if real in seen else names
        seen.add(real)
        yield from (Path(here, name) for name in names if not name.startswith("."))


def _of_folder(folder: str, choice: Choice) -> Iterator[str]:
    """What to know of a folder that is read as a whole."""
    if choice.left_out:
        yield f"{folder} is read without files of other kinds: {listed(choice.left_out)}"
    yield from _of_splits(folder, choice.chosen, f"'hub: {folder}' with 'split' reads one")
    for table, (there, whole) in gaps(choice.chosen).items():
        yield f"{folder} holds {there} of the {whole} parts {table}"


def _of_splits(pattern: str, labels: Sequence[str], fix: str) -> Iterator[str]:
    splits = sorted({split for split in map(split_of, labels) if split})
    if len(splits) > 1:
        yield f"{pattern} means the files of all splits ({', '.join(splits)}); {fix}"


def _passed_over(pattern: str, read: Set[str]) -> Iterator[str]:
    """What a pattern does not match for its compression, or for capital letters, alone. read: real paths."""
    ending = ending_of(PurePosixPath(pattern))
    if is_url(pattern) or not ending or not glob.has_magic(pattern) or os.path.exists(pattern):
        return
    kind = kind_of(PurePosixPath(pattern))
    alike = [name for name in _globbed(f"{pattern[: -len(ending)].rstrip('*')}*") if kind_of(Path(name)) == kind]
    passed = {os.path.realpath(name): name for name in alike if os.path.isfile(name)}
    names = [os.path.basename(name) for real, name in passed.items() if real not in read]
    if names:
        yield f"{pattern} passes over {listed(names)}"


def _check_links(files: Sequence[str], pattern: str, project: Path, where: str) -> None:
    """Raise InputError for a link out of the project and of the folder, before its first wildcard, of the pattern."""
    folder = Path(os.path.realpath(named_folder(pattern)))
    for file in files:
        real = Path(os.path.realpath(file))
        if not (real.is_relative_to(project) or real.is_relative_to(folder)):
            left = f"project {project}" if folder.is_relative_to(project) else f"folder {folder}"
            how = "is" if os.path.islink(file) else "lies behind"
            fix = f"Copy it there, or name {real} itself."
            raise InputError(f"{file} {how} a link that leads out of the {left}", where=where, fix=fix)


def _nearest(path: Path) -> str:
    folder = path.parent
    if not os.path.isdir(folder):
        while not os.path.isdir(folder) and folder != folder.parent:
            folder = folder.parent
        return f"The folder {path.parent} does not exist; {folder} does."
    names = sorted(entry.name for entry in folder.iterdir() if kind_of(entry))
    if not names:
        return f"The folder {folder} holds no file that can be read ({', '.join(SUFFIXES)})."
    return f"The folder holds: {listed(names)}."


def _remote(url: str, where: str, notes: list[str]) -> list[_Match]:
    is_pattern = glob.has_magic(urlsplit(url).path if is_web(url) else url)
    is_file = is_web(url) and kind_of(RemoteFile(url)) is not None  # whatever links a server may give in it
    if is_web(url) and "?" in url and is_pattern:
        fix = "Name the files, each with its own."
        raise InputError(f"what follows the ? in {url} is a query, which no pattern has", where=where, fix=fix)
    if is_web(url) and "?" in url and not is_file:
        raise _of_no_kind(url, where)
    with reached(url, where):
        system, path = system_of(url, where)
        system.invalidate_cache()  # what it was asked before may have changed since
        is_folder = not is_pattern and system.isdir(path) and not is_file  # asked of a file too: it says what is wrong
        if is_pattern:
            entries, root = system.glob(path, detail=True), re.split(r"[*?\[]", path)[0].rpartition("/")[0]
        elif is_folder:
            entries, root = system.find(path, detail=True), path.rstrip("/")
        else:
            entries, root = {path: system.info(path)}, None
        entries = {name: about for name, about in sorted(entries.items()) if about.get("type") != "directory"}
        files = [_elsewhere(system.unstrip_protocol(name), name, root, about) for name, about in entries.items()]
    if not files:
        raise InputError(f"no file matches {url}", where=where, fix="Check the bucket, the name and the pattern.")
    labels = [file.label for file in files]
    if is_folder:
        labels = [label for label in labels if not any(part.startswith(".") for part in PurePosixPath(label).parts)]
        choice = chosen(labels, f"the folder {url}", url.rstrip("/"), where)
        notes += _of_folder(url, choice)
        return [file for file in files if file.label in {*choice.chosen}]
    if is_pattern:
        notes += _of_splits(url, labels, "name the files of one")
    return files


def _elsewhere(address: str, name: str, root: str | None, about: Mapping[str, Any]) -> _Match:
    """A file of a store, which calls it `name` and its folder `root`; where it spells that otherwise, the file's own
    name is its label."""
    own = RemoteFile(address).name
    inside = name.removeprefix(f"{root}/") if root and name.startswith(f"{root}/") else own
    return _Match(address, inside.partition("?")[0] if is_web(address) else inside, about)
