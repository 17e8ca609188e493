"""The `datasets` of an Axolotl configuration as a recipe."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from mixwright.ground.errors import InputError
from mixwright.sources.files import kind_of
from mixwright.sources.imports.imported import (
    ALL_DOMAIN,
    Imported,
    checked,
    name_of,
    read_config,
    shares_by_rows,
    training,
)

TRAINING = {"sequence_len": "sequence_length", "learning_rate": "learning_rate", "weight_decay": "weight_decay"}
UNDERSTOOD = {
    *("path", "name", "split", "type", "ds_type", "data_files", "revision", "field_messages", "field_system"),
    *("field_tools", "message_property_mappings", "message_field_role", "message_field_content", "roles", "field"),
    *("chat_template", "conversation"),
}
FORMS = {"alpaca": "alpaca", "sharegpt": "sharegpt", "chat_template": "messages", "completion": "text"}


def from_axolotl(file: Path, general: Collection[str] = ()) -> Imported:
    """Raises InputError for a configuration without data sets, and for a type of them that has no counterpart."""
    found = read_config(file)
    entries = found.get("datasets")
    if not isinstance(entries, list) or not entries:
        fix = "Give an Axolotl configuration with a list 'datasets'."
        raise InputError("there are no data sets in it", where=str(file), fix=fix)
    warnings: list[str] = []
    sources: dict[str, dict[str, Any]] = {}
    for number, entry in enumerate(entries, 1):
        where = f"{file}: datasets, entry {number}"
        if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str):
            raise InputError("a data set needs a 'path'", where=where, fix="Write path: owner/name, or a file.")
        sources[name_of(entry["path"], sources)] = _source(entry, file.parent, where)
        left = sorted(str(key) for key in entry if key not in UNDERSTOOD)
        if left:
            warnings.append(f"'{entry['path']}': without counterpart: {', '.join(left)}.")
    if found.get("test_datasets") or found.get("val_set_size"):
        warnings.append("Evaluation data has no counterpart here: add 'suites' for what the model is to be asked.")
    if not general:
        warnings.append(ALL_DOMAIN)
    checked(sources, general, file)
    settings = training(found, TRAINING)
    if found.get("adapter") in ("lora", "qlora"):
        lora = training(found, {"lora_r": "rank", "lora_alpha": "alpha", "lora_dropout": "dropout"})
        settings |= {"method": "lora", **({"lora": lora} if lora else {})}
    return Imported(
        {
            "mixwright": 1,
            "name": name_of(file.name),
            "base": {"model": found.get("base_model", "embedded:nano")},
            "sources": sources,
            "blend": {
                "unit": "records",
                "shares": shares_by_rows(sources, warnings, file.parent),
                "budget": {"domain_epochs": float(found.get("num_epochs") or 1)},
            },
            **({"train": settings} if settings else {}),
        },
        warnings,
    )


def _source(entry: Mapping[str, Any], folder: Path, where: str) -> dict[str, Any]:
    keys: dict[str, Any] = {"role": "domain"}
    path = entry["path"]
    files = entry.get("data_files")
    if entry.get("ds_type") and files:
        keys["path"] = files
    elif kind_of(Path(path)) or (folder / path).exists() or "://" in path:
        keys["path"] = path
    else:
        keys["hub"] = path
        keys |= {
            ours: entry[theirs] for theirs, ours in (("name", "config"), ("revision", "revision")) if theirs in entry
        }
        keys |= {"split": entry["split"]} if entry.get("split", "train") != "train" else {}
    kind = entry.get("type", "chat_template")
    if isinstance(kind, Mapping):
        return keys | _of_fields(kind)
    form = FORMS.get(str(kind).partition(".")[0].partition(":")[0])
    if form is None:
        fix = f"Known are {', '.join(FORMS)} and a mapping with field_...; read others by 'columns' or 'template'."
        raise InputError(f"the type '{kind}' has no counterpart", where=where, fix=fix)
    properties = entry.get("message_property_mappings") or {}
    role = properties.get("role") or entry.get("message_field_role")
    content = properties.get("content") or entry.get("message_field_content")
    columns: dict[str, Any] = {"tools": entry.get("field_tools"), "system": entry.get("field_system")}
    if form == "messages":
        form = "sharegpt" if role == "from" else form
        turns, who, what = ("conversations", "from", "value") if form == "sharegpt" else ("messages", "role", "content")
        columns |= {turns: entry.get("field_messages"), who: role, what: content}
    elif form == "text":
        columns = {"text": entry.get("field")}
    columns = {part: column for part, column in columns.items() if column not in (None, part)}
    roles = {name: ours for ours, names in (entry.get("roles") or {}).items() for name in names if name != ours}
    return keys | {"format": form} | ({"columns": columns} if columns else {}) | ({"roles": roles} if roles else {})


def _of_fields(kind: Mapping[str, Any]) -> dict[str, Any]:
    """A type of one's own: the names of its fields, and a format around instruction and input."""
    asked, given = kind.get("field_instruction", "instruction"), kind.get("field_input", "input")
    answer, system = kind.get("field_output", "output"), kind.get("system_prompt")
    if kind.get("format"):
        user = str(kind["format"]).replace("{instruction}", f"{{{asked}}}").replace("{input}", f"{{{given}}}")
        template = {**({"system": system} if system else {}), "user": user, "assistant": f"{{{answer}}}"}
        return {"template": template}
    parts = {"instruction": asked, "input": given, "output": answer, "system": kind.get("field_system")}
    columns = {part: column for part, column in parts.items() if column not in (None, part)}
    return {"format": "alpaca", **({"columns": columns} if columns else {}), **({"system": system} if system else {})}
