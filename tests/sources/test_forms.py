"""The forms in which the field stores training data, all to one conversation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixwright.recipe.data import Source
from mixwright.sources.forms import FORMS, row_reader

ASKED = {"role": "user", "content": "2 + 2?"}
ANSWERED = {"role": "assistant", "content": "4"}
SYSTEM = {"role": "system", "content": "Be brief."}


def conversation(row: dict[str, Any], **about: Any) -> list[dict[str, Any]]:
    source = Source.model_validate({"role": "domain", "path": "x.jsonl", **about})
    return row_reader(source, row).read(row).messages


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [ASKED, ANSWERED]},
        {"messages": '[{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]'},
        {"prompt": "2 + 2?", "completion": "4"},
        {"prompt": "2 + 2?", "completion": 4, "system": None, "id": 17},
        {"instruction": "2 + 2?", "output": "4"},
        {"instruction": "2 + 2?", "input": "", "output": "4"},
    ],
)
def test_every_known_form_is_recognised_by_its_columns(row: dict[str, Any]) -> None:
    assert conversation(row) == [ASKED, ANSWERED]


def test_the_input_of_alpaca_stands_below_its_instruction() -> None:
    row = {"instruction": "Add.", "input": "2 + 2", "output": "4"}
    assert conversation(row) == [{"role": "user", "content": "Add.\n\n2 + 2"}, ANSWERED]


def test_columns_of_other_names_are_mapped() -> None:
    row = {"text": "2 + 2?", "answer": {"value": "4"}}
    assert conversation(row, columns={"prompt": "text", "completion": "answer.value"}) == [ASKED, ANSWERED]


def test_a_template_makes_a_conversation_of_any_row() -> None:
    row = {"a": 2, "b": 2, "sum": 4}
    template = {"system": "Be brief.", "user": "{a} + {b}?", "assistant": "{sum}"}
    assert conversation(row, template=template) == [SYSTEM, ASKED, ANSWERED]


def test_a_system_turn_is_put_before_conversations_that_have_none() -> None:
    row = {"prompt": "2 + 2?", "completion": "4"}
    assert conversation(row, system="Be brief.") == [SYSTEM, ASKED, ANSWERED]
    assert conversation(row | {"system": "Be brief."}) == [SYSTEM, ASKED, ANSWERED]
    assert conversation(row | {"system": "Be brief."}, system="Be verbose.") == [SYSTEM, ASKED, ANSWERED]


def test_null_keys_that_parquet_adds_are_no_part_of_a_message() -> None:
    row = {"messages": [ASKED | {"tool_calls": None, "name": None}, ANSWERED | {"name": None}]}
    assert conversation(row) == [ASKED, ANSWERED]


@pytest.mark.parametrize(
    ("row", "about"),
    [
        ({"question": "2 + 2?", "answer": "4"}, {}),
        ({"prompt": "2 + 2?"}, {}),
        ({"prompt": "2 + 2?", "completion": "4"}, {"format": "alpaca"}),
        ({"prompt": "2 + 2?", "completion": "4"}, {"columns": {"prompt": "text"}}),
        ({"prompt": "2 + 2?", "completion": "4"}, {"columns": {"answer": "completion"}}),
    ],
)
def test_columns_that_fit_no_form_are_refused(row: dict[str, Any], about: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"column|part"):
        conversation(row, **about)


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [ASKED]},
        {"messages": []},
        {"messages": "not json"},
        {"messages": {"role": "user"}},
        {"messages": [ASKED, ASKED, ANSWERED]},
        {"prompt": "2 + 2?", "completion": None},
    ],
)
def test_a_row_that_is_no_conversation_with_an_answer_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        conversation(row)


def test_the_form_is_decided_once_and_a_row_of_another_form_is_a_fault() -> None:
    source = Source.model_validate({"role": "domain", "path": "x.jsonl"})
    reader = row_reader(source, {"prompt": "2 + 2?", "completion": "4"})
    assert reader.read({"prompt": "2 + 2?", "completion": "4"}).messages == [ASKED, ANSWERED]
    with pytest.raises(ValueError, match="prompt"):
        reader.read({"instruction": "2 + 2?", "output": "4"})


CALL = {"name": "add", "arguments": {"b": 2, "a": 2}}


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ({"messages": [ASKED, ANSWERED]}, "messages"),
        ({"conversations": [ASKED, ANSWERED]}, "messages"),
        ({"conversations": [{"from": "human", "value": "2 + 2?"}, {"from": "gpt", "value": "4"}]}, "sharegpt"),
        ({"messages": [{"role": "user", "content": [{"text": "2 + 2?"}]}, ANSWERED]}, "converse"),
        ({"query": "2 + 2?", "response": "4", "metadata": "m"}, "gen_qa"),
        ({"prompt": "2 + 2?", "chosen": "4", "rejected": "5"}, "preference"),
        ({"chosen": [ASKED, ANSWERED], "rejected": [ASKED, {"role": "assistant", "content": "5"}]}, "preference"),
        ({"prompt": [ASKED], "completion": [ANSWERED]}, "prompt_completion"),
    ],
)
def test_the_form_is_known_by_columns_and_values(row: dict[str, Any], form: str) -> None:
    reader = row_reader(Source(role="domain", path="x.jsonl"), row)
    assert reader.form == form
    assert reader.why
    assert reader.read(row).messages == [ASKED, ANSWERED]


@pytest.mark.parametrize(
    "row",
    [
        {"text": "2 + 2?", "category": "sums"},
        {"messages": [ASKED, ANSWERED], "prompt": "2 + 2?", "completion": "4"},
        {"prompt": "2 + 2?", "completion": "4", "label": True},
    ],
)
def test_what_may_be_one_thing_or_another_is_not_guessed(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="columns") as caught:
        row_reader(Source(role="domain", path="x.jsonl"), row)
    assert "format" in caught.value.fix  # type: ignore[attr-defined]


def test_a_text_among_what_is_said_about_it_is_a_document() -> None:
    row = {"id": 3, "url": "x", "text": "Once upon a time."}
    assert row_reader(Source(role="general", path="x.jsonl"), row).read(row).text == "Once upon a time."


def test_calls_of_tools_are_turns_of_their_own_in_sharegpt() -> None:
    import json

    turns = [{"from": "human", "value": "2 + 2?"}, {"from": "function_call", "value": json.dumps(CALL)}]
    rest = [{"from": "observation", "value": "4"}, {"from": "gpt", "value": "4"}]
    called, result = conversation({"conversations": [*turns, *rest]})[1:3]
    assert list(called["tool_calls"][0]["function"]["arguments"].items()) == [("b", 2), ("a", 2)]
    assert result == {"role": "tool", "content": "4"}


def test_a_source_may_name_roles_drop_reasoning_and_take_end_marks_off() -> None:
    thought = "<think>two and two</think>\n\n4###"
    row = {"messages": [{"role": "client", "content": "2 + 2?"}, {"role": "assistant", "content": thought}]}
    about = {"roles": {"client": "user"}, "reasoning": "drop", "end_mark": "###"}
    assert conversation(row, **about) == [ASKED, ANSWERED]


def test_the_lines_of_a_list_stand_one_below_the_other() -> None:
    template = {"user": "{facts.*}\n{q}", "assistant": "{a}"}
    assert conversation({"facts": ["one", "two"], "q": "?", "a": "!"}, template=template)[0]["content"] == "one\ntwo\n?"


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"messages": [{"role": "wizard", "content": "?"}, ANSWERED]}, "unknown role 'wizard'"),
        ({"messages": [{"role": "user", "content": [{"image": {}}]}, ANSWERED]}, "a text model cannot learn it"),
        ({"messages": [{"role": "user", "content": None}, ANSWERED]}, "null"),
        ({"messages": [ASKED, ANSWERED], "tools": "{"}, "not JSON"),
        ({"prompt": "?", "completion": float("nan")}, "NaN"),
        ({"chosen": "a", "rejected": "b"}, "prompt"),
        ({"chosen": [ASKED, ANSWERED], "rejected": [ASKED, ANSWERED]}, "do not differ"),
        ({"instruction": "?", "output": "!", "history": ["?"]}, "pairs"),
    ],
)
def test_a_row_that_cannot_be_learnt_says_why(row: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        conversation(row)


KEYS = "role content from value text toolUse toolResult reasoningContent name arguments function json"
COLUMNS = "messages conversations prompt completion instruction output history chosen rejected tools system toolConfig"
nonsense = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split(" ")), inner, max_size=4),
    max_leaves=8,
)
columns = st.sampled_from(COLUMNS.split(" "))


@given(st.dictionaries(columns, nonsense, max_size=4), st.sampled_from(["auto", *FORMS]))
def test_no_row_is_so_broken_that_it_is_more_than_a_fault(row: dict[str, Any], form: str) -> None:
    source = Source.model_validate({"role": "domain", "path": "x.jsonl", "format": form})
    try:
        found = row_reader(source, row).read(row)
    except (ValueError, TypeError):
        return
    assert found.messages or found.text
