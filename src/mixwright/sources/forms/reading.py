"""From a row of columns to a sample: the forms in which the field stores training data.

    messages            {"messages": [{"role": ..., "content": ...}, ...]}, optionally "tools", "system"
    sharegpt            {"conversations": [{"from": ..., "value": ...}, ...]}, optionally "tools", "system"
    converse            {"messages": [{"role", "content": [{"text"}]}], "system", "toolConfig"}: Amazon Nova's
    prompt_completion   {"prompt": ..., "completion": ...}, optionally "system"; texts or turns
    alpaca              {"instruction": ..., "input": ..., "output": ...}, optionally "history", "system"
    gen_qa              {"query": ..., "response": ...}, optionally "system": Nova's `gen_qa.jsonl`
    preference          {"prompt", "chosen", "rejected"}: TRL's forms, OpenAI's; what is learnt is the chosen answer
    text                {"text": ...}: a document, learnt whole

Anything else needs the recipe's `columns:` (which column plays which part) or `template:`. The form is decided once per
source, from its first row (`detection`), and then holds for all: a file that changes form halfway is a fault with a
line, not a guess. A list or an object is no text here: only a template makes one of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mixwright.ground.errors import did_you_mean
from mixwright.items.conversation import Message, conversation_fault
from mixwright.recipe.data import Source, Template
from mixwright.sources.forms.detection import FORMS, OF_TURNS, FormFault, detect, is_mark, marks_beside, turns_column
from mixwright.sources.forms.templates import fields, fill, look_up, plain_text_at
from mixwright.sources.forms.transcripts import turns_of_transcript
from mixwright.sources.forms.turns import (
    WEIGHT,
    Dialect,
    conversation_of,
    functions_of,
    listed,
    text_of,
    tools_of,
    without_reasoning,
)

__all__ = ["FORMS", "FormFault", "RowReader", "Sample", "from_template", "row_reader"]

OPENAI_PAIR = {"input", "preferred_output", "non_preferred_output"}


class Sample(NamedTuple):
    """What a row says. messages: a conversation, empty for a document. tools: JSON text of the definitions that it may
    call. rejected: the answer to prefer `messages`' last one to. text: a document."""

    messages: list[Message]
    tools: str = ""
    rejected: str = ""
    text: str = ""


class RowReader(NamedTuple):
    """How the rows of a source are read. form: its name. why: how that was decided. read: row -> sample, which raises
    ValueError for a row that does not fit. columns: those of the first row that are read."""

    form: str
    why: str
    read: Callable[[Mapping[str, Any]], Sample]
    columns: frozenset[str] = frozenset()


def row_reader(source: Source, row: Mapping[str, Any]) -> RowReader:
    """How rows like this one become samples.

    Raises FormFault when no form fits, or several, naming the columns found and the recipe lines that would help;
    ValueError when this row cannot tell.
    """
    if source.template is not None:
        template = source.template

        def filled(row: Mapping[str, Any]) -> Sample:
            return Sample(_finished(from_template(template, row), source))

        return RowReader("template", "the recipe's template", filled, _columns_of(template, row))
    names = dict(source.columns or {})
    if row.keys() >= OPENAI_PAIR and not names and source.format in ("auto", "preference"):
        return _openai_pairs(source, row)
    form, why = (str(source.format), "the recipe says so") if source.format != "auto" else detect(names, row)
    about = FORMS[form]
    names |= _found(names, form, row)
    parts = (*about.needs, *about.may_have, *about.keys)
    for part in names:
        if part not in parts:
            raise FormFault(f"the form '{form}' has no part '{part}'", did_you_mean(part, parts), "columns")
    for part in about.needs:
        column = names.get(part, part)
        if column not in row and column.partition(".")[0] not in row:
            key = "columns" if part in names else None
            raise FormFault(f"the form '{form}' needs a column '{column}'", did_you_mean(column, map(str, row)), key)
    dialect = Dialect(
        role=names.get("from", "from") if form == "sharegpt" else names.get("role", "role"),
        content=names.get("value", "value") if form == "sharegpt" else names.get("content", "content"),
        names=source.roles or {},
        reasoning=source.reasoning == "keep",
    )
    make, marks = READERS[form], _unseen_marks(names, form, source, row)

    def read(row: Mapping[str, Any]) -> Sample:
        for column in marks:
            if column in row and is_mark(row[column]):
                raise ValueError(
                    f"'{column}' marks some answers as bad; 'format: {form}' learns all, 'where' some of them"
                )
        return make(Parts(row, names, dialect), source)

    learnt = {names.get(part, part).partition(".")[0] for part in parts}
    return RowReader(form, why, read, frozenset(learnt & row.keys()))


