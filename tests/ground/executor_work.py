"""Functions for worker processes: module-level, so that they can be spawned."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from mixwright.ground.errors import InputError
from mixwright.ground.executor import LocalProcesses


def square_slowly(number: int) -> int:
    """Earlier tasks take longer, so that they finish last."""
    time.sleep(0.2 if number == 0 else 0.0)
    return number * number


def refuse_three(number: int) -> int:
    if number == 3:
        raise InputError("three is wrong", where="data.jsonl:3", fix="Take four.")
    return number


def die_at_two(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def process_id(number: int) -> int:
    return os.getpid()


def tell_and_wait(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)


if __name__ == "__main__":
    list(LocalProcesses(2).map(tell_and_wait, sys.argv[1:] * 2))
