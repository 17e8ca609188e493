"""Data sets of the Hugging Face hub: which files make up a configuration's split, at one commit.

A data set is read with our own readers, file by file as it is needed, not through a loader of its own: rows keep their
file and number, and what is wrong with one has a place. What its card (`README.md`) says in `configs:` is followed as
the hub documents it; without that, files belong to the split whose name stands in theirs. Loading scripts are code and
never run.

`owner/name` is looked for in the hub's local cache first, where a whole snapshot of that revision lies, then on the
hub. A folder laid out as a repository does as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.sources.files import DataFile, RemoteFile, kind_of, opened, reached, version_of

CARD = "README.md"
SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
COMMIT = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Repository:
    """A data set at one commit. name: as the recipe has it. commit: None for a folder without one. files: by path."""

    name: str
    commit: str | None
    files: Mapping[str, DataFile] = field(repr=False)

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

    def data_files(self, config: str | None, split: str, where: str) -> list[DataFile]:
        """The files of one split, in order. Raises InputError, naming what there is, for one that does not exist."""
        splits = self._splits(config, where)
        if split not in splits:
            fix = did_you_mean(split, splits)
            raise InputError(f"the data set {self.name} has no split '{split}'", where=f"{where}.split", fix=fix)
        paths = splits[split]
        unknown = [path for path in paths if kind_of(PurePosixPath(path)) is None]
        if unknown:
            fix = "Only data files are read, no loading scripts: look for a converted copy of the data set."
            raise InputError(f"{unknown[0]} is of no kind that can be read", where=f"{where}.hub", fix=fix)
        return [self.files[path] for path in paths]

    def _splits(self, config: str | None, where: str) -> dict[str, list[str]]:
        """split -> the paths of its files."""
        configs = self._configs(where)
        if not configs:
            return self._splits_by_name(config, where)
        chosen = config or next((name for name, about in configs.items() if about.get("default")), None)
        chosen = chosen or ("default" if "default" in configs else next(iter(configs)) if len(configs) == 1 else None)
        if chosen is None or chosen not in configs:
            what = f"no configuration '{chosen}'" if chosen else "several configurations and no default"
            fix = did_you_mean(chosen, configs) if chosen else f"Choose one: {', '.join(configs)}."
            raise InputError(f"the data set {self.name} has {what}", where=f"{where}.config", fix=fix)
        about = configs[chosen]
        folder = str(about.get("data_dir") or "").strip("/")
        if "data_files" not in about:
            return self._by_name([path for path in self._data() if path.startswith(f"{folder}/" if folder else "")])
        splits: dict[str, list[str]] = {}
        for entry in _entries(about["data_files"]):
            patterns = [f"{folder}/{pattern}" if folder else pattern for pattern in entry["path"]]
            splits[entry["split"]] = self._matching(patterns, where)
        return splits

    def _splits_by_name(self, config: str | None, where: str) -> dict[str, list[str]]:
        data = self._data()
        if config is not None and config != "default":
            folders = {PurePosixPath(path).parts[0] for path in data if "/" in path}
            if config not in folders:
                fix = did_you_mean(config, folders)
                message = f"the data set {self.name} has no configuration '{config}'"
                raise InputError(message, where=f"{where}.config", fix=fix)
            data = [path for path in data if path.startswith(f"{config}/")]
        return self._by_name(data)

    def _data(self) -> list[str]:
        paths = [PurePosixPath(path) for path in self.files]
        readable = [path for path in paths if kind_of(path) not in (None, ".md", ".markdown", ".rst")]
        return [str(path) for path in sorted(readable) if not path.name.startswith(".") and path.name != "LICENSE.txt"]

    @staticmethod
    def _by_name(paths: Sequence[str]) -> dict[str, list[str]]:
        """Files by the split whose name stands between separators in theirs; all are `train` where none has one."""
        splits: dict[str, list[str]] = {}
        for path in paths:
            words = re.split(r"[^a-z]+", path.lower())
            split = next((split for split, names in SPLIT_NAMES.items() if not {*names}.isdisjoint(words)), None)
            if split is not None:
                splits.setdefault(split, []).append(path)
        return splits or {"train": [*paths]}

    def _matching(self, patterns: Sequence[str], where: str) -> list[str]:
        from fsspec.utils import glob_translate

        found: dict[str, None] = {}
        for pattern in patterns:
            if ".." in PurePosixPath(pattern).parts or pattern.startswith("/") or "://" in pattern:
                fix = "Do not use this data set, or mend its card."
                message = f"the card of {self.name} names '{pattern}', which lies outside the data set"
                raise InputError(message, where=f"{where}.hub", fix=fix)
            expression = re.compile(glob_translate(pattern))
            matches = sorted(path for path in self.files if expression.fullmatch(path))
            if not matches:
                fix = "Choose another revision, or read its files by 'path'."
                message = f"no file of {self.name} matches '{pattern}', which its card names"
                raise InputError(message, where=f"{where}.hub", fix=fix)
            found |= dict.fromkeys(matches)
        return [*found]

    def _configs(self, where: str) -> dict[str, Any]:
        """What the front matter of the card says of each configuration; empty where it says nothing."""
        card = self.files.get(CARD)
        if card is None:
            return {}
        with opened(card) as stream:
            text = stream.read(1 << 20).decode("utf-8", "replace")
        front = re.match(r"\ufeff?---\s*\n(.*?)\n---\s*(\n|$)", text, re.DOTALL)
        try:
            about = yaml.safe_load(front.group(1)) if front else None
            configs = about.get("configs") if isinstance(about, dict) else None
            return {str(entry["config_name"]): entry for entry in configs or ()}
        except (yaml.YAMLError, KeyError, TypeError, AttributeError):
            fix = "Choose another revision, or read its files by 'path'."
            message = f"the front matter of {self.name}'s card cannot be understood"
            raise InputError(message, where=f"{where}.hub", fix=fix) from None


def _entries(data_files: Any) -> list[dict[str, Any]]:
    """[{split, path: [patterns]}] of the several ways in which a card may say it."""
    if isinstance(data_files, str):
        return [{"split": "train", "path": [data_files]}]
    if isinstance(data_files, Mapping):
        data_files = [{"split": split, "path": path} for split, path in data_files.items()]
    if data_files and all(isinstance(entry, str) for entry in data_files):
        return [{"split": "train", "path": [*data_files]}]
    return [
        {"split": str(entry["split"]), "path": [entry["path"]] if isinstance(entry["path"], str) else [*entry["path"]]}
        for entry in data_files
    ]


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
    for entry in sorted(root.rglob("*")):
        if not entry.is_file() or any(part.startswith(".git") for part in entry.relative_to(root).parts):
            continue
        if not entry.resolve().is_relative_to(inside.resolve()):
            fix = "Copy the file into the data set, or leave it out."
            raise InputError(f"{entry} is a link that leads out of the data set", where=f"{where}.hub", fix=fix)
        files[entry.relative_to(root).as_posix()] = entry
    return Repository(name, commit, files)


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
        files[path.removeprefix(root)] = RemoteFile(f"hf://{path}", about.get("size"), version_of(about))
    return Repository(name, commit, files)