def _found(names: Mapping[str, str], form: str, row: Mapping[str, Any]) -> dict[str, str]:
    """The columns of parts that have another of their usual names."""
    turns = turns_column({}, row)
    if form in OF_TURNS:
        (part,) = FORMS[form].needs
        return {part: turns} if turns is not None and part not in names and part not in row else {}
    if form != "preference" or "prompt" in names or "prompt" in row:
        return {}
    prompt = "instruction" if "instruction" in row else turns
    return {"prompt": prompt} if prompt is not None else {}


def _unseen_marks(names: Mapping[str, str], form: str, source: Source, row: Mapping[str, Any]) -> list[str]:
    """The columns of marks of which the first row tells nothing: there may be some in a later one."""
    is_said = source.format != "auto" or form in ("preference", "text")
    return [] if is_said else [column for column in marks_beside(names) if row.get(column) is None]


def _openai_pairs(source: Source, row: Mapping[str, Any]) -> RowReader:
    """OpenAI's preference pairs, whose prompt and tools lie inside their `input`."""
    plain = source.model_copy(update={"format": "preference"})
    first = _plain_pair(row)
    reader = row_reader(plain, first)
    why = "it has OpenAI's columns preferred_output, non_preferred_output"
    return reader._replace(why=why, read=lambda row: reader.read(_plain_pair(row)), columns=frozenset(OPENAI_PAIR))


def _plain_pair(row: Mapping[str, Any]) -> Mapping[str, Any]:
    asked = look_up("input", row)
    if not isinstance(asked, Mapping) or "messages" not in asked:
        raise ValueError("its 'input' holds no messages")
    pair = {"chosen": look_up("preferred_output", row), "rejected": look_up("non_preferred_output", row)}
    return {"prompt": asked["messages"], "tools": asked.get("tools"), **pair}


def _columns_of(template: Template, row: Mapping[str, Any]) -> frozenset[str]:
    """The columns of a row that a template names."""
    paths = fields("".join(filter(None, (template.system, template.user, template.assistant))))
    return frozenset({path if path in row else path.partition(".")[0] for path in paths} & row.keys())


class Parts(NamedTuple):
    """The parts of a form in one row. names: part -> its column, where it is not the part's own name."""

    row: Mapping[str, Any]
    names: Mapping[str, str]
    dialect: Dialect = Dialect()

    def has(self, part: str) -> bool:
        """Whether there is something in a part."""
        return (part in self.names or part in self.row) and self.value(part) not in (None, "", [])

    def value(self, part: str) -> Any:
        return look_up(self.names.get(part, part), self.row)

    def text(self, part: str) -> str:
        return plain_text_at(self.names.get(part, part), self.row)

    def text_if_any(self, part: str) -> str:
        """The text of an optional part; empty when its column is absent, null or empty."""
        return self.text(part) if self.has(part) else ""

    def turns(self, part: str, role: str) -> list[Message]:
        """The turns in a part; where it holds text, that is the one turn, of this role."""
        value = self.value(part)
        if isinstance(value, list | Mapping):
            return conversation_of(value, _dialect_of(value, self.dialect, part), part)
        return [{"role": role, "content": self.text(part)}]

    @property
    def tools(self) -> str:
        return tools_of(self.value("tools")) if self.has("tools") else ""


def _dialect_of(turns: Any, dialect: Dialect, part: str) -> Dialect:
    """ShareGPT's keys where a column of another form holds them."""
    first = next(iter(listed(turns, part)), None)
    is_sharegpt = isinstance(first, Mapping) and "from" in first and dialect.role not in first
    return dialect._replace(role="from", content="value") if is_sharegpt else dialect


def from_template(template: Template, row: Mapping[str, Any]) -> list[Message]:
    """The conversation a template makes of a row. Raises ValueError for a missing column."""
    turns = (("system", template.system), ("user", template.user), ("assistant", template.assistant))
    return [{"role": role, "content": fill(text, row)} for role, text in turns if text is not None]


def _finished(messages: list[Message], source: Source) -> list[Message]:
    """The conversation as it is learnt: checked, with the source's system turn, without its end mark and, where the
    source says so, without reasoning."""
    fault = conversation_fault(messages)
    if fault:
        raise ValueError(fault)
    if not any(message["role"] == "assistant" and WEIGHT not in message for message in messages):
        if not any(message["role"] == "assistant" for message in messages):
            raise ValueError("there is no assistant turn to learn from")
        if source.loss == "assistant":
            raise ValueError("no answer in it is to be learnt: all have the weight 0")
    if source.reasoning == "drop":
        messages = [without_reasoning(message) for message in messages]
    if source.end_mark is not None:
        messages = [
            {**message, "content": message["content"].removesuffix(source.end_mark)}
            if message["role"] == "assistant"
            else message
            for message in messages
        ]
    if source.system is not None and messages[0]["role"] != "system":
        return [{"role": "system", "content": source.system}, *messages]
    return messages


