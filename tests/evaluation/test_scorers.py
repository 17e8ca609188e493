"""Scorers: right, wrong, unreadable and unfinished are four different things."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixwright.evaluation.scorers import SCORERS, Response, Score, check_scorer, check_targets, score, scorer
from mixwright.ground.errors import InputError
from mixwright.items.suite import Item, options_fault

RIGHT, WRONG, UNREADABLE = Score(1.0, True), Score(0.0, True), Score(0.0, False)


def item(name: str, target: str, **options: Any) -> Item:
    return Item("suite", "ability", "cluster", ({"role": "user", "content": "?"},), target, name, options, 8)


def scored(text: str, name: str, target: str, *, finished: bool = True, **options: Any) -> Score:
    return score(Response(text, finished), item(name, target, **options))


LABELS = {"labels": ["refund", "delivery"]}
COLOURS = {"options": ["blue", "dark blue", "red"]}


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("refund", {}, RIGHT),
        ("  refund\n", {}, RIGHT),
        ("delivery", {}, WRONG),
        ("Refund", {}, WRONG),
        ("refund.", {}, WRONG),
        ("", {}, UNREADABLE),
        ("refund", LABELS, RIGHT),
        ("delivery", LABELS, WRONG),
        ("I think it is a refund", LABELS, UNREADABLE),
    ],
)
def test_exact_wants_the_target_and_nothing_else(text: str, options: dict[str, Any], expected: Score) -> None:
    assert scored(text, "exact", "refund", **options) == expected
    assert scored(text, "exact", "refund", finished=False, **options) == UNREADABLE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("blue", RIGHT),
        ("The answer is blue.", RIGHT),
        ("red", WRONG),
        ("dark blue", WRONG),
        ("blue or red", UNREADABLE),
        ("bluest", UNREADABLE),
        ("green", UNREADABLE),
        ("", UNREADABLE),
    ],
)
def test_choice_wants_one_option_named_as_a_whole_word(text: str, expected: Score) -> None:
    assert scored(text, "choice", "blue", **COLOURS) == expected


some_options = st.lists(st.text(max_size=6), min_size=2, max_size=6).filter(lambda texts: not options_fault(texts))


@given(some_options, st.data())
def test_a_response_that_is_an_option_names_it_and_no_other(texts: list[str], data: st.DataObject) -> None:
    """Whatever options hold: each other, blanks, punctuation. So the choice by likelihood is always read right."""
    said, gold = data.draw(st.sampled_from(texts)), data.draw(st.sampled_from(texts))
    assert scored(said, "choice", gold, options=texts) == Score(float(said == gold), True)


def test_a_choice_counts_once_it_is_named_even_if_the_response_goes_on() -> None:
    assert scored("It is blue because", "choice", "blue", finished=False, **COLOURS) == RIGHT


@pytest.mark.parametrize(
    ("text", "target", "tolerance", "expected"),
    [
        ("42", "42", 0, RIGHT),
        ("20 + 22 = 42.", "42", 0, RIGHT),
        ("1,042", "1042", 0, RIGHT),
        ("-3.5", "-3.5", 0, RIGHT),
        ("3.14", "3.1416", 0.01, RIGHT),
        ("3.1", "3.1416", 0.01, WRONG),
        ("43", "42", 0, WRONG),
        ("forty-two", "42", 0, UNREADABLE),
        ("", "42", 0, UNREADABLE),
    ],
)
def test_numeric_wants_the_last_number(text: str, target: str, tolerance: float, expected: Score) -> None:
    assert scored(text, "numeric", target, tolerance=tolerance) == expected
    assert scored(text, "numeric", target, tolerance=tolerance, finished=False) == UNREADABLE


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_numeric_is_equality_of_numbers(said: int, gold: int) -> None:
    assert scored(f"It is {said:,}", "numeric", str(gold)) == Score(float(said == gold), True)


@pytest.mark.parametrize(
    "unanswerable",
    [
        item("numeric", "forty-two"),
        item("choice", "green", **COLOURS),
        item("exact", "complaint", **LABELS),
    ],
)
def test_a_target_that_no_answer_could_meet_is_a_fault_of_the_suite(unanswerable: Item) -> None:
    check_targets([item("numeric", "42"), item("choice", "red", **COLOURS), item("exact", "refund", **LABELS)])
    with pytest.raises(InputError) as caught:
        check_targets([unanswerable])
    assert caught.value.where == "suites.suite"


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("- a\n- b", {}, RIGHT),
        (" - a\n- b\n", {}, RIGHT),
        ("- a - b", {}, WRONG),
        ("- A\n- b", {}, WRONG),
        ("", {}, UNREADABLE),
        ("AB-17", {"regex": r"[A-Z]{2}-\d+"}, RIGHT),
        ("AB-17 x", {"regex": r"[A-Z]{2}-\d+"}, UNREADABLE),
    ],
)
def test_format_wants_the_form_to_the_letter(text: str, options: dict[str, Any], expected: Score) -> None:
    assert scored(text, "format", "- a\n- b", **options) == expected
    assert scored(text, "format", "- a\n- b", finished=False, **options) == UNREADABLE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"b": 1, "a": [2]}', RIGHT),
        ('{"a": [2],\n "b": 1}', RIGHT),
        ('{"a": [3], "b": 1}', WRONG),
        ("12", WRONG),
        ('Here: {"a": [2], "b": 1}', UNREADABLE),
        ('{"a": [2]', UNREADABLE),
    ],
)
def test_format_json_compares_values(text: str, expected: Score) -> None:
    assert scored(text, "format", '{"a": [2], "b": 1}', json=True) == expected
    assert scored(text, "format", '{"a": [2], "b": 1}', json=True, finished=False) == UNREADABLE


@given(st.text(), st.text(min_size=1), st.booleans(), st.sampled_from(["exact", "choice", "format"]))
def test_what_cannot_be_read_never_scores(text: str, target: str, finished: bool, name: str) -> None:
    options = {"options": [target, "another"]} if name == "choice" else {}
    result = scored(text, name, target, finished=finished, **options)
    assert result.value in (0.0, 1.0)
    assert result.parsed or result.value == 0.0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("exat", {}),
        ("exact", {"label": ["a"]}),
        ("exact", {"labels": "a"}),
        ("exact", {"labels": []}),
        ("choice", {}),
        ("choice", {"options": [1, 2]}),
        ("choice", {"options": ["red"]}),
        ("choice", {"options": ["red", "blue", "red"]}),
        ("choice", {"options": ["red", " "]}),
        ("choice", {"options": "red"}),
        ("exact", {"labels": "{column}"}),
        ("numeric", {"tolerance": -1}),
        ("numeric", {"tolerance": "small"}),
        ("format", {"regex": "["}),
    ],
)
def test_a_scorer_that_cannot_work_is_refused_before_anything_runs(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        check_scorer(name, options, "suites.x.scorer")
    assert caught.value.where == "suites.x.scorer"


def test_the_options_of_a_choice_may_stand_in_a_column() -> None:
    check_scorer("choice", {"options": "{choices}"}, "suites.x.scorer")
    check_scorer("choice", {"options": ["{A}", "{B}"]}, "suites.x.scorer")


def test_a_scorer_of_ones_own_is_one_decorated_function() -> None:
    try:

        @scorer("length", version=3, options=("limit",))
        def length(response: Response, item: Item) -> Score:
            return Score(float(len(response.text) <= int(item.options["limit"])), response.finished)  # type: ignore[call-overload]

        check_scorer("length", {"limit": 3}, "here")
        assert scored("abc", "length", "", limit=3) == RIGHT
        assert SCORERS["length"].version == 3
        with pytest.raises(ValueError, match="exists"):
            scorer("length")(length)
    finally:
        SCORERS.pop("length", None)
