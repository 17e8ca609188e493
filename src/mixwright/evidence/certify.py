"""The certificate: a verdict on every clause of the contract, with the numbers it rests on.

*Improve* is superiority by at least the margin, *keep* is non-inferiority within it; both are decided by one-sided
bounds on paired differences, so that the absence of a significant drop is never mistaken for the absence of a drop. All
clauses must pass (an intersection-union test: no correction of the level is needed). What can be proved neither way is
INCONCLUSIVE and says how many more items would probably settle it.

A *keep* clause protects nothing where the base scores no higher than the margin: it could not fail. Such an ability is
left out of `each_ability` and listed as unarmed; a clause that names it is INCONCLUSIVE.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mixwright.evidence.clauses import Clause, Stratum, clauses
from mixwright.evidence.differences import strata_difference
from mixwright.evidence.pairing import Pairs, pair
from mixwright.ground.artefacts import write_json
from mixwright.ground.hashing import Json
from mixwright.recipe.contract import Contract
from mixwright.statistics.decision import Verdict, combine, noninferiority, superiority
from mixwright.statistics.planning import items_to_settle, power_for_error


def certify(
    recipe: str,
    arm: str,
    contract: Contract,
    suites: Mapping[str, Mapping[str, Any]],
    candidate: Path,
    base: Path,
    evidence: Mapping[str, Json],
    out: Path,
) -> Mapping[str, Json]:
    """Write `certificate.json` of one arm. suites: `suite.json` by name. candidate, base: `records.parquet`.

    evidence: hashes of everything the verdict rests on. Raises InputError when the records cannot be compared.
    """
    strata = pair(candidate, base)
    judged: list[dict[str, Json]] = []
    unarmed: list[str] = []
    for clause in clauses(contract, suites):
        result = _judge(clause, strata, contract.confidence)
        if result["armed"] or clause.named:
            judged.append(result)
        else:
            unarmed.append(clause.name)
    # a contract of nothing but unarmed abilities certifies nothing
    verdict = combine(Verdict(str(result["verdict"])) for result in judged) if judged else Verdict.INCONCLUSIVE
    write_json(
        out / "certificate.json",
        {
            "mixwright": 1,
            "recipe": recipe,
            "arm": arm,
            "verdict": verdict.value,
            "confidence": contract.confidence,
            "clauses": judged,
            "unarmed": unarmed,
            "evidence": dict(evidence),
        },
    )
    return {"verdict": verdict.value, "clauses": len(judged)}


def _judge(clause: Clause, strata: Mapping[Stratum, Pairs], confidence: float) -> dict[str, Json]:
    difference = strata_difference(clause.strata, clause.metric, strata, confidence)
    armed = clause.kind == "improve" or difference.base_mean > clause.margin
    settle: str | None = None
    reason: str | None = None
    if not armed:
        verdict = Verdict.INCONCLUSIVE
        points = 100 * difference.base_mean
        reason = f"the base scores {points:.1f} here: a drop of {100 * clause.margin:g} points could not be seen"
    elif clause.kind == "improve":
        verdict = superiority(difference, clause.margin)
    else:
        verdict = noninferiority(difference, clause.margin)
    if armed and verdict is Verdict.INCONCLUSIVE:
        more = items_to_settle(difference, clause.threshold)
        settle = f"about {more:,} more items" if more else "no realistic number of items: the effect lies at the margin"
    parse = strata_difference(clause.strata, "parse_rate", strata, confidence)
    power = power_for_error(difference.standard_error, distance=clause.margin, confidence=confidence)
    return {
        "kind": clause.kind,
        "name": clause.name,
        "metric": clause.metric,
        "verdict": verdict.value,
        "armed": armed,
        "estimate": difference.estimate,
        "low": difference.low,
        "high": difference.high,
        "margin": clause.margin,
        "threshold": clause.threshold,
        "base": difference.base_mean,
        "candidate": difference.candidate_mean,
        "parse_rate_base": parse.base_mean,
        "parse_rate_candidate": parse.candidate_mean,
        "num_items": difference.num_items,
        "num_clusters": difference.num_clusters,
        "num_discordant": difference.num_discordant,
        "method": difference.method,
        # the chance to certify a model that in truth lost nothing; for a gain there is no such natural assumption
        "power": power if clause.kind == "keep" and armed else None,
        "settle": settle,
        "reason": reason,
    }
