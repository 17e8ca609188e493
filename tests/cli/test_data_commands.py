"""The commands about data: inspect, catalogue, import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mixwright.cli.main import main
from mixwright.recipe.data import Source

ROWS = [{"prompt": f"{n} + {n}?", "completion": str(2 * n)} for n in range(20)]


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def written(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def pasted(out: str) -> Source:
    """The source of the recipe lines that are shown."""
    (source,) = yaml.safe_load(out.partition("In a recipe:\n")[2])["sources"].values()
    return Source.model_validate(source)


def test_inspect_says_what_a_file_is_and_shows_what_is_learnt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "sums.jsonl", [*ROWS, ROWS[0], {"prompt": "?", "completion": None}])
    code, out, _ = called(capsys, "inspect", path)
    assert code == 0
    assert "prompt_completion (it has the columns prompt, completion)" in out
    assert "<|user|> 1 + 1?<|end|><|assistant|>⟦2<|end|>⟧" in out
    assert "1 of 22 rows are malformed; a run refuses the first; 'malformed: drop' leaves such rows out" in out
    assert "1 rows repeat another" in out
    assert "sums.jsonl:22: the column 'completion' is null" in out
    assert pasted(out).malformed == "refuse"


def test_inspect_shows_what_unknown_columns_may_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "q.jsonl", [{"question": row["prompt"], "answer": row["completion"]} for row in ROWS])
    code, out, _ = called(capsys, "inspect", path)
    assert code == 2
    assert "of no known form" in out
    assert pasted(out).columns == {"prompt": "question", "completion": "answer"}
    code, out, _ = called(capsys, "inspect", path, "--set", "columns={prompt: question, completion: answer}")
    assert code == 0
    assert "the recipe's 'columns' say" in out
    assert "⟦0<|end|>⟧" in out


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [{"instruction": ["a"], "output": ["b"]}],
            ["no row can be read", "1 of 1 rows are malformed", 'output: ["b"]'],
        ),
        ([{"a": 1, "b": "x" * 200}], ["<question column>", "b: xxx", "…"]),
    ],
)
def test_inspect_has_no_lines_to_paste_where_it_knows_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[dict[str, Any]], words: list[str]
) -> None:
    code, out, _ = called(capsys, "inspect", written(tmp_path / "x.jsonl", rows))
    assert code == 2
    assert all(word in out for word in words)
    assert "In a recipe:" not in out


def test_inspect_shows_answers_of_weight_zero_as_not_learnt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turns = [
        {"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(("?", "No.", "So?", "Yes."))
    ]
    turns[1]["weight"] = 0
    code, out, _ = called(capsys, "inspect", written(tmp_path / "x.jsonl", [{"messages": turns}]))
    assert code == 0
    assert "<|assistant|> No.<|end|><|user|> So?<|end|><|assistant|>⟦Yes.<|end|>⟧" in out


def test_inspect_says_that_a_limit_cut_it_short_and_what_is_left_unused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "train-00000-of-00001.jsonl", [{**row, "id": 1} for row in ROWS])
    _, out, _ = called(capsys, "inspect", path, "--limit", "5")
    assert "rows      5, the first of them (--limit)\n" in out
    assert "unused    id\n" in out
    assert "\n  train:\n" in out


def test_inspect_names_a_source_by_what_its_files_have_in_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "bank-tickets"
    folder.mkdir()
    for number, name in enumerate(("train-00000-of-00002.jsonl", "train-00001-of-00002.jsonl", "other.jsonl")):
        written(folder / name, [{**row, "prompt": f"{number}. {row['prompt']}"} for row in ROWS])
    assert "\n  train:\n" in called(capsys, "inspect", "bank-tickets/train-*.jsonl")[1]
    for several in ("bank-tickets", "bank-tickets/*.jsonl", "bank-tickets/**/*.jsonl"):
        assert "\n  bank_tickets:\n" in called(capsys, "inspect", several)[1]
    monkeypatch.chdir(folder)
    assert "\n  bank_tickets:\n" in called(capsys, "inspect", "*.jsonl")[1]


def test_inspect_pins_a_data_set_of_a_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = "a" * 40
    folder = tmp_path / "datasets--someone--Sums-2" / "snapshots" / commit
    folder.mkdir(parents=True)
    written(folder / "train-00000-of-00001.jsonl", ROWS)
    (folder.parent.parent / "refs").mkdir()
    (folder.parent.parent / "refs" / "main").write_text(commit)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    code, out, _ = called(capsys, "inspect", "hub:someone/Sums-2")
    assert code == 0
    assert f"(commit {commit})" in out
    assert "\n  sums_2:\n" in out
    assert (pasted(out).hub, pasted(out).revision) == ("someone/Sums-2", commit)


def test_inspect_names_what_it_was_given_in_its_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.unknown"
    path.write_text("?")
    assert called(capsys, "inspect", str(path))[2].startswith(f"error: {path}: ")
    assert called(capsys, "inspect", "hub:someone/none")[2].startswith("error: hub:someone/none: ")


def test_inspect_replaces_what_a_terminal_cannot_show(tmp_path: Path) -> None:
    path = written(tmp_path / "x.jsonl", [{"prompt": "Where?", "completion": "東京"}])
    command = [sys.executable, "-m", "mixwright", "inspect", path]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert b"<|assistant|>???<|end|>?" in done.stdout


def test_inspect_has_everything_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "inspect", written(tmp_path / "sums.jsonl", ROWS), "--json", "--limit", "5")
    found = json.loads(out)
    assert code == 0
    assert (found["form"], found["rows"], found["turns"]) == ("prompt_completion", 5, {"user": 5, "assistant": 5})
    assert [piece["learnt"] for piece in found["examples"][0]["rendered"]] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.jsonl"], "no file"),
        (["rows.jsonl", "--set", "colums={a: b}"], "Did you mean 'columns'"),
        (["rows.jsonl", "--set", "columns"], "no setting"),
        (["hub:nobody/nothing"], "not in the local cache"),
        (["empty.jsonl"], "no rows"),
    ],
)
def test_inspect_refuses_what_is_not_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "rows.jsonl", ROWS)
    written(tmp_path / "empty.jsonl", [])
    code, _, err = called(capsys, "inspect", *arguments)
    assert code == 2
    assert words in err
    assert "Traceback" not in err


def test_the_catalogue_is_listed_filtered_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    _, everything, _ = called(capsys, "catalogue")
    _, of_math, _ = called(capsys, "catalogue", "--skill", "math", "--terms", "commercial")
    assert 0 < len(of_math.splitlines()) < len(everything.splitlines())
    assert all(line.startswith("math") and "commercial" in line for line in of_math.splitlines())
    _, one, _ = called(capsys, "catalogue", "openai/gsm8k")
    assert pasted(f"In a recipe:\n{one[one.index('sources:') :]}").hub == "openai/gsm8k"
    _, as_json, _ = called(capsys, "catalogue", "--balanced", "--json")
    assert all(entry["terms"] == "commercial" for entry in json.loads(as_json))
    assert called(capsys, "catalogue", "--skill", "mth")[0] == 2
    assert called(capsys, "catalogue", "no-such-data-set")[0] == 2


def test_an_imported_mix_is_a_recipe_with_its_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "mix.yaml"
    config.write_text("customer_data_percent: 50\nnova_code_percent: 90\nnova_identity_percent: 10\n")
    code, out, err = called(capsys, "import", "nova", str(config))
    assert code == 0
    assert "note: 'identity' has no open counterpart" in err
    assert out.startswith("# ")
    assert yaml.safe_load(out)["blend"]["shares"] == {"customer": "1/2", "code": "9/20", "identity": "1/20"}
    code, out, _ = called(capsys, "import", "nova", str(config), "--out", str(tmp_path / "recipe.yaml"))
    assert out.strip() == str(tmp_path / "recipe.yaml")
    assert called(capsys, "import", "nova", str(config), "--out", str(tmp_path / "no" / "recipe.yaml"))[0] == 2
