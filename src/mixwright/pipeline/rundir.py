"""The run directory: one execution of a locked recipe, complete in itself.

Artefacts are hard-linked from the store (copied where the file system cannot), so a run costs no space beside it and
still is a plain folder that can be copied away, opened, and checked.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mixwright.ground.artefacts import MANIFEST, Artefact


def place(artefact: Artefact, at: Path) -> None:
    """Make `at` hold exactly the files of the artefact."""
    if at.exists():
        mine, theirs = at / MANIFEST, artefact / MANIFEST
        if mine.exists() and mine.samefile(theirs):
            return
        shutil.rmtree(at)
    beside = at.with_name(f".{at.name}.{os.getpid()}")
    shutil.rmtree(beside, ignore_errors=True)
    for path in sorted(artefact.path.rglob("*")):
        target = beside / path.relative_to(artefact.path)
        if path.is_dir():
            continue
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
