"""The run directory: one execution of a locked recipe, complete in itself.

Artefacts are hard-linked from the store (copied where the file system cannot), so a run costs no space beside it and
still is a plain folder that can be copied away, opened, and checked.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mixwright.ground.artefacts import MANIFEST, Artefact, data_files


def place(artefact: Artefact, at: Path) -> None:
    """Make `at` hold exactly the files of the artefact. The caller holds the run's lock."""
    files = [artefact / name for name in (*data_files(artefact.path), MANIFEST)]
    files += artefact.path.glob("timing*")
    targets = [at / path.relative_to(artefact.path) for path in files]
    if all(target.exists() and target.samefile(path) for path, target in zip(files, targets, strict=True)):
        return
    shutil.rmtree(at, ignore_errors=True)
    for stale in at.parent.glob(f".{at.name}.*"):
        shutil.rmtree(stale, ignore_errors=True)
    beside = at.with_name(f".{at.name}.{os.getpid()}")
    for path in files:
        target = beside / path.relative_to(artefact.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, target)
        except OSError:
            shutil.copy2(path, target)
    beside.rename(at)


def point_latest(run: Path, name: str) -> None:
    """`<name>-latest` beside the runs points at this one, where the file system has links."""
    link = run.parent / f"{name}-latest"
    beside = run.parent / f".{link.name}.{os.getpid()}"
    try:
        beside.unlink(missing_ok=True)
        beside.symlink_to(run.name)
        beside.replace(link)
    except OSError:
        beside.unlink(missing_ok=True)
