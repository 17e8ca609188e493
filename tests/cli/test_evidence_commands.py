"""gate, compare, verify and noise at the command line, on a run that trained its blend twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixwright.cli.main import main

RECIPE = """\
mixwright: 1
name: judged
base: {model: embedded:nano}
sources:
  desk: {role: domain, generate: support_desk, records: 60, seed: 1}
  skills: {role: general, generate: skills, records: 120, seed: 1}
suites:
  desk: {role: domain, generate: support_desk, items_per_ability: 8, seed: 2}
  skills: {role: general, generate: skills, items_per_ability: 8, seed: 2, abilities: [addition, facts, sorting]}
blend: {shares: {desk: 0.5, skills: 0.5}, budget: {tokens: 3000}}
arms: {domain_only: {shares: domain, budget: {tokens: 600}}}
train: {learning_rate: 1.0e-3, sequence_length: 256, batch_tokens: 512, precision: fp32, device: cpu}
contract: {keep: {general: 0.9}, seeds: 2}
"""


def mixwright(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    (folder / "recipe.yaml").write_text(RECIPE)
    assert mixwright("run", folder / "recipe.yaml", "--out", folder / "runs", "--threads", "1") == 0
    return folder


@pytest.fixture
def run(project: Path) -> Path:
    return project / "runs" / "judged-latest"


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    """A copy of the run that may be damaged."""
    shutil.copytree(run.resolve(), tmp_path / "copy")
    for path in (tmp_path / "copy").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return tmp_path / "copy"


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_blend_is_trained_once_more_with_another_order_and_both_must_pass(run: Path) -> None:
    made = json.loads((run / "arms/blend/certificate/certificate.json").read_text())
    assert made["repeats"] == {"blend-seed-1": "PASS"}
    first, second = (
        (run / f"arms/{arm}/training/model/model.safetensors").read_bytes() for arm in ("blend", "blend-seed-1")
    )
    assert first != second
    shares = [json.loads((run / f"arms/{arm}/blend/realised.json").read_text()) for arm in ("blend", "blend-seed-1")]
    assert shares[0]["requested"] == shares[1]["requested"]


def test_a_run_counts_the_models_that_its_items_have_judged(project: Path, run: Path) -> None:
    assert json.loads((run / "run.json").read_text())["uses"] == {"desk": 3, "skills": 3}
    again = [project / "recipe.yaml", "--out", project / "runs", "--threads", "1"]
    assert mixwright("run", *again) == 0
    assert json.loads((run / "run.json").read_text())["uses"] == {"desk": 3, "skills": 3}


def test_a_run_is_gated_after_its_certificate_was_checked(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mixwright("gate", run) == 0
    assert "trained again: blend-seed-1 PASS" in capsys.readouterr().out
    assert mixwright("gate", f"{run}:domain_only", "--json") == 0
    assert printed(capsys)["arm"] == "domain_only"
    assert mixwright("gate", f"{run}:blendd") == 2
    assert "Did you mean" in capsys.readouterr().err


def test_every_file_and_figure_of_a_run_can_be_verified(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mixwright("verify", run, "--json") == 0
    found = printed(capsys)
    assert found["holds"]
    assert len(found["findings"]) > 20


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("certificate", "its seal does not fit"),
        ("records", "its contents changed"),
        ("weights", "its contents changed"),
        ("missing", "it is missing"),
        ("lock", "another lock"),
    ],
)
def test_whatever_was_changed_by_hand_is_found(
    copy: Path, damage: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if damage == "certificate":
        file = copy / "arms/blend/certificate/certificate.json"
        file.write_text(file.read_text().replace('"estimate": ', '"estimate": 0.1 ,"was": ', 1))
    elif damage == "records":
        file = copy / "arms/blend/evaluation/records.parquet"
        table = pq.read_table(file)
        at = table.column_names.index("score")
        pq.write_table(table.set_column(at, "score", pa.array([1.0] * len(table))), file)
    elif damage == "weights":
        with (copy / "arms/blend/training/model/model.safetensors").open("r+b") as weights:
            weights.seek(-1, 2)
            weights.write(b"\x01")
    elif damage == "missing":
        (copy / "corpus/skills.parquet").unlink()
    else:
        lock = copy / "lock.json"
        lock.write_text(lock.read_text().replace('"threads": 1', '"threads": 2'))
    assert mixwright("verify", copy) == 1
    out = capsys.readouterr().out
    assert words in out
    assert "does NOT hold" in out
    if damage in ("certificate", "records"):
        assert mixwright("gate", copy) == 2
        assert "the certificate does not hold" in capsys.readouterr().err


def test_two_arms_are_compared_flips_first_with_their_shares(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mixwright("compare", f"{run}:base", run, "--limit", "2") == 0
    text = capsys.readouterr().out
    assert "items flipped" in text.splitlines()[0]
    assert all(word in text for word in ("asked:", "before:", "after:"))
    assert "share before" in text
    assert mixwright("compare", f"{run}:base", f"{run}:base", "--json") == 0
    found = printed(capsys)
    assert (found["flips"], found["flip_rate"], found["num_items"]) == ([], 0.0, 40)
    assert [entry["difference"] for entry in found["abilities"]] == [0.0] * 5


def test_the_base_in_other_batches_keeps_everything(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [project / "recipe.yaml", "--out", project / "runs", "--threads", "1", "--set", "contract.seeds=1"]
    assert mixwright("noise", *asked, "--batch-size", "7", "--json") == 0
    found = printed(capsys)
    assert found["holds"]
    assert found["comparison"]["flip_rate"] <= 0.05
    assert found["certificate"]["ignored"] == ["build"]
    assert mixwright("noise", *asked, "--batch-size", "128") == 2


@pytest.mark.parametrize("option", ["--out", "--junit", "--markdown"])
def test_a_result_that_cannot_be_written_is_said(
    option: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mixwright("gate", run, option, tmp_path / "nowhere" / "file") == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gate"], "give RUN, or --contract"),
        (["gate", "nowhere"], "this is no run"),
        (["gate", "--contract", "nowhere.yaml", "--base", "b", "--candidate", "c"], "there is no such"),
        (["verify", "nowhere.json"], "does not exist"),
        (["compare", "a.jsonl", "b.jsonl"], "no such file"),
        (["records", "a.jsonl"], "no such file"),
    ],
)
def test_what_leads_nowhere_is_said(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert mixwright(*arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        ("keep: {general: 0}", "No test can certify a margin of 0"),
        ("keep: {maths/geometry: 0.1}", "no ability 'geometry'"),
        ("keep: {math: 0.1}", "Did you mean 'maths'?"),
        ("improve: {domain: 0.1}", "no suite has the role 'domain'"),
        ("never: {maths: {max_rate: 0.1}}", "needs 'balanced_by'"),
        ("never: {maths: {}}", "nothing is said"),
        ("seeds: 3", "asks for nothing"),
        ("keep: {maths: 0.1}, seeds: 3", "nothing is trained here"),
        ("keep: {one: 0.1}", "belong to one cluster"),
    ],
)
def test_a_contract_that_cannot_be_is_refused_in_its_file(
    contract: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"item_id": str(n), "suite": "maths", "ability": "algebra", "score": n % 2} for n in range(20)]
    rows += [{"item_id": str(n), "suite": "one", "cluster": "same", "score": 1} for n in range(20)]
    records, file = tmp_path / "r.jsonl", tmp_path / "c.yaml"
    records.write_text("".join(json.dumps(row) + "\n" for row in rows))
    file.write_text(f"mixwright: 1\ncontract: {{{contract}}}\n")
    assert mixwright("gate", "--contract", file, "--base", records, "--candidate", records) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "c.yaml" in error or "suites.one" in error
