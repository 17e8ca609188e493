"""The data sets of an Axolotl configuration as a recipe."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from mixwright.ground.errors import InputError
from mixwright.sources.files.data_file import kind_of
from mixwright.sources.imports.axolotl_answers import DOCUMENT, reading_of
from mixwright.sources.imports.axolotl_preferences import judged_of
from mixwright.sources.imports.block import Block, read_config
from mixwright.sources.imports.gathered import Gathering, Listed, name_of, split_of
from mixwright.sources.imports.imported import Imported, finished, located
from mixwright.sources.imports.settings import (
    Names,
    base_of,
    budget_of,
    hold_out,
    left_over,
    run_of,
    turns_framed,
    warmed_up,
)
from mixwright.sources.imports.shares import mixed

NAMES = Names(
    length=("sequence_len", 512),
    rows=("micro_batch_size", 1),
    epochs=("num_epochs", 1.0),
    schedule=("lr_scheduler", "cosine"),
    optimizer="optimizer",
    capped=True,
)
BUILDERS = ("json", "csv", "parquet", "arrow", "text")  # of the library datasets: a path that says how to read files
ADAPTERS = ("lora", "qlora")
PAIRED = ("dpo", "ipo", "orpo", "simpo")
REWARDED = "learns from rewards, not from answers"


def from_axolotl(file: Path, general: Collection[str] = (), without: Collection[str] = ()) -> Imported:
    """general, without: names of data sets that keep abilities, and to leave out. Raises InputError for a configuration
    without data sets, and for all of them together that have no counterpart."""
    found = read_config(file)
    gathering = Gathering(file, without)
    notes, framed = gathering.notes, _framed(found)
    judged = _judged(found)
    entries = _entries(found, notes)
    for number, entry in enumerate(entries, 1):
        where = f"{file}: data set {number}"
        block = Block(entry if isinstance(entry, Mapping) else {"path": entry}, where)
        for one in _by_configuration(block):
            _gather(one, judged, framed, gathering)
    gathering.finish(general)
    if found.any("test_datasets"):
        notes.append("'test_datasets' have no counterpart: add 'suites' for what the model is to be asked.")
    mix = mixed(gathering)
    packing = found.flag("sample_packing") or bool(found.any("pretraining_sample_concatenation"))
    adapter = found.text("adapter")
    if adapter and adapter not in ADAPTERS:
        notes.append(f"'adapter: {adapter}' has no counterpart: all parameters are trained.")
    run = run_of(found, NAMES, notes, packing=packing, lora=adapter in ADAPTERS)
    hold_out(run, NAMES.held_out, mix, gathering)
    budget, steps = budget_of(run, NAMES, mix, notes)
    warmed_up(found, run.train, steps, notes)
    _on_every_source(found, gathering, on_inputs=found.flag("train_on_inputs") and not judged)
    blend: dict[str, Any] = {"unit": "records", "shares": {name: str(share) for name, share in mix.shares.items()}}
    blend |= {"budget": budget, "packing": packing}
    base = base_of(found, "base_model", "revision_of_model", file, notes)
    notes += [*turns_framed(framed), *left_over(found)]
    recipe = {"mixwright": 1, "name": name_of(file.name), "base": base, "sources": gathering.sources}
    return finished({**recipe, "blend": blend, "train": run.train}, notes, file)


def _entries(found: Block, notes: list[str]) -> list[Any]:
    entries, streamed = found.any("datasets"), found.any("pretraining_dataset")
    if streamed:
        if entries:
            notes.append("'datasets' are left out: Axolotl reads 'pretraining_dataset' alone where both are given.")
        listed = streamed if isinstance(streamed, list) else [streamed]
        if len(listed) > 1:
            notes.append("Of 'pretraining_dataset' Axolotl reads the first entry alone.")
        first = listed[0]
        return [{"type": DOCUMENT, **(first if isinstance(first, Mapping) else {"path": first})}]
    if not isinstance(entries, list) or not entries:
        fix = "Give an Axolotl configuration with a list 'datasets', or 'pretraining_dataset'."
        raise InputError("there are no data sets in it", where=found.where, fix=fix)
    return entries


def _by_configuration(entry: Block) -> list[Block]:
    """An entry for each of the configurations that it names in a list."""
    names = entry.any("name")
    return [entry.changed(name=name) for name in names] if isinstance(names, list) else [entry]


def _judged(found: Block) -> str:
    """How answers are judged: `pairs`, `labels`, or not at all. Raises InputError for what learns from rewards."""
    method = found.text("rl")
    if found.flag("process_reward_model") or (method and method not in (*PAIRED, "kto")):
        what = f"rl: {method}" if method else "process_reward_model"
        fix = "Import what the model is taught by examples: datasets without 'rl', or with rl: dpo or kto."
        raise InputError(f"'{what}' {REWARDED}", where=found.where, fix=fix)
    if found.flag("reward_model"):
        method = "reward_model: true"
    if not method:
        return ""
    found.any("rl_beta")
    return "labels" if method == "kto" else "pairs"


def _framed(found: Block) -> dict[str, str]:
    keys = ("chat_template", "chat_template_jinja")
    given = {key: found.text(key) for key in keys}
    return {key: value for key, value in given.items() if value and value != "tokenizer_default"}


def _gather(entry: Block, judged: str, framed: dict[str, str], gathering: Gathering) -> None:
    path, files = entry.any("path"), entry.any("data_files")
    told = files[0] if isinstance(files, list) and files and path in BUILDERS else files if path in BUILDERS else path
    name = gathering.name(told if isinstance(told, str) else "")
    if gathering.is_left_out(name):
        return
    with gathering.entry(name):
        path = entry.text("path")
        if not path:
            raise InputError("a data set needs a 'path'", where=entry.where, fix="Write path: owner/name, or a file.")
        origin, cut = _origin(entry, path, name, gathering)
        if judged:
            readings = judged_of(entry, judged, origin, framed, gathering.notes)
        else:
            readings = reading_of(entry, framed, gathering.notes)
        weight = entry.number("weight")
        times = Fraction(1) if weight is None else Fraction(str(weight))
        if times <= 0:
            raise entry.error("weight", "a number above 0", "Write the share of its rows that is kept.")
        shards = entry.count("shards", least=1) or 1
        entry.any("shards_idx" if shards > 1 else "preprocess_shards")
        if shards > 1:
            gathering.notes.append(
                f"'{name}': its share is that of one of {shards} shards, drawn from all of its rows."
            )
        if times < 1:
            gathering.notes.append(
                f"'{name}': its share is that of {float(times):g} of its rows, drawn from all of them."
            )
        gathering.add(name, origin, readings, Listed(name, times=times / shards, cut=cut))
        left = entry.left()
        if left:
            gathering.notes.append(f"'{name}': without counterpart: {', '.join(left)}.")


def _files(entry: Block) -> list[str]:
    files = entry.any("data_files")
    if isinstance(files, Mapping):  # by split
        return entry.block("data_files").texts("train")
    return entry.texts("data_files")


def _origin(entry: Block, path: str, name: str, gathering: Gathering) -> tuple[dict[str, Any], str]:
    """Where the rows come from, and the slice of them."""
    split, cut = split_of(entry.text("split", "train"), entry.where)
    if cut:
        gathering.notes.append(f"'{name}': rows are drawn from all of '{split}', as many as {cut} holds.")
    files, kind = _files(entry), entry.text("ds_type")
    config, revision = entry.text("name"), entry.text("revision")
    here = located(path, gathering.file)
    is_local = os.path.exists(here) or bool(kind_of(Path(path))) or path.startswith((".", "~", "/")) or "://" in path
    if path in BUILDERS and files:
        found = [located(one, gathering.file, _is_there) for one in files]
    elif files and (is_local or kind):
        found = [_in_folder(one, here, gathering.file) for one in files]
    elif files:
        repository = f"hf://datasets/{path}{f'@{revision}' if revision else ''}"
        found = [f"{repository}/{one}" for one in files]
    elif is_local or kind:
        found = [here]
    else:
        keys = {"hub": path, "config": config, "revision": revision, "split": split if split != "train" else ""}
        return {key: value for key, value in keys.items() if value}, cut
    if split != "train":
        gathering.notes.append(f"'{name}': files have no split '{split}' here: all their rows are read.")
    return {"path": found[0] if len(found) == 1 else found}, cut


def _in_folder(text: str, folder: str, file: Path) -> str:
    """A file of a data set that is a folder: seen from it, or from where the folder is seen."""
    inside = os.path.normpath(os.path.join(folder, text))
    outside = located(text, file, _is_there)
    return outside if _is_there(outside) and not _is_there(inside) else inside


def _is_there(path: str) -> bool:
    return os.path.exists(path) or bool(glob.glob(path))


def _on_every_source(found: Block, gathering: Gathering, *, on_inputs: bool) -> None:
    """What is said once for all data sets."""
    longer = found.text("excess_length_strategy", "drop")
    system = found.text("default_system_message")
    for keys in gathering.sources.values():
        if keys.get("format") == "text":
            continue
        keys |= {"loss": "all"} if on_inputs else {}
        keys |= {"longer": "truncate"} if longer == "truncate" else {}
        keys |= {"system": system} if system and "system" not in keys else {}
