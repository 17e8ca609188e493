"""Where fan-out work runs: in this process or in local processes. What runs does not know.

`map` keeps the order of its tasks whatever finishes first, so results do not depend on the number of workers. Functions
and tasks travel by the standard process protocol: module-level functions and plain data only.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import active_children, get_context, parent_process
from typing import Protocol, TypeVar

from mixwright.ground.errors import BrokenRun

Task = TypeVar("Task")
Result = TypeVar("Result")


class Executor(Protocol):
    """Runs a function over tasks, results in the order of the tasks."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]: ...

    def close(self) -> None:
        """Give back what was held. It may be used again."""


class InProcess:
    """One task after the other, here."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        return map(function, tasks)

    def close(self) -> None:
        pass


class LocalProcesses:
    """Tasks over `num_workers` spawned processes, at most two tasks per worker in memory at once.

    The processes start with the first task and stay until `close`: what they have imported and loaded is imported once.
    """

    def __init__(self, num_workers: int) -> None:
        if num_workers < 1:
            raise ValueError(f"num_workers must be at least 1, found {num_workers}")
        self.num_workers = num_workers
        self._pool: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        pending = iter(tasks)
        if self._pool is None:
            context = get_context("spawn")
            self._pool = ProcessPoolExecutor(self.num_workers, mp_context=context, initializer=_follow_parent)
        window = [self._pool.submit(function, task) for task in islice(pending, 2 * self.num_workers)]
        try:
            while window:
                yield window.pop(0).result()
                window.extend(self._pool.submit(function, task) for task in islice(pending, 1))
        except BrokenProcessPool:
            self.close()
            raise BrokenRun(
                "a worker process died (out of memory, or killed)",
                fix="Give the same command again, with fewer --workers if memory was short.",
            ) from None
        except KeyboardInterrupt:
            for worker in active_children():  # what they have not finished is resumed, as after any kill
                worker.kill()
            raise
        finally:
            for future in window:  # the first error ends the map: what has not begun will not
                future.cancel()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _follow_parent() -> None:
    """Leave interruptions to the process that started this one, and end with it: nothing else tells a waiting worker
    that it was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def executor_for(num_workers: int) -> Executor:
    """One worker stays in this process; more become local processes."""
    return InProcess() if num_workers == 1 else LocalProcesses(num_workers)
