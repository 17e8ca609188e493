"""A stage that reads a source with two workers, for a process that is killed: `ingest_work.py STORE FILE`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import active_children
from pathlib import Path
from typing import TypeVar

from mixwright.ground.artefacts import Artefact
from mixwright.ground.executor import Executor, LocalProcesses
from mixwright.ground.store import Store
from mixwright.recipe.data import Source
from mixwright.sources.intake.ingest import ingest

Task = TypeVar("Task")
Result = TypeVar("Result")


class Telling(LocalProcesses):
    """Prints its own process and those of its workers as soon as there is a result."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        for number, result in enumerate(super().map(function, tasks)):
            if number == 3:
                print(os.getpid(), *(worker.pid for worker in active_children()), flush=True)
            yield result


def read(store: Path, file: Path, executor: Executor | None = None) -> Artefact:
    source = Source.model_validate({"role": "domain", "path": str(file), "holdout": 0.2})
    return Store(store).build(
        "read",
        "read rows",
        inputs={},
        config={},
        make=lambda out: ingest("rows", source, out, executor=executor, piece_bytes=1 << 10),
    )


if __name__ == "__main__":
    read(Path(sys.argv[1]), Path(sys.argv[2]), Telling(2))
