"""A conversation written in any form of the field and read again renders as it did, calls of tools byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixwright.models.tokenizer import ChatTokenizer
from mixwright.recipe.data import Source
from mixwright.sources.forms.reading import Sample, row_reader
from mixwright.sources.intake.records import sample_record

Messages = list[dict[str, Any]]
Row = dict[str, Any]

TOOLS_AND_THOUGHTS = (  # arguments that are text are written as that text
    "{% if tools %}<|im_start|>system\n{% for t in tools %}{{ t | tojson }}\n{% endfor %}<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}"
    "{% for c in m.tool_calls or [] %}<call>{{ c.function.name }}:"
    "{% if c.function.arguments is string %}{{ c.function.arguments }}{% else %}{{ c.function.arguments | tojson }}"
    "{% endif %}</call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
OBJECTS_ONLY = (  # arguments have to be objects, thoughts are called so
    "{{ '<s>' }}{% for t in tools or [] %}[TOOL]{{ t | tojson }}{% endfor %}"
    "{% for m in messages %}[{{ m.role }}]{% if m.thinking %}({{ m.thinking }}){% endif %}{{ m.content }}"
    "{% for c in m.tool_calls or [] %}[CALL]{{ c.function.name }}("
    "{% for key, value in c.function.arguments.items() %}{{ key }}={{ value | tojson }};{% endfor %})"
    "{% endfor %}</s>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)
AS_ONE_LIST = (  # all calls are one JSON text
    "{% if tools %}[AVAILABLE]{{ tools | tojson }}[/AVAILABLE]{% endif %}{% for m in messages %}"
    "<{{ m.role }}>{{ m.reasoning or '' }}{{ m.content }}"
    "{% if m.tool_calls %}[TOOL_CALLS]{{ m.tool_calls | map(attribute='function') | list | tojson }}{% endif %}</s>"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)
TEMPLATES = {"thoughts": TOOLS_AND_THOUGHTS, "objects": OBJECTS_ONLY, "list": AS_ONE_LIST}

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
names = st.sampled_from(["look_up", "refund", "zeta", "alpha"])
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
arguments = st.dictionaries(words, plain_json, max_size=3)
spaced = arguments.map(lambda value: json.dumps(value, indent=3, ensure_ascii=False, sort_keys=False))


def call_of(name: str, given: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": given}}


@st.composite
def conversations(draw: st.DrawFn, *, tools: bool = True, texts: bool = True, system: bool = True) -> Messages:
    """texts: arguments may be texts."""
    found: Messages = [{"role": "system", "content": draw(words)}] if system and draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        found.append({"role": "user", "content": draw(words)})
        if tools and draw(st.booleans()):
            given = draw(spaced | arguments if texts else arguments)
            calling = {"role": "assistant", "content": draw(st.just("") | words)}
            found.append({**calling, "tool_calls": [call_of(draw(names), given)]})
            found.append({"role": "tool", "content": draw(words)})
        answer = {"role": "assistant", "content": draw(words)}
        found.append(answer | ({"reasoning_content": draw(words)} if tools and texts and draw(st.booleans()) else {}))
    return found


def definition(name: str, about: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": about, "parameters": parameters}}


definitions = st.lists(st.builds(definition, names, words, arguments), max_size=2)


def as_messages(messages: Messages, tools: list[Any]) -> Row:
    return {"messages": messages, "tools": tools}


def as_json_text(messages: Messages, tools: list[Any]) -> Row:
    return {"messages": json.dumps(messages), "tools": json.dumps(tools)}


def as_prompt_and_completion(messages: Messages, tools: list[Any]) -> Row:
    return {"prompt": messages[:-1], "completion": messages[-1:], "tools": tools}


def as_preference(messages: Messages, tools: list[Any]) -> Row:
    other = {"role": "assistant", "content": "no"}
    return {"prompt": messages[:-1], "chosen": messages[-1:], "rejected": [other], "tools": tools}


def as_implicit_preference(messages: Messages, tools: list[Any]) -> Row:
    return {
        "chosen": messages,
        "rejected": [*messages[:-1], {"role": "assistant", "content": "a" * 99}],
        "tools": tools,
    }


def as_openai_pair(messages: Messages, tools: list[Any]) -> Row:
    other = {"role": "assistant", "content": "no"}
    asked = {"messages": messages[:-1], "tools": tools}
    return {"input": asked, "preferred_output": messages[-1:], "non_preferred_output": [other]}


def as_parts(messages: Messages, tools: list[Any]) -> Row:
    """Every text a list of OpenAI's parts."""
    parts = [{**message, "content": [{"type": "text", "text": message["content"]}]} for message in messages]
    return {"messages": parts, "tools": tools}


