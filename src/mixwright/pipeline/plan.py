"""`plan`: what a recipe will do and what its suites can certify, before anything is trained.

Data is really curated and tokenized (cheap, and cached for the run that follows), the mixer really runs; nothing is
trained or asked. Power rests on an assumption that is stated: that candidate and base differ on `DISCORDANCE` of the
items while truly being equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mixwright.evidence.clauses import clauses
from mixwright.ground.artefacts import read_json
from mixwright.items.suite import suite_about
from mixwright.pipeline.stages import Stages
from mixwright.statistics.planning import items_needed, power_of

DISCORDANCE = 0.10
POWER = 0.8
METHOD: Literal["score"] = "score"  # plans for the score interval the certificate will use


@dataclass(frozen=True)
class Plan:
    """attrition: by source. arms: `realised.json` by arm. clauses: name, kind, margin, items, power, items needed."""

    attrition: dict[str, Any]
    arms: dict[str, dict[str, Any]]
    clauses: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return {"attrition": self.attrition, "arms": self.arms, "clauses": self.clauses}


def make_plan(stages: Stages) -> Plan:
    """Raises InputError for whatever would also stop the run before training."""
    stages.check()
    corpus = stages.corpus()
    arms = {arm: read_json(stages.blend(arm) / "realised.json") for arm in stages.recipe.arm_names}
    found: list[dict[str, Any]] = []
    contract = stages.recipe.contract
    if contract is not None:
        about = {name: suite_about(suite.path) for name, suite in stages.suites.items()}
        for clause in clauses(contract, about):
            num_items = sum(about[suite]["abilities"][ability] for suite, ability in clause.strata)
            entry: dict[str, Any] = {
                "kind": clause.kind,
                "name": clause.name,
                "margin": clause.margin,
                "num_items": num_items,
            }
            if clause.kind == "keep":
                needed = items_needed(
                    discordance=DISCORDANCE,
                    distance=clause.margin,
                    confidence=contract.confidence,
                    power=POWER,
                    method=METHOD,
                )
                power = power_of(
                    num_items,
                    discordance=DISCORDANCE,
                    distance=clause.margin,
                    confidence=contract.confidence,
                    method=METHOD,
                )
                entry |= {"power": power, "items_needed": needed, "enough": power >= POWER}
            found.append(entry)
    return Plan(read_json(corpus / "attrition.json")["sources"], arms, found)
