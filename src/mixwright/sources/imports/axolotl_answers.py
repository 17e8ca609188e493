"""What an Axolotl `type` reads of a row, where answers are learnt as they stand.

A type is a name (`alpaca`, `chat_template`, `completion` ...), or a mapping of one's own: names of columns, and a
format around instruction and input.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.sources.forms.turns import LEARNT, REASONING, ROLE_NAMES
from mixwright.sources.imports.block import Block
from mixwright.sources.imports.gathered import Reading, columns_of

DOCUMENT = "pretrain"
HISTORY, SYSTEM, TOOLS = "history", "system", "tools"
ALPACA = Reading({"format": "alpaca"}, (SYSTEM, HISTORY))
WITH_SYSTEM = Reading({"format": "alpaca"}, (HISTORY,))
ORCA = Reading({"format": "gen_qa", "columns": {"query": "question", "system": "system_prompt"}})


def _asked(question: str, answer: str) -> Reading:
    return Reading({"template": {"user": f"{{{question}}}", "assistant": f"{{{answer}}}"}})


TYPES = {
    **dict.fromkeys(("alpaca", "alpaca_chat", "alpaca_chat.load_concise", "alpaca_instruct"), ALPACA),
    "alpaca_instruct.load_no_prompt": ALPACA,
    **dict.fromkeys(("alpaca_w_system", "alpaca_w_system.load_chat", "alpaca_w_system.load_instruct"), WITH_SYSTEM),
    "orcamini": WITH_SYSTEM,
    **dict.fromkeys(("alpaca_w_system.load_open_orca", "alpaca_w_system.load_open_orca_chatml"), ORCA),
    "gpteacher": Reading({"format": "alpaca", "columns": {"output": "response"}}, ALPACA.unread),
    "alpaca_chat.load_qa": _asked("question", "answer"),
    "alpaca_chat.load_camel_ai": _asked("message_1", "message_2"),
    "oasst": _asked("INSTRUCTION", "RESPONSE"),
}
TURNS = ("chat_template", "sharegpt", "llama2_chat")
DOCUMENTS = ("completion", DOCUMENT)
SEGMENTS = "input_output"
MASKS = ("message_field_training", "message_field_training_detail")  # keys of turns that say what is learnt
TARGETS = {"input": "user", "output": "assistant", "human": "user", "gpt": "assistant"}  # of older configurations
MARKS = re.compile(r"<\|.*?\|>|</?s>|\[/?INST]|<<SYS>>|<(start|end)_of_turn>|###|(USER|ASSISTANT|Human|Assistant):")


def reading_of(entry: Block, framed: dict[str, str], notes: list[str]) -> list[Reading]:
    """How the rows of a data set are read. framed: to which what frames turns is added.

    Raises InputError for a type that has no counterpart.
    """
    given = entry.any("type")
    if isinstance(given, Mapping):
        return _of_fields(entry.block("type"), framed, notes)
    kind = _without_style(entry.text("type"))
    template = entry.text("chat_template") or entry.text("conversation")
    if template and template != "tokenizer_default":
        framed["chat_template"] = template
    if kind in DOCUMENTS:
        column = entry.text("field" if kind == "completion" else "text_column", "text")
        return [Reading({"format": "text", **columns_of({"text": column})})]
    if kind in TURNS or not kind:
        return [_of_turns(entry, "sharegpt" if kind in TURNS[1:] else "messages", notes)]
    if kind in TYPES:
        framed["type"] = kind
        return [TYPES[kind]]
    if kind == SEGMENTS:
        message = "segments of 'input_output' have no counterpart: they are tokens of any sort, learnt by their label"
        fix = "Write each row as turns: {messages: [{role, content}, ...]}, of which the assistant's are learnt."
        raise InputError(message, where=entry.where, fix=fix)
    fix = f"{did_you_mean(kind, (*TYPES, *TURNS, *DOCUMENTS))} Or write its rows as turns, with type: chat_template."
    raise InputError(f"the type '{kind}' has no counterpart", where=entry.where, fix=fix)


def _without_style(kind: str) -> str:
    """`alpaca` for `alpaca:chat`, `chat_template` for `chat_template.default`."""
    return re.sub(r"\.(load|default)$", "", kind.partition(":")[0])


def _of_turns(entry: Block, form: str, notes: list[str]) -> Reading:
    for key in MASKS:
        if entry.text(key) not in ("", *(LEARNT if key == MASKS[0] else ())):
            message = f"'{key}: {entry.text(key)}' has no counterpart: what is not to be learnt would be"
            fix = f"Mark answers that are not to be learnt by a key {' or '.join(LEARNT)} of the turn, false or 0."
            raise InputError(message, where=entry.where, fix=fix)
    role, content = keys_of_turns(entry, notes)
    if role == "from" and form == "messages":
        form = "sharegpt"
    turns, who, what = ("conversations", "from", "value") if form == "sharegpt" else ("messages", "role", "content")
    listed = entry.text("field_messages") or ("conversations" if entry.text("type") == "sharegpt" else "messages")
    parts = {turns: listed, who: role, what: content}
    parts |= {TOOLS: entry.text("field_tools"), SYSTEM: entry.text("field_system")}
    return Reading({"format": form, **columns_of(parts), **roles_of(entry), **_learnt(entry, notes)})


def keys_of_turns(entry: Block, notes: list[str]) -> tuple[str, str]:
    """The keys of role and content in a turn; empty where they are the usual ones."""
    properties = entry.block("message_property_mappings")
    role = properties.text("role") or entry.text("message_field_role")
    content = properties.text("content") or entry.text("message_field_content")
    thought = entry.text("field_thinking")
    left = properties.left() + ([f"field_thinking: {thought}"] if thought and thought not in REASONING else [])
    if left:
        notes.append(f"Of turns only role and content are read by other names, not {', '.join(left)}.")
    return role, content


def roles_of(entry: Block) -> dict[str, Any]:
    """The key `roles`, for names of roles that are not understood anyway."""
    block = entry.block("roles")
    roles: dict[str, str] = {}
    for target in block.left():
        ours = TARGETS.get(target, target)
        if ROLE_NAMES.get(ours) != ours:
            raise block.error(target, "of a role that there is", "Known are user, assistant, system and tool.")
        roles |= {name: ours for name in block.texts(target) if ROLE_NAMES.get(name) != ours}
    return {"roles": roles} if roles else {}


def _learnt(entry: Block, notes: list[str]) -> dict[str, Any]:
    """Whose turns are learnt: the assistant's, or all."""
    if "roles_to_train" not in entry:
        return {}
    learnt = {ROLE_NAMES.get(name, name) for name in entry.texts("roles_to_train")}
    if learnt == {"assistant"}:
        return {}
    if "user" not in learnt or "assistant" not in learnt:
        message = f"'roles_to_train: {', '.join(sorted(learnt)) or '[]'}' has no counterpart"
        fix = "Here the assistant's turns are learnt: give it [assistant], or [user, assistant] for all turns."
        raise InputError(message, where=entry.where, fix=fix)
    notes.append(
        f"'roles_to_train: {', '.join(sorted(learnt))}' is 'loss: all' here: all turns, with what frames them."
    )
    return {"loss": "all"}