def as_object_of_lists(messages: Messages, tools: list[Any]) -> Row:
    """What a column of turns is where it was stored column by column."""
    keys = {key: None for message in messages for key in message}
    return {"messages": {key: [message.get(key) for message in messages] for key in keys}, "tools": tools}


def as_sharegpt(messages: Messages, tools: list[Any]) -> Row:
    speakers = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
    turns: Messages = []
    for message in messages:
        if message["content"] or not message.get("tool_calls"):
            turns.append({"from": speakers[message["role"]], "value": message["content"]})
        for call in message.get("tool_calls", ()):
            turns.append({"from": "function_call", "value": json.dumps(call["function"])})
    return {"conversations": turns, "tools": json.dumps(tools)}


def as_converse(messages: Messages, tools: list[Any]) -> Row:
    row: Row = {"schemaVersion": "bedrock-conversation-2024", "messages": []}
    for message in messages:
        text = [{"text": message["content"]}] if message["content"] else []
        if message["role"] == "system":
            row["system"] = text
        elif message["role"] == "tool":
            result = {"toolUseId": "t1", "content": text}
            row["messages"].append({"role": "user", "content": [{"toolResult": result}]})
        else:
            uses = [
                {
                    "toolUse": {
                        "toolUseId": "t1",
                        "name": call["function"]["name"],
                        "input": call["function"]["arguments"],
                    }
                }
                for call in message.get("tool_calls", ())
            ]
            row["messages"].append({"role": message["role"], "content": [*text, *uses]})
    specs = [
        {
            "toolSpec": {
                "name": tool["function"]["name"],
                "description": tool["function"]["description"],
                "inputSchema": {"json": tool["function"]["parameters"]},
            }
        }
        for tool in tools
    ]
    return row | ({"toolConfig": {"tools": specs}} if specs else {})


def as_alpaca(messages: Messages, tools: list[Any]) -> Row:
    (system, turns) = (messages[0]["content"], messages[1:]) if messages[0]["role"] == "system" else ("", messages)
    said = [message["content"] for message in turns]
    pairs = [[said[i], said[i + 1]] for i in range(0, len(said) - 2, 2)]
    return {"instruction": said[-2], "input": "", "output": said[-1], "history": pairs, "system": system}


def as_texts(messages: Messages, tools: list[Any]) -> Row:
    system, prompt, completion = first_exchange(messages)
    return {"prompt": prompt, "completion": completion, "system": system}


def as_gen_qa(messages: Messages, tools: list[Any]) -> Row:
    system, query, response = first_exchange(messages)
    return {"query": query, "response": response, "system": system}


def first_exchange(messages: Messages) -> list[str]:
    return [
        message["content"]
        for message in (messages if messages[0]["role"] == "system" else [{"content": ""}, *messages])
    ][:3]


def as_anthropic(messages: Messages, tools: list[Any]) -> Row:
    row: Row = {"messages": []}
    for message in messages:
        text = [{"type": "text", "text": message["content"]}] if message["content"] else []
        if message["role"] == "system":
            row["system"] = message["content"]
        elif message["role"] == "tool":
            result = {"type": "tool_result", "tool_use_id": "t1", "content": message["content"]}
            row["messages"].append({"role": "user", "content": [result]})
        else:
            uses = [
                {"type": "tool_use", "id": "t1", "name": call["name"], "input": call["arguments"]}
                for call in (call["function"] for call in message.get("tool_calls", ()))
            ]
            row["messages"].append({"role": message["role"], "content": [*text, *uses]})
    functions = [tool["function"] for tool in tools]
    named = [{"name": one["name"], "description": one["description"]} for one in functions]
    schemas = [{**one, "input_schema": function["parameters"]} for one, function in zip(named, functions, strict=True)]
    return row | ({"tools": schemas} if schemas else {})


