"""The run folder: complete, portable, and made of plain files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_project import Finished, run_project

from mixwright.ground.artefacts import MANIFEST, open_artefact, read_json
from mixwright.ground.hashing import digest, file_digest
from mixwright.models.tokenizer import ChatTokenizer
from mixwright.recipe.load import load_recipe
from mixwright.reporting import write_report

PLAIN = {".json", ".jsonl", ".yaml", ".parquet", ".safetensors", ".npy", ".bin", ".jinja", ".html", ".md"}


@pytest.fixture
def elsewhere(finished: Finished, tmp_path: Path) -> Path:
    """The run, copied away from its store."""
    return Path(shutil.copytree(finished.result.path, tmp_path / "copied"))


def test_a_run_that_was_copied_away_writes_its_report(elsewhere: Path) -> None:
    report = write_report(elsewhere)
    assert elsewhere in report.parents
    text = report.read_text()
    assert all(word in text for word in ("tiny", "domain_only", "FAIL"))


def test_its_model_opens_in_plain_transformers_and_writes(elsewhere: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = elsewhere / "arms" / "blend" / "training" / "model"
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Repeat: tin fox"}], add_generation_prompt=True, return_tensors="pt"
    )["input_ids"]
    assert ids[0].tolist() == ChatTokenizer(folder).prompt_ids([{"role": "user", "content": "Repeat: tin fox"}])
    written = model.generate(ids, max_new_tokens=8, do_sample=False)[0, ids.shape[1] :]
    assert 0 < len(written) <= 8


def test_everything_in_it_is_a_plain_file(elsewhere: Path) -> None:
    paths = list(elsewhere.rglob("*"))
    assert not any(path.is_symlink() for path in paths)
    assert {path.suffix for path in paths if path.is_file()} <= PLAIN
    assert not any(path.name.startswith(".") for path in paths)


def test_every_artefact_in_it_is_whole_and_its_hashes_hold(elsewhere: Path) -> None:
    manifests = list(elsewhere.rglob(MANIFEST))
    assert len(manifests) > 10
    for manifest in manifests:
        artefact = open_artefact(manifest.parent)
        assert artefact is not None
        files = artefact.manifest["files"]
        assert {name: file_digest(artefact / name) for name in files} == {n: f["sha256"] for n, f in files.items()}


def test_the_lock_in_it_is_the_one_that_names_it(finished: Finished) -> None:
    run = read_json(finished.result.path / "run.json")
    assert run["lock"] == digest(read_json(finished.result.path / "lock.json")) == finished.result.lock.id
    assert finished.result.path.name == f"tiny-{run['lock'][:10]}"
    assert (run["verdict"], run["main_arm"]) == ("FAIL", "blend")


def test_no_absolute_path_is_in_the_lock(finished: Finished) -> None:
    lock = (finished.result.path / "lock.json").read_text()
    assert str(finished.file.parent) not in lock
    assert str(Path.home()) not in lock
    assert ': "/' not in lock


def test_the_recipe_in_it_is_the_recipe(finished: Finished, elsewhere: Path) -> None:
    assert load_recipe(elsewhere / "recipe.yaml").recipe == load_recipe(finished.file).recipe


def test_the_latest_run_has_a_name(finished: Finished) -> None:
    run_project(finished.file, finished.out)
    assert (finished.out / "tiny-latest").resolve() == finished.result.path.resolve()


def test_a_damaged_file_of_a_run_is_put_right_by_the_next(finished: Finished) -> None:
    """The run shares its files with the store, so damage in one is damage in the other."""
    record = finished.result.path / "arms" / "blend" / "certificate" / "certificate.json"
    whole = record.read_text()
    record.write_text(whole[:50])
    again = run_project(finished.file, finished.out)
    assert record.read_text() == whole
    assert [event.label for event in again.events if event.status == "ran"] == ["certify blend"]
