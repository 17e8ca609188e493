"""`where`: which rows belong, in every format; what does not is left out with its reason, and is no error."""

from __future__ import annotations

import csv
import datetime
import json
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError
from mixwright.items.suite import read_items, suite_about
from mixwright.recipe.data import Rows, Source, Suite
from mixwright.recipe.problems import as_problems
from mixwright.sources.inspection import inspect
from mixwright.sources.intake.ingest import ingest
from mixwright.sources.rows.formats.row import LEFT_OUT, MALFORMED, Row
from mixwright.sources.rows.readers import read_rows
from mixwright.sources.suites import build_suite

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Table = list[dict[str, Any]]


def as_jsonl(rows: Table, path: Path) -> Path:
    path.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path.with_suffix(".jsonl")


def as_json(rows: Table, path: Path) -> Path:
    path.with_suffix(".json").write_text(json.dumps(rows))
    return path.with_suffix(".json")


def as_parquet(rows: Table, path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def as_csv(rows: Table, path: Path) -> Path:
    with path.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path.with_suffix(".csv")


def found(file: Path, where: dict[str, Any], **entry: Any) -> list[Row]:
    return list(read_rows(file, Rows.model_validate({"path": str(file), "where": where, **entry})))


def kept(rows: list[Row]) -> list[Any]:
    return [row.value for row in rows if row.value is not None]


plain = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 2.0, 1e300]) | st.sampled_from("ab1")
numbers = st.integers(-3, 3) | st.sampled_from([0.5, 1.5])
listed = st.lists(plain, min_size=1, max_size=3)
asked = (
    plain
    | listed
    | st.builds(lambda values: {"not": values}, plain | listed)
    | st.builds(lambda least: {"min": least}, numbers)
    | st.builds(lambda most: {"max": most}, numbers)
    | st.builds(lambda one, other: {"min": min(one, other), "max": max(one, other)}, numbers, numbers)
)

conditions = st.fixed_dictionaries({"a": asked}, optional={"b": asked})


def is_one_of(value: Any, values: Any) -> bool:
    several = values if isinstance(values, list) else [values]
    return any(type(value) is type(one) and value == one for one in several) or any(
        {type(value), type(one)} == {int, float} and value == one for one in several
    )


def holds(value: Any, condition: Any) -> bool:
    """A condition, told once more."""
    if not isinstance(condition, dict):
        return is_one_of(value, condition)
    if "not" in condition:
        return not is_one_of(value, condition["not"])
    number = {"1": 1}.get(value, value) if isinstance(value, str) else value
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return is_number and condition.get("min", -math.inf) <= number <= condition.get("max", math.inf)


@unhurried
@given(st.lists(st.fixed_dictionaries({"a": plain, "b": plain})), conditions)
def test_a_row_belongs_when_every_condition_holds_and_no_row_is_lost(
    tmp_path: Path, rows: Table, where: dict[str, Any]
) -> None:
    file = as_jsonl(rows, tmp_path / "x")
    read = found(file, where)
    assert [row.line for row in read] == [*range(1, len(rows) + 1)]
    for given_row, row in zip(rows, read, strict=True):
        belongs = all(holds(given_row[path], condition) for path, condition in where.items())
        assert row.value == (given_row if belongs else None)
        assert belongs or (row.rule == LEFT_OUT and row.fault)


ROWS: Table = [
    {"source": "flan", "score": 1.0, "meta": {"tier": "gold", "seen": None}},
    {"source": "sciriff", "score": 4.5, "meta": {"tier": None, "seen": None}},
    {"source": None, "score": math.nan, "meta": {"tier": "tin", "seen": None}},
]


@pytest.mark.parametrize("write", [as_jsonl, as_json, as_parquet])
@pytest.mark.parametrize(
    ("where", "belong"),
    [
        ({"source": ["sciriff", "flan"]}, [0, 1]),
        ({"source": None}, [2]),
        ({"source": {"not": None}, "score": {"min": 4.5}}, [1]),
        ({"meta.tier": {"not": ["tin"]}}, [0, 1]),
        ({"meta.tier": None}, [1]),
        ({"meta.seen": None}, [0, 1, 2]),
        ({"score": {"min": 1, "max": 4.5}}, [0, 1]),
    ],
)
def test_every_format_answers_alike(
    tmp_path: Path, write: Callable[[Table, Path], Path], where: dict[str, Any], belong: list[int]
) -> None:
    rows = [{**row, "score": None} if write is not as_parquet and row["score"] != row["score"] else row for row in ROWS]
    read = found(write(rows, tmp_path / "x"), where)
    assert [number for number, row in enumerate(read) if row.value is not None] == belong
    assert {row.rule for row in read if row.value is None} <= {LEFT_OUT}


