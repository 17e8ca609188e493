"""The mix of a run, finished or not, opened from its folder alone: for `trace`, exports and other trainers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mixwright.blend.mixer import MixPlan
from mixwright.blend.plan import mix_plan, started
from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError, did_you_mean
from mixwright.recipe.load import load_recipe
from mixwright.recipe.schema import MAIN_ARM
from mixwright.tokens.store import TokenStore


@dataclass(frozen=True)
class Mix:
    """What an arm of a run trains on. blend: the folder of its blend stage; num_steps: those of the whole plan."""

    arm: str
    plan: MixPlan
    stores: dict[str, TokenStore]
    blend: Path
    num_steps: int


def open_mix(run: Path, arm: str = MAIN_ARM) -> Mix:
    """Raises InputError for a folder that is no run with a blend, and for an unknown arm."""
    if not (run / "lock.json").is_file():
        raise InputError("this is not a run directory", where=str(run), fix="Give the folder that a run has printed.")
    recipe = load_recipe(run / "recipe.yaml").recipe
    if arm not in recipe.arm_names:
        raise InputError(f"no arm is called '{arm}'", where="--arm", fix=did_you_mean(arm, recipe.arm_names))
    folder = run / "arms" / arm / "blend"
    if not (folder / "realised.json").is_file():
        raise InputError("the run has not reached its blend", where=str(run), fix="Give its command again.")
    blend = recipe.arm_blend(recipe.parent(arm))
    stores = {name: TokenStore(run / "tokens" / name) for name in blend.source_names}
    plan = replace(mix_plan(blend, recipe.train, recipe.sources, stores), start=started(folder))
    return Mix(arm, plan, stores, folder, int(read_json(folder / "realised.json")["num_steps"]))