def _with_system(parts: Parts, messages: list[Message]) -> list[Message]:
    if not parts.has("system"):
        return messages
    value = parts.value("system")
    if isinstance(value, list):
        turns = conversation_of([{"role": "system", "content": value}], Dialect(), "system")
    else:
        turns = [{"role": "system", "content": parts.text("system")}]
    if not messages or messages[0]["role"] != "system":
        return [*turns, *messages]
    if messages[0]["content"].strip() != turns[0]["content"].strip():
        raise ValueError("it has a system turn, and another text in the column 'system'; leave one of them out")
    return messages


def _messages(parts: Parts, source: Source) -> Sample:
    turns = parts.value("messages")
    found = conversation_of(turns, parts.dialect, parts.names.get("messages", "messages"))
    older = functions_of(parts.value("functions")) if parts.has("functions") else ""
    if older and parts.tools:
        raise ValueError("it has both 'tools' and 'functions'; leave one of them out")
    return Sample(_finished(_with_system(parts, found), source), older or parts.tools)


def _sharegpt(parts: Parts, source: Source) -> Sample:
    turns = parts.value("conversations")
    found = conversation_of(turns, parts.dialect, parts.names.get("conversations", "conversations"))
    return Sample(_finished(_with_system(parts, found), source), parts.tools)


def _converse(parts: Parts, source: Source) -> Sample:
    found = conversation_of(parts.value("messages"), parts.dialect, "messages")
    tools = tools_of(parts.value("toolConfig")) if parts.has("toolConfig") else parts.tools
    return Sample(_finished(_with_system(parts, found), source), tools)


def _prompt_completion(parts: Parts, source: Source) -> Sample:
    turns = [*parts.turns("prompt", "user"), *parts.turns("completion", "assistant")]
    return Sample(_finished(_with_system(parts, turns), source), parts.tools)


def _alpaca(parts: Parts, source: Source) -> Sample:
    turns = [*_asked(parts, "instruction"), {"role": "assistant", "content": parts.text("output")}]
    return Sample(_finished(_with_system(parts, turns), source))


def _asked(parts: Parts, part: str) -> list[Message]:
    """What came before (`history`, pairs of question and answer), and the instruction with its input below it."""
    messages: list[Message] = []
    before = parts.value("history") if parts.has("history") else []
    for pair in before if isinstance(before, list) else [before]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError("'history' is no list of [question, answer] pairs")
        messages += [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
    given = parts.text_if_any("input")
    instruction = parts.text(part)
    return [*messages, {"role": "user", "content": f"{instruction}\n\n{given}" if given else instruction}]


def _gen_qa(parts: Parts, source: Source) -> Sample:
    turns = [
        {"role": "user", "content": parts.text("query")},
        {"role": "assistant", "content": parts.text("response")},
    ]
    return Sample(_finished(_with_system(parts, turns), source))


def _preference(parts: Parts, source: Source) -> Sample:
    """Explicit prompts, and implicit ones: what both answers begin with."""
    chosen, rejected = _answers(parts, "chosen", source), _answers(parts, "rejected", source)
    if not chosen or not rejected:
        raise ValueError("one of the two answers is empty")
    if chosen == rejected:
        raise ValueError("chosen and rejected do not differ")
    if chosen[0]["role"] == "assistant":
        if not parts.has("prompt"):
            raise ValueError("a preference pair of answers needs a 'prompt'; say with 'columns' which column it is")
        is_text = isinstance(parts.value("prompt"), str)
        prompt = _asked(parts, "prompt") if is_text else parts.turns("prompt", "user")
    else:
        shared = len(_while_equal(chosen, rejected))
        prompt, chosen, rejected = chosen[:shared], chosen[shared:], rejected[shared:]
        if not prompt or not chosen or not rejected:
            raise ValueError(
                "chosen and rejected do not begin with the same prompt, or one ends where the other goes on"
            )
    messages = _finished(_with_system(parts, [*prompt, *chosen]), source)
    return Sample(messages, parts.tools, rejected=text_of(rejected))


def _answers(parts: Parts, part: str, source: Source) -> list[Message]:
    """The turns of one side of a pair; a text without its prompt is a transcript that holds it."""
    is_transcript = not parts.has("prompt") and isinstance(parts.value(part), str)
    turns = turns_of_transcript(parts.text(part)) if is_transcript else parts.turns(part, "assistant")
    return [without_reasoning(turn) for turn in turns] if source.reasoning == "drop" else turns


def _while_equal(first: list[Message], second: list[Message]) -> list[Message]:
    shared: list[Message] = []
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        shared.append(one)
    return shared


def _text(parts: Parts, source: Source) -> Sample:
    text = parts.text("text")
    if source.end_mark is not None:
        text = text.removesuffix(source.end_mark)
    if not text.strip():
        raise ValueError("the text is empty")
    return Sample([], text=text)


READERS: dict[str, Callable[[Parts, Source], Sample]] = {
    "messages": _messages,
    "sharegpt": _sharegpt,
    "converse": _converse,
    "prompt_completion": _prompt_completion,
    "alpaca": _alpaca,
    "gen_qa": _gen_qa,
    "preference": _preference,
    "text": _text,
}
