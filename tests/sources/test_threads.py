"""`threads`: of a tree of messages becomes the conversation that was liked best; what has no place has a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mixwright.items.suite import read_items
from mixwright.recipe.data import Rows, Source, Suite
from mixwright.recipe.selection import Threads
from mixwright.sources.inspection import inspect
from mixwright.sources.intake.ingest import ingest
from mixwright.sources.intake.records import read_records
from mixwright.sources.rows.formats.row import LEFT_OUT, MALFORMED, Row
from mixwright.sources.rows.readers import read_rows
from mixwright.sources.rows.threads import threaded
from mixwright.sources.suites import build_suite

KEYS = {"id": "message_id", "parent": "parent_id", "tree": "message_tree_id", "rank": "rank"}
Table = list[dict[str, Any]]


def message(id: str, parent: str | None, rank: Any = None, **about: Any) -> dict[str, Any]:
    """A message as OpenAssistant's data sets have it: `a1` is an assistant's, `u1` a prompter's."""
    return {
        "message_id": id,
        "parent_id": parent,
        "message_tree_id": "t1",
        "text": f"text of {id}",
        "role": "assistant" if id.startswith("a") else "prompter",
        "lang": "en",
        "rank": rank,
        "tree_state": "ready_for_export",
        "deleted": False,
        **about,
    }


TREE: Table = [
    message("u1", None),
    message("a1", "u1", 1),
    message("a2", "u1", 0),
    message("u2", "a2", None),
    message("u3", "a2", 5),
    message("a3", "u3", None, lang="de"),
    message("a4", "u3", None),
    message("u4", "a3", 0),
]
OTHER: Table = [
    message("u9", None, message_tree_id="t2", lang="es"),
    message("a9", "u9", 0, message_tree_id="t2"),
]


def said(rows: list[Row]) -> list[list[str]]:
    """The conversations, as the ids of their messages."""
    turns = [row.value["messages"] for row in rows if row.value is not None]
    return [[turn["content"].removeprefix("text of ") for turn in conversation] for conversation in turns]


def faults(rows: list[Row], rule: str = MALFORMED) -> dict[int, str]:
    return {row.line: str(row.fault) for row in rows if row.value is None and row.rule == rule}


def read(table: Table, folder: Path, **entry: Any) -> list[Row]:
    file = folder / "messages.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in table))
    return list(read_rows(file, Source.model_validate({"role": "domain", "path": str(file), "threads": KEYS, **entry})))


def test_a_tree_is_its_best_ranked_path_up_to_the_last_answer(tmp_path: Path) -> None:
    first, second = read([*TREE, *OTHER], tmp_path)
    assert said([first, second]) == [["u1", "a2", "u3", "a3"], ["u9", "a9"]]
    assert (first.line, second.line) == (1, 9)
    assert first.value is not None
    assert first.value["messages"][0] == {"role": "prompter", "content": "text of u1"}
    assert first.value["lang"] == "en"
    assert first.value["message_tree_id"] == "t1"
    assert "text" not in first.value


def write_csv(table: Table, path: Path) -> Path:
    with path.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows({key: "" if value is None else value for key, value in row.items()} for row in table)
    return path.with_suffix(".csv")


def write_parquet(table: Table, path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(table), path.with_suffix(".parquet"), row_group_size=3)
    return path.with_suffix(".parquet")


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_columns_of_other_formats_say_the_same(tmp_path: Path, write: Callable[[Table, Path], Path]) -> None:
    file = write([*TREE, *OTHER], tmp_path / "x")
    rows = list(read_rows(file, Rows.model_validate({"path": str(file), "threads": KEYS})))
    assert said(rows) == [["u1", "a2", "u3", "a3"], ["u9", "a9"]]


def test_what_is_read_is_learnt_in_the_form_of_messages(tmp_path: Path) -> None:
    file = write_parquet([*TREE, *OTHER], tmp_path / "x")
    source = Source.model_validate({"role": "domain", "path": str(file), "threads": KEYS, "where": {"lang": "en"}})
    counts = ingest("chat", source, tmp_path)
    (record,) = read_records(tmp_path / "records.parquet")
    assert [turn["role"] for turn in record.turns()] == ["user", "assistant"] * 2
    assert record.origin == "x.parquet:1"
    assert counts["dropped"] == {"where": 4}


