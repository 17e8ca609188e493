"""Turns as the field writes them, all to one: `{"role", "content"}` with `tool_calls`, `tool_call_id`,
`reasoning_content` where there are any.

Understood are OpenAI's messages, ShareGPT's (`from`, `value`; calls of tools are turns of their own there) and those of
Amazon's Converse (`content` is a list of blocks; calls, results and reasoning are blocks). The arguments of a call are
never touched: text stays that text, an object keeps its keys in their order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mixwright.ground.errors import did_you_mean
from mixwright.ground.hashing import ordered_json
from mixwright.items.conversation import ROLES, Message

CALL = "call"
ROLE_NAMES = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatgpt"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "ipython", "tool_response", "function_response"), "tool"),
    **dict.fromkeys(("function_call", "tool_call"), CALL),
}
REASONING = ("reasoning_content", "reasoning", "thinking")
KEPT = ("name", "tool_calls", "tool_call_id")
OPENED, CLOSED = "<think>", "</think>"


class Dialect(NamedTuple):
    """How a file writes turns. role, content: the keys. names: of roles, beyond the usual ones. reasoning: whether what
    is thought before an answer is kept."""

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
    for number, turn in enumerate(_listed(turns, what), 1):
        if _is_plain(turn) and dialect == PLAIN:
            messages.append({"role": turn["role"], "content": turn["content"]})
            continue
        for message in _messages(turn, number, dialect):
            last = messages[-1] if messages else None
            if last is not None and message.get("tool_calls") and last["role"] == "assistant" and turn_is_call(message):
                last["tool_calls"] = [*last.get("tool_calls", []), *message["tool_calls"]]
            else:
                messages.append(message)
    return messages


def turn_is_call(message: Message) -> bool:
    """Whether an assistant's message says nothing besides calling tools."""
    return message["role"] == "assistant" and not message.get("content") and bool(message.get("tool_calls"))


def text_of(value: Any) -> str:
    """A value as it stands in a conversation: text itself, anything else as JSON with its keys in their order."""
    return value if isinstance(value, str) else ordered_json(value)


def tools_of(value: Any) -> str:
    """The JSON text of tool definitions; empty when there are none. Raises ValueError when they are no list."""
    if isinstance(value, str):
        if not value.strip():
            return ""
        value = _parsed(value, "tools")
    if isinstance(value, Mapping) and isinstance(value.get("tools"), list):  # Converse: toolConfig
        value = [_tool_of_spec(entry) for entry in value["tools"]]
    if value in (None, [], {}):
        return ""
    if not isinstance(value, list) or not all(isinstance(tool, Mapping) for tool in value):
        raise ValueError("'tools' is no list of definitions")
    return ordered_json(value)


def _tool_of_spec(entry: Any) -> Any:
    spec = entry.get("toolSpec") if isinstance(entry, Mapping) else None
    if not isinstance(spec, Mapping):
        return entry
    schema = spec.get("inputSchema")
    parameters = schema if isinstance(schema, Mapping) else {}
    function = {"name": spec.get("name"), "description": spec.get("description", "")}
    return {"type": "function", "function": {**function, "parameters": parameters.get("json", parameters)}}


def _listed(turns: Any, what: str) -> list[Any]:
    if isinstance(turns, str):
        turns = _parsed(turns, what)
    if isinstance(turns, Mapping):  # a preference pair in ShareGPT's form: one turn
        turns = [turns]
    if not isinstance(turns, list):
        raise ValueError(f"'{what}' is {type(turns).__name__}, not a list of turns")
    return turns


def _parsed(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"the column '{what}' is text, but not JSON") from None