def test_a_number_written_as_text_compares_as_one(tmp_path: Path) -> None:
    scores = ["4", "3.99", " 5.5 ", "4e0", "four", "", "nan", "1_000", "-inf"]
    file = as_csv([{"n": str(n), "score": score} for n, score in enumerate(scores)], tmp_path / "x")
    read = found(file, {"score": {"min": 4}})
    assert [row["n"] for row in kept(read)] == ["0", "2", "3"]
    assert [row.fault for row in read if row.value is None][1] == "score is 'four', no number"
    assert not kept(found(file, {"score": 4}))  # a value that is asked for is not converted


def test_dates_and_decimals_are_compared_as_templates_write_them(tmp_path: Path) -> None:
    when = [datetime.datetime(2026, 1, 2, 3, 4), datetime.datetime(2026, 5, 6), None]
    price = pa.array([Decimal("4.50"), Decimal("12"), None], pa.decimal128(6, 2))
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"when": when, "price": price}), path)

    def lines(**where: Any) -> list[int]:
        return [row.line for row in found(path, where) if row.value is not None]

    assert lines(when="2026-01-02 03:04:00") == [1]
    assert lines(when={"not": None}) == [1, 2]
    assert lines(price={"min": 4, "max": 5}) == lines(price=4.5) == [1]
    assert lines(price=12) == [2]
    assert found(path, {"when": "2026"})[0].fault == "when is '2026-01-02 03:04:00', not '2026'"


def test_true_is_not_one(tmp_path: Path) -> None:
    file = as_jsonl([{"a": True}, {"a": 1}, {"a": 1.0}, {"a": "1"}, {"a": [1]}], tmp_path / "x")
    assert [row.line for row in found(file, {"a": True}) if row.value] == [1]
    assert [row.line for row in found(file, {"a": 1}) if row.value] == [2, 3]
    assert [row.line for row in found(file, {"a": {"min": 1}}) if row.value] == [2, 3, 4]


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ({"source": "a"}, "source is 'flan', not 'a'"),
        ({"source": ["a", "b"]}, "source is 'flan', not one of 'a', 'b'"),
        ({"source": {"not": "flan"}}, "source is 'flan', which is left out"),
        ({"score": {"min": 4}}, "score is 1.0, below 4"),
        ({"score": {"max": 0.5}}, "score is 1.0, above 0.5"),
        ({"meta": "x"}, "meta is an object, not 'x'"),
        ({"meta.seen": True}, "meta.seen is null, not true"),
    ],
)
def test_what_is_left_out_says_why(tmp_path: Path, where: dict[str, Any], reason: str) -> None:
    (row,) = found(as_jsonl(ROWS[:1], tmp_path / "x"), where)
    assert (row.value, row.rule, row.fault) == (None, LEFT_OUT, reason)


@pytest.mark.parametrize("write", [as_jsonl, as_parquet])
@pytest.mark.parametrize(("path", "near"), [("sorce", "source"), ("meta.teir", "tier"), ("score.x", "")])
@pytest.mark.parametrize("condition", ["x", {"not": "x"}, {"min": 1}, None])
def test_a_column_that_is_not_there_is_a_fault_and_never_a_condition_that_holds(
    tmp_path: Path, write: Callable[[Table, Path], Path], path: str, near: str, condition: Any
) -> None:
    for row in found(write(ROWS[:2], tmp_path / "x"), {path: condition}):
        assert (row.value, row.rule) == (None, MALFORMED)
        assert f"there is no column '{path}'" in str(row.fault)
        assert near in str(row.fault)
        assert row.raw


def test_conditions_are_asked_of_the_rows_inside_nested_json(tmp_path: Path) -> None:
    nested = {"data": [{"level": 1, "qas": [{"q": "a"}, {"q": "b"}]}, {"level": 2, "qas": [{"q": "c"}]}]}
    (tmp_path / "x.json").write_text(json.dumps(nested))
    read = found(tmp_path / "x.json", {"level": 1, "q": {"not": "a"}}, rows="data.*.qas.*")
    assert [row.value and row.value["q"] for row in read] == [None, "b", None]
    assert [row.part for row in read] == ["data.0.qas.0", "data.0.qas.1", "data.1.qas.0"]


