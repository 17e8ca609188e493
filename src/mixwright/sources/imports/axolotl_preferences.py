"""What an Axolotl `type` reads of a row, where answers are judged: pairs of a better and a worse one, or single ones
with a label.

Of a pair the better answer is learnt here, the worse one stays in the corpus. Of single answers those are learnt that
are labelled good: nothing is learnt from the bad ones, which are left out by a condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.recipe.data import Source
from mixwright.sources.files.data_sets import files_of
from mixwright.sources.imports.axolotl_answers import MARKS, keys_of_turns, roles_of
from mixwright.sources.imports.block import Block
from mixwright.sources.imports.gathered import Reading, columns_of
from mixwright.sources.rows.readers import read_rows

PAIRS_NOTE = "Of pairs the better answer is learnt, and nothing from the worse one: preferences have no loss here."
LABELS_NOTE = "Of labelled answers the good ones are learnt, and nothing from the bad ones, which are left out."
LABEL = "label"
REWARD = "bradley_terry"
FAMILIES = ("chatml", "llama3", "mistral", "chat_template", REWARD)
FIELDS = ("field_prompt", "field_chosen", "field_rejected", "field_completion", "field_label")
PROMPTS = {"argilla": "instruction", "intel": "question", "icr": "input", "prompt_pairs": "prompt", "ultra": "prompt"}
WHOLE = ("argilla_chat", "ultra")  # both answers are conversations that begin alike
USUAL = ("prompt", "input", "question", "instruction")  # columns of the prompt, in the order they are looked for


def judged_of(
    entry: Block, judged: str, origin: dict[str, Any], framed: dict[str, str], notes: list[str]
) -> list[Reading]:
    """How the rows of a data set are read. judged: `pairs` or `labels`. origin: where they come from.

    Raises InputError for a type that has no counterpart.
    """
    notes += [note for note in [LABELS_NOTE if judged == "labels" else PAIRS_NOTE] if note not in notes]
    given = entry.any("type")
    of_fields = isinstance(given, Mapping) or str(given).startswith("user_defined")
    if of_fields or (given is None and any(key in entry for key in FIELDS)):
        kind = entry.block("type") if isinstance(given, Mapping) else entry
        if judged == "labels":
            return [_labelled_fields(kind, framed)]
        return [_paired_fields(kind, framed, "input" in _first_row(origin))]
    family, _, name = entry.text("type").partition(".")
    template = entry.text("chat_template")
    if family in FAMILIES[:3]:
        framed["type"] = family
    elif template and template != "tokenizer_default":
        framed["chat_template"] = template
    name = "" if name in ("default", "load") or family == REWARD else name
    known = (*PROMPTS, *WHOLE, "")
    if (family not in FAMILIES and family) or name not in known or (judged == "labels" and name == "icr"):
        listed = [f"{one}.{two}" for one in FAMILIES[:2] for two in known if two]
        fix = f"{did_you_mean(str(given), listed)} Or write its rows with prompt, chosen and rejected."
        raise InputError(f"the type '{given}' of judged answers has no counterpart", where=entry.where, fix=fix)
    if judged == "labels":
        return [_labelled(name)]
    if family == "chat_template":
        return [_chosen_turns(entry, name, notes)]
    return [_paired(name, _first_row(origin))]


def _paired(name: str, row: Mapping[str, Any]) -> Reading:
    if name in WHOLE:
        return Reading({"format": "preference"}, ("tools",))
    chosen, rejected = (
        ("chosen", "rejected") if not row or "chosen" in row else ("chosen_response", "rejected_response")
    )
    if not row and name == "argilla":
        chosen, rejected = "chosen_response", "rejected_response"
    looked_for = PROMPTS.get(name, "prompt")
    prompt = next((column for column in USUAL if column in row), looked_for) if name in ("", "argilla") else looked_for
    return _pair({"prompt": prompt, "chosen": chosen, "rejected": rejected}, "input" in row)


def _pair(parts: dict[str, str], has_input: bool) -> Reading:
    """A prompt with two answers. A column `input` would be read as what stands below a prompt: of pairs that have one
    the better answer stands alone."""
    if has_input or parts["prompt"] == "input":
        parts = {"prompt": parts["prompt"], "completion": parts["chosen"], "system": parts.get("system", "")}
        return Reading({"format": "prompt_completion", **columns_of(parts)}, ("tools",))
    return Reading({"format": "preference", **columns_of(parts)}, ("input", "history", "tools"))


def _chosen_turns(entry: Block, name: str, notes: list[str]) -> Reading:
    role, content = keys_of_turns(entry, notes)
    if (role or "role", content or "content") not in (("role", "content"), ("from", "value")):
        message = f"turns of pairs with the keys '{role}' and '{content}' have no counterpart"
        raise InputError(message, where=entry.where, fix="Name them role and content, or from and value.")
    parts = {"chosen": entry.text("field_chosen"), "rejected": entry.text("field_rejected")}
    if name not in (*WHOLE, "argilla"):
        parts["prompt"] = entry.text("field_messages", "messages")
    return Reading({"format": "preference", **columns_of(parts), **roles_of(entry)}, ("input", "history", "tools"))


def _paired_fields(kind: Block, framed: dict[str, str], has_input: bool) -> Reading:
    prompt, system = kind.text("field_prompt", "prompt"), kind.text("field_system", "system")
    chosen, rejected = kind.text("field_chosen", "chosen"), kind.text("field_rejected", "rejected")
    frames = {
        "prompt_format": ("{prompt}", prompt),
        "chosen_format": ("{chosen}", chosen),
        "rejected_format": ("{rejected}", rejected),
    }
    given = _formats(kind, frames, framed)
    if given["prompt_format"] != "{prompt}" or given["chosen_format"] != "{chosen}":
        user = given["prompt_format"].replace("{prompt}", f"{{{prompt}}}").replace("{system}", f"{{{system}}}")
        answer = given["chosen_format"].replace("{chosen}", f"{{{chosen}}}")
        return Reading({"template": {"user": user, "assistant": answer}})
    return _pair({"prompt": prompt, "chosen": chosen, "rejected": rejected, "system": system}, has_input)


def _labelled_fields(kind: Block, framed: dict[str, str]) -> Reading:
    prompt, system = kind.text("field_prompt", "prompt"), kind.text("field_system", "system")
    completion, label = kind.text("field_completion", "completion"), kind.text("field_label", LABEL)
    frames = {"prompt_format": ("{prompt}", prompt), "completion_format": ("{completion}", completion)}
    given = _formats(kind, frames, framed)
    good = {"where": {label: True}}
    if given["prompt_format"] != "{prompt}" or given["completion_format"] != "{completion}":
        user = given["prompt_format"].replace("{prompt}", f"{{{prompt}}}").replace("{system}", f"{{{system}}}")
        answer = given["completion_format"].replace("{completion}", f"{{{completion}}}")
        return Reading({"template": {"user": user, "assistant": answer}, **good})
    columns = columns_of({"prompt": prompt, "completion": completion, "system": system})
    return Reading({"format": "prompt_completion", **columns, **good}, ("tools",))


def _formats(kind: Block, frames: dict[str, tuple[str, str]], framed: dict[str, str]) -> dict[str, str]:
    """The formats around prompt and answers, those of a chat template taken off."""
    given = {}
    for key, (plain, _) in frames.items():
        text = kind.text(key, plain)
        if MARKS.search(text):
            framed[key] = text.replace("\n", "\\n")
            text = plain
        given[key] = text
    return given


def _labelled(name: str) -> Reading:
    good = {"where": {LABEL: True}}
    if name == "argilla_chat":
        return Reading({"format": "messages", "columns": {"messages": "completion"}, **good}, ("system", "tools"))
    return Reading(
        {"format": "prompt_completion", **columns_of({"prompt": PROMPTS.get(name, "prompt")}), **good}, ("tools",)
    )


def _first_row(origin: dict[str, Any]) -> Mapping[str, Any]:
    """The first row of files at hand; empty where there is none."""
    try:
        source = Source.model_validate({"role": "domain", **origin})
        rows = (row.value for file in files_of(source, "x") if source.path for row in read_rows(file, source))
        return next((row for row in rows if row), {})
    except InputError:
        return {}