def _messages(turn: Any, number: int, dialect: Dialect) -> Iterator[Message]:
    if not isinstance(turn, Mapping) or dialect.role not in turn:
        raise ValueError(f"message {number} has no role")
    given = turn[dialect.role]
    names = {**ROLE_NAMES, **dialect.names}
    role = names.get(given) if isinstance(given, str) else None
    if role is None:
        unknown = f"message {number} has the unknown role {given!r}"
        raise ValueError(f"{unknown}. {did_you_mean(str(given), names)} Say with 'roles' which it is.")
    content = turn.get(dialect.content)
    if role == CALL:
        yield {"role": "assistant", "content": "", "tool_calls": _calls(content, number)}
        return
    if isinstance(content, list):
        yield from _of_blocks(role, content, number, dialect)
        return
    if content is None and turn.get("tool_calls"):
        content = ""
    if not isinstance(content, str):
        found = "null" if content is None else f"a {type(content).__name__}"
        raise ValueError(f"the content of message {number} is {found}, not text")
    message: Message = {"role": role, "content": content}
    message |= {key: turn[key] for key in KEPT if turn.get(key) not in (None, [], "")}
    _check_calls(message.get("tool_calls", []), number)
    thought = next((turn[key] for key in REASONING if isinstance(turn.get(key), str) and turn[key]), "")
    if thought:
        message["reasoning_content"] = thought
    yield _thinking(message, dialect)


def _check_calls(calls: Any, number: int) -> None:
    listed = calls if isinstance(calls, list) else [None]
    for call in listed:
        function = call.get("function", call) if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise ValueError(f"message {number} calls a function, but does not say which")


def _part(value: Any, what: str, number: int) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"the {what} in message {number} is {type(value).__name__}, not an object")
    return value


def _thinking(message: Message, dialect: Dialect) -> Message:
    if dialect.reasoning or message["role"] != "assistant":
        return message
    message = {key: value for key, value in message.items() if key != "reasoning_content"}
    before, closed, after = message["content"].partition(CLOSED)
    if closed and before.lstrip().startswith(OPENED):
        message["content"] = after.lstrip()
    return message


def _calls(content: Any, number: int) -> list[dict[str, Any]]:
    """The calls in a turn of ShareGPT: JSON text of one call, or of several."""
    try:
        value = json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        value = None
    calls = value if isinstance(value, list) else [value]
    if not all(isinstance(call, Mapping) and "name" in call for call in calls):
        raise ValueError(f"message {number} calls a function, but is no JSON with its name and arguments")
    return [
        {"type": "function", "function": {"name": call["name"], "arguments": call.get("arguments", {})}}
        for call in calls
    ]


def _of_blocks(role: str, blocks: list[Any], number: int, dialect: Dialect) -> Iterator[Message]:
    """The messages of a turn made of blocks: a user's turn may hold results of tools, which are turns of their own."""
    said: list[str] = []
    thought: list[str] = []
    calls: list[dict[str, Any]] = []
    for block in blocks:
        if isinstance(block, Mapping) and isinstance(block.get("text"), str):
            said.append(block["text"])
        elif isinstance(block, Mapping) and "toolUse" in block:
            use = _part(block["toolUse"], "toolUse", number)
            function = {"name": use.get("name"), "arguments": use.get("input", {})}
            calls.append({"id": use.get("toolUseId"), "type": "function", "function": function})
        elif isinstance(block, Mapping) and "toolResult" in block:
            result = _part(block["toolResult"], "toolResult", number)
            entries = [_part(entry, "result", number) for entry in result.get("content") or ()]
            texts = [str(entry["text"]) if "text" in entry else text_of(entry.get("json")) for entry in entries]
            yield {"role": "tool", "content": "\n".join(texts), "tool_call_id": result.get("toolUseId")}
        elif isinstance(block, Mapping) and "reasoningContent" in block:
            reasoning = _part(block["reasoningContent"], "reasoningContent", number).get("reasoningText", {})
            thought.append(str(_part(reasoning, "reasoningText", number).get("text", "")))
        else:
            kind = ", ".join(map(str, block)) if isinstance(block, Mapping) else type(block).__name__
            raise ValueError(f"message {number} holds what is no text ({kind}): a text model cannot learn it")
    if said or calls or role != "user":
        _check_calls(calls, number)
        message: Message = {"role": role, "content": "".join(said)}
        message |= {"tool_calls": calls} if calls else {}
        message |= {"reasoning_content": "".join(thought)} if any(thought) else {}
        yield _thinking(message, dialect)