@pytest.mark.parametrize(
    ("where", "path", "words"),
    [
        ({}, "where", "no conditions"),
        (["a"], "where", "no conditions"),
        ({"a": []}, "where.a", "one of none"),
        ({"a": {}}, "where.a", "no one condition"),
        ({"a": {"min": 1, "not": 2}}, "where.a", "no one condition"),
        ({"a": {"mim": 1}}, "where.a.mim", "unknown key"),
        ({"a": {"min": "4"}}, "where.a.min", "'4'"),
        ({"a": {"max": True}}, "where.a.max", "True"),
        ({"a": {"min": math.inf}}, "where.a.min", "inf"),
        ({"a": {"min": 5, "max": 4}}, "where.a", "from 5 up to 4"),
        ({"a": [["b"]]}, "where.a", "no column is compared with"),
        ({"a": {"not": {"b": 1}}}, "where.a.not", "no column is compared with"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused(where: Any, path: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Source.model_validate({"role": "domain", "path": "x", "where": where})
    (problem,) = as_problems(caught.value)
    assert ".".join(map(str, problem.path)) == path
    assert words in problem.message
    assert problem.fix


@pytest.mark.parametrize("about", [{"generate": "skills", "records": 5}, {"catalogue": "balanced"}])
def test_conditions_are_for_what_is_read(about: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Source.model_validate({"role": "domain", "where": {"a": 1}, **about})
    assert [(problem.path, problem.message) for problem in as_problems(caught.value)] == [
        (("where",), "nothing is read here")
    ]


def test_a_lock_holds_conditions_as_they_are_written() -> None:
    where = {"a": None, "b": {"not": [None, "x", 1.5]}, "c.d": {"min": 0}, "e": False}
    source = Source.model_validate({"role": "domain", "path": "x", "where": where})
    written = json.loads(json.dumps(source.model_dump(mode="json", exclude_none=True, exclude_defaults=True)))
    assert written["where"] == where
    assert Source.model_validate(written) == source


CHATS: Table = [
    {"prompt": f"Question {n}", "completion": f"Answer {n}", "source": "good" if n % 3 else "bad"} for n in range(12)
]


def test_what_is_left_out_of_a_source_is_counted_and_no_error(tmp_path: Path) -> None:
    file = as_jsonl(CHATS, tmp_path / "chats")
    source = Source.model_validate({"role": "domain", "path": str(file), "where": {"source": "good"}})
    counts = ingest("mail", source, tmp_path)
    assert (counts["rows_in"], counts["rows_kept"], counts["dropped"]) == (12, 8, {"where": 4})
    assert read_json(tmp_path / "counts.json") == counts
    dropped = pq.read_table(tmp_path / "dropped.parquet").to_pylist()
    assert [row["origin"] for row in dropped] == [f"chats.jsonl:{n}" for n in (1, 4, 7, 10)]
    assert {(row["rule"], row["reason"]) for row in dropped} == {("where", "source is 'bad', not 'good'")}


def test_a_source_of_which_no_row_belongs_says_what_was_asked_and_what_there_is(tmp_path: Path) -> None:
    file = as_jsonl(CHATS, tmp_path / "chats")
    source = Source.model_validate({"role": "domain", "path": str(file), "where": {"source": ["a", "b"]}})
    for asking in (lambda: ingest("mail", source, tmp_path), lambda: inspect(source, "sources.mail")):
        with pytest.raises(InputError) as caught:
            asking()
        assert caught.value.where == "sources.mail"
        assert "12 do not fit where: {source: [a, b]}" in caught.value.message
        assert "chats.jsonl:1: source is 'bad', not one of 'a', 'b'" in caught.value.message


def test_inspect_tells_what_is_left_out_from_what_is_malformed(tmp_path: Path) -> None:
    file = as_jsonl([*CHATS, {"prompt": "?", "source": "good"}], tmp_path / "chats")
    source = Source.model_validate({"role": "domain", "path": str(file), "where": {"source": "good"}})
    told = inspect(source, "chats")
    assert (told.rows, told.left_out, told.malformed, len(told.lengths)) == (13, 4, 1, 8)
    assert told.first_left_out == "chats.jsonl:1: source is 'bad', not 'good'"
    assert told.recipe["where"] == {"source": "good"}
    assert told.as_json()["left_out"] == 4
    assert not any("repeat" in problem for problem in told.problems)


def suite_of(file: Path, **about: Any) -> Suite:
    keys = {"role": "general", "path": str(file), "prompt": "{prompt}", "target": "{completion}", "scorer": "exact"}
    return Suite.model_validate({**keys, **about})


def test_a_suite_has_the_items_that_belong(tmp_path: Path) -> None:
    file = as_jsonl(CHATS, tmp_path / "chats")
    build_suite("exam", suite_of(file, where={"source": "good"}), None, tmp_path)
    assert [item.target for item in read_items(tmp_path)] == [f"Answer {n}" for n in range(12) if n % 3]
    assert suite_about(tmp_path)["left_out"] == 4


def test_a_suite_to_which_no_row_belongs_is_refused(tmp_path: Path) -> None:
    file = as_jsonl(CHATS, tmp_path / "chats")
    with pytest.raises(InputError, match=r"suites\.exam: no row belongs to it: 12 do not fit"):
        build_suite("exam", suite_of(file, where={"source": "none"}), None, tmp_path)
