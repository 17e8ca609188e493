"""`trace` and `export-mix` at the command line, on a run that ended before training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mixwright.cli.main import main

RECIPE = """\
mixwright: 1
name: mixed
base: {model: embedded:nano}
sources:
  desk: {role: domain, generate: support_desk, records: 60, seed: 1}
  skills: {role: general, generate: skills, records: 200, seed: 1}
blend:
  shares: {desk: 0.5, skills: 0.5}
  schedule: [{step: 6, shares: {skills: 1}}]
  budget: {tokens: 3000}
arms:
  domain_only: {shares: domain, budget: {tokens: 600}}
train: {sequence_length: 128, batch_tokens: 256}
"""


def mixwright(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mix")
    (folder / "recipe.yaml").write_text(RECIPE)
    assert mixwright("blend", folder / "recipe.yaml", "--out", folder / "runs") == 0
    return folder / "runs" / "mixed-latest"


def test_a_trace_lists_the_records_of_a_step_with_where_they_came_from(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mixwright("trace", run, "--step", "2") == 0
    text = capsys.readouterr().out
    assert text.startswith("arm blend, step 2 of ")
    assert "support_desk:" in text
    assert "skills:" in text
    assert mixwright("trace", run, "--step", "2", "--json") == 0
    trace = json.loads(capsys.readouterr().out)
    corpus = {
        row["record_id"]: row["origin"]
        for name in ("desk", "skills")
        for row in pq.read_table(run / "corpus" / f"{name}.parquet").to_pylist()
    }
    assert trace["records"]
    assert all(corpus[seen["record_id"]] == seen["origin"] for seen in trace["records"])
    assert {seen["row"] for seen in trace["records"]} == {0, 1}


def test_a_trace_of_another_arm_and_of_a_later_stage_shows_their_sources(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, sources in ((("--arm", "domain_only"), {"desk"}), (("--step", "9"), {"skills"})):
        assert mixwright("trace", run, "--step", "1", *arguments, "--json") == 0
        assert {seen["source"] for seen in json.loads(capsys.readouterr().out)["records"]} == sources


def test_both_exports_hold_what_the_trace_says(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mixwright("export-mix", run, tmp_path / "rows", "--to", "parquet") == 0
    assert "records" in capsys.readouterr().out
    assert mixwright("export-mix", run, tmp_path / "megatron", "--to", "megatron", "--json") == 0
    counts = json.loads(capsys.readouterr().out)
    assert mixwright("trace", run, "--step", "3", "--json") == 0
    seen = json.loads(capsys.readouterr().out)["records"]
    rows = [row for row in pq.read_table(tmp_path / "rows").to_pylist() if row["step"] == 3]
    assert [name for row in rows for name in row["sources"]] == [one["source"] for one in seen]
    assert sum(len(row["input_ids"]) for row in rows) == sum(one["tokens"] for one in seen)
    exported = np.fromfile(tmp_path / "megatron" / "mix.bin", np.uint16)
    assert len(exported) == counts["tokens"]
    before = sum(len(row["input_ids"]) for row in pq.read_table(tmp_path / "rows").to_pylist() if row["step"] < 3)
    joined = [token for row in rows for token in row["input_ids"]]
    assert exported[before : before + len(joined)].tolist() == joined


def test_what_is_there_already_is_not_written_over(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mixwright("export-mix", run, tmp_path, "--to", "parquet") == 2
    assert "exists already" in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]
