"""Five lines of YAML to a suite: from a file, from held-out rows, from a generator."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixwright.ground.errors import InputError
from mixwright.items.suite import Item, read_items, suite_about
from mixwright.recipe.data import Source, Suite
from mixwright.sources.intake.ingest import ingest
from mixwright.sources.intake.records import Record, RecordWriter, read_records
from mixwright.sources.suites import SEARCH, build_suite

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


EXAM = [
    {"text": "Colour of the sky?", "a": "blue", "b": "dark blue", "all": ["blue", "dark blue"], "label": "blue"},
    {"text": "Colour of grass?", "a": "green", "b": "red", "all": ["green", "red", "1"], "label": "green"},
]


@pytest.fixture
def exam(tmp_path: Path) -> str:
    path = tmp_path / "exam.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in EXAM))
    return str(path)


def test_options_are_those_of_the_row(tmp_path: Path, exam: str) -> None:
    def options(folder: str, asked: Any) -> list[Any]:
        scorer = {"scorer": {"choice": {"options": asked}}}
        return [item.options["options"] for item in built(tmp_path / folder, path=exam, **(FROM_FILE | scorer))]

    assert options("fields", ["{a}", "{b}", "none"]) == [["blue", "dark blue", "none"], ["green", "red", "none"]]
    assert options("column", "{all}") == [row["all"] for row in EXAM]
    assert options("constant", ["blue", "green"]) == [["blue", "green"]] * 2


@pytest.mark.parametrize("asked", [["{a}", "blue"], "{text}", ["{a}", "{c}"], "{c}", ["{a}", ""]])
def test_options_that_are_no_choice_are_refused_with_their_row(tmp_path: Path, exam: str, asked: Any) -> None:
    with pytest.raises(InputError) as caught:
        built(tmp_path / "suite", path=exam, **(FROM_FILE | {"scorer": {"choice": {"options": asked}}}))
    assert f"{exam}:1" in str(caught.value.where)


def test_an_item_weighed_is_another_than_the_same_item_written(tmp_path: Path, exam: str) -> None:
    def ids(folder: str, **more: Any) -> set[str]:
        about = FROM_FILE | {"scorer": {"choice": {"options": "{all}"}}} | more
        items = built(tmp_path / folder, path=exam, **about)
        assert {item.normalise for item in items} == {more.get("normalise", "none") if "answer" in more else None}
        return {item.item_id for item in items}

    weighed = {"answer": "likelihood"}
    kinds = [
        ids("written"),
        ids("weighed", **weighed),
        ids("tokens", **weighed, normalise="tokens"),
        ids("characters", **weighed, normalise="characters"),
    ]
    assert len(set.union(*kinds)) == 8
    assert ids("limit", **weighed, max_new_tokens=5) == kinds[1]  # nothing is written: no limit
    assert suite_about(tmp_path / "weighed")["scorer"] == "choice by likelihood"


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
    scorer = {"choice": {"options": "{all}"}}
    with pytest.raises(InputError, match="columns"):
        built(tmp_path / "columns", tmp_path / "source" / "records.parquet", source="tickets", scorer=scorer)


def test_held_out_rows_that_end_in_no_text_or_call_tools_are_counted_and_no_items(tmp_path: Path) -> None:
    ask, say = {"role": "user", "content": "Weather?"}, {"role": "assistant", "content": "Sunny."}
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "weather", "arguments": {}}}]}
    tools = [{"type": "function", "function": {"name": "weather"}}]
    kinds: list[dict[str, Any]] = [
        {"messages": [ask, say]},
        {"messages": [ask, say, ask]},
        {"messages": [ask, call]},
        {"messages": [ask, say], "tools": tools},
    ]
    path = tmp_path / "train.jsonl"
    rows = [{**row, "id": f"g{n}-{i}"} for n in range(40) for i, row in enumerate(kinds)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = Source.model_validate({"role": "domain", "path": str(path), "holdout": 0.5, "group": "id"})
    (tmp_path / "source").mkdir()
    heldout = ingest("desk", source, tmp_path / "source")["rows_heldout"]
    records = tmp_path / "source" / "records.parquet"
    items = built(tmp_path / "suite", records, source="desk", scorer="exact")
    about = suite_about(tmp_path / "suite")
    assert {item.target for item in items} == {"Sunny."}
    assert about["with_tools"] > 0 < about["without_an_answer"]
    (tmp_path / "again").mkdir()
    suite = Suite.model_validate({"role": "domain", "source": "desk", "scorer": "exact"})
    counts = build_suite("desk", suite, records, tmp_path / "again")
    asked = counts["items"] + counts["repeated"]
    assert asked + counts["with_tools"] + counts["without_an_answer"] == heldout
    calls = [row for row in read_records(records) if "tool_calls" in row.messages]
    with RecordWriter(tmp_path / "calls.parquet", Record) as writer:
        for row in calls:
            writer.write(row)
    with pytest.raises(InputError, match=r"no held-out row of 'desk' can be asked \(with tools [0-9]+\)"):
        built(tmp_path / "nothing", tmp_path / "calls.parquet", source="desk", scorer="exact")


def test_a_generator_gives_so_many_items_of_each_ability(tmp_path: Path) -> None:
    items = built(tmp_path, generate="skills", items_per_ability=3, abilities=["addition", "sorting"], seed=5)
    assert suite_about(tmp_path)["abilities"] == {"addition": 3, "sorting": 3}
    assert all(item.prompt[-1]["role"] == "user" and item.target for item in items)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_the_wordings_of_a_generator_are_taken_by_turns(tmp_path: Path, seed: int) -> None:
    items = built(tmp_path / "suite", generate="support_desk", items_per_ability=400, seed=seed)
    for ability in ("intent", "policy"):
        wordings = Counter(item.cluster for item in items if item.ability == ability)
        assert sum(wordings.values()) == 400
        assert len(wordings) > 150  # of 168
        assert max(wordings.values()) <= 3
    assert len({item.item_id for item in items}) == 800


def test_a_suite_without_items_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text("")
    with pytest.raises(InputError) as caught:
        built(tmp_path / "suite", path=str(path), **FROM_FILE)
    assert caught.value.where == "suites.support"


def divided(folder: Path, rows: list[dict[str, str]], share: float, **more: Any) -> tuple[list[Item], list[Item]]:
    """The certifying items and those set aside for choosing."""
    folder.mkdir()
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = Suite.model_validate({"role": "domain", "path": str(path), **FROM_FILE, **more})
    counts = build_suite("support", suite, None, folder, search_share=share)
    certifying, searching = read_items(folder), read_items(folder / SEARCH)
    assert (counts["items"], counts["for_search"]) == (len(certifying), len(searching))
    return certifying, searching


def customers(num: int) -> list[dict[str, str]]:
    """Three questions of each customer."""
    return [{"text": f"Question {n}?", "label": "a", "customer": f"c{n // 3}"} for n in range(3 * num)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.1, 0.9), number=st.integers(60, 120))
def test_whole_clusters_are_set_aside_for_choosing(
    tmp_path_factory: pytest.TempPathFactory, share: float, number: int
) -> None:
    rows = customers(number)
    certifying, searching = divided(tmp_path_factory.mktemp("s") / "suite", rows, share, cluster="{customer}")
    assert len(certifying) + len(searching) == len(rows)
    assert not {item.cluster for item in certifying} & {item.cluster for item in searching}
    assert len(searching) / len(rows) == pytest.approx(share, abs=0.25)


def test_an_item_stays_on_its_side_when_others_are_added(tmp_path: Path) -> None:
    few = divided(tmp_path / "few", customers(40), 0.3, cluster="{customer}")
    many = divided(tmp_path / "many", customers(80), 0.3, cluster="{customer}")
    for before, after in zip(few, many, strict=True):
        assert {item.item_id for item in before} < {item.item_id for item in after}


def test_a_larger_share_takes_the_items_of_a_smaller_and_more(tmp_path: Path) -> None:
    small, large = (divided(tmp_path / str(share), customers(60), share)[1] for share in (0.2, 0.5))
    assert {item.item_id for item in small} < {item.item_id for item in large}


def test_both_parts_are_suites_with_what_must_not_be_trained_on(tmp_path: Path) -> None:
    parts = divided(tmp_path / "suite", customers(40), 0.4)
    for folder, items in zip((tmp_path / "suite", tmp_path / "suite" / SEARCH), parts, strict=True):
        assert suite_about(folder)["num_items"] == len(items)
        assert all(item.item_id in (folder / "protected.json").read_text() for item in items)


@pytest.mark.parametrize("cluster", ["here", "there", "elsewhere"])
def test_an_ability_whose_items_all_fall_on_one_side_is_refused(tmp_path: Path, cluster: str) -> None:
    rows = [row | {"ability": "a", "of": row["customer"]} for row in customers(40)]
    rows += [{"text": f"More {n}?", "label": "a", "ability": "lonely", "of": cluster} for n in range(9)]
    with pytest.raises(InputError, match=r"support/lonely is left to (choose by|certify with)") as caught:
        divided(tmp_path / "suite", rows, 0.5, ability="{ability}", cluster="{of}")
    assert caught.value.where == "suites.support"
    assert "tune.search_share" in str(caught.value.fix)


def test_without_a_search_nothing_is_set_aside(tmp_path: Path, file: str) -> None:
    built(tmp_path / "suite", path=file, **FROM_FILE)
    assert not (tmp_path / "suite" / SEARCH).exists()
