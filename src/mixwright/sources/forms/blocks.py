"""A turn whose content is a list of blocks: texts, reasoning, calls of tools and what these gave.

OpenAI's parts, Anthropic's blocks and those of Amazon's Converse say the same under other keys:

    text         {"type": "text", "text"}                           {"text"}
    a call       {"type": "tool_use", "id", "name", "input"}        {"toolUse": {"toolUseId", "name", "input"}}
    its result   {"type": "tool_result", "tool_use_id", "content"}  {"toolResult": {"toolUseId", "content"}}
    reasoning    {"type": "thinking", "thinking"}                   {"reasoningContent": {"reasoningText": {"text"}}}

Marks for a cache say nothing and are left out. What else there is - pictures, sound, documents - a text model cannot
learn: it is refused, never left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mixwright.ground.hashing import ordered_json
from mixwright.items.conversation import Message

TEXTS = ("text", "input_text", "output_text")
TYPED = (*TEXTS, "tool_use", "tool_result", "thinking", "redacted_thinking")
KEYED = ("text", "toolUse", "toolResult", "reasoningContent", "cachePoint", "json")
FAILED = "error"


class Said(NamedTuple):
    """What a turn holds. calls: as OpenAI has them. results: of calls, each a turn of its own."""

    text: str = ""
    reasoning: str = ""
    calls: Sequence[dict[str, Any]] = ()
    results: Sequence[Message] = ()


def said_in(blocks: list[Any], number: int, *, keeps_reasoning: bool) -> Said:
    """What the blocks of a turn hold. number: of the turn, for messages.

    Raises ValueError for a block that is no text, and for reasoning that is encrypted where it is to be kept.
    """
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    results: list[Message] = []
    for block in blocks:
        kind, value = _of(block)
        if kind == "text":
            texts.append(_string(value, "text", number))
        elif kind in ("tool_use", "toolUse"):
            use = _object(value, kind, number)
            function = {"name": use.get("name"), "arguments": use.get("input", {})}
            calls.append({"id": use.get("id", use.get("toolUseId")), "type": "function", "function": function})
        elif kind in ("tool_result", "toolResult"):
            results.append(_result(_object(value, kind, number), number))
        elif kind == "thinking":
            thoughts.append(_string(value, "thinking", number))
        elif kind == "reasoningContent" and "redactedContent" not in _object(value, kind, number):
            reasoning = _object(value.get("reasoningText", {}), "reasoningText", number)
            thoughts.append(_string({"text": "", **reasoning}, "text", number))
        elif kind in ("redacted_thinking", "reasoningContent"):
            if keeps_reasoning:
                raise ValueError(f"the reasoning in message {number} is encrypted; 'reasoning: drop' leaves it out")
        elif kind != "cachePoint":
            raise _no_text(block, number)
    return Said("".join(texts), "".join(thoughts), calls, results)


def _of(block: Any) -> tuple[str, Any]:
    """The kind of a block, and what holds its content: itself, or the value of the key that is its kind. No kind for
    what is not understood."""
    if not isinstance(block, Mapping):
        return "", block
    if block.get("type") is not None:
        kind = block["type"]
        return ("text" if kind in TEXTS else kind if kind in TYPED else ""), block
    filled = [key for key, value in block.items() if value is not None]
    kind = filled[0] if len(filled) == 1 and filled[0] in KEYED else ""
    return kind, block.get(kind) if kind not in ("text", "json") else block


def _result(result: Mapping[str, Any], number: int) -> Message:
    """What a call gave, as a turn. That it failed is kept beside the text, for which templates have no place."""
    content = result.get("content")
    entries = content if isinstance(content, list) else [] if content is None else [content]
    text = "\n".join(_entry(entry, number) for entry in entries if not _is_mark(entry))
    message: Message = {"role": "tool", "content": text}
    message["tool_call_id"] = result.get("tool_use_id", result.get("toolUseId"))
    if result.get("status") == FAILED or result.get("is_error") is True:
        if not text.strip():
            raise ValueError(f"message {number} holds a call that failed, without a word about it")
        message["status"] = FAILED
    return message


def _is_mark(entry: Any) -> bool:
    return isinstance(entry, Mapping) and "cachePoint" in entry


def _entry(entry: Any, number: int) -> str:
    """The text of one part of a result."""
    if isinstance(entry, str):
        return entry
    kind, value = _of(entry)
    if kind == "json":
        return value["json"] if isinstance(value["json"], str) else ordered_json(value["json"])
    if kind != "text":
        raise _no_text(entry, number)
    return _string(value, "text", number)


def _string(block: Mapping[str, Any], key: str, number: int) -> str:
    if not isinstance(block.get(key), str):
        raise ValueError(f"the {key} of a block in message {number} is {type(block.get(key)).__name__}, not text")
    return str(block[key])


def _object(value: Any, what: str, number: int) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"the {what} in message {number} is {type(value).__name__}, not an object")
    return value


def _no_text(block: Any, number: int) -> ValueError:
    kind = ", ".join(map(str, block)) if isinstance(block, Mapping) else type(block).__name__
    return ValueError(f"message {number} holds what is no text ({kind}): a text model cannot learn it")
