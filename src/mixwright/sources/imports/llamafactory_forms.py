"""How LLaMA-Factory reads the rows of a data set, by its entry in `dataset_info.json`.

Where an entry has `columns`, a part without a name there is not read, nor is a default name looked for; the same holds
for `tags`. A form here reads what is there under its usual names: so the narrowest one is taken, and the columns that
it would still read are told.
"""

from __future__ import annotations

from typing import Any

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.sources.forms.turns import ROLE_NAMES
from mixwright.sources.imports.block import Block
from mixwright.sources.imports.gathered import Reading, columns_of

COLUMNS = ("prompt", "query", "response", "history", "messages", "system", "tools", "chosen", "rejected", "kto_tag")
ALPACA = {"prompt": "instruction", "query": "input", "response": "output"}  # where there are no `columns`
FORMATTINGS = ("alpaca", "sharegpt", "openai")
TAGS = {"user_tag": "user", "assistant_tag": "assistant", "system_tag": "system", "observation_tag": "tool"}
CALLS = "function_tag"
MEDIA = ("images", "videos", "audios")
KEYS_OF_TURNS = (("role", "content"), ("from", "value"))
PAIRS_NOTE = "Of pairs the better answer is learnt, and nothing from the worse one: preferences have no loss here."
LABELS_NOTE = "Of labelled answers the good ones are learnt, and nothing from the bad ones, which are left out."
BREAK_NOTE = "Between an instruction and its input stands an empty line here, a line break there"


def reading_of(entry: Block, stage: str, notes: list[str]) -> Reading:
    """How the rows of a data set are read. stage: of the training. Raises InputError for what has no counterpart."""
    form = entry.text("formatting", "alpaca")
    if form not in FORMATTINGS:
        fix = f"{did_you_mean(form, FORMATTINGS)} Or write its rows as messages."
        raise InputError(f"the formatting '{form}' has no counterpart", where=entry.where, fix=fix)
    is_pair = entry.flag("ranking")
    block = entry.block("columns")
    media = [key for key in MEDIA if block.text(key)]
    if media:
        fix = "Give it without them, where its texts can be learnt alone."
        raise InputError(f"{media[0]} have no counterpart: a text model cannot learn them", where=block.where, fix=fix)
    defaults = {} if "columns" in entry else ALPACA if form == "alpaca" else {"messages": "conversations"}
    columns = {part: block.text(part, defaults.get(part, "")) for part in COLUMNS}
    tags = entry.block("tags")
    if form == "alpaca":
        tags.left()
    good = _good(columns, notes)
    if block.left():
        notes.append(f"Columns without counterpart: {', '.join(block.left())} ({entry.where}).")
    if stage == "pt":
        return _document(columns, form, entry)
    if is_pair:
        notes += [] if PAIRS_NOTE in notes else [PAIRS_NOTE]
        return _pair(columns, tags, form, entry)
    if form != "alpaca":
        return _turns(columns, tags, form, entry, good)
    return _alpaca(columns, entry, good)


def _good(columns: dict[str, str], notes: list[str]) -> dict[str, Any]:
    """The condition for the good ones among labelled answers."""
    if not columns["kto_tag"]:
        return {}
    notes += [] if LABELS_NOTE in notes else [LABELS_NOTE]
    return {"where": {columns["kto_tag"]: True}}


def _needed(columns: dict[str, str], part: str, entry: Block) -> str:
    if not columns[part]:
        message = f"its 'columns' do not name '{part}', so LLaMA-Factory reads none"
        raise InputError(message, where=entry.where, fix=f"Add {part}: ... to them.")
    return columns[part]


def _document(columns: dict[str, str], form: str, entry: Block) -> Reading:
    if form != "alpaca":
        fix = "Name the column of the text: columns: {prompt: text}, with formatting: alpaca."
        raise InputError(f"'formatting: {form}' and 'stage: pt' exclude each other", where=entry.where, fix=fix)
    return Reading({"format": "text", **columns_of({"text": _needed(columns, "prompt", entry)})})


