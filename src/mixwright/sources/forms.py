"""From a row of columns to a conversation: the forms in which the field stores training data.

messages            {"messages": [{"role": ..., "content": ...}, ...]}
prompt_completion   {"prompt": ..., "completion": ...}, optionally "system"
alpaca              {"instruction": ..., "input": ..., "output": ...}, optionally "system"

Anything else needs the recipe's `columns:` (which column plays which part) or `template:`. The form is decided once per
source, from the columns of its first row, and then holds for all: a file that changes form halfway is a fault with a
line, not a guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from mixwright.ground.errors import did_you_mean
from mixwright.items.conversation import Message, conversation_fault
from mixwright.recipe.schema import Source, Template
from mixwright.sources.templates import as_text, fill, look_up

ToConversation: TypeAlias = Callable[[Mapping[str, Any]], list[Message]]

FORMS: dict[str, tuple[str, ...]] = {
    "messages": ("messages",),
    "prompt_completion": ("prompt", "completion"),
    "alpaca": ("instruction", "output"),
}
OPTIONAL: dict[str, tuple[str, ...]] = {
    "messages": (),
    "prompt_completion": ("system",),
    "alpaca": ("input", "system"),
}


def conversation_reader(source: Source, columns: Iterable[str]) -> ToConversation:
    """How rows with these columns become conversations.

    Raises ValueError when no form fits, naming the columns found and the recipe lines that would help. The reader it
    returns raises ValueError for a row that does not fit.
    """
    if source.template is not None:
        template = source.template
        return lambda row: _checked(from_template(template, row), source.system)
    names = dict(source.columns or {})
    form = source.format if source.format != "auto" else _detect(names, list(columns))
    parts = (*FORMS[form], *OPTIONAL[form])
    for part in names:
        if part not in parts:
            raise ValueError(f"the form '{form}' has no part '{part}'. {did_you_mean(part, parts)}")
    known = set(columns)
    for part in FORMS[form]:
        if names.get(part, part).partition(".")[0] not in known:
            column = names.get(part, part)
            raise ValueError(f"the form '{form}' needs a column '{column}'. {did_you_mean(column, known)}")

    def part_of(row: Mapping[str, Any], part: str) -> Any:
        if part in OPTIONAL[form] and part not in names and part not in row:
            return None
        return look_up(names.get(part, part), row)

    make = {"messages": _messages, "prompt_completion": _prompt_completion, "alpaca": _alpaca}[form]
    return lambda row: _checked(make(lambda part: part_of(row, part)), source.system)


def from_template(template: Template, row: Mapping[str, Any]) -> list[Message]:
    """The conversation a template makes of a row. Raises ValueError for a missing column."""
    turns = (("system", template.system), ("user", template.user), ("assistant", template.assistant))
    return [{"role": role, "content": fill(text, row)} for role, text in turns if text is not None]


def _detect(names: Mapping[str, str], columns: list[str]) -> str:
    have = set(names) | set(columns)
    for form, needed in FORMS.items():
        if all(part in have for part in needed):
            return form
    shown = ", ".join(columns)
    raise ValueError(
        f"the columns ({shown}) are of no known form. Say which is which, for example "
        f"'columns: {{prompt: {columns[0] if columns else 'question'}, completion: "
        f"{columns[-1] if columns else 'answer'}}}'"
    )


def _checked(messages: list[Message], system: str | None) -> list[Message]:
    fault = conversation_fault(messages)
    if fault:
        raise ValueError(fault)
    if not any(message["role"] == "assistant" for message in messages):
        raise ValueError("there is no assistant turn to learn from")
    if system is not None and messages[0]["role"] != "system":
        return [{"role": "system", "content": system}, *messages]
    return messages


def _messages(part: Callable[[str], Any]) -> list[Message]:
    value = part("messages")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError("the column 'messages' is text, but not JSON") from None
    if not isinstance(value, list):
        raise ValueError(f"'messages' is {type(value).__name__}, not a list")
    # Parquet fills absent optional keys with nulls; a null key is no part of the conversation.
    return [
        {key: entry for key, entry in message.items() if entry is not None or key == "content"}
        if isinstance(message, dict)
        else message
        for message in value
    ]


def _prompt_completion(part: Callable[[str], Any]) -> list[Message]:
    return _turns(part("system"), as_text(part("prompt")), as_text(part("completion")))


def _alpaca(part: Callable[[str], Any]) -> list[Message]:
    instruction, given = as_text(part("instruction")), part("input")
    prompt = f"{instruction}\n\n{as_text(given)}" if given not in (None, "") else instruction
    return _turns(part("system"), prompt, as_text(part("output")))


def _turns(system: Any, prompt: str, completion: str) -> list[Message]:
    first = [{"role": "system", "content": as_text(system)}] if system not in (None, "") else []
    return [*first, {"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]
