"""The store: stages run once, whole or not at all, and never twice for the same inputs.

A stage is a plain function that fills a directory. The store names the result by a key - stage, code, configuration and
the digests of its inputs - and runs the function only when no artefact has that key. The function writes into a work
directory; a finished one is sealed and renamed into place in one step, so a process killed at any moment leaves either
the artefact or nothing. A resumable stage (training) finds its work directory as the killed process left it; every
other one starts from an empty directory. A file lock per key keeps two processes from doing the same work; the lock
dies with its process.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from mixwright.ground.artefacts import SCRATCH, Artefact, open_artefact, seal, write_json
from mixwright.ground.errors import BrokenRun, InputError
from mixwright.ground.hashing import FileDigests, Json, digest
from mixwright.ground.progress import tell

Counts = Mapping[str, Json]


@dataclass(frozen=True)
class StageEvent:
    """What happened to one stage of a run. seconds: wall time, 0 when it was cached."""

    stage: str
    label: str
    key: str
    status: str  # "ran" | "cached"
    seconds: float
    counts: Counts


class NotBuilt(Exception):
    """A store that makes nothing was asked for an artefact that is not there. work: where it is being made, or was."""

    def __init__(self, label: str, work: Path) -> None:
        super().__init__(label)
        self.label, self.work = label, work


class Store:
    """Content-addressed artefacts below one folder.

    on_event: called once for each stage, when it is finished or found cached.
    make_missing: false to find out what is there; what is not raises NotBuilt.
    """

    def __init__(
        self,
        root: Path,
        on_event: Callable[[StageEvent], None] = lambda event: None,
        *,
        make_missing: bool = True,
    ) -> None:
        self.root = root
        self._make_missing = make_missing
        self._adopted: set[tuple[str, str]] = set()
        self.events: list[StageEvent] = []
        self._on_event = on_event
        try:
            for name in ("work", "locks"):
                (root / name).mkdir(parents=True, exist_ok=True)
            writable = os.access(root, os.W_OK)
        except OSError as error:
            raise InputError(
                f"the output folder cannot be created or written ({error.strerror or error})",
                where=str(root),
                fix="Choose a writable folder with --out.",
            ) from None
        if not writable:
            raise InputError(
                "the output folder is read-only", where=str(root), fix="Choose a writable folder with --out."
            )
        self.file_digest = FileDigests(root / "file-digests.json")

    def build(
        self,
        stage: str,
        label: str,
        *,
        inputs: Mapping[str, Artefact],
        config: Mapping[str, Json],
        make: Callable[[Path], Counts],
        code: Sequence[str] = (),
        libraries: Sequence[str] = (),
        resumable: bool = False,
    ) -> Artefact:
        """The artefact of one stage: found, or made now.

        inputs: artefacts it reads; their digests enter the key.
        config: everything else that may change the result.
        make: fills the directory it is given and returns counts for the manifest.
        code: floors or files of this package whose source enters the key; libraries: distributions whose version does.
        Raises BrokenRun when the disk is full.
        """
        about: dict[str, Json] = {
            "stage": stage,
            "config": dict(config),
            "inputs": {name: artefact.digest for name, artefact in sorted(inputs.items())},
            "code": {part: code_digest(part) for part in ("ground", *code)},
            "versions": {
                "python": platform.python_version(),
                **{name: metadata.version(name) for name in ("mixwright", *libraries)},
            },
        }
        key = digest(about)[:24]
        final = self.root / stage / key
        artefact = open_artefact(final)
        if artefact is None and not self._make_missing:
            raise NotBuilt(label, self.root / "work" / f"{stage}-{key}")
        if artefact is None:
            with self.locked(stage, key):
                artefact = open_artefact(final)  # another process may have finished it meanwhile
                if artefact is None:
                    return self._make(stage, label, key, final, about, make, resumable)
        self._tell(StageEvent(stage, label, key, "cached", 0.0, artefact.manifest.get("counts", {})))
        return artefact

    def _make(
        self,
        stage: str,
        label: str,
        key: str,
        final: Path,
        about: dict[str, Json],
        make: Callable[[Path], Counts],
        resumable: bool,
    ) -> Artefact:
        work = self.root / "work" / f"{stage}-{key}"
        started = time.perf_counter()
        with full_disk_told(f"stage '{label}'", self.root):
            if work.exists() and not resumable:
                shutil.rmtree(work)
            work.mkdir(parents=True, exist_ok=True)
            for path in work.rglob("*"):  # killed while it was sealed: its files are read-only already
                if path.is_file():
                    path.chmod(0o644)
            counts = make(work)
            seconds = time.perf_counter() - started
            write_json(work / "timing.json", {"seconds": round(seconds, 3)})
            value = seal(work, {**about, "key": key, "counts": dict(counts)})
            final.parent.mkdir(parents=True, exist_ok=True)
            if final.exists():
                shutil.rmtree(final)  # a damaged artefact: open_artefact refused it
            work.rename(final)
            shutil.rmtree(final / SCRATCH, ignore_errors=True)
        self._tell(StageEvent(stage, label, key, "ran", seconds, counts))
        return Artefact(final, value)

    @contextlib.contextmanager
    def locked(self, stage: str, key: str) -> Iterator[None]:
        """Hold what is named by stage and key for this process; wait while another one does."""
        with (self.root / "locks" / f"{stage}-{key}").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                tell(f"waiting: another process works on stage '{stage}'")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def adopt(self, events: Sequence[StageEvent]) -> None:
        """Tell what other processes have made for this run; when it is found here afterwards, nothing more is told."""
        for event in events:
            if event.status == "ran":
                self._tell(event)
                self._adopted.add((event.label, event.key))

    def _tell(self, event: StageEvent) -> None:
        if (event.label, event.key) not in self._adopted:
            self.events.append(event)
            self._on_event(event)


@contextlib.contextmanager
def full_disk_told(what: str, where: Path) -> Iterator[None]:
    """Turn a full disk met inside into a BrokenRun; libraries in other languages tell it by their message alone."""
    try:
        yield
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not full and os.strerror(errno.ENOSPC) not in str(error):
            raise
        fix = "Free some space and give the same command again: finished stages are kept."
        raise BrokenRun(f"the disk is full ({what})", where=str(where), fix=fix) from None


@functools.cache
def code_digest(part: str) -> str:
    """SHA-256 over the Python sources of a floor (`curation`) or file (`evaluation/respond.py`) of this package."""
    place = Path(__file__).parent.parent / part
    value = hashlib.sha256()
    for path in sorted(place.rglob("*.py")) if place.is_dir() else (place,):
        value.update(f"{path.relative_to(place.parent).as_posix()}\0".encode())
        value.update(path.read_bytes())
    return value.hexdigest()