def test_answers_without_a_rank_come_last_and_equal_ones_in_the_order_of_the_file(tmp_path: Path) -> None:
    beginning = message("u1", None)
    assert said(read([beginning, message("a1", "u1"), message("a2", "u1", 9)], tmp_path)) == [["u1", "a2"]]
    assert said(read([beginning, message("a1", "u1", 2), message("a2", "u1", 2)], tmp_path)) == [["u1", "a1"]]
    unranked = {key: value for key, value in KEYS.items() if key != "rank"}
    ranked_otherwise = [beginning, message("a1", "u1", 2), message("a2", "u1", 1)]
    assert said(read(ranked_otherwise, tmp_path, threads=unranked)) == [["u1", "a1"]]


@pytest.mark.parametrize(
    ("table", "conversations", "wrong"),
    [
        (
            [*TREE[:3], message("a8", "u7"), message("u8", "a8")],
            [["u1", "a2"]],
            {4: "answers 'u7', which is not in its tree", 5: "answers line 4, which is malformed"},
        ),
        ([*TREE[:3], message("u7", None), message("a7", "u7")], [["u1", "a2"]], {4: "first is line 1", 5: "line 4"}),
        ([*TREE[:3], message("a7", "u8"), message("u8", "a7")], [["u1", "a2"]], {4: "in a circle", 5: "in a circle"}),
        ([*TREE[:3], message("a7", "a7")], [["u1", "a2"]], {4: "in a circle"}),
        ([*TREE[:3], message("a2", "u1", -1)], [["u1", "a2"]], {4: "its id 'a2' is that of line 3"}),
        ([*TREE[:2], *OTHER, TREE[2]], [["u1", "a1"], ["u9", "a9"]], {5: "'t1' began in line 1"}),
        ([TREE[0], message("a2", "u1", "best"), TREE[1]], [["u1", "a1"]], {2: "'rank' is 'best', no number"}),
        ([{**TREE[0], "message_tree_id": None}, *OTHER], [["u9", "a9"]], {1: "'message_tree_id' is null"}),
        ([{"message_id": "u1"}, *OTHER], [["u9", "a9"]], {1: "no column 'message_tree_id'"}),
        ([TREE[0], {**TREE[1], "message_id": None}], [], {1: "nothing in its tree answers", 2: "'message_id' is null"}),
        ([TREE[0], {k: v for k, v in TREE[1].items() if k != "text"}], [], {1: "nothing in", 2: "no column 'text'"}),
    ],
)
def test_what_has_no_place_in_its_tree_is_malformed_and_the_rest_is_read(
    tmp_path: Path, table: Table, conversations: list[list[str]], wrong: dict[int, str]
) -> None:
    rows = read(table, tmp_path)
    assert said(rows) == conversations
    told = faults(rows)
    assert told.keys() == wrong.keys()
    assert all(words in told[line] for line, words in wrong.items())