def _alpaca(columns: dict[str, str], entry: Block, good: dict[str, Any]) -> Reading:
    prompt, answer = columns["prompt"] or columns["query"], _needed(columns, "response", entry)
    query = columns["query"] if columns["prompt"] else ""
    if not prompt:
        _needed(columns, "prompt", entry)
    system, tools, history = columns["system"], columns["tools"], columns["history"]
    if query or history:
        if tools:
            fix = "Write its rows as messages, with the column of tools."
            raise InputError("tools beside 'query' or 'history' have no counterpart", where=entry.where, fix=fix)
        parts = {"instruction": prompt, "input": query, "output": answer, "history": history, "system": system}
        unread = tuple(part for part in ("input", "history", "system") if not parts[part])
        return Reading({"format": "alpaca", **columns_of(parts), **good}, unread)
    if system or tools:
        parts = {"prompt": prompt, "completion": answer, "system": system, "tools": tools}
        unread = tuple(part for part in ("system", "tools") if not parts[part])
        return Reading({"format": "prompt_completion", **columns_of(parts), **good}, unread)
    return Reading({"template": {"user": f"{{{prompt}}}", "assistant": f"{{{answer}}}"}, **good})


def _turns(columns: dict[str, str], tags: Block, form: str, entry: Block, good: dict[str, Any]) -> Reading:
    listed = _needed(columns, "messages", entry)
    turns, who, what = ("conversations", "from", "value") if form == "sharegpt" else ("messages", "role", "content")
    parts = {turns: listed, who: tags.text("role_tag"), what: tags.text("content_tag")}
    parts |= {"system": columns["system"], "tools": columns["tools"]}
    unread = tuple(part for part in ("system", "tools") if not parts[part])
    ours = "sharegpt" if form == "sharegpt" else "messages"
    return Reading({"format": ours, **columns_of(parts), **_roles(tags), **good}, unread)


def _pair(columns: dict[str, str], tags: Block, form: str, entry: Block) -> Reading:
    keys = (tags.text("role_tag", "from"), tags.text("content_tag", "value"))
    if form == "sharegpt" and keys not in KEYS_OF_TURNS:
        message = f"turns of pairs with the keys '{keys[0]}' and '{keys[1]}' have no counterpart"
        raise InputError(message, where=entry.where, fix="Name them from and value, or role and content.")
    prompt = _needed(columns, "prompt" if form == "alpaca" else "messages", entry)
    chosen, rejected = _needed(columns, "chosen", entry), _needed(columns, "rejected", entry)
    parts = {"chosen": chosen, "rejected": rejected, "prompt": prompt, "system": columns["system"]}
    parts |= {"input": columns["query"], "history": columns["history"], "tools": columns["tools"]}
    if form == "alpaca" and prompt == "input":  # would be read as what stands below a prompt, too
        parts = {"prompt": prompt, "completion": chosen, "system": columns["system"], "tools": columns["tools"]}
        return Reading({"format": "prompt_completion", **columns_of(parts)})
    unread = tuple(part for part in ("system", "input", "history", "tools") if not parts[part])
    return Reading({"format": "preference", **columns_of(parts), **_roles(tags)}, unread)


def _roles(tags: Block) -> dict[str, Any]:
    roles = {}
    for tag, ours in TAGS.items():
        theirs = tags.text(tag)
        if theirs and ROLE_NAMES.get(theirs) != ours:
            roles[theirs] = ours
    calls = tags.text(CALLS, "function_call")
    if ROLE_NAMES.get(calls) != ROLE_NAMES["function_call"]:
        message = f"the role '{calls}' for calls of tools has no counterpart"
        raise InputError(message, where=tags.where, fix="Name it function_call in the rows.")
    return {"roles": roles} if roles else {}
