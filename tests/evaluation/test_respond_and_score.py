"""A model answers every item; raw responses are kept, and records are made of them afterwards."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow.parquet as pq
import pytest
from tiny_models import CHATML, NANO, save_model

from mixwright.evaluation.records import COLUMNS, score_responses
from mixwright.evaluation.respond import respond
from mixwright.ground.errors import InputError
from mixwright.items.suite import Item, read_items, write_suite
from mixwright.models.handle import ModelHandle

QUESTIONS = ["Repeat: tin fox", "What is 3 + 4?", "Where is the barn?", "Sort: c a b", "Hello"]


def made_suite(folder: Path, name: str = "mixed", questions: list[str] = QUESTIONS, **changes: Any) -> Path:
    folder.mkdir()
    about: dict[str, Any] = {"scorer": "exact", "options": {}, "max_new_tokens": 6} | changes
    items = [
        Item(name, f"ability{n % 2}", f"c{n}", ({"role": "user", "content": text},), "tin fox", **about)
        for n, text in enumerate(questions)
    ]
    write_suite(folder, name, {"role": "general"}, items)
    return folder


def answered(out: Path, suites: list[Path], model: Path = NANO, batch_size: int = 2) -> list[dict[str, Any]]:
    out.mkdir()
    respond("base", model, suites, device="cpu", precision="fp32", batch_size=batch_size, out=out)
    rows: list[dict[str, Any]] = pq.read_table(out / "responses.parquet").to_pylist()
    return rows


def test_every_item_is_answered_once_and_what_was_written_is_kept(tmp_path: Path) -> None:
    suite = made_suite(tmp_path / "suite")
    rows = answered(tmp_path / "out", [suite])
    assert [row["item_id"] for row in rows] == [item.item_id for item in read_items(suite)]
    handle = ModelHandle(NANO, device="cpu")
    for row, item in zip(rows, read_items(suite), strict=True):
        prompt = handle.tokenizer.prompt_ids(item.prompt)
        (alone,) = handle.generate([prompt], max_new_tokens=[6], batch_size=1, label="alone")
        assert (row["response"], row["finished"], row["num_tokens"]) == alone


def test_the_hash_of_a_prompt_is_that_of_the_tokens_the_model_was_given(tmp_path: Path) -> None:
    suite = made_suite(tmp_path / "suite")
    nano, other = (
        answered(tmp_path / "nano", [suite]),
        answered(tmp_path / "other", [suite], save_model(tmp_path / "m")),
    )
    assert len({row["prompt_sha"] for row in nano}) == len(QUESTIONS)
    assert not {row["prompt_sha"] for row in nano} & {row["prompt_sha"] for row in other}


def test_a_prompt_beyond_the_models_context_is_refused_with_its_item(tmp_path: Path) -> None:
    suite = made_suite(tmp_path / "suite", questions=["word " * 1100])
    with pytest.raises(InputError, match="1024") as caught:
        answered(tmp_path / "out", [suite])
    assert read_items(suite)[0].item_id in str(caught.value.where)


def test_a_prompt_that_the_template_refuses_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "suite"
    folder.mkdir()
    item = Item("mixed", "a", "c", ({"role": "tool", "content": "x"},), "y", "exact", {}, 6)
    write_suite(folder, "mixed", {}, [item])
    with pytest.raises(InputError) as caught:
        answered(tmp_path / "out", [folder])
    assert item.item_id in str(caught.value.where)


def scored(out: Path, responses: Path, suites: list[Path]) -> list[dict[str, Any]]:
    out.mkdir()
    means = score_responses(responses / "responses.parquet", suites, "build", out)
    rows: list[dict[str, Any]] = pq.read_table(out / "records.parquet").to_pylist()
    for suite, mean in means.items():
        abilities: dict[str, list[float]] = {}
        for row in rows:
            if row["suite"] == suite:
                abilities.setdefault(row["ability"], []).append(row["score"])
        assert mean == pytest.approx(fmean(map(fmean, abilities.values())), abs=1e-6)
    return rows


def test_a_record_says_what_was_asked_answered_and_scored(tmp_path: Path) -> None:
    suite = made_suite(tmp_path / "suite")
    responses = answered(tmp_path / "out", [suite])
    records = scored(tmp_path / "scored", tmp_path / "out", [suite])
    for record, row, item in zip(records, responses, read_items(suite), strict=True):
        assert tuple(record) == COLUMNS
        assert record["item_id"] == item.item_id
        assert (record["suite"], record["ability"], record["cluster"]) == ("mixed", item.ability, item.cluster)
        assert (record["response"], record["prompt_sha"]) == (row["response"], row["prompt_sha"])
        assert (record["scorer"], record["build"]) == ("exact@1", "build")
        assert record["score"] == float(row["finished"] and row["response"].strip() == "tin fox")


def test_old_responses_can_be_scored_anew_without_the_model(tmp_path: Path) -> None:
    """The suite's scorer changed: the items are others, so only responses to the same items are taken."""
    one, two = made_suite(tmp_path / "one", "one"), made_suite(tmp_path / "two", "two", scorer="format")
    answered(tmp_path / "out", [one, two])
    first = scored(tmp_path / "first", tmp_path / "out", [one, two])
    again = scored(tmp_path / "again", tmp_path / "out", [one, two])
    assert first == again
    assert {record["suite"]: record["scorer"] for record in first} == {"one": "exact@1", "two": "format@1"}


