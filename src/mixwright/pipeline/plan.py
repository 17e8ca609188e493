"""`plan`: what a recipe will do and what its suites can certify, before anything is trained.

Data is really curated and tokenized (cheap, and cached for the run that follows), the mixer really runs; nothing is
trained or asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mixwright.evidence.planning import PlannedClause, plan_clauses
from mixwright.ground.artefacts import read_json
from mixwright.ground.hashing import Json
from mixwright.items.suite import suite_about
from mixwright.pipeline.attrition import attrition
from mixwright.pipeline.stages import Stages
from mixwright.recipe.contract import Contract
from mixwright.recipe.schema import Recipe


@dataclass(frozen=True)
class Plan:
    """attrition: what became of every source's rows, see `pipeline.attrition`. arms: `realised.json` by arm. ask_for:
    of generated suites, the items per ability with which the contract would have its planned power."""

    attrition: dict[str, Any]
    arms: dict[str, dict[str, Any]]
    contract: Contract | None
    clauses: Sequence[PlannedClause]
    ask_for: Mapping[str, int]

    @property
    def power_of_all(self) -> float:
        """The probability that all clauses pass that have a power, as if they were independent."""
        return math.prod(clause.power for clause in self.clauses if clause.power is not None)

    def as_json(self) -> dict[str, Json]:
        return {
            "attrition": self.attrition,
            "arms": self.arms,
            "clauses": [clause.as_json() for clause in self.clauses],
            "power_of_all": self.power_of_all,
            "ask_for": dict(self.ask_for),
        }


def make_plan(stages: Stages) -> Plan:
    """Raises InputError for whatever would also stop the run before training."""
    stages.check()
    corpus = stages.corpus()
    arms = {arm: read_json(stages.blend(arm) / "realised.json") for arm in stages.recipe.arm_names}
    contract = stages.recipe.contract
    about = {name: suite_about(suite.path) for name, suite in stages.suites.items()}
    found = plan_clauses(contract, about) if contract is not None else []
    tokenized = {name: stages.tokens(name).manifest["counts"] for name in stages.recipe.sources}
    rows = attrition(read_json(corpus / "attrition.json")["sources"], tokenized)
    return Plan(rows, arms, contract, found, _ask_for(found, stages.recipe))


def _ask_for(planned: Sequence[PlannedClause], recipe: Recipe) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for entry in planned:
        if entry.enough or entry.items_needed is None:
            continue
        for name in {suite for suite, _ in entry.clause.strata}:
            now = recipe.suites[name].items_per_ability
            if now is not None:
                wanted[name] = max(wanted.get(name, 0), math.ceil(now * entry.items_needed / entry.num_items))
    return wanted
