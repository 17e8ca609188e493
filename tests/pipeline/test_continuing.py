"""`run --resume RUN --with RECIPE`: other shares and sources for a model in training, and `trace` on both runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mixwright.cli.main import main
from mixwright.ground.artefacts import read_json

RECIPE = """\
mixwright: 1
name: before
base: {model: embedded:nano}
sources:
  desk: {role: domain, generate: support_desk, records: 60, seed: 1}
  skills: {role: general, generate: skills, records: 200, seed: 1}
blend:
  shares: {desk: 0.75, skills: 0.25}
  budget: {tokens: 3000}
train: {learning_rate: 1.0e-3, sequence_length: 128, batch_tokens: 256, precision: fp32,
  device: cpu, keep_checkpoint: true}
"""
CHANGED = (
    RECIPE.replace("name: before", "name: after")
    .replace("tokens: 3000", "tokens: 5000")
    .replace("{desk: 0.75, skills: 0.25}", "{skills: 0.5, sessions: 0.5}")
    .replace("  desk: {role: domain, generate: support_desk, records: 60, seed: 1}\n", "")
    .replace("blend:", "  sessions: {role: general, generate: sessions, records: 50, seed: 1}\nblend:")
)


def mixwright(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def run(folder: Path, recipe: str, *arguments: str | Path) -> int:
    file = folder / "recipe.yaml"
    file.write_text(recipe)
    return mixwright("run", *(arguments or ()), file, "--threads", "1", "--out", folder / "runs")


def traced(run: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """Every record of a run as its trace has it, step after step."""
    realised = read_json(run / "arms" / "blend" / "blend" / "realised.json")
    start = run / "arms" / "blend" / "blend" / "start.json"
    first = read_json(start)["step"] if start.exists() else 0
    found = []
    for step in range(first + 1, realised["num_steps"] + 1):
        capsys.readouterr()
        assert mixwright("trace", run, "--step", str(step), "--json") == 0
        trace = json.loads(capsys.readouterr().out)
        assert trace["step"] == step
        found += [(seen["source"], seen["record_id"]) for seen in trace["records"]]
    return found


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("continuing")
    assert run(folder, RECIPE) == 0
    return folder


def test_a_run_goes_on_with_other_sources_from_its_weights_and_places(
    before: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = before / "runs" / "before-latest"
    assert run(before, CHANGED, "--resume", old, "--with") == 0
    new = before / "runs" / "after-latest"
    realised = [read_json(path / "arms" / "blend" / "blend" / "realised.json") for path in (old, new)]
    assert set(realised[1]["totals"]["tokens"]) == {"skills", "sessions"}
    assert realised[1]["budget_tokens"] >= 5000 > realised[1]["budget_tokens"] - 128
    seen = [traced(path, capsys) for path in (old, new)]
    records = [record for part in seen for source, record in part if source == "skills"]
    assert len(records) == len(set(records)), "no record of a source that stays comes again before its pass is over"
    steps = [json.loads(line)["step"] for line in (new / "arms/blend/training/metrics.jsonl").read_text().splitlines()]
    assert min(steps) > realised[0]["num_steps"]
    assert read_json(new / "lock.json")["continued"] == read_json(new / "arms/blend/continued/manifest.json")["digest"]
    assert mixwright("run", "--resume", new) == 0
    assert (before / "runs" / "after-latest").resolve() == new.resolve(), "the run is found again from its folder alone"


def test_the_first_loss_of_the_new_run_is_that_of_the_trained_model(before: Path) -> None:
    """Not of the base: the same records cost less than they did at the start."""
    old = before / "runs" / "before-latest"
    longer = RECIPE.replace("tokens: 3000", "tokens: 3600").replace("name: before", "name: longer")
    assert run(before, longer, "--resume", old, "--with") == 0

    def losses(name: str) -> list[float]:
        lines = (before / "runs" / name / "arms/blend/training/metrics.jsonl").read_text().splitlines()
        return [json.loads(line)["loss"] for line in lines]

    assert losses("longer-latest")[0] < 0.7 * losses("before-latest")[0]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (("tokens: 5000", "tokens: 2000"), "blend.budget"),
        (("learning_rate: 1.0e-3", "method: lora"), "train.method"),
        (("learning_rate: 1.0e-3", "optimizer: muon"), "train.optimizer"),
    ],
)
def test_what_does_not_fit_the_checkpoint_is_refused(
    before: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], where: str
) -> None:
    old = before / "runs" / "before-latest"
    assert run(before, CHANGED.replace(*change), "--resume", old, "--with") == 2
    assert where in capsys.readouterr().err


def test_a_finished_run_without_a_checkpoint_says_what_would_have_kept_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, RECIPE.replace(", keep_checkpoint: true", "").replace("3000", "600")) == 0
    assert run(tmp_path, CHANGED, "--resume", tmp_path / "runs" / "before-latest", "--with") == 2
    assert "keep_checkpoint" in capsys.readouterr().err


def test_a_killed_run_goes_on_with_another_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    longer = RECIPE.replace("tokens: 3000", "tokens: 200000").replace("fp32,", "fp32, checkpoint_seconds: 0.1,")
    (tmp_path / "recipe.yaml").write_text(longer)
    command = [sys.executable, "-m", "mixwright", "run", str(tmp_path / "recipe.yaml"), "--threads", "1"]
    process = subprocess.Popen([*command, "--out", str(tmp_path / "runs")], stderr=subprocess.DEVNULL)
    for _ in range(600):
        if any((tmp_path / "runs" / "store" / "work").glob("train-*/scratch/step-*/state.json")):
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (old,) = (tmp_path / "runs").glob("before-??????????")
    assert run(tmp_path, CHANGED.replace("5000", "205000"), "--resume", old, "--with") == 0
    start = read_json(tmp_path / "runs" / "after-latest" / "arms" / "blend" / "blend" / "start.json")
    assert start["step"] > 0
    assert mixwright("trace", old, "--step", "1") == 0
    assert "arm blend, step 1 of" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("recipe.yaml", "--resume", "x"),
        ("--with", "recipe.yaml"),
        ("--resume", "nowhere"),
        ("--resume", ".", "--with", "x"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: tuple[str, ...]) -> None:
    assert mixwright("run", *arguments) == 2


def test_a_step_an_arm_or_a_folder_that_is_not_there_is_named(before: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = before / "runs" / "before-latest"
    for arguments, said in (
        ((old, "--step", "100000"), "steps 1 to"),
        ((old, "--step", "1", "--arm", "blent"), "blend"),
        ((before, "--step", "1"), "not a run directory"),
    ):
        assert mixwright("trace", *arguments) == 2
        assert said in capsys.readouterr().err