OPTIONS = ["tin fox", "fox", "a fox made of tin that is long", "7"]


def weighed_suite(folder: Path, normalise: str = "none", options: list[str] = OPTIONS, **changes: Any) -> Path:
    about = {"scorer": "choice", "options": {"options": options, "likelihood": normalise}, "max_new_tokens": 0}
    return made_suite(folder, f"weighed_{normalise}", **(about | changes))


@pytest.mark.parametrize("normalise", ["none", "tokens", "characters"])
def test_the_most_probable_option_is_the_answer_and_the_evidence_is_kept(tmp_path: Path, normalise: str) -> None:
    suite = weighed_suite(tmp_path / "suite", normalise)
    rows = answered(tmp_path / "out", [suite])
    handle = ModelHandle(NANO, device="cpu")
    for row, item in zip(rows, read_items(suite), strict=True):
        answers = handle.tokenizer.answers(item.prompt, OPTIONS)
        alone = handle.log_probabilities([answer.prompt + answer.ids for answer in answers])
        sums = [float(logps[len(answer.prompt) - 1 :].sum()) for logps, answer in zip(alone, answers, strict=True)]
        assert row["log_probabilities"] == pytest.approx(sums, abs=1e-4)
        lengths = {"tokens": [len(answer.ids) for answer in answers], "characters": [len(text) for text in OPTIONS]}
        means = [total / length for total, length in zip(sums, lengths.get(normalise, [1] * 4), strict=True)]
        best = means.index(max(means))
        assert (row["response"], row["finished"], row["num_tokens"]) == (OPTIONS[best], True, len(answers[best].ids))
    for record in scored(tmp_path / "scored", tmp_path / "out", [suite]):
        assert record["parsed"]
        assert record["score"] == float(record["response"] == "tin fox")


def test_normalising_by_length_chooses_other_options(tmp_path: Path) -> None:
    """Summed, a long answer hardly wins; per character it may."""
    suites = [weighed_suite(tmp_path / kind, kind) for kind in ("none", "characters")]
    rows = answered(tmp_path / "out", suites)
    plain, divided = rows[: len(QUESTIONS)], rows[len(QUESTIONS) :]
    assert [row["log_probabilities"] for row in plain] == [row["log_probabilities"] for row in divided]
    assert [row["response"] for row in plain] != [row["response"] for row in divided]


def test_written_and_weighed_items_keep_their_order_and_answers(tmp_path: Path) -> None:
    written, weighed = made_suite(tmp_path / "written"), weighed_suite(tmp_path / "weighed")
    together = answered(tmp_path / "both", [written, weighed])
    assert together == answered(tmp_path / "one", [written]) + answered(tmp_path / "two", [weighed])
    assert [row["log_probabilities"] is None for row in together] == [True] * 5 + [False] * 5


def test_options_that_the_template_makes_equal_are_refused(tmp_path: Path) -> None:
    model = save_model(tmp_path / "model", template=CHATML.replace("m['content']", "m['content'] | trim"))
    suite = weighed_suite(tmp_path / "suite", options=["tin fox", "tin fox ", "7"])
    with pytest.raises(InputError, match="same tokens") as caught:
        answered(tmp_path / "out", [suite], model)
    assert read_items(suite)[0].item_id in str(caught.value.where)


def test_an_option_beyond_the_models_context_is_refused(tmp_path: Path) -> None:
    suite = weighed_suite(tmp_path / "suite", options=["tin fox", "word " * 1100])
    with pytest.raises(InputError, match="longest of its options"):
        answered(tmp_path / "out", [suite])


def test_a_model_that_cannot_write_can_still_weigh(tmp_path: Path) -> None:
    rows = answered(tmp_path / "out", [weighed_suite(tmp_path / "suite")], save_model(tmp_path / "model", "mamba"))
    assert all(row["response"] in OPTIONS for row in rows)
