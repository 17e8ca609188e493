"""How it is trained, as tools on top of the Hugging Face Trainer say it, in the keys of a recipe."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from mixwright.sources.imports.block import Block
from mixwright.sources.imports.gathered import Gathering
from mixwright.sources.imports.imported import located
from mixwright.sources.imports.shares import Mixed

SCHEDULES = {
    "linear": "linear",
    "cosine": "cosine",
    "constant": "constant",
    "constant_with_warmup": "constant",
    "warmup_stable_decay": "wsd",
}
PLAIN_ADAMW = ("adamw", "adamw_hf", "adamw_torch", "adamw_torch_fused")


class Names(NamedTuple):
    """What a tool calls them, and what holds where nothing is said: of each first its key. capped: whether `max_steps`
    only ever shortens a run."""

    length: tuple[str, int]
    rows: tuple[str, int]  # of a device at once
    epochs: tuple[str, float]
    schedule: tuple[str, str]
    optimizer: str
    rate: float | None = None
    warmup: float | None = None
    rank: tuple[str, int | None] = ("lora_r", None)
    held_out: str = "val_set_size"
    capped: bool = False


class Run(NamedTuple):
    """What a recipe says of training. train: its keys. packing: whether a row holds several records. rows: of a step.
    held_out: the share or number of rows that is not trained on."""

    train: dict[str, Any]
    packing: bool
    epochs: Fraction
    max_steps: int
    rows: int
    held_out: Fraction

    def holdout(self, mix: Mixed) -> Fraction | None:
        """The share of rows that is not trained on; None where that cannot be known."""
        if self.held_out < 1:
            return self.held_out
        return None if mix.records is None or self.held_out >= mix.records else self.held_out / mix.records


def run_of(found: Block, names: Names, notes: list[str], *, packing: bool, lora: bool) -> Run:
    """The training that a configuration asks for. Raises InputError for a value of the wrong kind."""
    length = found.count(names.length[0]) or names.length[1]
    at_once = found.count(names.rows[0]) or names.rows[1]
    rows = at_once * (found.count("gradient_accumulation_steps") or 1)
    epochs = found.number(names.epochs[0])
    epochs = names.epochs[1] if epochs is None else epochs
    max_steps = max(0, found.count("max_steps", least=-1) or 0)
    if epochs <= 0 and not max_steps:
        raise found.error(names.epochs[0], "a number above 0", "Write how many epochs it is to be.")
    train: dict[str, Any] = {}
    if lora:
        train |= {"method": "lora", "lora": _lora(found, names, notes)}
    train |= {"optimizer": _optimizer(found, names, notes, lora=lora)}
    rate = found.number("learning_rate")
    train |= {"learning_rate": names.rate if rate is None else rate}
    train |= {"weight_decay": found.number("weight_decay"), "gradient_clip": found.number("max_grad_norm")}
    train |= {"sequence_length": length, "batch_tokens": rows * length, "micro_batch_rows": at_once}
    train |= {"precision": "bf16" if found.any("bf16") is True else None, "seed": found.count("seed")}
    schedule = found.text(names.schedule[0], names.schedule[1])
    train["schedule"] = SCHEDULES.get(schedule, "cosine")
    if schedule not in SCHEDULES:
        notes.append(f"'{names.schedule[0]}: {schedule}' has no counterpart: 'schedule: cosine' stands in for it.")
    ratio = found.number("warmup_ratio")
    train["warmup"] = names.warmup if ratio is None else ratio
    held_out = Fraction(str(found.number(names.held_out) or 0))
    used = {key: value for key, value in train.items() if value is not None}
    return Run(used, packing, Fraction(str(epochs)), max_steps, rows, held_out)


def _lora(found: Block, names: Names, notes: list[str]) -> dict[str, Any]:
    rank, alpha, dropout = found.count(names.rank[0]), found.count("lora_alpha"), found.number("lora_dropout")
    rank = names.rank[1] if rank is None else rank
    alpha = 2 * rank if alpha is None and rank is not None and names.rank[1] is not None else alpha
    beside = [*found.texts("lora_modules_to_save"), *found.text("additional_target").split(",")]
    for key in ("lora_target_modules", "lora_target"):
        targets = [name for text in found.texts(key) for name in text.split(",")]
        if targets and targets not in (["all"], ["all-linear"]):
            notes.append(f"'{key}: {', '.join(targets)}': adapters are on every linear layer here.")
    found.any("lora_target_linear")
    embeddings = any("embed" in name for name in beside)
    lora = {"rank": rank, "alpha": alpha, "dropout": dropout, "embeddings": embeddings}
    return {key: value for key, value in lora.items() if value is not None}


def _optimizer(found: Block, names: Names, notes: list[str], *, lora: bool) -> str | None:
    given = found.text(names.optimizer)
    if given == "muon" and not lora:
        return "muon"
    if given and given not in PLAIN_ADAMW:
        notes.append(f"'{names.optimizer}: {given}' is 'optimizer: adamw' here.")
    return None


def budget_of(run: Run, names: Names, mix: Mixed, notes: list[str]) -> tuple[dict[str, Any], int | None]:
    """How long is trained, and how many steps that is, where it is known."""
    if run.max_steps and run.packing:
        tokens = run.max_steps * run.train["batch_tokens"]
        notes.append(f"'max_steps: {run.max_steps}' is a budget of as many tokens as so many full batches hold.")
        return {"tokens": tokens}, run.max_steps
    epochs, steps = run.epochs, None
    records = None if mix.records is None else mix.records * (1 - (run.holdout(mix) or 0))
    if run.max_steps and records:
        limit = Fraction(run.max_steps * run.rows) / records
        epochs = min(limit, epochs) if names.capped and epochs > 0 else limit
    elif run.max_steps:
        epochs = epochs if epochs > 0 else Fraction(1)
        notes.append(
            f"'max_steps: {run.max_steps}' of {run.rows} records each is {run.max_steps * run.rows:,} records; how "
            f"many passes that is cannot be known from here: set blend.budget, which stands at {float(epochs):g}."
        )
    if records and not run.packing:
        steps = max(1, round(epochs * records / run.rows))
    passes = epochs if mix.passes is None else epochs * mix.passes
    return {"domain_epochs": round(float(passes), 6)}, steps


def warmed_up(found: Block, train: dict[str, Any], steps: int | None, notes: list[str]) -> None:
    """Put a warm-up of so many steps into the settings, as a share of all."""
    given = found.number("warmup_steps")
    if not given:
        return
    if given < 1:  # newer trainers take a share by the same key
        train["warmup"] = given
    elif steps is None:
        notes.append(f"'warmup_steps: {given:g}' is a share of all steps here: set train.warmup.")
    else:
        train["warmup"] = round(min(given / steps, 0.99), 6)


def hold_out(run: Run, key: str, mix: Mixed, gathering: Gathering) -> None:
    """Keep the rows away from training that the tool keeps for its validation."""
    if not run.held_out:
        return
    share = run.holdout(mix)
    if share is None or share <= 0:
        size = float(run.held_out)
        gathering.notes.append(f"'{key}: {size:g}': nothing is held out here; set 'holdout' of the sources.")
        return
    for keys in gathering.sources.values():
        keys["holdout"] = round(float(share), 6)
    gathering.notes.append(
        f"'{key}' is 'holdout: {float(share):.3g}' of each source: add 'suites' of what is held out, to be asked."
    )


def left_over(found: Block) -> list[str]:
    """The line about keys of a configuration that have no counterpart."""
    left = found.left()
    return [f"Without counterpart here: {', '.join(left)}."] if left else []


def base_of(found: Block, key: str, revision_key: str, file: Path, notes: list[str]) -> dict[str, Any]:
    """The base model, or a variable where none is named. file: the configuration."""
    model, revision = found.text(key), found.text(revision_key)
    if not model:
        notes.append(f"There is no '{key}' in it: give the base model with --set base=...")
        return {"model": "${base}"}
    place = located(model, file)
    is_local = os.path.isdir(place) or model.startswith((".", "~", "/"))
    return {"model": place if is_local else model, **({"revision": revision} if revision else {})}


def turns_framed(given: dict[str, str]) -> list[str]:
    """The line about chat templates of the other tool. given: what stands there, and why it is one."""
    if not given:
        return []
    listed = ", ".join(f"'{key}: {value}'" for key, value in given.items())
    return [f"Turns are framed here as the base model's own chat template has it, not as {listed} would."]
