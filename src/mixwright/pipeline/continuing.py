"""Going on with another recipe: `run --resume RUN --with new.yaml`.

Weights, optimizer and every source's place are those of the run's last checkpoint; shares, sources and budget are the
new recipe's. The checkpoint is kept as an artefact of its own, which the new run's lock names: that is the record of
the change. What cannot be gone on with is refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mixwright.blend.mixer import MixerState
from mixwright.ground.artefacts import SCRATCH, Artefact, open_artefact, read_json, write_json
from mixwright.ground.errors import InputError
from mixwright.ground.executor import InProcess
from mixwright.ground.hashing import Json, file_digest
from mixwright.ground.store import NotBuilt, Store
from mixwright.pipeline.lock import Lock, make_lock
from mixwright.pipeline.stages import Stages
from mixwright.recipe.load import load_recipe
from mixwright.recipe.schema import MAIN_ARM
from mixwright.training.checkpoint import CHECKPOINT, newest_checkpoint

CONTINUED = Path("arms") / MAIN_ARM / "continued"  # in a run directory


def continue_from(run: Path, out: Path) -> Artefact:
    """The last checkpoint of a run's blend, as an artefact in the store of `out`, for `run_recipe(continued=...)`.

    Raises InputError where there is none, or where the run's data or code are no longer what they were.
    """
    before = Store(run.parent / "store", make_missing=False)
    stages = Stages(locked_again(run, before), before, InProcess())
    try:
        training = _training(stages)
        plan = stages.mix_plan(MAIN_ARM)
        tokens = {name: stages.tokens(name).digest for name in plan.names}
    except NotBuilt as error:
        fix = "Data or code have changed since, or its store is gone. Start from the run's model, or anew."
        raise InputError(
            f"the run cannot be found again: '{error.label}' is missing", where=str(run), fix=fix
        ) from None
    checkpoint = newest_checkpoint(training)
    if checkpoint is None:
        fix = "Let it reach a checkpoint. A finished run has one when its recipe says train.keep_checkpoint: true."
        raise InputError("the run has no checkpoint to go on from", where=str(run), fix=fix)
    state = read_json(checkpoint / "state.json")
    place = MixerState(**state["mixer"])
    about: dict[str, Json] = {
        "run": read_json(run / "run.json")["lock"] if (run / "run.json").exists() else stages.lock.id,
        "base": stages.lock.base.sha256,
        "learns": learns(stages.lock),
        "unit": plan.unit,
        "weights": {**plan.weights(place.stage, place.gone)},
        "tokens": {**tokens},
        "state": place.as_json(),
    }

    def make(folder: Path) -> Mapping[str, Json]:
        try:
            shutil.copytree(checkpoint, folder / CHECKPOINT / checkpoint.name)
        except (OSError, shutil.Error):
            fix = "Stop it first."
            raise InputError("the run is still training", where=str(run), fix=fix) from None
        write_json(folder / "continued.json", about)
        return {"step": place.step, "tokens": place.tokens}

    files = {path.name: file_digest(path) for path in sorted(checkpoint.iterdir())}
    return Store(out / "store").build(
        "continue", "continue", inputs={}, config={**about, "files": {**files}}, make=make
    )


def _training(stages: Stages) -> Path:
    """The folder with the checkpoints of a run's blend."""
    if len(stages.recipe.arm_candidates(MAIN_ARM)) > 1:
        fix = "Give the new recipe the model of one of them as base.model."
        raise InputError("the run tries several settings, each with checkpoints of its own", where="tune", fix=fix)
    try:
        return stages.model(MAIN_ARM) / CHECKPOINT
    except NotBuilt as error:
        if not error.label.startswith("train"):
            raise
        return error.work / SCRATCH


def threads_of(run: Path) -> int:
    """The threads that a run computes with. Raises InputError where that is no run."""
    if not (run / "lock.json").is_file():
        raise InputError("this is not a run directory", where=str(run), fix="Give the folder that a run has printed.")
    return int(read_json(run / "lock.json")["threads"])


def locked_again(run: Path, store: Store) -> Lock:
    """The lock of a run, made anew from its folder. Raises InputError where that is no run or its files are gone."""
    threads = threads_of(run)
    lock = make_lock(load_recipe(run / "recipe.yaml"), store.file_digest, threads)
    return replace(lock, continued=open_artefact(run / CONTINUED))


def learns(lock: Lock) -> dict[str, Any]:
    """What must be the same for a checkpoint to fit: which weights are trained, and by which optimizer."""
    train = lock.recipe.train
    lora = train.lora.model_dump(mode="json") if train.method == "lora" else None
    return {"method": train.method, "lora": lora, "optimizer": train.optimizer}


def check_continued(lock: Lock) -> None:
    """Raise InputError when the lock's recipe cannot go on from where it is to."""
    if lock.continued is None:
        return
    about = read_json(lock.continued / "continued.json")
    if about["base"] != lock.base.sha256:
        fix = "Name the base of the run that goes on."
        raise InputError("the run has another base", where="base.model", fix=fix)
    if lock.recipe.tune is not None and len(lock.recipe.arm_candidates(MAIN_ARM)) > 1:
        fix = "Give one train.learning_rate instead."
        raise InputError("a run that goes on has one setting, not several to choose from", where="tune", fix=fix)
    if lock.recipe.repeats:
        fix = "Leave 'seeds' out, and train the recipe from the base to learn about training noise."
        raise InputError("a run that goes on has one past, not several seeds", where="contract.seeds", fix=fix)
    for key, value in learns(lock).items():
        if about["learns"][key] != value:
            message = f"the run that goes on was trained with {key} {about['learns'][key]}"
            raise InputError(message, where=f"train.{key}", fix="Leave it as it was.")
