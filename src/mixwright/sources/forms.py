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
from typing import Any, NamedTuple, TypeAlias

from mixwright.ground.errors import did_you_mean
from mixwright.items.conversation import Message, conversation_fault
from mixwright.recipe.data import Source, Template
from mixwright.sources.templates import fill, look_up, text_at

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


class FormFault(ValueError):
    """The columns fit no form. key: the recipe key of the source to look at, if it is one; fix: what to write."""

    def __init__(self, message: str, fix: str, key: str | None = None) -> None:
        super().__init__(message)
        self.fix = fix
        self.key = key


def conversation_reader(source: Source, columns: Iterable[str]) -> ToConversation:
    """How rows with these columns become conversations.

    Raises FormFault when no form fits, naming the columns found and the recipe lines that would help. The reader it
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
            raise FormFault(f"the form '{form}' has no part '{part}'", did_you_mean(part, parts), "columns")
    known = set(columns)
    for part in FORMS[form]:
        if names.get(part, part).partition(".")[0] not in known:
            column = names.get(part, part)
            key = "columns" if part in names else None
            raise FormFault(f"the form '{form}' needs a column '{column}'", did_you_mean(column, known), key)
    make = {"messages": _messages, "prompt_completion": _prompt_completion, "alpaca": _alpaca}[form]
    return lambda row: _checked(make(Parts(row, names)), source.system)


class Parts(NamedTuple):
    """The parts of a form in one row. names: part -> its column, where it is not the part's own name."""

    row: Mapping[str, Any]
    names: Mapping[str, str]

    def value(self, part: str) -> Any:
        return look_up(self.names.get(part, part), self.row)

    def text(self, part: str) -> str:
        return text_at(self.names.get(part, part), self.row)

    def text_if_any(self, part: str) -> str:
        """The text of an optional part; empty when its column is absent, null or empty."""
        absent = part not in self.names and part not in self.row
        return "" if absent or self.value(part) in (None, "") else self.text(part)


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
    raise FormFault(
        f"the columns ({shown}) are of no known form",
        "Say which is which, for example "
        f"columns: {{prompt: {columns[0] if columns else 'question'}, completion: "
        f"{columns[-1] if columns else 'answer'}}}.",
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


def _messages(parts: Parts) -> list[Message]:
    value = parts.value("messages")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
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


def _prompt_completion(parts: Parts) -> list[Message]:
    return _turns(parts.text_if_any("system"), parts.text("prompt"), parts.text("completion"))


def _alpaca(parts: Parts) -> list[Message]:
    instruction, given = parts.text("instruction"), parts.text_if_any("input")
    prompt = f"{instruction}\n\n{given}" if given else instruction
    return _turns(parts.text_if_any("system"), prompt, parts.text("output"))


def _turns(system: str, prompt: str, completion: str) -> list[Message]:
    first = [{"role": "system", "content": system}] if system else []
    return [*first, {"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]
