"""The store: an artefact is whole or absent, made once for the same inputs, and made again when anything changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest
from store_work import die_halfway, number_stage, times_made, work_slowly

from mixwright.ground.artefacts import open_artefact
from mixwright.ground.store import NotBuilt, Store

spawning = get_context("spawn")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def test_a_stage_runs_once_and_is_found_by_every_later_store(root: Path) -> None:
    first, later = Store(root), Store(root)
    made, found = number_stage(first), number_stage(later)
    assert found == made
    assert times_made(root) == 1
    assert [event.status for event in (*first.events, *later.events)] == ["ran", "cached"]
    assert first.events[0].counts == later.events[0].counts == {"number": 1}


def test_a_change_of_configuration_input_or_code_runs_the_stage_again(root: Path) -> None:
    store = Store(root)
    one, two = number_stage(store, 1), number_stage(store, 2)
    number_stage(store, 3, inputs={"from": one})
    number_stage(store, 3, inputs={"from": two})
    number_stage(store, 3, inputs={"from": two}, code=("items",))
    number_stage(store, 3, inputs={"from": two}, code=("items", "tokens"))
    assert [event.status for event in store.events] == ["ran"] * 6


def test_a_stage_made_anew_with_the_same_content_sets_nothing_off_below_it(root: Path) -> None:
    store = Store(root)
    one, eleven = number_stage(store, 1), number_stage(store, 11)  # other configuration, equal files
    assert one.path != eleven.path
    assert one.digest == eleven.digest
    number_stage(store, 5, inputs={"from": one})
    number_stage(store, 5, inputs={"from": eleven})
    assert [event.status for event in store.events] == ["ran", "ran", "ran", "cached"]


def test_the_manifest_says_what_the_artefact_was_made_of(root: Path) -> None:
    store = Store(root)
    one = number_stage(store, 1)
    manifest = number_stage(store, 2, inputs={"from": one}, code=("items",), libraries=("numpy",)).manifest
    assert manifest["config"] == {"number": 2}
    assert manifest["inputs"] == {"from": one.digest}
    assert set(manifest["code"]) == {"ground", "items"}
    assert set(manifest["versions"]) == {"mixwright", "numpy", "python"}
    assert manifest["counts"] == {"number": 2}
    assert manifest["files"]["part/number.txt"]["bytes"] == 1


def test_wall_times_are_no_part_of_an_artefacts_identity(root: Path) -> None:
    manifest = number_stage(Store(root)).manifest
    assert list(manifest["files"]) == ["part/number.txt"]
    assert "seconds" not in str(manifest)


def test_a_stage_that_fails_leaves_no_artefact_and_may_be_tried_again(root: Path) -> None:
    def fail(out: Path) -> dict[str, int]:
        (out / "half.txt").write_text("half")
        raise RuntimeError("the stage broke")

    with pytest.raises(RuntimeError, match="the stage broke"):
        number_stage(Store(root), make=fail)
    artefact = number_stage(Store(root))
    assert not (artefact / "half.txt").exists()


def test_a_work_directory_left_by_a_killed_process_is_never_used_half(root: Path) -> None:
    kill_a_process_halfway(root, resumable=False)
    artefact = number_stage(Store(root))
    assert sorted(path.name for path in artefact.path.rglob("*")) == [
        "manifest.json",
        "number.txt",
        "part",
        "timing.json",
    ]


def test_a_resumable_stage_finds_what_the_killed_process_left(root: Path) -> None:
    kill_a_process_halfway(root, resumable=True)

    def go_on(out: Path) -> dict[str, int]:
        (out / "whole.txt").write_text((out / "half.txt").read_text() + " and half")
        return {}

    artefact = number_stage(Store(root), make=go_on, resumable=True)
    assert (artefact / "whole.txt").read_text() == "half and half"


def kill_a_process_halfway(root: Path, *, resumable: bool) -> None:
    process = spawning.Process(target=die_halfway, args=(root, resumable))
    process.start()
    process.join(60)
    assert process.exitcode == -9
    assert list((root / "work").rglob("half.txt"))
    assert not list((root / "number").rglob("*")) if (root / "number").exists() else True


def truncate(artefact: Path) -> None:
    (artefact / "part" / "number.txt").write_text("")


def remove_a_file(artefact: Path) -> None:
    (artefact / "part" / "number.txt").unlink()


def tear_the_manifest(artefact: Path) -> None:
    manifest = artefact / "manifest.json"
    manifest.write_text(manifest.read_text()[:40])


def remove_the_manifest(artefact: Path) -> None:
    (artefact / "manifest.json").unlink()


@pytest.mark.parametrize("damage", [truncate, remove_a_file, tear_the_manifest, remove_the_manifest])
def test_a_damaged_artefact_is_made_anew(root: Path, damage: Callable[[Path], None]) -> None:
    made = number_stage(Store(root))
    damage(made.path)
    assert open_artefact(made.path) is None
    again = number_stage(Store(root))
    assert times_made(root) == 2
    assert again == made
    assert (again / "part" / "number.txt").read_text() == "1"


def test_an_artefact_that_was_removed_is_made_anew(root: Path) -> None:
    shutil.rmtree(number_stage(Store(root)).path)
    number_stage(Store(root))
    assert times_made(root) == 2


def test_two_processes_that_want_the_same_artefact_do_the_work_once(root: Path) -> None:
    meeting, statuses = spawning.Barrier(2), spawning.Queue()
    processes = [spawning.Process(target=work_slowly, args=(root, meeting, statuses)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert sorted(statuses.get(timeout=10) for _ in processes) == ["cached", "ran"]
    assert times_made(root) == 1


def test_a_store_that_makes_nothing_finds_what_is_there_and_tells_what_is_not(root: Path) -> None:
    looking = Store(root, make_missing=False)
    with pytest.raises(NotBuilt, match="number 1"):
        number_stage(looking)
    assert times_made(root) == 0
    made = number_stage(Store(root))
    assert number_stage(looking) == made
    assert [event.status for event in looking.events] == ["cached"]


def test_what_another_process_has_made_for_this_run_is_told_as_made_and_once(root: Path) -> None:
    helper, cached = Store(root), Store(root)
    number_stage(helper)
    number_stage(cached)
    told: list[str] = []
    store = Store(root, lambda event: told.append(event.status))
    store.adopt([*cached.events, *helper.events])
    assert told == ["ran"]
    number_stage(store)
    assert told == ["ran"]
    assert store.events == helper.events
