"""The data sets of a LLaMA-Factory configuration, with their `dataset_info.json`, as a recipe."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.sources.imports.imported import (
    ALL_DOMAIN,
    Imported,
    checked,
    name_of,
    read_config,
    shares_by_rows,
    training,
)

INFO = "dataset_info.json"
TRAINING = {"cutoff_len": "sequence_length", "learning_rate": "learning_rate"}
UNDERSTOOD = {
    *("file_name", "hf_hub_url", "formatting", "columns", "tags", "subset", "split", "ranking", "folder"),
    *("ms_hub_url", "om_hub_url"),
}
TAGS = {"user_tag": "user", "assistant_tag": "assistant", "system_tag": "system", "observation_tag": "tool"}
USUAL_TAGS = {"human", "user", "gpt", "assistant", "system", "observation", "function_call"}


def from_llamafactory(file: Path, general: Collection[str] = ()) -> Imported:
    """Raises InputError for a configuration without `dataset`, and for names that `dataset_info.json` does not have."""
    found = read_config(file)
    names = found.get("dataset")
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else names
    if not isinstance(names, list) or not names:
        fix = "Give a LLaMA-Factory training configuration with 'dataset: name, name'."
        raise InputError("there are no data sets in it", where=str(file), fix=fix)
    folder = _folder(file, found)
    info = read_config(folder / INFO)
    warnings: list[str] = []
    sources: dict[str, dict[str, Any]] = {}
    for name in map(str, names):
        entry = info.get(name)
        if not isinstance(entry, Mapping):
            raise InputError(f"there is no data set '{name}'", where=str(folder / INFO), fix=did_you_mean(name, info))
        keys = _source(entry, folder, file.parent, f"{folder / INFO}: {name}")
        if found.get("stage") == "pt":
            keys = {key: value for key, value in keys.items() if key not in ("format", "columns")}
            keys |= {"format": "text", "columns": {"text": (entry.get("columns") or {}).get("prompt", "text")}}
        sources[name_of(name, sources)] = keys
        left = sorted(str(key) for key in entry if key not in UNDERSTOOD)
        if left:
            warnings.append(f"'{name}': without counterpart: {', '.join(left)}.")
    if not general:
        warnings.append(ALL_DOMAIN)
    checked(sources, general, file)
    probabilities = found.get("interleave_probs")
    if str(found.get("mix_strategy", "concat")).startswith("interleave") and probabilities:
        shares = _shares(probabilities, sources, str(file))
    else:
        shares = shares_by_rows(sources, warnings, file.parent)
    settings = training(found, TRAINING)
    if found.get("finetuning_type") == "lora":
        lora = training(found, {"lora_rank": "rank", "lora_alpha": "alpha", "lora_dropout": "dropout"})
        settings |= {"method": "lora", **({"lora": lora} if lora else {})}
    return Imported(
        {
            "mixwright": 1,
            "name": name_of(file.name),
            "base": {"model": found.get("model_name_or_path", "embedded:nano")},
            "sources": sources,
            "blend": {
                "unit": "records",
                "shares": shares,
                "budget": {"domain_epochs": float(found.get("num_train_epochs") or 3)},
            },
            **({"train": settings} if settings else {}),
        },
        warnings,
    )


def _folder(file: Path, found: Mapping[str, Any]) -> Path:
    """Where `dataset_info.json` lies: `dataset_dir`, as seen from the configuration or the folders above it."""
    given = str(found.get("dataset_dir", "data"))
    for start in (file.parent, *file.resolve().parents):
        if (start / given / INFO).is_file():
            return start / given
    fix = f"Put {INFO} into the folder that dataset_dir names, seen from the configuration."
    raise InputError(f"there is no {given}/{INFO}", where=str(file), fix=fix)


def _source(entry: Mapping[str, Any], folder: Path, root: Path, where: str) -> dict[str, Any]:
    keys: dict[str, Any] = {"role": "domain"}
    if entry.get("hf_hub_url"):
        keys["hub"] = entry["hf_hub_url"]
        keys |= {"config": entry["subset"]} if entry.get("subset") else {}
        keys |= {"split": entry["split"]} if entry.get("split", "train") != "train" else {}
    elif entry.get("file_name"):
        keys["path"] = os.path.relpath(folder / entry["file_name"], root)
    else:
        fix = "Give it 'file_name' or 'hf_hub_url'."
        raise InputError("only files and data sets of the Hugging Face hub have a counterpart", where=where, fix=fix)
    columns, tags = dict(entry.get("columns") or {}), dict(entry.get("tags") or {})
    is_pair = bool(entry.get("ranking"))
    if entry.get("formatting", "alpaca") == "sharegpt":
        turns = "prompt" if is_pair else "conversations"
        parts = {turns: columns.get("messages", "conversations"), "system": columns.get("system")}
        parts |= {"tools": columns.get("tools")}
        if not is_pair:
            parts |= {"from": tags.get("role_tag"), "value": tags.get("content_tag")}
        form = "sharegpt"
    else:
        parts = {"prompt" if is_pair else "instruction": columns.get("prompt", "instruction")}
        parts |= {"input": columns.get("query"), "system": columns.get("system"), "history": columns.get("history")}
        parts |= {} if is_pair else {"output": columns.get("response")}
        form = "alpaca"
    if is_pair:
        parts |= {"chosen": columns.get("chosen"), "rejected": columns.get("rejected")}
        form = "preference"
    named = {part: column for part, column in parts.items() if column not in (None, "", part)}
    roles = {tags[tag]: role for tag, role in TAGS.items() if tag in tags and tags[tag] not in USUAL_TAGS}
    return keys | {"format": form} | ({"columns": named} if named else {}) | ({"roles": roles} if roles else {})


def _shares(probabilities: Any, sources: Mapping[str, Any], where: str) -> dict[str, str]:
    given = probabilities.split(",") if isinstance(probabilities, str) else probabilities
    try:
        parts = [Fraction(str(part).strip()) for part in given]
    except (ValueError, TypeError):
        parts = []
    if len(parts) != len(sources) or any(part <= 0 for part in parts):
        fix = "Give one positive number for each data set."
        raise InputError(f"interleave_probs are {probabilities!r}", where=where, fix=fix)
    return {name: str(part / sum(parts)) for name, part in zip(sources, parts, strict=True)}
