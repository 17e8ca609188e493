"""What the items at hand can certify, before anything is trained.

It rests on assumptions that the contract states (`planning`): the share of items on which candidate and base differ
while nothing is truly lost, and how alike items of one cluster are. Power multiplies over clauses, so a contract of
many clauses needs more than the power of one: the probability that all hold is shown too, as if independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from mixwright.evidence.clauses import Clause, clauses
from mixwright.ground.hashing import Json
from mixwright.recipe.contract import Contract, Planning
from mixwright.statistics.exact import items_for_rate, rate_power
from mixwright.statistics.planning import (
    composite_error,
    error_of,
    items_for_variance,
    items_needed,
    power_for_error,
    power_of,
)
from mixwright.statistics.sequential import Assumption, sequential_plan

_HALVINGS = 30


class PlannedClause(NamedTuple):
    """What a clause can show. power: to pass if nothing is lost and nothing at fault. items_needed: in all, for the
    planned power. detectable: of an improvement, the smallest true gain that passes with the planned power, None if
    none does. share_used: of the items, where the contract stops early."""

    clause: Clause
    num_items: int
    num_clusters: int
    power: float | None
    items_needed: int | None
    detectable: float | None
    share_used: float | None
    enough: bool

    def as_json(self) -> dict[str, Json]:
        clause = self.clause
        about: dict[str, Json] = {"kind": clause.kind, "name": clause.name, "test": clause.test}
        rest = {name: value for name, value in self._asdict().items() if name != "clause"}
        return {**about, "margin": clause.margin, **rest}


def plan_clauses(contract: Contract, suites: Mapping[str, Mapping[str, Any]]) -> list[PlannedClause]:
    """Every clause with its power. suites: `suite.json` by name. Raises InputError as `clauses`."""
    return [_planned(clause, contract, suites) for clause in clauses(contract, suites)]


class _Stratum(NamedTuple):
    num_items: int
    num_clusters: int

    def effect(self, planning: Planning) -> float:
        return 1.0 + (self.num_items / self.num_clusters - 1.0) * planning.correlation


def _planned(clause: Clause, contract: Contract, suites: Mapping[str, Mapping[str, Any]]) -> PlannedClause:
    planning = contract.planning
    strata = [
        _Stratum(suites[suite]["abilities"][ability], suites[suite]["clusters"][ability])
        for suite, ability in clause.strata
    ]
    num_items, num_clusters = (sum(counts) for counts in zip(*strata, strict=True))
    found = PlannedClause(clause, num_items, num_clusters, None, None, None, None, True)
    if clause.test == "superiority":
        gain = _detectable(clause.margin, strata, contract)
        return found._replace(detectable=gain, enough=gain is not None)
    if contract.stopping == "sequential":
        return _sequential(found, strata, contract)
    if clause.test == "rate":
        effect = max(stratum.effect(planning) for stratum in strata)
        needed = math.ceil(effect * items_for_rate(clause.margin, confidence=contract.confidence))
        power = rate_power(int(num_items / effect), clause.margin, confidence=contract.confidence)
    else:
        needed, power = _noninferior(clause.margin, strata, contract)
    return found._replace(power=power, items_needed=needed, enough=power >= planning.power)


def _noninferior(margin: float, strata: list[_Stratum], contract: Contract) -> tuple[int, float]:
    planning, confidence = contract.planning, contract.confidence
    if len(strata) == 1:
        effect = strata[0].effect(planning)
        needed = items_needed(
            discordance=planning.discordance,
            distance=margin,
            confidence=confidence,
            power=planning.power,
            design_effect=effect,
            method="score",
        )
        power = power_of(
            strata[0].num_items,
            discordance=planning.discordance,
            distance=margin,
            confidence=confidence,
            design_effect=effect,
            method="score",
        )
        return needed, power
    error = _error(strata, planning.discordance, 0.0, planning)
    variance = error**2 * sum(stratum.num_items for stratum in strata)
    needed = items_for_variance(variance, distance=margin, confidence=confidence, power=planning.power)
    return needed, power_for_error(error, distance=margin, confidence=confidence)


def _error(strata: list[_Stratum], discordance: float, difference: float, planning: Planning) -> float:
    errors = [
        error_of(
            stratum.num_items,
            discordance=discordance,
            true_difference=difference,
            design_effect=stratum.effect(planning),
        )
        for stratum in strata
    ]
    return composite_error(errors)


def _detectable(margin: float, strata: list[_Stratum], contract: Contract) -> float | None:
    """The smallest true gain above the margin that passes with the planned power."""
    planning = contract.planning

    def passes(gain: float) -> bool:
        error = _error(strata, max(planning.discordance, gain), gain, planning) or 1e-9
        return power_for_error(error, distance=gain - margin, confidence=contract.confidence) >= planning.power

    low, high = margin, 0.999
    if not passes(high):
        return None
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if passes(middle) else (middle, high)
    return high


def _sequential(found: PlannedClause, strata: list[_Stratum], contract: Contract) -> PlannedClause:
    planning = contract.planning
    weights = [found.num_items / (len(strata) * stratum.num_items) for stratum in strata]
    sizes = [
        weight * stratum.num_items / stratum.num_clusters
        for stratum, weight in zip(strata, weights, strict=True)
        for _ in range(stratum.num_clusters)
    ]
    discordance = planning.discordance if found.clause.test == "noninferiority" else 1e-4
    assumed = Assumption(discordance, 0.0, planning.correlation)
    plan = sequential_plan(sizes, found.clause.threshold, confidence=contract.confidence, assumption=assumed)
    return found._replace(power=plan.power, share_used=plan.share_used, enough=plan.power >= planning.power)
