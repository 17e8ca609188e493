"""Five lines of YAML to a suite: from a file, from held-out rows, from a generator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mixwright.ground.errors import InputError
from mixwright.items.suite import Item, read_items, suite_about
from mixwright.recipe.parts import Source, Suite
from mixwright.sources.ingest import ingest
from mixwright.sources.suites import build_suite

QUESTIONS = [{"text": f"Question {n}?", "label": f"label{n % 3}", "topic": f"t{n % 2}"} for n in range(30)]


def built(out: Path, heldout: Path | None = None, **about: Any) -> list[Item]:
    suite = Suite.model_validate({"role": "domain", **about})
    out.mkdir(exist_ok=True)
    build_suite("support", suite, heldout, out)
    return read_items(out)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "test.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in QUESTIONS))
    return str(path)


FROM_FILE = {"prompt": "{text}", "target": "{label}", "scorer": "exact"}


def test_every_row_of_a_file_becomes_an_item(tmp_path: Path, file: str) -> None:
    items = built(tmp_path / "suite", path=file, **FROM_FILE, ability="{topic}", cluster="{label}", max_new_tokens=5)
    assert len(items) == 30
    assert items[4] == Item(
        suite="support",
        ability="t0",
        cluster="label1",
        prompt=({"role": "user", "content": "Question 4?"},),
        target="label1",
        scorer="exact",
        options={},
        max_new_tokens=5,
    )


def test_without_more_words_the_ability_is_the_suite_and_each_row_its_own_cluster(tmp_path: Path, file: str) -> None:
    items = built(tmp_path / "suite", path=file, **FROM_FILE)
    assert {item.ability for item in items} == {"support"}
    assert len({item.cluster for item in items}) == 30


def test_a_prompt_may_have_a_system_turn_and_a_scorer_options(tmp_path: Path, file: str) -> None:
    about = {"prompt": {"system": "One word.", "user": "{text}"}, "scorer": {"exact": {"labels": ["label0"]}}}
    items = built(tmp_path / "suite", path=file, **(FROM_FILE | about))
    assert [message["role"] for message in items[0].prompt] == ["system", "user"]
    assert items[0].options == {"labels": ["label0"]}


def test_a_limit_takes_the_same_random_items_every_time(tmp_path: Path, file: str) -> None:
    def limited(folder: str, **more: Any) -> list[str]:
        return [i.item_id for i in built(tmp_path / folder, path=file, **FROM_FILE, **more)]

    every, ten = limited("every"), limited("ten", limit=10)
    assert len(ten) == 10
    assert ten == limited("again", limit=10)
    assert ten == [item for item in every if item in ten]  # in the order of the file
    assert set(limited("five", limit=5)) < set(ten)
    assert set(limited("seed", limit=10, seed=1)) != set(ten)
    assert limited("all", limit=100) == every


def test_a_row_that_makes_no_item_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text('{"text": "a", "label": "b"}\n{"text": "a"}\n')
    with pytest.raises(InputError) as caught:
        built(tmp_path / "suite", path=str(path), **FROM_FILE)
    assert f"{path}:2" in str(caught.value.where)


def test_held_out_rows_and_no_others_become_items(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    rows = [{"prompt": f"Q{n}", "completion": f"A{n}", "customer": f"c{n // 3}"} for n in range(90)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = Source.model_validate(
        {"role": "domain", "path": str(path), "holdout": 0.4, "group": "customer", "system": "Be brief."}
    )
    (tmp_path / "source").mkdir()
    counts = ingest("tickets", source, tmp_path / "source")
    items = built(tmp_path / "suite", tmp_path / "source" / "records.parquet", source="tickets", scorer="exact")
    assert len(items) == counts["rows_heldout"] > 0
    for item in items:
        number = int(item.target.removeprefix("A"))
        assert item.prompt[-1]["content"] == f"Q{number}"
        assert item.prompt[0]["role"] == "system"
        assert item.cluster == f"c{number // 3}"


def test_a_generator_gives_so_many_items_of_each_ability(tmp_path: Path) -> None:
    items = built(tmp_path, generate="skills", items_per_ability=3, abilities=["addition", "sorting"], seed=5)
    assert suite_about(tmp_path)["abilities"] == {"addition": 3, "sorting": 3}
    assert all(item.prompt[-1]["role"] == "user" and item.target for item in items)


def test_a_suite_without_items_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text("")
    with pytest.raises(InputError) as caught:
        built(tmp_path / "suite", path=str(path), **FROM_FILE)
    assert caught.value.where == "suites.support"
