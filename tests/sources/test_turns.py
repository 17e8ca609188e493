"""Turns of every kind: what was said, thought or called arrives as it was, or the row is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from hypothesis import given
from hypothesis import strategies as st

from mixwright.models.tokenizer import ChatTokenizer, Encoded
from mixwright.recipe.data import Source
from mixwright.sources.forms.reading import Sample, row_reader
from mixwright.sources.intake.records import Record, sample_record

ASKED = {"role": "user", "content": "2 + 2?"}
ANSWERED = {"role": "assistant", "content": "4"}
GIVEN = '{"b":  2, "a": 2}'
CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": GIVEN}}
RESULT = {"role": "tool", "content": "4", "tool_call_id": "c1"}
TRACE = "<think>two and two</think>\n\n4"


def sample_of(row: dict[str, Any], **about: Any) -> Sample:
    source = Source.model_validate({"role": "domain", "path": "x.jsonl", **about})
    return row_reader(source, row).read(row)


def read(*turns: dict[str, Any], **about: Any) -> list[dict[str, Any]]:
    return sample_of({"messages": [*turns]}, **about).messages


def text(said: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": said}]


def record_of(*turns: dict[str, Any]) -> Record:
    sample = sample_of({"messages": [*turns]})
    return sample_record(sample, source="s", origin="x:1", licence="x", group=None, split="train")


def test_what_stands_beside_a_list_of_blocks_is_kept() -> None:
    calling = {"role": "assistant", "content": text("Let me add."), "tool_calls": [CALL], "reasoning_content": "hm"}
    asked = {"role": "user", "content": text("2 + 2?"), "name": "ann"}
    found = read(asked, calling, {**RESULT, "content": text("4")}, ANSWERED)
    assert found == [{**ASKED, "name": "ann"}, {**calling, "content": "Let me add."}, RESULT, ANSWERED]


def test_a_call_beside_an_empty_list_is_a_call() -> None:
    assert read(ASKED, {"role": "assistant", "content": [], "tool_calls": [CALL]})[1]["tool_calls"] == [CALL]


def test_blocks_of_anthropic_are_understood_with_their_tools() -> None:
    thought = {"type": "thinking", "thinking": "two and two", "signature": "x"}
    use = {"type": "tool_use", "id": "c1", "name": "add", "input": {"b": 2, "a": 2}}
    result = {"type": "tool_result", "tool_use_id": "c1", "content": text("4")}
    turns = [
        ASKED,
        {"role": "assistant", "content": [thought, *text("I add."), use]},
        {"role": "user", "content": [{**result, "cache_control": {"type": "ephemeral"}}]},
        ANSWERED,
    ]
    tool = {"name": "add", "description": "Adds.", "input_schema": {"type": "object"}}
    found = sample_of({"system": text("Be brief."), "messages": turns, "tools": [tool]})
    system, _, called, *rest = found.messages
    assert system == {"role": "system", "content": "Be brief."}
    assert (called["content"], called["reasoning_content"]) == ("I add.", "two and two")
    assert list(called["tool_calls"][0]["function"]["arguments"].items()) == [("b", 2), ("a", 2)]
    assert rest == [RESULT, ANSWERED]
    function = {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}
    assert json.loads(found.tools) == [{"type": "function", "function": function}]


def converse(*result: dict[str, Any]) -> list[dict[str, Any]]:
    use = {"toolUse": {"toolUseId": "c1", "name": "add", "input": {}}}
    return [
        {"role": "user", "content": [{"text": "2 + 2?"}, {"cachePoint": {"type": "default"}}]},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [*result]},
        {"role": "assistant", "content": [{"text": "4"}]},
    ]


def test_a_mark_for_a_cache_is_no_text() -> None:
    turns = converse({"toolResult": {"toolUseId": "c1", "content": [{"text": "4"}, {"cachePoint": {}}]}})
    row = {"messages": turns, "system": [{"text": "Be brief."}, {"cachePoint": {}}]}
    found = sample_of({**row, "toolConfig": {"tools": [{"toolSpec": {"name": "add"}}, {"cachePoint": {}}]}})
    assert [message["content"] for message in found.messages] == ["Be brief.", "2 + 2?", "", "4", "4"]
    assert [tool["function"]["name"] for tool in json.loads(found.tools)] == ["add"]


def test_a_call_that_failed_is_told_from_one_that_did_not() -> None:
    failed = {"toolUseId": "c1", "status": "error", "content": [{"text": "no such number"}]}
    result = read(*converse({"toolResult": failed}))[2]
    assert result == {"role": "tool", "content": "no such number", "tool_call_id": "c1", "status": "error"}


def test_the_older_calls_of_openai_are_calls() -> None:
    older = {"role": "assistant", "content": None, "function_call": {"name": "add", "arguments": GIVEN}}
    told = {"role": "function", "name": "add", "content": "4"}
    function = {"name": "add", "parameters": {}}
    found = sample_of({"messages": [ASKED, older, told, ANSWERED], "functions": [function]})
    assert found.messages[1]["tool_calls"] == [{"type": "function", "function": CALL["function"]}]
    assert found.messages[2] == {"role": "tool", "content": "4", "name": "add"}
    assert json.loads(found.tools) == [{"type": "function", "function": function}]


@pytest.mark.parametrize(
    ("content", "words"),
    [('"\\ud800"', "half a character"), ('"\\uDC00"', "half a character"), ("NaN", "NaN is no number")],
)
def test_turns_in_json_text_are_read_as_strictly_as_a_row_is(content: str, words: str) -> None:
    turns = '[{"role": "user", "content": "?"}, {"role": "assistant", "content": "!", "x": %s}]'
    with pytest.raises(ValueError, match=words):
        sample_of({"messages": turns % content})
    assert sample_of({"messages": turns % '"\\ud83d\\ude00"'}).messages == read(
        ASKED | {"content": "?"}, ANSWERED | {"content": "!"}
    )


@pytest.mark.parametrize("key", ["arguments", "parameters"])
def test_the_arguments_of_a_call_in_sharegpt_have_either_name(key: str) -> None:
    call = {"id": "c1", "name": "add", key: {"b": 2, "a": 2}}
    turns = [{"from": "human", "value": "2 + 2?"}, {"from": "function_call", "value": json.dumps(call)}]
    (made,) = sample_of({"conversations": turns}).messages[1]["tool_calls"]
    assert list(made["function"]["arguments"].items()) == [("b", 2), ("a", 2)]
    assert made["id"] == "c1"


def called(**call: Any) -> list[dict[str, Any]]:
    return [ASKED, {"role": "function_call", "content": json.dumps(call)}]


@pytest.mark.parametrize(
    ("turns", "fault"),
    [
        (called(name=5, arguments={}), "no JSON with its name"),
        (called(name="add", args={}), "which of them are its arguments"),
        (called(name="add", arguments={}, parameters={}), "which of them are its arguments"),
        ([ASKED, {"role": "assistant", "content": "", "function_call": {"arguments": "{}"}}], "does not say which"),
        ([ASKED, {**ANSWERED, "tool_calls": [CALL], "function_call": CALL["function"]}], "several ways"),
        ([{**ASKED, "tool_calls": [CALL]}, ANSWERED], "is from the user"),
        ([{"role": "user", "content": [5]}, ANSWERED], "holds what is no text"),
        ([{"role": "user", "content": [{"text": "?", "image": {}}]}, ANSWERED], "holds what is no text"),
        ([{"role": "user", "content": [{"type": "image", "text": "?"}]}, ANSWERED], "holds what is no text"),
        (converse({"toolResult": {"content": [{"image": {}}]}}), "message 3 holds what is no text"),
        (converse({"toolResult": {"content": [], "status": "error"}}), "failed, without a word"),
        ([{"role": "w" * 5000, "content": "?"}, ANSWERED], "unknown role 'w{39}[.]{3}"),
        ([ASKED, {**ANSWERED, "weight": 0.5}], "weight of message 2 is 0.5"),
        ([ASKED, {**ANSWERED, "train": "no"}], "train of message 2 is 'no'"),
        ([ASKED, {**ANSWERED, "train_detail": [{"train": False}]}], "in part"),
        ([ASKED, {**ANSWERED, "weight": 0}], "no answer in it is to be learnt"),
        ([ASKED, {**ANSWERED, "reasoning_content": ["so"]}], "reasoning of message 2 is a list"),
    ],
)
def test_what_would_be_learnt_wrongly_is_refused(turns: list[dict[str, Any]], fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as caught:
        read(*turns)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "block",
    [{"reasoningContent": {"redactedContent": "x"}}, {"type": "redacted_thinking", "data": "x"}],
)
def test_encrypted_reasoning_is_refused_or_dropped_as_the_source_says(block: dict[str, Any]) -> None:
    turns = [ASKED, {"role": "assistant", "content": [block, {"text": "4"}]}]
    with pytest.raises(ValueError, match="reasoning: drop"):
        read(*turns)
    assert read(*turns, reasoning="drop") == [ASKED, ANSWERED]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [ASKED, {"role": "assistant", "content": TRACE}]},
        {"messages": [ASKED, {"role": "assistant", "content": "two and two</think>\n\n4"}]},
        {"messages": [ASKED, {**ANSWERED, "reasoning_content": "two and two"}]},
        {"prompt": "2 + 2?", "completion": TRACE},
        {"instruction": "2 + 2?", "output": TRACE},
        {"query": "2 + 2?", "response": TRACE},
        {"prompt": "2 + 2?", "chosen": TRACE, "rejected": "<think>hm</think>5"},
        {"template": {"user": "{q}", "assistant": "{a}"}, "q": "2 + 2?", "a": TRACE},
    ],
)
def test_reasoning_is_dropped_whatever_the_form(row: dict[str, Any]) -> None:
    about = {key: row[key] for key in row if key == "template"}
    found = sample_of({key: row[key] for key in row if key != "template"}, reasoning="drop", **about)
    assert found.messages == [ASKED, ANSWERED]
    assert "think" not in found.rejected


def test_reasoning_is_dropped_from_the_history_too() -> None:
    row = {"instruction": "2 + 2?", "output": TRACE, "history": [["1 + 1?", "<think>one</think>2"]]}
    assert [message["content"] for message in sample_of(row, reasoning="drop").messages] == [
        "1 + 1?",
        "2",
        "2 + 2?",
        "4",
    ]


def test_an_answer_about_the_tags_is_no_reasoning() -> None:
    answer = {"role": "assistant", "content": "It writes <think>so</think> first."}
    assert read(ASKED, answer, reasoning="drop") == [ASKED, answer]
    with pytest.raises(ValueError, match="has no end"):
        read(ASKED, {"role": "assistant", "content": "<think>two and"}, reasoning="drop")


ROLES = {"User": "user", "ASSISTANT": "assistant", "Human": "user", "System": "system", "GPT": "assistant"}


@pytest.mark.parametrize(("written", "role"), ROLES.items())
def test_roles_are_known_in_any_case(written: str, role: str) -> None:
    turns = [{"role": "system", "content": "?"}, ASKED, ANSWERED]
    turns = [{**turn, "role": written} if turn["role"] == role else turn for turn in turns]
    assert [message["role"] for message in read(*turns)] == ["system", "user", "assistant"]


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1, max_size=3), st.booleans())
def test_an_object_of_lists_is_the_list_of_its_turns(pairs: list[tuple[str, str]], has_names: bool) -> None:
    said = [part for pair in pairs for part in pair]
    roles = ["human", "gpt"] * len(pairs)
    beside = {"weight": [None] * len(said)} if has_names else {}
    found = sample_of({"conversations": {"from": roles, "value": said, **beside}})
    rows = [{"from": role, "value": part} for role, part in zip(roles, said, strict=True)]
    assert found == sample_of({"conversations": rows})
    uneven = {"conversations": {"from": roles, "value": said[1:]}}
    with pytest.raises(ValueError, match="different lengths"):
        sample_of(uneven, format="sharegpt")


@pytest.mark.parametrize("mark", [{"weight": 0}, {"weight": 0.0}, {"train": False}])
@pytest.mark.parametrize("loss", ["assistant", "all"])
def test_an_answer_of_weight_zero_is_read_and_not_learnt(tmp_path: Path, mark: dict[str, Any], loss: str) -> None:
    tiny_models.save_tokenizer(tmp_path)
    tokenizer = ChatTokenizer(tmp_path)
    wrong = {"role": "assistant", "content": "five"}
    record = record_of(ASKED, {**wrong, **mark}, {"role": "user", "content": "Sure?"}, ANSWERED)
    results = tokenizer.encode([record.turns()], loss=loss)
    (plain,) = tokenizer.encode([[ASKED, wrong, {"role": "user", "content": "Sure?"}, ANSWERED]], loss=loss)
    (result,) = results
    assert isinstance(result, Encoded)
    assert isinstance(plain, Encoded)
    assert result.ids.tolist() == plain.ids.tolist()
    pieces = tokenizer.pieces(result)
    left_out = "".join(part for part, learnt in pieces if not learnt)
    learnt = "".join(part for part, learnt in pieces if learnt)
    assert "five<|im_end|>" in left_out
    assert "five" not in learnt
    assert learnt.rstrip().endswith("4<|im_end|>")
    assert ("Sure?" in learnt) == (loss == "all")


def test_a_row_without_weights_is_the_record_that_it_was() -> None:
    weighed = record_of({**ASKED, "weight": 0}, {**ANSWERED, "weight": 1}, ASKED, {**ANSWERED, "train": True})
    assert weighed == record_of(ASKED, ANSWERED, ASKED, ANSWERED)
    assert weighed != record_of(ASKED, {**ANSWERED, "weight": 0}, ASKED, ANSWERED)


def test_calls_that_are_not_learnt_stay_apart_from_those_that_are() -> None:
    turns = [{"from": "human", "value": "?"}, {"from": "gpt", "value": "I add.", "weight": 0}]
    call = {"from": "function_call", "value": json.dumps({"name": "add", "arguments": {}})}
    with pytest.raises(ValueError, match="both from the assistant"):
        sample_of({"conversations": [*turns, call, {"from": "gpt", "value": "4"}]})
    learnt = [*turns, {**call, "weight": 0}, {"from": "observation", "value": "4"}, {"from": "gpt", "value": "4"}]
    assert ["weight" in message for message in sample_of({"conversations": learnt}).messages] == [
        False,
        True,
        False,
        False,
    ]
