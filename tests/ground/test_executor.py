"""Fan-out work: the same results in the same order, wherever it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import executor_work
import pytest
from executor_work import die_at_two, process_id, refuse_three, square_slowly

from mixwright.ground.errors import BrokenRun, InputError
from mixwright.ground.executor import Executor, InProcess, LocalProcesses, executor_for

TWO_PLACES = [InProcess(), LocalProcesses(2)]


@pytest.mark.parametrize("executor", TWO_PLACES, ids=["here", "processes"])
def test_results_come_in_the_order_of_the_tasks_whatever_finishes_first(executor: Executor) -> None:
    assert list(executor.map(square_slowly, range(20))) == [number * number for number in range(20)]


@pytest.mark.parametrize("executor", TWO_PLACES, ids=["here", "processes"])
def test_an_error_arrives_with_its_place_and_its_remedy(executor: Executor) -> None:
    with pytest.raises(InputError) as caught:
        list(executor.map(refuse_three, range(6)))
    assert (caught.value.message, caught.value.where, caught.value.fix) == (
        "three is wrong",
        "data.jsonl:3",
        "Take four.",
    )


def test_a_worker_that_is_killed_breaks_the_run_with_words() -> None:
    with pytest.raises(BrokenRun, match="worker process died"):
        list(LocalProcesses(2).map(die_at_two, range(6)))


def test_tasks_are_drawn_only_a_little_ahead_of_the_results() -> None:
    drawn: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    results = LocalProcesses(1).map(square_slowly, tasks())
    for number in range(5):
        assert next(results) == number * number
        assert len(drawn) <= number + 3  # two in flight for one worker
    results.close()  # type: ignore[attr-defined]


def test_processes_stay_from_one_map_to_the_next_until_they_are_closed() -> None:
    executor = LocalProcesses(1)
    first, second = set(executor.map(process_id, range(3))), set(executor.map(process_id, range(3)))
    assert first == second
    assert os.getpid() not in first
    executor.close()
    assert set(executor.map(process_id, range(3))) != first
    executor.close()


def test_after_a_worker_has_died_others_take_its_place() -> None:
    executor = LocalProcesses(1)
    with pytest.raises(BrokenRun):
        list(executor.map(die_at_two, range(6)))
    assert list(executor.map(square_slowly, range(2))) == [0, 1]
    executor.close()


def test_workers_do_not_outlive_the_process_that_started_them(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, executor_work.__file__, str(tmp_path)])
    _until(lambda: len(list(tmp_path.iterdir())) == 2)
    parent.kill()
    parent.wait()
    workers = [int(path.name) for path in tmp_path.iterdir()]
    _until(lambda: not any(_is_alive(worker) for worker in workers))


def test_an_interruption_ends_the_workers_at_once(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, executor_work.__file__, str(tmp_path)], start_new_session=True)
    _until(lambda: len(list(tmp_path.iterdir())) == 2)
    os.killpg(parent.pid, signal.SIGINT)  # as a terminal does
    assert parent.wait(30) != 0
    assert not any(_is_alive(int(path.name)) for path in tmp_path.iterdir())


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("not within 30 seconds")


def test_no_tasks_give_no_results() -> None:
    assert list(InProcess().map(square_slowly, [])) == []
    assert list(LocalProcesses(1).map(square_slowly, [])) == []


def test_one_worker_stays_in_this_process() -> None:
    assert isinstance(executor_for(1), InProcess)
    assert isinstance(executor_for(3), LocalProcesses)
    with pytest.raises(ValueError, match="at least 1"):
        LocalProcesses(0)
