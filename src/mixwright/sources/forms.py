"""From a row of columns to a sample: the forms in which the field stores training data.

    messages            {"messages": [{"role": ..., "content": ...}, ...]}, optionally "tools", "system"
    sharegpt            {"conversations": [{"from": ..., "value": ...}, ...]}, optionally "tools", "system"
    converse            {"messages": [{"role", "content": [{"text"}]}], "system", "toolConfig"}: Amazon Nova's
    prompt_completion   {"prompt": ..., "completion": ...}, optionally "system"; texts or turns
    alpaca              {"instruction": ..., "input": ..., "output": ...}, optionally "history", "system"
    gen_qa              {"query": ..., "response": ...}, optionally "system": Nova's `gen_qa.jsonl`
    preference          {"prompt", "chosen", "rejected"}: TRL's forms; what is learnt is the chosen answer
    text                {"text": ...}: a document, learnt whole

Anything else needs the recipe's `columns:` (which column plays which part) or `template:`. The form is decided once per
source, from its first row, and then holds for all: a file that changes form halfway is a fault with a line, not a
guess. Where two forms fit, or a `text` stands among columns that could be its label, the recipe has to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mixwright.ground.errors import did_you_mean
from mixwright.items.conversation import Message, conversation_fault
from mixwright.recipe.data import Source, Template
from mixwright.sources.templates import fill, look_up, text_at
from mixwright.sources.turns import Dialect, conversation_of, text_of, tools_of


class Sample(NamedTuple):
    """What a row says. messages: a conversation, empty for a document. tools: JSON text of the definitions that it may
    call. rejected: the answer to prefer `messages`' last one to. text: a document."""

    messages: list[Message]
    tools: str = ""
    rejected: str = ""
    text: str = ""


class RowReader(NamedTuple):
    """How the rows of a source are read. form: its name. why: how that was decided. read: row -> sample, which raises
    ValueError for a row that does not fit."""

    form: str
    why: str
    read: Callable[[Mapping[str, Any]], Sample]


class Form(NamedTuple):
    """needs: the parts without which it is not this form. may_have: further parts. keys: names inside its turns that
    `columns` may change."""

    needs: tuple[str, ...]
    may_have: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


FORMS = {
    "messages": Form(("messages",), ("system", "tools"), ("role", "content")),
    "sharegpt": Form(("conversations",), ("system", "tools"), ("from", "value")),
    "converse": Form(("messages",), ("system", "toolConfig")),
    "prompt_completion": Form(("prompt", "completion"), ("system", "tools")),
    "alpaca": Form(("instruction", "output"), ("input", "system", "history")),
    "gen_qa": Form(("query", "response"), ("system",)),
    "preference": Form(("chosen", "rejected"), ("prompt", "input", "system", "tools", "history")),
    "text": Form(("text",)),
}
TURN_COLUMNS = ("messages", "conversations", "conversation")
BESIDE_TEXT = """_id added author created date dump file_path id int_score key lang language language_score licence
    license meta metadata name path score source timestamp title token_count url uuid"""
ABOUT_A_DOCUMENT = frozenset(BESIDE_TEXT.split())  # columns that no one would learn to predict


class FormFault(ValueError):
    """The columns fit no form. key: the recipe key of the source to look at, if it is one; fix: what to write."""

    def __init__(self, message: str, fix: str, key: str | None = None) -> None:
        super().__init__(message)
        self.fix = fix
        self.key = key


def row_reader(source: Source, row: Mapping[str, Any]) -> RowReader:
    """How rows like this one become samples.

    Raises FormFault when no form fits, or several, naming the columns found and the recipe lines that would help.
    """
    if source.template is not None:
        template = source.template

        def filled(row: Mapping[str, Any]) -> Sample:
            return Sample(_finished(from_template(template, row), source))

        return RowReader("template", "the recipe's template", filled)
    names = dict(source.columns or {})
    if source.format != "auto":
        form, why = str(source.format), "the recipe says so"
    else:
        form, why = _detect(names, row)
    about = FORMS[form]
    if form in ("messages", "sharegpt"):
        names = _found_turns(names, about.needs[0], row)
    elif form == "preference" and "prompt" not in names and "prompt" not in row and "instruction" in row:
        names["prompt"] = "instruction"
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
    make = READERS[form]
    return RowReader(form, why, lambda row: make(Parts(row, names, dialect), source))


def _found_turns(names: dict[str, str], part: str, row: Mapping[str, Any]) -> dict[str, str]:
    """The names, with the column of the turns where it has another of its usual names."""
    column = next((column for column in (part, *TURN_COLUMNS) if column in row), part)
    return names if part in names or column == part else {**names, part: column}


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
        return text_at(self.names.get(part, part), self.row)

    def text_if_any(self, part: str) -> str:
        """The text of an optional part; empty when its column is absent, null or empty."""
        return self.text(part) if self.has(part) else ""

    def turns(self, part: str, role: str) -> list[Message]:
        """The turns in a part; where it holds text, that is the one turn, of this role."""
        value = self.value(part)
        if isinstance(value, list | Mapping):
            return conversation_of(value, _dialect_of(value, self.dialect), part)
        return [{"role": role, "content": self.text(part)}]

    @property
    def tools(self) -> str:
        return tools_of(self.value("tools")) if self.has("tools") else ""


def _dialect_of(turns: Any, dialect: Dialect) -> Dialect:
    """ShareGPT's keys where a column of another form holds them."""
    first = turns if isinstance(turns, Mapping) else turns[0] if turns else {}
    is_sharegpt = isinstance(first, Mapping) and "from" in first and dialect.role not in first
    return dialect._replace(role="from", content="value") if is_sharegpt else dialect


