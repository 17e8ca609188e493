"""Data sets of the Hugging Face hub: which files make up a configuration's split, at one commit.

A data set is read with our own readers, file by file as it is needed, not through a loader of its own: rows keep their
file and number, and what is wrong with one has a place. What its card says in `configs:` is followed as the hub
documents it; without that, files belong to the split whose name stands in theirs. Loading scripts are code and never
run.

`owner/name` is looked for in the hub's local cache first, where a whole snapshot of that revision lies, then on the
hub. A folder laid out as a repository does as well. A copy that lacks files of the split is never read as if it were
whole.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.sources.files.cards import CARD, Configuration, configuration, matching
from mixwright.sources.files.choosing import Found, check_one_kind, is_data, listed
from mixwright.sources.files.data_file import TEXT, DataFile, LocalFile, RemoteFile, kind_of, opened
from mixwright.sources.files.splits import gaps, split_of
from mixwright.sources.files.stores import reached, version_of

COMMIT = re.compile(r"[0-9a-f]{7,40}")
PROSE = (".md", ".markdown", ".rst")


class Incomplete(InputError):
    """A copy of a data set in the cache does not have what is asked for; the hub may."""


@dataclass(frozen=True)
class Repository:
    """A data set at one commit. name: as the recipe has it. root: where its files lie, for patterns of `path`. commit:
    None for a folder without one. files: by path. missing: paths that are links to nothing. is_copy: whether what is
    not here may be elsewhere."""

    name: str
    root: str
    commit: str | None
    files: Mapping[str, DataFile] = field(repr=False)
    missing: frozenset[str] = frozenset()
    is_copy: bool = True

    @staticmethod
    def found(name: str, revision: str | None, where: str) -> Repository:
        """Raises InputError when there is no such data set or revision, or the hub cannot be reached."""
        if Path(name).is_absolute():
            return _of_folder(name, Path(name), revision, where)
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
            fix = "Write owner/name, or ./folder for a folder."
            raise InputError(f"'{name}' names no data set of a hub", where=f"{where}.hub", fix=fix)
        cached = _cache() / f"datasets--{name.replace('/', '--')}"
        if cached.is_dir() and (_is_offline() or _snapshot(cached, revision) is not None):
            return _of_folder(name, cached, revision, where)
        if _is_offline():
            fix = "Download it where there is a network, or unset HF_HUB_OFFLINE."
            message = f"the data set '{name}' is not in the local cache, and the hub is switched off (HF_HUB_OFFLINE)"
            raise InputError(message, where=f"{where}.hub", fix=fix)
        return _of_hub(name, revision, where)

    def data_files(self, config: str | None, split: str, where: str) -> Found:
        """The files of one split, in order; of a copy in the cache that lacks some of them, those of the hub at the
        same commit. Raises InputError, naming what there is, for a split that does not exist."""
        try:
            return self._data_files(config, split, where)
        except Incomplete as fault:
            if _is_offline():
                raise
            try:
                whole = _of_hub(self.name, self.commit, where)
            except InputError as error:
                raise InputError(f"{fault.message}, and {error.message}", where=fault.where, fix=fault.fix) from None
            return whole.data_files(config, split, where)

    def _data_files(self, config: str | None, split: str, where: str) -> Found:
        about = self._configuration(config, where)
        notes: list[str] = []
        if about is not None and about.splits is not None:
            splits = [*about.splits]
            paths = self._matching(about.splits[split], where) if split in about.splits else None
        else:
            by_split = self._by_name(about, config, where)
            unnamed = by_split.pop("", [])
            if unnamed and by_split:
                notes.append(f"{self.name} is read without the files whose names say no split: {listed(unnamed)}")
            by_split = by_split or {"train": unnamed}
            splits, paths = [*by_split], by_split.get(split)
            self._check_whole(paths or (), where, paths or ())
        if paths is None:
            message = f"the data set {self.name} has no split '{split}'"
            raise self._lacking(message, f"{where}.split", did_you_mean(split, splits))
        prose = [path for path in paths if kind_of(PurePosixPath(path)) in TEXT]
        if 0 < len(prose) < len(paths):
            notes.append(f"the split '{split}' of {self.name} is read without {listed(prose)}")
            paths = [path for path in paths if path not in prose]
        check_one_kind(paths, f"the split '{split}' of {self.name}", self.root, f"{where}.hub")
        return Found([self.files[path] for path in paths], notes)

    def _configuration(self, config: str | None, where: str) -> Configuration | None:
        self._check_whole([CARD], where)
        card = self.files.get(CARD)
        if card is None:
            return None
        with opened(card) as stream:
            text = stream.read(1 << 20).decode("utf-8", "replace")
        return configuration(text, config, self.name, where)

    @cached_property
    def _paths(self) -> list[str]:
        """Of all files, whether or not they are in this copy."""
        return sorted({*self.files, *self.missing}, key=PurePosixPath)

    @cached_property
    def _data(self) -> list[str]:
        paths = [path for path in self._paths if is_data(path) and not _is_hidden(path)]
        return [path for path in paths if kind_of(PurePosixPath(path)) not in PROSE]

    def _by_name(self, about: Configuration | None, config: str | None, where: str) -> dict[str, list[str]]:
        """split -> paths of data, of the split whose name stands in them; those that name none under no name."""
        folder = about.folder if about else ""
        paths = [path for path in self._data if path.startswith(f"{folder}/" if folder else "")]
        if about is None and config not in (None, "default"):
            folders = {PurePosixPath(path).parts[0] for path in paths if "/" in path}
            if config not in folders:
                message = f"the data set {self.name} has no configuration '{config}'"
                raise self._lacking(message, f"{where}.config", did_you_mean(str(config), folders))
            paths = [path for path in paths if path.startswith(f"{config}/")]
        if not paths:
            there = listed([path for path in self._paths if not _is_hidden(path) and path != CARD])
            fix = f"It holds {there}: look for a converted copy of it." if there else "Check the name and the revision."
            raise self._lacking(f"the data set {self.name} holds no file that can be read", f"{where}.hub", fix)
        splits: dict[str, list[str]] = {}
        for path in paths:
            splits.setdefault(split_of(path) or "", []).append(path)
        return splits

    def _matching(self, patterns: Sequence[str], where: str) -> list[str]:
        """The files that a card's patterns mean: what they name, and the data among what their wildcards match."""
        found: dict[str, None] = {}
        wild: list[str] = []
        for pattern in patterns:
            matches = matching(pattern, self._paths, self.name, where)
            if not matches:
                message = f"no file of {self.name} matches '{pattern}', which its card names"
                fix = "Choose another revision, or read its files by 'path'."
                raise self._lacking(message, f"{where}.hub", fix)
            if glob.has_magic(pattern):
                data = {*self._data}
                matches = [path for path in matches if path in data] or matches
                wild += matches
            found |= dict.fromkeys(matches)
        self._check_whole([*found], where, wild)
        unknown = [path for path in found if kind_of(PurePosixPath(path)) is None]
        if unknown:
            fix = "Only data files are read, no loading scripts: look for a converted copy of the data set."
            raise InputError(f"{unknown[0]} is of no kind that can be read", where=f"{where}.hub", fix=fix)
        return [*found]

    def _check_whole(self, paths: Sequence[str], where: str, parts: Sequence[str] = ()) -> None:
        """Refuse a copy without some of the paths, or without a part of a table of which others are among `parts`."""
        lost = [path for path in paths if path in self.missing]
        if not lost and self.is_copy:
            here, touched = gaps(self._paths), gaps(parts)
            lost = [f"{here[table][1] - here[table][0]} of the parts {table}" for table in touched if table in here]
        if lost:
            fix = "Download the rest of it, or read what is there by 'path'."
            raise self._lacking(f"this copy of {self.name} is not whole: it lacks {listed(lost)}", f"{where}.hub", fix)

    def _lacking(self, message: str, where: str, fix: str) -> InputError:
        is_cached = self.is_copy and not Path(self.name).is_absolute()
        return (Incomplete if is_cached else InputError)(message, where=where, fix=fix)


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(path).parts)


