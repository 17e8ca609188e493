"""Inspection: what is said of a data set is so, and what cannot be known is not made up."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from mixwright.curation.curate import curate
from mixwright.ground.errors import InputError
from mixwright.ground.executor import InProcess
from mixwright.models.tokenizer import ChatTokenizer
from mixwright.recipe.data import Curate, Source
from mixwright.sources.inspection import Inspection, inspect, rendering_problems
from mixwright.sources.intake.ingest import ingest

ROOT = Path(__file__).parents[2]
ASKED = {"role": "user", "content": "2 + 2?"}
ANSWERED = {"role": "assistant", "content": "4"}
CALLING = {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": "add"}}]}
PLAIN = {"prompt": "2 + 2?", "completion": "4"}


def inspected(
    folder: Path, rows: list[Any], *, limit: int | None = None, name: str = "x.jsonl", **about: Any
) -> Inspection:
    text = json.dumps(rows) if name.endswith(".json") else "".join(json.dumps(row) + "\n" for row in rows)
    (folder / name).write_text(text)
    source = Source.model_validate({"role": "domain", "path": str(folder / name), **about})
    return inspect(source, name, limit=limit)


@pytest.mark.parametrize(
    ("row", "guess"),
    [
        ({"question": "?", "answer": "!"}, {"columns": {"prompt": "question", "completion": "answer"}}),
        (
            {"instruction": "?", "context": "", "response": "!", "category": "qa"},
            {"columns": {"input": "context", "output": "response"}},
        ),
        (
            {"id": 1, "system_prompt": "Be.", "question": "?", "response": "!"},
            {"columns": {"system": "system_prompt", "prompt": "question", "completion": "response"}},
        ),
        (
            {"ID": 1, "Body": "Two.", "Question": "?", "Equation": "1", "Answer": 2.0},
            {"template": {"user": "{Body}\n\n{Question}", "assistant": "{Answer}"}},
        ),
        (
            {"Category": "x", "Question": "?", "Best Answer": "!", "Correct Answers": "!; !!"},
            {"columns": {"prompt": "Question", "completion": "Best Answer"}},
        ),
        (
            {"title": "x", "context": "Two.", "question": "?", "answers": {"text": ["!"], "answer_start": [0]}},
            {"template": {"user": "{context}\n\n{question}", "assistant": "{answers.text.0}"}},
        ),
        ({"dialogue": [ASKED, ANSWERED], "topic": "x"}, {"columns": {"messages": "dialogue"}}),
        (
            {"QUESTION": "?", "CONTEXTS": ["Two.", "And two."], "final": "yes", "LONG_ANSWER": "!"},
            {"template": {"user": "{CONTEXTS.*}\n\n{QUESTION}", "assistant": "{LONG_ANSWER}"}},
        ),
        ({"text": "?", "intent": "x"}, {"columns": {"prompt": "text", "completion": "intent"}}),
        ({"text": "?", "meant": "x"}, {"columns": {"prompt": "text", "completion": "meant"}}),
        ({"text": "?", "intents": ["x", "y"]}, {"template": {"user": "{text}", "assistant": "{intents}"}}),
        ({"path": "a/b", "number": 1, "text": "Once.", "status": "x", "type": "y"}, {"format": "text"}),
        ({"said": "user: ? assistant: !"}, {"columns": {"text": "said"}}),
        ({"question": "?", "chosen": "!", "rejected": "."}, {"columns": {"prompt": "question"}}),
        ({"name": "x", "instances": [{"instruction": "?", "output": "!"}]}, {"rows": "instances.*"}),
    ],
)
def test_what_columns_may_mean_is_proposed_and_reads_the_rows(
    tmp_path: Path, row: dict[str, Any], guess: dict[str, Any]
) -> None:
    found = inspected(tmp_path, [row, row])
    assert (found.form, found.guess) == (None, guess)
    assert len(found.lengths) == found.rows == 2
    assert found.recipe == {"role": "domain", "path": str(tmp_path / "x.jsonl"), **guess}
    read = inspect(Source.model_validate(found.recipe), "x")
    assert read.form is not None
    assert read.samples == found.samples


def test_messages_that_answer_one_another_are_proposed_as_trees(tmp_path: Path) -> None:
    asked = {"message_id": "a", "parent_id": None, "message_tree_id": "a", "role": "prompter", "text": "2 + 2?"}
    answered = {**asked, "message_id": "b", "parent_id": "a", "role": "assistant", "text": "4"}
    found = inspected(tmp_path, [asked, answered])
    assert (found.form, found.rows) == (None, 1)
    assert found.recipe["threads"] == {"id": "message_id", "parent": "parent_id", "tree": "message_tree_id"}
    ((place, sample),) = found.examples
    assert (place, sample.messages) == ("x.jsonl:1", [ASKED, ANSWERED])


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_rows_inside_nested_json_are_found_from_the_root_of_the_file(tmp_path: Path, name: str) -> None:
    asked = {"question": "?", "answers": [{"text": "!", "answer_start": 0}]}
    article = {"title": "x", "paragraphs": [{"context": "Two.", "qas": [asked, asked]}]}
    found = inspected(tmp_path, [article, article], name=name)
    assert found.guess["rows"] == ("*.paragraphs.*.qas.*" if name == "x.json" else "paragraphs.*.qas.*")
    assert found.rows == len(found.lengths) == 4
    assert len(inspect(Source.model_validate(found.recipe), "x").lengths) == 4


def test_where_names_tell_nothing_the_first_row_is_shown_and_no_recipe(tmp_path: Path) -> None:
    found = inspected(tmp_path, [{"a": "x" * 500, "b": [1, {"c": None}]}])
    assert (found.form, found.recipe, found.samples) == (None, {}, [])
    assert found.first_row == {"a": "x" * 80 + "…", "b": '[1, {"c": null}]'}


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": ["a"], "output": ["b"]},
        {"messages": [{"role": "user", "content": [5]}, ANSWERED]},
        {"instruction": "?", "output": "!", "history": 5},
        {"conversations": []},
    ],
)
def test_where_no_row_can_be_read_there_is_no_form_and_no_recipe(tmp_path: Path, row: dict[str, Any]) -> None:
    found = inspected(tmp_path, [row, row])
    assert (found.form, found.recipe, found.malformed) == (None, {}, 2)
    assert found.problems == ["2 of 2 rows are malformed; a run refuses the first"]


def test_a_file_in_another_encoding_is_said_to_be_saved_as_utf8(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("prompt,completion\nWho?,Café\n".encode("latin-1"))
    for malformed in ("refuse", "drop"):
        source = Source.model_validate({"role": "domain", "path": str(path), "malformed": malformed})
        found = inspect(source, "x")
        assert (found.form, found.why, found.fix) == (None, "no row can be read", "Save the file as UTF-8.")
        with pytest.raises(InputError) as caught:
            ingest("x", source, tmp_path)
        assert str(caught.value.fix).startswith("Save the file as UTF-8")


def test_malformed_rows_are_dropped_only_where_that_is_said(tmp_path: Path) -> None:
    rows = [PLAIN, {"prompt": "?"}]
    asked = inspected(tmp_path, rows)
    assert "malformed" not in asked.recipe
    assert "'malformed: drop' leaves such rows out" in asked.problems[0]
    said = inspected(tmp_path, rows, malformed="drop")
    assert said.recipe["malformed"] == "drop"
    assert said.problems[0].endswith("a run leaves them out")


def test_an_empty_list_in_the_first_row_does_not_decide(tmp_path: Path) -> None:
    found = inspected(
        tmp_path,
        [{"conversations": []}, {"conversations": [{"from": "human", "value": "?"}, {"from": "gpt", "value": "!"}]}],
    )
    assert (found.form, found.malformed, len(found.lengths)) == ("sharegpt", 1, 1)


def test_columns_that_are_not_read_are_named(tmp_path: Path) -> None:
    assert inspected(tmp_path, [{**PLAIN, "id": 1, "topic": "x"}]).unused == ["id", "topic"]
    template = {"user": "{a.0.b} {c}", "assistant": "{d.e}"}
    row = {"a": [{"b": "?"}], "c": "?", "d.e": "!", "f": 1}
    assert inspected(tmp_path, [row], template=template).unused == ["f"]


def test_another_order_of_columns_is_no_other_columns(tmp_path: Path) -> None:
    rows = [PLAIN, {"completion": "6", "prompt": "3 + 3?"}]
    assert inspected(tmp_path, rows).problems == []
    assert inspected(tmp_path, [*rows, {**PLAIN, "id": 1, "prompt": "?"}]).problems == [
        "1 rows have other columns than the rest (id)"
    ]


REPEATS = [
    [ASKED, ANSWERED],
    [{**ASKED, "content": " 2 + 2?\n"}, ANSWERED],
    [ASKED, {**ANSWERED, "reasoning_content": "two and two"}],
    [ASKED, {**ANSWERED, "reasoning_content": "by heart"}],
    [ASKED, CALLING],
    [ASKED, CALLING],
    [ASKED, ANSWERED, ASKED, ANSWERED],
    [ASKED, {**ANSWERED, "weight": 0}, ASKED, ANSWERED],
    [ASKED, {**ANSWERED, "content": " "}],
    [ASKED, {**ANSWERED, "content": " "}],
    [{**ASKED, "content": ""}, ANSWERED],
]


def test_repeats_and_empty_turns_are_those_that_curation_drops(tmp_path: Path) -> None:
    found = inspected(tmp_path, [{"messages": turns} for turns in REPEATS])
    assert found.problems == [
        "3 rows have an empty question or answer; curation drops them",
        "2 rows repeat another; curation keeps one of each",
    ]
    for folder in ("rows", "corpus"):
        (tmp_path / folder).mkdir()
    source = Source(role="domain", path=str(tmp_path / "x.jsonl"))
    ingest("x", source, tmp_path / "rows")
    curate({"x": tmp_path / "rows"}, [], Curate(), InProcess(), tmp_path / "corpus")
    dropped = json.loads((tmp_path / "corpus" / "attrition.json").read_text())["sources"]["x"]["dropped"]
    assert dropped.pop("duplicate") == 2
    assert sum(dropped.values()) == 3


def test_what_a_chat_template_refuses_is_counted(tmp_path: Path) -> None:
    tokenizer = ChatTokenizer(ROOT / "src/mixwright/models/embedded/nano")
    rows = [{"messages": [ASKED, ANSWERED]}] * 150 + [{"messages": [ASKED, CALLING]}] * 100
    found = inspected(tmp_path, rows)
    (problem,) = rendering_problems(found, tokenizer, "nano")
    assert problem.startswith("50 of the first 200 rows do not go into the chat template of nano")
    assert "no place for calls of tools (the first: x.jsonl:151)" in problem
    assert rendering_problems(inspected(tmp_path, rows[:150]), tokenizer, "nano") == []
    assert rendering_problems(inspected(tmp_path, [{"text": "Once."}]), tokenizer, "nano") == []


def test_a_limit_is_part_of_what_is_said(tmp_path: Path) -> None:
    found = inspected(tmp_path, [PLAIN] * 5, limit=3)
    assert (found.rows, found.as_json()["limit"]) == (3, 3)


def test_what_the_recipe_says_of_columns_is_told_from_what_was_found(tmp_path: Path) -> None:
    columns = {"prompt": "question", "completion": "answer"}
    found = inspected(tmp_path, [{"question": "?", "answer": "!"}], columns=columns)
    assert found.why == "the recipe's 'columns' say that 'question' and 'answer' are prompt and completion"
    assert inspected(tmp_path, [PLAIN]).why == "it has the columns prompt, completion"


@pytest.mark.parametrize(
    ("about", "where"),
    [({"path": "none.jsonl"}, "it"), ({"hub": "someone/none"}, "it"), ({"hub": ".", "split": "none"}, "it (split)")],
)
def test_errors_name_what_is_inspected_and_not_a_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, about: dict[str, str], where: str
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    (tmp_path / "train.jsonl.gz").write_bytes(gzip.compress(b'{"prompt": "?", "completion": "!"}\n'))
    about = {key: str(tmp_path) if value == "." else value for key, value in about.items()}
    with pytest.raises(InputError) as caught:
        inspect(Source.model_validate({"role": "domain", **about}), "it")
    assert caught.value.where == where