def from_template(template: Template, row: Mapping[str, Any]) -> list[Message]:
    """The conversation a template makes of a row. Raises ValueError for a missing column."""
    turns = (("system", template.system), ("user", template.user), ("assistant", template.assistant))
    return [{"role": role, "content": fill(text, row)} for role, text in turns if text is not None]


def _detect(names: Mapping[str, str], row: Mapping[str, Any]) -> tuple[str, str]:
    have = {*names, *row}
    shown = ", ".join(map(str, row))
    turns = next((column for column in TURN_COLUMNS if column in have), None)
    fits = []
    if turns is not None:
        value = row.get(names.get(turns, turns))
        first = value[0] if isinstance(value, list) and value else {}
        keys = first if isinstance(first, Mapping) else {}
        if isinstance(value, str):
            keys = {"from": ""} if '"from"' in value[:200] and '"role"' not in value[:200] else {"role": ""}
        content = keys.get("content")
        in_blocks = isinstance(content, list) and content and "type" not in content[0]
        form = "sharegpt" if {"from", "value"} & {*keys, *names} else "converse" if in_blocks else "messages"
        fits.append((form, f"its column '{turns}' holds turns with {', '.join(map(repr, keys)) or 'roles'}"))
    for form in ("preference", "prompt_completion", "alpaca", "gen_qa"):
        if all(part in have for part in FORMS[form].needs):
            if form == "prompt_completion" and "label" in have and isinstance(row.get("label"), bool):
                fix = "Keep the rows whose label is true, or say 'format: prompt_completion' to learn them all."
                raise FormFault(f"the columns ({shown}) are unpaired preferences, some of them of bad answers", fix)
            fits.append((form, f"it has the columns {', '.join(FORMS[form].needs)}"))
    if fits and fits[0][0] in ("messages", "sharegpt") and fits[-1][0] == "preference":
        fits = fits[-1:]  # a pair in ShareGPT's form: the turns are its prompt
    if len(fits) > 1:
        listed = " or ".join(f"'format: {form}'" for form, _ in fits)
        raise FormFault(f"the columns ({shown}) are of more than one form", f"Say {listed}.")
    if fits:
        return fits[0]
    if "text" in have:
        others = sorted(str(column) for column in row if column not in ("text", *ABOUT_A_DOCUMENT))
        if not others:
            return "text", "it has a column 'text', and beside it only what is said about it"
        raise FormFault(
            f"the columns ({shown}) may be documents, or texts with an answer",
            f"Say 'format: text' to learn 'text' as it stands, or columns: {{prompt: text, completion: {others[0]}}}.",
        )
    columns = [str(column) for column in row]
    raise FormFault(
        f"the columns ({shown}) are of no known form",
        "Say which is which, for example "
        f"columns: {{prompt: {columns[0] if columns else 'question'}, completion: "
        f"{columns[-1] if columns else 'answer'}}}.",
    )


def _finished(messages: list[Message], source: Source) -> list[Message]:
    """The conversation as it is learnt: checked, with the source's system turn, without its end mark."""
    fault = conversation_fault(messages)
    if fault:
        raise ValueError(fault)
    if not any(message["role"] == "assistant" for message in messages):
        raise ValueError("there is no assistant turn to learn from")
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
    if not parts.has("system") or (messages and messages[0]["role"] == "system"):
        return messages
    value = parts.value("system")
    if isinstance(value, list):
        return [*conversation_of([{"role": "system", "content": value}], Dialect(), "system"), *messages]
    text = parts.text("system")
    return [{"role": "system", "content": text}, *messages]


def _messages(parts: Parts, source: Source) -> Sample:
    turns = parts.value("messages")
    found = conversation_of(turns, parts.dialect, parts.names.get("messages", "messages"))
    return Sample(_finished(_with_system(parts, found), source), parts.tools)


def _sharegpt(parts: Parts, source: Source) -> Sample:
    turns = parts.value("conversations")
    found = conversation_of(turns, parts.dialect, parts.names.get("conversations", "conversations"))
    return Sample(_finished(_with_system(parts, found), source), parts.tools)


def _converse(parts: Parts, source: Source) -> Sample:
    found = conversation_of(parts.value("messages"), parts.dialect, "messages")
    tools = tools_of(parts.value("toolConfig")) if parts.has("toolConfig") else ""
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
    for pair in parts.value("history") if parts.has("history") else ():
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
    chosen, rejected = parts.turns("chosen", "assistant"), parts.turns("rejected", "assistant")
    if not chosen or not rejected:
        raise ValueError("one of the two answers is empty")
    if chosen[0]["role"] == "assistant":
        if not parts.has("prompt"):
            raise ValueError("a preference pair of texts needs a 'prompt'; say with 'columns' which column it is")
        is_text = isinstance(parts.value("prompt"), str)
        prompt = _asked(parts, "prompt") if is_text else parts.turns("prompt", "user")
    else:
        shared = len(_while_equal(chosen, rejected))
        prompt, chosen, rejected = chosen[:shared], chosen[shared:], rejected[shared:]
        if not prompt or not chosen or not rejected:
            raise ValueError("chosen and rejected do not begin with the same prompt, or do not differ")
    messages = _finished(_with_system(parts, [*prompt, *chosen]), source)
    return Sample(messages, parts.tools, rejected=text_of(rejected))


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