def _of_fields(kind: Block, framed: dict[str, str], notes: list[str]) -> list[Reading]:
    """A type of one's own."""
    asked, given = kind.text("field_instruction", "instruction"), kind.text("field_input")
    answer, spoken, system = kind.text("field_output", "output"), kind.text("field_system"), kind.text("system_prompt")
    form, bare = kind.text("format", "{instruction}"), kind.text("no_input_format")
    frames = [kind.text("system_format", "{system}"), form, bare or form]
    system_key = {"system": system} if system and not spoken else {}
    if kind.left():
        notes.append(f"A type of one's own has no counterpart for {', '.join(kind.left())}.")
    framed["format"] = form.replace("\n", "\\n")
    if frames[0] != "{system}":
        framed["system_format"] = frames[0].replace("\n", "\\n")
    if any(map(MARKS.search, frames)):
        form = bare = ""
    if not given:
        form, bare = bare or form.replace("{input}", ""), ""
    is_plain = not re.sub(r"\{instruction\}\s*(\{input\})?", "", f"{form}{bare}", count=2).strip()
    takes_input = bool(given) and (not form or "{input}" in form)
    form = "{instruction}" if is_plain and not takes_input else form
    if is_plain and takes_input:
        columns = columns_of({"instruction": asked, "input": given, "output": answer, "system": spoken})
        unread = (HISTORY,) if spoken else (HISTORY, SYSTEM)
        return [Reading({"format": "alpaca", **columns, **system_key}, unread)]
    if is_plain and spoken:
        columns = columns_of({"prompt": asked, "completion": answer, "system": spoken})
        return [Reading({"format": "prompt_completion", **columns}, (TOOLS,))]
    if spoken:
        notes.append(f"Rows without '{spoken}' are malformed here: give them one, if it is empty.")
    system_turn = {"system": f"{{{spoken}}}"} if spoken else {}

    def template(user: str) -> dict[str, Any]:
        user = user.replace("{instruction}", f"{{{asked}}}").replace("{input}", f"{{{given}}}")
        return {"template": {**system_turn, "user": user, "assistant": f"{{{answer}}}"}, **system_key}

    if takes_input and bare:
        with_input = {**template(form), "where": {given: {"not": ["", None]}}}
        without_input = {**template(bare), "where": {given: ["", None]}}
        return [Reading(with_input), Reading(without_input, suffix="-without-input")]
    return [Reading(template(form))]