WITH_THOUGHTS = (
    as_messages,
    as_json_text,
    as_prompt_and_completion,
    as_preference,
    as_implicit_preference,
    as_openai_pair,
    as_parts,
    as_object_of_lists,
)
OF_TEXTS = (as_alpaca, as_texts, as_gen_qa)


@pytest.fixture(scope="module", params=TEMPLATES)
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ChatTokenizer:
    folder = tmp_path_factory.mktemp(request.param)
    tiny_models.save_tokenizer(folder, TEMPLATES[request.param])
    return ChatTokenizer(folder)


def read(row: Row) -> Sample:
    """Read as a source reads it from a file, into the corpus and out of it."""
    row = json.loads(json.dumps(row))
    sample = row_reader(Source(role="domain", path="x.jsonl"), row).read(row)
    record = sample_record(sample, source="s", origin="x:1", licence="x", group=None, split="train")
    return Sample(record.turns(), record.tools, record.rejected)


def rendered(messages: Messages, tools: list[Any] | None, tokenizer: ChatTokenizer) -> str:
    return tokenizer.render(messages, answer_next=False, tools=tools or None)


unhurried = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("write", WITH_THOUGHTS)
@unhurried
@given(messages=conversations(), tools=definitions)
def test_turns_render_as_before(
    write: Callable[[Messages, list[Any]], Row], messages: Messages, tools: list[Any], tokenizer: ChatTokenizer
) -> None:
    found = read(write(messages, tools))
    assert rendered(found.messages, json.loads(found.tools or "[]"), tokenizer) == rendered(messages, tools, tokenizer)


@pytest.mark.parametrize("write", [as_sharegpt, as_converse, as_anthropic])
@unhurried
@given(data=st.data(), tools=definitions)
def test_turns_of_other_tools_render_as_before(
    write: Callable[[Messages, list[Any]], Row], data: st.DataObject, tools: list[Any], tokenizer: ChatTokenizer
) -> None:
    messages = data.draw(conversations() if write is as_sharegpt else conversations(texts=False))
    for message in messages:
        message.pop("reasoning_content", None)  # not all of them have a place beside the text for it
    found = read(write(messages, tools))
    assert rendered(found.messages, json.loads(found.tools or "[]"), tokenizer) == rendered(messages, tools, tokenizer)


@pytest.mark.parametrize("write", OF_TEXTS)
@unhurried
@given(messages=conversations(tools=False))
def test_texts_render_as_before(
    write: Callable[[Messages, list[Any]], Row], messages: Messages, tokenizer: ChatTokenizer
) -> None:
    if write is not as_alpaca:
        messages = messages[: 3 if messages[0]["role"] == "system" else 2]
    assert rendered(read(write(messages, [])).messages, None, tokenizer) == rendered(messages, None, tokenizer)


@unhurried
@given(given_text=spaced)
def test_arguments_that_are_text_stay_that_text_to_the_byte(
    given_text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    tiny_models.save_tokenizer(folder, TOOLS_AND_THOUGHTS)
    call = {"role": "assistant", "content": "", "tool_calls": [call_of("look_up", given_text)]}
    found = read({"messages": [{"role": "user", "content": "?"}, call]})
    assert found.messages[1]["tool_calls"][0]["function"]["arguments"] == given_text
    assert given_text in rendered(found.messages, None, ChatTokenizer(folder))


@pytest.mark.parametrize(
    ("message", "tools", "missing"),
    [
        ({"role": "assistant", "content": "4", "reasoning_content": "2 and 2"}, None, "reasoning"),
        ({"role": "assistant", "content": "", "tool_calls": [call_of("add", {})]}, None, "calls"),
        ({"role": "assistant", "content": "4"}, [{"type": "function", "function": {"name": "add"}}], "definitions"),
    ],
)
def test_a_template_without_a_place_for_something_refuses_it(
    tmp_path: Path, message: dict[str, Any], tools: list[Any] | None, missing: str
) -> None:
    tiny_models.save_tokenizer(tmp_path, tiny_models.CHATML)
    with pytest.raises(ValueError, match=f"no place for .*{missing}"):
        ChatTokenizer(tmp_path).render([{"role": "user", "content": "?"}, message], answer_next=False, tools=tools)
