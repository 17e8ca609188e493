"""The data sets of a LLaMA-Factory configuration, with their `dataset_info.json`, as a recipe."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.sources.imports.block import Block, exact, read_config
from mixwright.sources.imports.gathered import Gathering, Listed, name_of, split_of
from mixwright.sources.imports.imported import Imported, finished
from mixwright.sources.imports.llamafactory_forms import BREAK_NOTE, reading_of
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
from mixwright.sources.imports.shares import OVER, UNDER, Mixed, mixed

INFO = "dataset_info.json"
ONLINE, REMOTE = "ONLINE", "REMOTE:"
CONCAT, ONCE = "concat", "interleave_once"
TURNS = {"interleave_under": UNDER, "interleave_over": OVER}
STAGES = ("pt", "sft", "rm", "dpo", "kto")
NAMES = Names(
    length=("cutoff_len", 2048),
    rows=("per_device_train_batch_size", 8),
    epochs=("num_train_epochs", 3.0),
    schedule=("lr_scheduler_type", "linear"),
    optimizer="optim",
    rate=5e-5,
    warmup=0.0,
    rank=("lora_rank", 8),
    held_out="val_size",
)


def from_llamafactory(file: Path, general: Collection[str] = (), without: Collection[str] = ()) -> Imported:
    """general, without: names of data sets that keep abilities, and to leave out. Raises InputError for a configuration
    without `dataset`, and for all data sets together that `dataset_info.json` does not have, or that have no
    counterpart."""
    found = read_config(file)
    names = [name.strip() for text in found.texts("dataset") for name in text.split(",") if name.strip()]
    if not names:
        fix = "Give a LLaMA-Factory training configuration with 'dataset: name, name'."
        raise InputError("there are no data sets in it", where=str(file), fix=fix)
    stage = found.text("stage", "sft")
    if stage not in STAGES:
        fix = "Import what the model is taught by examples: stage pt, sft, dpo or kto."
        raise InputError(f"'stage: {stage}' learns from rewards, not from answers", where=str(file), fix=fix)
    gathering = Gathering(file, without)
    notes = gathering.notes
    most = found.count("max_samples", least=1)
    if most:
        notes.append(f"'max_samples': shares are those of {most} rows at most, drawn from all rows of a data set.")
    folder, info = _info(file, found)
    for given in names:
        _gather(given, folder, info, stage, most, gathering)
    gathering.finish(general)
    if found.any("eval_dataset"):
        notes.append("'eval_dataset' has no counterpart: add 'suites' for what the model is to be asked.")
    broken = [name for name, keys in gathering.sources.items() if keys.get("format") == "alpaca"]
    if broken:
        notes.append(f"{BREAK_NOTE}: {', '.join(broken)}.")
    mix = _mixed(found, names, gathering)
    kind = found.text("finetuning_type", "lora")
    if kind not in ("lora", "full"):
        notes.append(f"'finetuning_type: {kind}' has no counterpart: all parameters are trained.")
    packing = found.flag("packing") | found.flag("neat_packing") | (stage == "pt" and "packing" not in found)
    run = run_of(found, NAMES, notes, packing=packing, lora=kind == "lora")
    hold_out(run, NAMES.held_out, mix, gathering)
    budget, steps = budget_of(run, NAMES, mix, notes)
    warmed_up(found, run.train, steps, notes)
    _on_every_source(found, gathering)
    blend: dict[str, Any] = {"unit": "records", "shares": {name: str(share) for name, share in mix.shares.items()}}
    blend |= {"budget": budget, "packing": packing}
    base = base_of(found, "model_name_or_path", "model_revision", file, notes)
    template = found.text("template")
    notes += [*turns_framed({"template": template} if template and stage != "pt" else {}), *left_over(found)]
    recipe = {"mixwright": 1, "name": name_of(file.name), "base": base, "sources": gathering.sources}
    return finished({**recipe, "blend": blend, "train": run.train}, notes, file)


def _info(file: Path, found: Block) -> tuple[Path, Block | None]:
    """The folder of `dataset_info.json`, as seen from the configuration or the folders above it, and what it holds;
    None where names are those of data sets on the hub."""
    given = found.text("dataset_dir", "data")
    if given == ONLINE:
        return file.parent, None
    if given.startswith(REMOTE):
        fix = f"Fetch its {INFO}, and name its folder by dataset_dir."
        raise InputError(f"the data sets of '{given}' are not at hand", where=str(file), fix=fix)
    here = file.resolve().parent
    for start in (here, *here.parents, Path.cwd()):
        if os.path.isfile(start / given / INFO):
            return start / given, read_config(start / given / INFO)
    fix = f"Put {INFO} into the folder that dataset_dir names, seen from the configuration."
    raise InputError(f"there is no {given}/{INFO}", where=str(file), fix=fix)


def _gather(given: str, folder: Path, info: Block | None, stage: str, most: int | None, gathering: Gathering) -> None:
    name = gathering.name(given)
    if gathering.is_left_out(name):
        return
    with gathering.entry(name):
        where = str(folder / INFO)
        entry = {"hf_hub_url": given} if info is None else info.any(given)
        if not isinstance(entry, Mapping):
            known = [] if info is None else info.given
            raise InputError(f"there is no data set '{given}'", where=where, fix=did_you_mean(given, known))
        block = Block(entry, f"{where}: {given}")
        origin, cut = _origin(block, name, folder, gathering.notes)
        reading = reading_of(block, stage, gathering.notes)
        exactly = block.count("num_samples", least=1)
        if exactly:
            gathering.notes.append(f"'{name}': its share is that of {exactly} rows, drawn from all it has.")
        listed = Listed(name, cut=cut, most=most or None, exactly=min(exactly, most or exactly) if exactly else None)
        gathering.add(name, origin, [reading], listed)
        if block.left():
            gathering.notes.append(f"'{name}': without counterpart: {', '.join(block.left())}.")


def _origin(entry: Block, name: str, folder: Path, notes: list[str]) -> tuple[dict[str, Any], str]:
    split, cut = split_of(entry.text("split", "train"), entry.where)
    if cut:
        notes.append(f"'{name}': rows are drawn from all of '{split}', as many as {cut} holds.")
    hub, subset, revision = entry.text("hf_hub_url"), entry.text("subset"), entry.text("revision")
    below = entry.text("folder")
    if hub:
        for key in ("ms_hub_url", "om_hub_url", "script_url", "cloud_file_name", "file_name"):
            entry.any(key)  # passed over there, too
        if below:
            return {"path": f"hf://datasets/{hub}{f'@{revision}' if revision else ''}/{below}"}, cut
        keys = {"hub": hub, "config": subset, "revision": revision, "split": split if split != "train" else ""}
        return {key: value for key, value in keys.items() if value}, cut
    others = [key for key in ("ms_hub_url", "om_hub_url", "script_url") if key in entry]
    path = entry.text("cloud_file_name") or entry.text("file_name")
    if others or not path:
        fix = "Give it 'file_name', or 'hf_hub_url'."
        found = f"'{others[0]}' has no counterpart" if others else "it says of no file where it is"
        raise InputError(found, where=entry.where, fix=fix)
    if split != "train":
        notes.append(f"'{name}': files have no split '{split}' here: all their rows are read.")
    return {"path": path if "://" in path else os.path.normpath(folder.resolve() / path)}, cut


def _mixed(found: Block, names: list[str], gathering: Gathering) -> Mixed:
    """The shares, by rows or by turns."""
    strategy, given = found.text("mix_strategy", CONCAT), found.any("interleave_probs")
    if strategy in (CONCAT, ONCE):
        if strategy == ONCE:
            gathering.notes.append(f"'{ONCE}' reads each row once: shares are by rows, over the whole run alike.")
        return mixed(gathering)
    if strategy not in TURNS:
        raise found.error("mix_strategy", "a strategy that is known", did_you_mean(strategy, (CONCAT, ONCE, *TURNS)))
    if given is None:
        return mixed(gathering, TURNS[strategy])
    listed = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else []
    parts = [part for part in map(exact, listed) if part is not None and part > 0]
    if not len(parts) == len(listed) == len(names):
        raise found.error("interleave_probs", "a number for each data set", "Give one positive number for each.")
    kept = [part for part, name in zip(parts, gathering.names, strict=True) if not gathering.is_left_out(name)]
    return mixed(gathering, TURNS[strategy], kept)


def _on_every_source(found: Block, gathering: Gathering) -> None:
    """What is said once for all data sets. LLaMA-Factory cuts what is too long."""
    on_prompt, system = found.flag("train_on_prompt"), found.text("default_system")
    if found.flag("mask_history"):
        gathering.notes.append(
            "'mask_history' has no counterpart: all the assistant's turns are learnt, not only the last."
        )
    for keys in gathering.sources.values():
        if keys.get("format") == "text":
            continue
        keys |= {"loss": "all"} if on_prompt else {}
        keys |= {"longer": "truncate", **({"system": system} if system else {})}
