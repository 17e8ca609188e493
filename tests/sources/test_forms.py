"""The forms in which the field stores training data, all to one conversation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixwright.recipe.data import Source
from mixwright.sources.forms.reading import FORMS, FormFault, row_reader

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
        ({"conversation": [{"role": "user", "content": [{"text": "2 + 2?"}]}, ANSWERED]}, "converse"),
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
        ({"messages": [ASKED, ANSWERED], "tools": [CALL], "functions": [CALL]}, "both 'tools' and 'functions'"),
        ({"prompt": "?", "completion": float("nan")}, "NaN"),
        ({"chosen": "a", "rejected": "b"}, "prompt"),
        ({"chosen": [ASKED, ANSWERED], "rejected": [ASKED, ANSWERED]}, "do not differ"),
        ({"prompt": "?", "chosen": "4", "rejected": "4"}, "do not differ"),
        ({"instruction": "?", "output": "!", "history": ["?"]}, "pairs"),
        ({"instruction": "?", "output": "!", "history": 5}, "pairs"),
    ],
)
def test_a_row_that_cannot_be_learnt_says_why(row: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        conversation(row)


@pytest.mark.parametrize("row", [{"prompt": "2 + 2?", "completion": "4"}, {"messages": [ASKED, ANSWERED]}])
@pytest.mark.parametrize(
    ("column", "mark", "good"),
    [
        ("label", True, "true"),
        ("label", 0, "1"),
        ("label", 1.0, "1"),
        ("label", "False", "'True'"),
        ("label", "true", "'true'"),
        ("label", "FALSE", "'TRUE'"),
        ("label", "0", "'1'"),
        ("kto_tag", False, "true"),
        ("labels", [True, False], None),
    ],
)
def test_answers_that_are_marked_as_good_or_bad_are_not_learnt_unasked(
    row: dict[str, Any], column: str, mark: Any, good: str | None
) -> None:
    with pytest.raises(FormFault, match=f"unpaired preferences.*'{column}'") as caught:
        conversation({**row, column: mark})
    form = "messages" if "messages" in row else "prompt_completion"
    assert f"'format: {form}'" in caught.value.fix
    assert good is None or f"where: {{{column}: {good}}}" in caught.value.fix
    assert conversation({**row, column: mark}, format=form) == [ASKED, ANSWERED]


def test_a_mark_that_comes_with_a_later_row_is_a_fault_of_that_row() -> None:
    row = {"prompt": "2 + 2?", "completion": "4"}
    reader = row_reader(Source(role="domain", path="x.jsonl"), {**row, "label": None})
    assert reader.read({**row, "label": None}).messages == [ASKED, ANSWERED]
    with pytest.raises(ValueError, match="'label' marks some answers as bad"):
        reader.read({**row, "label": False})


def test_a_label_that_is_learnt_or_is_no_mark_is_no_preference() -> None:
    assert conversation({"text": "2 + 2?", "label": 1}, columns={"prompt": "text", "completion": "label"})
    reader = row_reader(Source(role="domain", path="x.jsonl"), {"prompt": "2 + 2?", "completion": "4", "label": 5})
    assert reader.read({"prompt": "2 + 2?", "completion": "4", "label": 1}).messages == [ASKED, ANSWERED]


def test_steps_with_marks_are_told_apart_from_answers() -> None:
    row = {"prompt": "2 + 2?", "completions": ["two", "four"], "labels": [True, False]}
    with pytest.raises(FormFault, match="steps with marks") as caught:
        conversation(row)
    assert "{completions.*}" in caught.value.fix


PAIR = {"chosen": "\n\nHuman: 2 + 2?\n\nAssistant: 4", "rejected": "\n\nHuman: 2 + 2?\n\nAssistant: 5"}
OTHER = {"role": "assistant", "content": "5"}


@pytest.mark.parametrize(
    "row",
    [
        PAIR,
        {"input": {"messages": [ASKED]}, "preferred_output": [ANSWERED], "non_preferred_output": [OTHER]},
        {
            "conversations": [{"from": "human", "value": "2 + 2?"}],
            "chosen": {"from": "gpt", "value": "4"},
            "rejected": {"from": "gpt", "value": "5"},
        },
        {"messages": [ASKED], "chosen": [ANSWERED], "rejected": [OTHER]},
    ],
)
def test_pairs_of_every_kind_have_their_prompt(row: dict[str, Any]) -> None:
    reader = row_reader(Source(role="domain", path="x.jsonl"), row)
    assert reader.form == "preference"
    found = reader.read(row)
    assert found.messages == [ASKED, ANSWERED]
    assert json.loads(found.rejected) == [OTHER]


def test_tools_of_openais_pairs_are_found_in_every_row() -> None:
    row = {"input": {"messages": [ASKED]}, "preferred_output": [ANSWERED], "non_preferred_output": [OTHER]}
    reader = row_reader(Source(role="domain", path="x.jsonl"), row)
    assert reader.read({**row, "input": {"messages": [ASKED], "tools": [CALL]}}).tools == json.dumps([CALL]).replace(
        " ", ""
    )
    with pytest.raises(ValueError, match="'input' holds no messages"):
        reader.read({**row, "input": "2 + 2?"})


@given(st.lists(st.text("abc \n:", min_size=1).map(str.strip).filter(bool), min_size=2, max_size=6))
def test_a_transcript_is_cut_at_its_marks_and_nowhere_else(said: list[str]) -> None:
    names = ["Human", "Assistant"] * 4
    end = [] if len(said) % 2 else ["Well?"]
    shared = "".join(f"\n\n{name}: {part}" for name, part in zip(names, [*said, *end], strict=False))
    found = conversation({"chosen": f"{shared}\n\nAssistant: 4", "rejected": f"{shared}\n\nAssistant: 5"})
    assert [message["content"] for message in found] == [*said, *end, "4"]


@pytest.mark.parametrize(
    ("row", "about", "fix"),
    [
        (
            {"system": "Be brief.", "question": "2 + 2?", "chosen": "4", "rejected": "5"},
            {},
            "columns: {prompt: question}",
        ),
        ({"chosen": "It is 4", "rejected": "It is 5"}, {}, "'template'"),
        (
            {"version": 2, "question": "2 + 2?", "answer": "4", "is_impossible": False},
            {},
            "{prompt: question, completion: answer}",
        ),
        ({"frage": "2 + 2?", "antwort": "4"}, {}, "{prompt: frage, completion: antwort}"),
        ({"a": "2 + 2?", "b": "4", "c": 1}, {}, "{prompt: <question column>, completion: <answer column>}"),
        ({"text": "2 + 2?", "sum": "4"}, {}, "{prompt: text, completion: sum}"),
        ({"title": "x", "data": [{"question": "2 + 2?", "answer": "4"}]}, {}, "'rows'"),
    ],
)
def test_a_fault_has_the_lines_that_would_help(row: dict[str, Any], about: dict[str, Any], fix: str) -> None:
    with pytest.raises(FormFault, match="columns") as caught:
        conversation(row, **about)
    assert fix in caught.value.fix


def test_the_form_is_decided_by_the_first_row_that_has_turns() -> None:
    source = Source(role="domain", path="x.jsonl")
    for empty in ([], None, "", "[]"):
        with pytest.raises(ValueError, match="'conversations' holds no turns") as caught:
            row_reader(source, {"conversations": empty})
        assert not isinstance(caught.value, FormFault)


def test_a_system_column_may_say_again_what_the_system_turn_says() -> None:
    turns = [SYSTEM, ASKED, ANSWERED]
    assert conversation({"messages": turns, "system": " Be brief.\n"}) == turns
    with pytest.raises(ValueError, match="another text in the column 'system'"):
        conversation({"messages": turns, "system": "Be verbose."})


@pytest.mark.parametrize("value", [["a", "b"], {"a": 1}])
@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "?", "output": "!"},
        {"query": "?", "response": "!"},
        {"text": "?"},
        {"prompt": "?", "completion": "!"},
    ],
)
def test_a_list_or_object_is_no_text_unless_a_template_says_so(row: dict[str, str], value: Any) -> None:
    for part in row:
        with pytest.raises(ValueError, match=r"not text|no role"):
            conversation({**row, part: value})
    template = {"user": "{x}", "assistant": "{x}"}
    assert conversation({"x": value}, template=template)[1]["content"] == json.dumps(value).replace(" ", "")


KEYS = (
    "role content from value text type toolUse toolResult reasoningContent name arguments function json messages weight"
)
COLUMNS = """messages conversations prompt completion instruction output history chosen rejected tools system toolConfig
    input preferred_output non_preferred_output functions label question answers context"""
nonsense = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split(" ")), inner, max_size=4),
    max_leaves=8,
)
columns = st.sampled_from(COLUMNS.split())


@given(st.dictionaries(columns, nonsense, max_size=4), st.sampled_from(["auto", *FORMS]))
def test_no_row_is_so_broken_that_it_is_more_than_a_fault(row: dict[str, Any], form: str) -> None:
    source = Source.model_validate({"role": "domain", "path": "x.jsonl", "format": form})
    try:
        found = row_reader(source, row).read(row)
    except ValueError:
        return
    assert found.messages or found.text
