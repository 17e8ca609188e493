"""Stages that other processes run in the tests of the store: module-level, so that they can be spawned."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from mixwright.ground.artefacts import Artefact
from mixwright.ground.store import Store


def number_stage(store: Store, number: int = 1, **changes: Any) -> Artefact:
    """A stage that writes one number and leaves a line in `made.log` beside the store each time it really works."""

    def make(out: Path) -> dict[str, int]:
        with (store.root.parent / "made.log").open("a") as log:
            log.write(f"{number}\n")
        (out / "part").mkdir()
        (out / "part" / "number.txt").write_text(str(number % 10))
        return {"number": number}

    wanted: dict[str, Any] = {"inputs": {}, "config": {"number": number}, "make": make}
    return store.build("number", f"number {number}", **(wanted | changes))


def times_made(root: Path) -> int:
    log = root.parent / "made.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def die_halfway(root: Path, resumable: bool) -> None:
    """Write half of the stage and be killed as the machine would kill: no handler runs."""

    def make(out: Path) -> dict[str, int]:
        (out / "half.txt").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")

    number_stage(Store(root), make=make, resumable=resumable)


def work_slowly(root: Path, meeting: Any, statuses: Any) -> None:
    """Arrive together with another process and ask for the same stage; tell what became of it."""

    def make(out: Path) -> dict[str, int]:
        with (root.parent / "made.log").open("a") as log:
            log.write("slow\n")
        time.sleep(0.5)
        (out / "done.txt").write_text("done")
        return {}

    store = Store(root)
    meeting.wait(60)
    artefact = number_stage(store, make=make)
    assert (artefact / "done.txt").read_text() == "done"
    statuses.put(store.events[0].status)
