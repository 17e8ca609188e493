"""The lock: the same recipe over the same files is the same lock, wherever they lie; anything else is another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from tiny_models import NANO

from mixwright.ground.hashing import FileDigests
from mixwright.pipeline.lock import Lock, make_lock
from mixwright.recipe.load import load_recipe


def lock_of(file: Path, settings: Sequence[str] = (), threads: int = 1) -> Lock:
    return make_lock(load_recipe(file, settings), FileDigests(file.parent / "digests.json"), threads)


def test_the_lock_does_not_depend_on_where_the_files_lie(project_with_files: Path, tmp_path: Path) -> None:
    before = lock_of(project_with_files)
    copied = Path(shutil.copytree(project_with_files.parent, tmp_path / "deep" / "there")) / "recipe.yaml"
    after = lock_of(copied)
    assert before.as_json() == after.as_json()
    assert before.id == after.id
    assert str(tmp_path) not in json.dumps(after.as_json())


def test_nor_on_where_a_model_folder_lies(project_with_files: Path, tmp_path: Path) -> None:
    locks = []
    for place in ("one", "two"):
        folder = Path(shutil.copytree(NANO, tmp_path / place / "my-model"))
        locks.append(lock_of(project_with_files, [f"base.model={folder}"]))
    assert locks[0].id == locks[1].id
    assert locks[0].id != lock_of(project_with_files).id


def test_nor_on_variables_that_only_said_where(project_with_files: Path) -> None:
    text = project_with_files.read_text()
    with_variable = text.replace("path: notes.jsonl", 'path: "${data}/notes.jsonl"') + "variables: {data: .}\n"
    before = lock_of(project_with_files)
    project_with_files.write_text(with_variable)
    assert lock_of(project_with_files).id == before.id
    assert lock_of(project_with_files, [f"data={project_with_files.parent}"]).id == before.id


@pytest.mark.parametrize(
    "setting",
    [
        "train.seed=1",
        "blend.seed=1",
        "blend.unit=records",
        "sources.notes.licence=MIT",
        "sources.skills.records=121",
        "tune={learning_rates: [0.001, 0.002]}",
        "evaluate.session=[Hello]",
        "suites.desk.seed=3",
        "curate.dedup.exact=false",
        "evaluate.batch_size=7",
        "contract.confidence=0.9",
    ],
)
def test_every_key_that_may_change_the_result_changes_the_lock(project_with_files: Path, setting: str) -> None:
    assert lock_of(project_with_files, [setting]).id != lock_of(project_with_files).id


def test_another_content_or_name_of_a_file_changes_the_lock(project_with_files: Path) -> None:
    before = lock_of(project_with_files)
    notes = project_with_files.parent / "notes.jsonl"
    notes.write_text(notes.read_text() + '{"prompt": "One more", "completion": "note"}\n')
    changed = lock_of(project_with_files)
    assert changed.id != before.id
    notes.rename(notes.with_name("other.jsonl"))
    assert lock_of(project_with_files, [f"sources.notes.path={notes.with_name('other.jsonl')}"]).id != changed.id


def test_the_number_of_threads_is_part_of_the_lock(project_with_files: Path) -> None:
    assert lock_of(project_with_files, threads=1).id != lock_of(project_with_files, threads=2).id


@pytest.mark.parametrize("setting", ["train.method=lora", "arms.domain_only.method=lora"])
def test_the_library_of_adapters_is_named_where_adapters_are_trained(project_with_files: Path, setting: str) -> None:
    assert "peft" not in lock_of(project_with_files).versions
    assert "peft" in lock_of(project_with_files, [setting]).versions
