"""Where the weights of an arm come from, when they were not trained: part of the way from the base to another arm."""

from collections.abc import Mapping
from typing import NamedTuple

from mixwright.reporting.contents import Arm, RunContents


class Origin(NamedTuple):
    """An interpolated arm: `weight` 0 is the base, 1 the arm `parent`; None where the files do not say."""

    parent: str
    weight: str | None

    @property
    def told(self) -> str:
        way = f"{self.weight} of the way" if self.weight else "part of the way"
        return f"interpolated {way} from the base to {self.parent}, not trained"


def origins(run: RunContents) -> dict[str, Origin]:
    """The interpolated arms of a run; without a lock nothing is known about any."""
    recipe = (run.lock or {}).get("recipe")
    written = recipe.get("arms") if isinstance(recipe, Mapping) else None
    if not isinstance(written, Mapping):
        return {}
    return {
        arm.name: Origin(str(settings["interpolate"]), _weight(arm, settings.get("weights")))
        for arm in run.arms
        if isinstance(settings := written.get(arm.name), Mapping) and settings.get("interpolate")
    }


def _weight(arm: Arm, weights: object) -> str | None:
    if arm.choice:
        return arm.choice.chosen.removeprefix("weight=")
    return str(weights[0]) if isinstance(weights, list) and len(weights) == 1 else None
