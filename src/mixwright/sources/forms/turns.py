"""Turns as the field writes them, all to one: `{"role", "content"}` with `tool_calls`, `tool_call_id`,
`reasoning_content` where there are any, and `weight: 0` on an answer that is not to be learnt.

Understood are OpenAI's messages (the older ones with `function_call` too), ShareGPT's (`from`, `value`; calls of tools
are turns of their own there), turns made of blocks (`blocks`), and lists of turns that are stored as an object of lists
instead. The arguments of a call are never touched: text stays that text, an object keeps its keys in their order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mixwright.ground.errors import did_you_mean
from mixwright.ground.hashing import canonical_json, ordered_json
from mixwright.items.conversation import ROLES, Message
from mixwright.sources.forms.blocks import Said, said_in

CALL = "call"
ROLE_NAMES = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatgpt"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "ipython", "tool_response", "function_response"), "tool"),
    **dict.fromkeys(("function_call", "tool_call"), CALL),
}
REASONING = ("reasoning_content", "reasoning", "thinking")
KEPT = ("name", "tool_calls", "tool_call_id")
ARGUMENTS = ("arguments", "parameters")
WEIGHT = "weight"  # of an answer: 0 where it stands in a conversation, but is not to be learnt
LEARNT = (WEIGHT, "train")  # OpenAI's key, Axolotl's key
OPENED, CLOSED = "<think>", "</think>"
SHOWN = 40  # characters of a role


class Dialect(NamedTuple):
    """How a file writes turns. role, content: the keys. names: of roles, beyond the usual ones. reasoning: whether what
    is thought before an answer is kept, so that none may be missing."""

    role: str = "role"
    content: str = "content"
    names: Mapping[str, str] = {}
    reasoning: bool = True


PLAIN = Dialect()


def _is_plain(turn: Any) -> bool:
    """Whether a turn is written as ours are already: most are."""
    return type(turn) is dict and len(turn) == 2 and turn.get("role") in ROLES and type(turn.get("content")) is str


def conversation_of(turns: Any, dialect: Dialect, what: str) -> list[Message]:
    """The messages of a list of turns, or of its JSON text. what: the column, for messages.

    Raises ValueError for what is no list of turns, for an unknown role and for content that is no text.
    """
    messages: list[Message] = []
    for number, turn in enumerate(listed(turns, what), 1):
        if _is_plain(turn) and dialect == PLAIN:
            messages.append({"role": turn["role"], "content": turn["content"]})
            continue
        for message in _messages(turn, number, dialect):
            last = messages[-1] if messages else None
            if last is not None and _goes_on(last, message):
                last["tool_calls"] = [*last.get("tool_calls", []), *message["tool_calls"]]
            else:
                messages.append(message)
    return messages


def _goes_on(last: Message, message: Message) -> bool:
    """Whether an assistant that has spoken only calls tools now: both are one turn, learnt or not."""
    return (
        last["role"] == message["role"] == "assistant"
        and not message["content"]
        and "tool_calls" in message
        and {*message} <= {"role", "content", "tool_calls", WEIGHT}
        and (WEIGHT in last) == (WEIGHT in message)
    )


def text_of(value: Any) -> str:
    """A value as it stands in a conversation: text itself, anything else as JSON with its keys in their order."""
    return value if isinstance(value, str) else ordered_json(value)


def what_is_taught(messages: Sequence[Message], tools: str) -> str:
    """A text that is the same for conversations that teach the same, blanks around what is said aside."""
    return "\0".join([*map(_taught, messages), tools])


def _taught(message: Message) -> str:
    said = f"{message['role']}:{str(message.get('content') or '').strip()}"
    beside = [message[part] for part in ("reasoning_content", "tool_calls") if message.get(part)]
    beside += [{WEIGHT: message[WEIGHT]}] if WEIGHT in message else []
    return said + canonical_json(beside) if beside else said


def without_reasoning(message: Message) -> Message:
    """An answer without what is thought before it: beside its text, or at its beginning up to `</think>`.

    Raises ValueError for a thought that does not end.
    """
    if message["role"] != "assistant":
        return message
    message = {key: value for key, value in message.items() if key != "reasoning_content"}
    text = message["content"]
    before, closed, after = text.partition(CLOSED)
    if closed and OPENED not in before:  # the chat template has written the opening tag
        text = after.lstrip()
    while text.lstrip().startswith(OPENED):
        _, closed, after = text.partition(CLOSED)
        if not closed:
            raise ValueError(f"the reasoning of an answer has no end ({CLOSED})")
        text = after.lstrip()
    return {**message, "content": text}


def tools_of(value: Any) -> str:
    """The JSON text of tool definitions; empty when there are none. Raises ValueError when they are no list."""
    if isinstance(value, str):
        if not value.strip():
            return ""
        value = _parsed(value, "tools")
    if isinstance(value, Mapping) and isinstance(value.get("tools"), list):  # Converse: toolConfig
        value = [entry for entry in value["tools"] if not (isinstance(entry, Mapping) and "cachePoint" in entry)]
    if value in (None, [], {}):
        return ""
    if not isinstance(value, list) or not all(isinstance(tool, Mapping) for tool in value):
        raise ValueError("'tools' is no list of definitions")
    return ordered_json([_definition(tool) for tool in value])


def functions_of(value: Any) -> str:
    """The same of OpenAI's older `functions`, which are the functions themselves."""
    plain = _parsed(value, "functions") if isinstance(value, str) and value.strip() else value
    if not isinstance(plain, list):
        raise ValueError("'functions' is no list of definitions")
    return tools_of([{"type": "function", "function": function} for function in plain])


