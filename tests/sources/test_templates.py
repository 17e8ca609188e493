"""Templates: fields are looked up, everything else is a letter, and a value is never read as a template."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixwright.sources.forms.templates import fill, look_up

names = st.text(alphabet="abcdefgh_XYZ 0123456789ä", min_size=1, max_size=8).map(str.strip).filter(bool)
rows = st.dictionaries(names, st.text(), min_size=1, max_size=5)


def escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


@given(rows, st.data())
def test_a_template_is_its_letters_with_the_columns_between(row: dict[str, str], data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.tuples(st.booleans(), st.text(), st.sampled_from(sorted(row)))))
    template = "".join(f"{{{name}}}" if field else escaped(text) for field, text, name in pieces)
    assert fill(template, row) == "".join(row[name] if field else text for field, text, name in pieces)


@given(st.text())
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    assert fill("<{text}>", {"text": value, "secret": "42"}) == f"<{value}>"


@given(st.text())
def test_an_escaped_text_stands_as_it_is(text: str) -> None:
    assert fill(escaped(text), {}) == text


def test_a_field_walks_into_nested_values() -> None:
    row = {"answers": [{"text": "Turin"}, {"text": "Rome"}], "a.b": "dotted", "about": {"page": 3}}
    assert fill("{answers.1.text}, page { about.page }", row) == "Rome, page 3"
    assert fill("{a.b}", row) == "dotted"  # a column of that very name comes first
    assert look_up("answers.0", row) == {"text": "Turin"}


@pytest.mark.parametrize("path", ["answer", "answers.2", "answers.text", "about.page.0", "about.none", "__class__", ""])
def test_a_field_that_is_not_there_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="column"):
        fill(f"{{{path}}}", {"answers": ["x", "y"], "about": {"page": "3"}})


def test_a_near_match_is_named() -> None:
    with pytest.raises(ValueError, match="'completion'"):
        fill("{compleation}", {"completion": "x"})


def test_nothing_but_a_look_up_is_ever_done() -> None:
    with pytest.raises(ValueError, match="column"):
        fill("{text.__class__.__mro__}", {"text": "x"})
    with pytest.raises(ValueError, match="column"):
        fill("{1 + 1}", {"text": "x"})


def test_values_that_are_no_text_are_written_as_json() -> None:
    row = {"number": 3, "part": 0.5, "flag": True, "list": [1, "é"], "nested": {"b": 1, "a": None}}
    assert fill("{number} {part} {flag} {list}", row) == '3 0.5 true [1,"é"]'
    assert json.loads(fill("{nested}", row)) == row["nested"]


@pytest.mark.parametrize("value", [None, float("nan"), float("-inf"), b"caf\xe9", {"x": b"y"}])
def test_what_has_no_text_is_a_fault_that_names_its_column(value: Any) -> None:
    with pytest.raises(ValueError, match="text"):
        fill("{text}", {"text": value})


HOTPOT = {
    "question": "Which is older?",
    "context": {
        "title": ["Arthur's Magazine", "First for Women"],
        "sentences": [["It was American.", " It began in 1844."], ["It began", "in 1989."]],
    },
    "turns": [{"text": "one", "who": {"name": "A"}}, {"text": "two", "who": {"name": "B"}}],
    "documents": [{"parts": [{"text": "a"}, {"text": "b"}]}, {"parts": []}, {"parts": [{"text": "c"}]}],
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{context.title.*}", "Arthur's Magazine\nFirst for Women"),
        ("{context.sentences.*}", "It was American. It began in 1844.\nIt began in 1989."),
        ("{context.sentences.1.*}", "It began\nin 1989."),
        ("{turns.*.text}", "one\ntwo"),
        ("{turns.*.who.name}", "A\nB"),
        ("{documents.*.parts.*.text}", "a b\n\nc"),
        ("{turns.*.who}", '{"name":"A"}\n{"name":"B"}'),
    ],
)
def test_a_star_stands_for_every_element_of_a_list(template: str, text: str) -> None:
    assert fill(template, HOTPOT) == text


def test_only_texts_are_joined() -> None:
    assert fill("{rows.*}", {"rows": [[1, 2], ["a", 2], [["a"], ["b"]]]}) == '[1,2]\n["a",2]\na b'
    assert fill("{a.*}", {"a.*": "a column of that very name", "a": ["x"]}) == "a column of that very name"


@given(st.lists(st.lists(st.text())))
def test_joined_sentences_keep_every_letter_and_their_order(paragraphs: list[list[str]]) -> None:
    text = fill("{p.*}", {"p": paragraphs})
    written = "".join("".join(sentences) for sentences in paragraphs)
    assert "".join(text.split()) == "".join(written.split())
    for sentences in paragraphs:
        assert all(sentence in text for sentence in sentences)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("question.*", "'question' holds no list"),
        ("turns.*.said", "no column 'turns.*.said'. Known: text, who."),
        ("nulls.*", "'nulls.*' is null"),
        ("nulls.*.a", "no column"),
        ("none.*.a", "no column 'none.*.a'"),
        ("turns.*.text.*", "no list"),
        ("*", "no list"),
    ],
)
def test_a_list_that_is_not_what_a_template_says_is_a_fault_of_the_row(path: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        fill(f"{{{path}}}", {**HOTPOT, "nulls": ["x", None]})