def _of_folder(name: str, folder: Path, revision: str | None, where: str) -> Repository:
    """A folder laid out as a repository, or as the hub's cache keeps one (`snapshots/<commit>/`)."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}", where=f"{where}.hub", fix="Check the path.")
    root, commit, inside = folder, None, folder
    if (folder / "snapshots").is_dir():
        snapshot = _snapshot(folder, revision)
        if snapshot is None:
            known = sorted(entry.name for entry in (folder / "snapshots").iterdir())
            fix = f"Here are: {', '.join(known[:8])}." if known else "Here is none."
            message = f"the data set {name} has no revision '{revision or 'main'}' here"
            raise InputError(message, where=f"{where}.revision", fix=fix)
        root, commit = snapshot, snapshot.name
    elif revision is not None:
        fix = "Leave 'revision' out: its files are hashed into the lock."
        raise InputError(f"{folder} is a folder without revisions", where=f"{where}.revision", fix=fix)
    files: dict[str, DataFile] = {}
    missing: set[str] = set()
    for entry in sorted(root.rglob("*")):
        path = entry.relative_to(root)
        if any(part.startswith(".git") for part in path.parts):
            continue
        if entry.is_symlink() and not entry.exists():
            missing.add(path.as_posix())
        elif entry.is_file():
            if not entry.resolve().is_relative_to(inside.resolve()):
                fix = "Copy the file into the data set, or leave it out."
                raise InputError(f"{entry} is a link that leads out of the data set", where=f"{where}.hub", fix=fix)
            files[path.as_posix()] = LocalFile(entry, path.as_posix())
    return Repository(name, glob.escape(str(root)), commit, files, frozenset(missing))


def _snapshot(folder: Path, revision: str | None) -> Path | None:
    """The snapshot of a cached repository that a commit (or its beginning), branch or tag means."""
    wanted = revision or "main"
    reference = folder / "refs" / wanted
    if ".." not in PurePosixPath(wanted).parts and reference.is_file():
        wanted = reference.read_text(encoding="utf-8").strip()
    snapshots = sorted(folder.glob("snapshots/*"))
    matches = [entry for entry in snapshots if entry.name == wanted]
    if not matches and COMMIT.fullmatch(wanted):
        matches = [entry for entry in snapshots if entry.name.startswith(wanted)]
    return matches[0] if len(matches) == 1 else None


def _cache() -> Path:
    home = os.environ.get("HF_HOME", str(Path("~/.cache/huggingface").expanduser()))
    return Path(os.environ.get("HF_HUB_CACHE", str(Path(home) / "hub")))


def _is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


@lru_cache(maxsize=64)
def _of_hub(name: str, revision: str | None, where: str) -> Repository:
    from huggingface_hub import HfApi, HfFileSystem
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    with reached(f"the hub's data set {name}", f"{where}.hub"):
        try:
            commit = HfApi().dataset_info(name, revision=revision).sha
        except GatedRepoError:
            fix = "Accept its terms on its page, and give HF_TOKEN."
            raise InputError(f"the data set '{name}' is gated", where=f"{where}.hub", fix=fix) from None
        except RevisionNotFoundError:
            fix = "Look for its commits on its page, under Files and versions."
            message = f"the data set '{name}' has no revision '{revision}'"
            raise InputError(message, where=f"{where}.revision", fix=fix) from None
        except RepositoryNotFoundError:
            fix = "Check the name; a private one needs HF_TOKEN."
            raise InputError(f"there is no data set '{name}'", where=f"{where}.hub", fix=fix) from None
        root = f"datasets/{name}@{commit}/"
        listed: Any = HfFileSystem().find(root, detail=True)
    files: dict[str, DataFile] = {}
    for path, about in listed.items():
        label = path.removeprefix(root)
        files[label] = RemoteFile(f"hf://{path}", about.get("size"), version_of(about), label)
    return Repository(name, f"hf://{root.rstrip('/')}", commit, files, is_copy=False)