def test_a_line_that_is_no_row_does_not_tear_a_tree(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text("\n".join([json.dumps(TREE[0]), "not json", json.dumps(TREE[1])]) + "\n")
    rows = list(read_rows(file, Rows.model_validate({"path": str(file), "threads": KEYS})))
    assert said(rows) == [["u1", "a1"]]
    assert faults(rows).keys() == {2}


def test_a_message_that_is_left_out_takes_along_what_answers_it(tmp_path: Path) -> None:
    rows = read([*TREE, *OTHER], tmp_path, where={"lang": "en"})
    assert said(rows) == [["u1", "a2", "u3", "a4"]]
    left_out = faults(rows, LEFT_OUT)
    assert left_out == {
        6: "lang is 'de', not 'en'",
        8: "it answers line 6, which is left out",
        9: "lang is 'es', not 'en'",
        10: "it answers line 9, which is left out",
    }
    assert not faults(rows)


def test_a_question_whose_answers_are_all_left_out_is_left_out(tmp_path: Path) -> None:
    rows = read([TREE[0], {**TREE[1], "deleted": True}], tmp_path, where={"deleted": False})
    assert faults(rows, LEFT_OUT) == {1: "no answer to it is left", 2: "deleted is true, not false"}


def test_a_tree_in_which_nobody_answers_is_malformed(tmp_path: Path) -> None:
    assert faults(read([TREE[0], *OTHER], tmp_path)) == {1: "nothing in its tree answers the user"}


def test_roles_of_other_names_are_those_of_the_source(tmp_path: Path) -> None:
    table = [
        {"n": 1, "on": None, "talk": 7, "who": "client", "said": "text of 1"},
        {"n": 2, "on": 1, "talk": 7, "who": "agent", "said": "text of 2"},
        {"n": 3, "on": 2, "talk": 7, "who": "client", "said": "text of 3"},
    ]
    threads = {"id": "n", "parent": "on", "tree": "talk", "role": "who", "text": "said"}
    assert said(read(table, tmp_path, threads=threads, roles={"client": "user", "agent": "assistant"})) == [["1", "2"]]


def test_who_does_not_know_of_threads_is_told(tmp_path: Path) -> None:
    file = write_parquet(TREE, tmp_path / "x")
    told = inspect(Source.model_validate({"role": "domain", "path": str(file)}), "x")
    assert told.form is None
    assert "each of which answers another" in told.why
    proposed = yaml.safe_load(told.fix.removeprefix("Say ").partition("}")[0] + "}")
    source = Source.model_validate({"role": "domain", "path": str(file), **proposed})
    assert inspect(source, "x").form == "messages"


def test_a_suite_asks_what_began_a_tree(tmp_path: Path) -> None:
    file = write_parquet([*TREE, *OTHER], tmp_path / "x")
    fields = {"prompt": "{messages.0.content}", "target": "{messages.1.content}", "scorer": "exact"}
    about = {"role": "general", "path": str(file), "threads": KEYS, **fields}
    build_suite("exam", Suite.model_validate(about), None, tmp_path)
    assert [item.target for item in read_items(tmp_path)] == ["text of a2", "text of a9"]


def test_one_tree_is_in_memory_at_a_time() -> None:
    taken: list[int] = []

    def endless() -> Iterator[Row]:
        for number in range(10_000):
            taken.append(number)
            tree = f"t{number // 2}"
            parent = None if number % 2 == 0 else f"u{number - 1}"
            name = f"{'a' if number % 2 else 'u'}{number}"
            yield Row(number + 1, message(name, parent, message_tree_id=tree))

    rows = threaded(endless(), Threads(**KEYS), [], {})
    for count in range(1, 6):
        assert next(rows).value is not None
        assert len(taken) == 2 * count + 1


parents = st.lists(st.integers(0, 1 << 16), max_size=12)
ranks = st.lists(st.none() | st.integers(0, 3), min_size=13, max_size=13)


@given(parents, ranks, st.randoms(use_true_random=False))
def test_any_tree_in_any_order_gives_the_path_that_a_recursion_finds(
    drawn: list[int], ranked: list[int | None], random: Any
) -> None:
    above = {0: None} | {number + 1: draw % (number + 1) for number, draw in enumerate(drawn)}
    order = [*above]
    random.shuffle(order)
    depth = {0: 0}
    for number in range(1, len(above)):
        depth[number] = depth[above[number] or 0] + 1
    table = [
        {
            "message_id": str(number),
            "parent_id": None if above[number] is None else str(above[number]),
            "message_tree_id": "t",
            "role": "user" if depth[number] % 2 == 0 else "assistant",
            "text": f"text of {number}",
            "rank": ranked[number],
        }
        for number in order
    ]

    def down(number: int) -> list[int]:
        below = [other for other in order if above[other] == number]
        below.sort(key=lambda other: (ranked[other] is None, ranked[other] or 0))
        return [number, *(down(below[0]) if below else [])]

    path = down(0)
    expected = [str(number) for number in path[: len(path) // 2 * 2]]
    rows = list(threaded((Row(n, row) for n, row in enumerate(table, 1)), Threads(**KEYS), [], {}))
    assert said(rows) == ([expected] if expected else [])
    assert [row.line for row in rows] == [order.index(0) + 1]


ids = st.integers(0, 5).map(lambda number: f"{'a' if number % 2 else 'u'}{number}")


@given(st.lists(st.tuples(ids, st.none() | ids, st.sampled_from(["t1", "t2"])), max_size=12))
def test_whatever_the_rows_say_none_is_lost_or_told_twice(drawn: list[tuple[str, str | None, str]]) -> None:
    table = [message(id, parent, message_tree_id=tree) for id, parent, tree in drawn]
    rows = list(threaded((Row(n, row) for n, row in enumerate(table, 1)), Threads(**KEYS), [], {}))
    lines = [row.line for row in rows]
    assert lines == sorted({*lines})
    conversations = {row.line for row in rows if row.value is not None}
    first = {}
    for line, (id, _, tree) in enumerate(drawn, 1):
        first.setdefault((tree, id), line)
    for line, (_, parent, tree) in enumerate(drawn, 1):
        while line not in lines:  # it hangs below another message of its tree, up to one that is told of
            assert parent is not None
            line = first[tree, parent]
            parent = drawn[line - 1][1]
        assert line in conversations or line in faults(rows)