def _definition(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """A definition as it stands, or in OpenAI's form where it has Converse's or Anthropic's."""
    spec = tool.get("toolSpec")
    if isinstance(spec, Mapping):
        schema = spec.get("inputSchema")
        parameters = schema.get("json", schema) if isinstance(schema, Mapping) else {}
    elif "input_schema" in tool:
        spec, parameters = tool, tool["input_schema"]
    else:
        return tool
    function = {"name": spec.get("name"), "description": spec.get("description", "")}
    return {"type": "function", "function": {**function, "parameters": parameters}}


def listed(turns: Any, what: str) -> list[Any]:
    """The turns of a value that holds them: a list, its JSON text, one turn, or an object of lists.

    Raises ValueError for anything else. what: the column, for messages.
    """
    if isinstance(turns, str):
        turns = _parsed(turns, what)
    if isinstance(turns, Mapping):
        columns = {key: column for key, column in turns.items() if column is not None}
        if not columns or not all(isinstance(column, list) for column in columns.values()):
            return [turns]  # a preference pair in ShareGPT's form: one turn
        if len({*map(len, columns.values())}) > 1:
            raise ValueError(f"the lists in '{what}' are of different lengths")
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    if not isinstance(turns, list):
        raise ValueError(f"'{what}' is {type(turns).__name__}, not a list of turns")
    return turns


def _parsed(text: str, what: str) -> Any:
    try:
        return _from_json(text)
    except (ValueError, RecursionError) as error:
        why = f" ({error})" if isinstance(error, _NoText) else ""
        raise ValueError(f"the column '{what}' is text, but not JSON{why}") from None


class _NoText(ValueError):
    """What can be written in JSON, and no text can hold."""


def _from_json(text: str) -> Any:
    """The value that a text writes, read as strictly as rows are. Raises ValueError and RecursionError."""
    value = json.loads(text, parse_constant=_refuse_constant)
    if "\\ud" in text or "\\uD" in text:
        try:
            ordered_json(value)
        except TypeError:
            raise _NoText("half a character") from None
    return value


def _refuse_constant(name: str) -> Any:
    raise _NoText(f"{name} is no number")


def role_of(given: Any, names: Mapping[str, str]) -> str | None:
    """The role that a name means, in whatever case it is written; None for an unknown one."""
    if not isinstance(given, str):
        return None
    known = {**ROLE_NAMES, **names}
    return known.get(given) or known.get(given.lower())


def _messages(turn: Any, number: int, dialect: Dialect) -> Iterator[Message]:
    """The messages of a turn: itself, after the results of tools that it may hold, which are turns of their own."""
    if not isinstance(turn, Mapping) or dialect.role not in turn:
        raise ValueError(f"message {number} has no role")
    role = role_of(turn[dialect.role], dialect.names)
    if role is None:
        raise _unknown_role(turn[dialect.role], number, dialect)
    content = turn.get(dialect.content)
    if type(content) is str and len(turn) == 2 and role != CALL:  # nothing beside it
        yield {"role": role, "content": content}
        return
    if role == CALL:
        yield _weighed({"role": "assistant", "content": "", "tool_calls": _calls(content, number)}, turn, number)
        return
    said = said_in(content, number, keeps_reasoning=dialect.reasoning) if isinstance(content, list) else Said()
    yield from said.results
    beside = {key: turn[key] for key in KEPT if turn.get(key) not in (None, [], "")}
    calls = _calls_beside(turn, beside, said, number)
    if calls:
        beside["tool_calls"] = calls
    text = said.text if isinstance(content, list) else "" if content is None and calls else content
    if not isinstance(text, str):
        found = "null" if text is None else f"a {type(text).__name__}"
        raise ValueError(f"the content of message {number} is {found}, not text")
    message: Message = {"role": role, "content": text, **beside}
    thought = _thought(turn, said, number)
    if thought:
        message["reasoning_content"] = thought
    if calls and role != "assistant":
        raise ValueError(f"message {number} calls a function, and is from the {role}")
    if text or calls or thought or not said.results:
        yield _weighed(message, turn, number)


def _unknown_role(given: Any, number: int, dialect: Dialect) -> ValueError:
    shown = repr(given)
    shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
    near = did_you_mean(str(given)[:SHOWN], {**ROLE_NAMES, **dialect.names})
    return ValueError(f"message {number} has the unknown role {shown}. {near} Say with 'roles' which it is.")


def _weighed(message: Message, turn: Mapping[str, Any], number: int) -> Message:
    """The message with its weight, where it is an answer that is not to be learnt."""
    if message["role"] != "assistant":
        return message
    marks = {key: turn[key] for key in LEARNT if turn.get(key) is not None}
    for key, mark in marks.items():
        if mark not in (0, 1):
            raise ValueError(
                f"the {key} of message {number} is {repr(mark)[:SHOWN]}: an answer is learnt (1), or it is not (0)"
            )
    if turn.get("train_detail"):
        raise ValueError(f"message {number} is to be learnt in part (train_detail): answers are learnt whole")
    return message if all(marks.values()) else {**message, WEIGHT: 0}


def _thought(turn: Mapping[str, Any], said: Said, number: int) -> str:
    """What is thought before an answer: beside its text, or in blocks."""
    beside = next((turn[key] for key in REASONING if turn.get(key) not in (None, "", [])), "")
    if not isinstance(beside, str):
        raise ValueError(f"the reasoning of message {number} is a {type(beside).__name__}, not text")
    if beside and said.reasoning and beside != said.reasoning:
        raise ValueError(f"message {number} has reasoning of two kinds, in blocks and beside them")
    return beside or said.reasoning


def _calls_beside(turn: Mapping[str, Any], beside: Mapping[str, Any], said: Said, number: int) -> Any:
    """The calls of a turn, which stand in one of three places. Raises ValueError where they are in several."""
    older = turn.get("function_call")
    ways = [beside.get("tool_calls"), [{"type": "function", "function": older}] if older else None, [*said.calls]]
    given = [calls for calls in ways if calls]
    if len(given) > 1:
        raise ValueError(f"message {number} calls functions in several ways; leave one of them out")
    for call in given[0] if given and isinstance(given[0], list) else given:
        function = call.get("function", call) if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise ValueError(f"message {number} calls a function, but does not say which")
    return given[0] if given else None


def _calls(content: Any, number: int) -> list[dict[str, Any]]:
    """The calls in a turn of ShareGPT: JSON text of one call, or of several."""
    try:
        value = _from_json(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        value = None
    return [_call(call, number) for call in (value if isinstance(value, list) else [value])]


def _call(call: Any, number: int) -> dict[str, Any]:
    function = call.get("function", call) if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise ValueError(f"message {number} calls a function, but is no JSON with its name and arguments")
    given = [function[key] for key in ARGUMENTS if key in function]
    others = [str(key) for key in function if key not in ("name", "id", "type", *ARGUMENTS)]
    if len(given) > 1 or (others and not given):
        listed = ", ".join(map(str, function))
        raise ValueError(f"message {number} calls a function with {listed}: which of them are its arguments?")
    named = {"id": call["id"]} if isinstance(call.get("id"), str) else {}
    return {**named, "type": "function", "function": {"name": function["name"], "arguments": given[0] if given else {}}}
