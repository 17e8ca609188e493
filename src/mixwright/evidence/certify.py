"""The certificate: a verdict on every clause of the contract, with the numbers it rests on.

*Improve* is superiority by at least the margin, *keep* is non-inferiority within it, *never* a bound for a rate or a
margin that no ability may exceed; all are decided by one-sided bounds, so that the absence of a significant drop is
never mistaken for the absence of a drop. All clauses must pass (an intersection-union test: no correction of the level
is needed). What can be proved neither way is INCONCLUSIVE and says how many more items would probably settle it.

A *keep* clause protects nothing where the base scores no higher than the margin: it could not fail. Such an ability is
left out of `each_ability` and listed as unarmed; a clause that names it is INCONCLUSIVE. Abilities without a clause of
their own are watched by tripwires: a drop that is more than chance keeps a PASS back until the contract says how much
of one it accepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mixwright.evidence.clauses import Clause, Stratum, clauses
from mixwright.evidence.differences import strata_difference
from mixwright.evidence.looks import Sizes, asking_sizes, look
from mixwright.evidence.pairing import Pairing, Pairs, pair
from mixwright.evidence.records import Records
from mixwright.ground.artefacts import write_json
from mixwright.ground.hashing import Json, digest
from mixwright.recipe.contract import Contract
from mixwright.statistics.decision import Verdict, combine, noninferiority, superiority
from mixwright.statistics.paired import PairedDifference
from mixwright.statistics.planning import items_to_settle, power_for_error
from mixwright.statistics.posterior import posterior_difference
from mixwright.statistics.tripwires import drop_p_value, holm

SEAL = "sha256"


def certify(
    recipe: str,
    arm: str,
    contract: Contract,
    suites: Mapping[str, Mapping[str, Any]],
    candidate: Records,
    base: Records,
    evidence: Mapping[str, Json],
    out: Path,
    repeats: Mapping[str, str] | None = None,
) -> Mapping[str, Json]:
    """Write `certificate.json` of one arm; see `certificate`."""
    made = certificate(recipe, arm, contract, suites, candidate, base, evidence, repeats=repeats or {})
    write_json(out / "certificate.json", made)
    return {"verdict": made["verdict"], "clauses": len(made["clauses"])}


def certificate(
    recipe: str,
    arm: str,
    contract: Contract,
    suites: Mapping[str, Mapping[str, Any]],
    candidate: Records,
    base: Records,
    evidence: Mapping[str, Json],
    *,
    repeats: Mapping[str, str] | None = None,
    ignore: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The certificate as JSON. suites: `suite.json` by name.

    evidence: hashes of everything the verdict rests on. repeats: the verdicts on further trainings of the same recipe,
    by arm; items say nothing about the noise of training, so each of them must pass too. ignore: facts of the records
    that may differ.
    Raises InputError when the records cannot be compared.
    """
    sequential = contract.stopping == "sequential"
    paired = pair(candidate, base, partial=sequential, ignore=ignore)
    sizes = _sizes(base) if sequential else None
    found = [(clause, _judge(clause, paired.strata, contract, sizes)) for clause in clauses(contract, suites)]
    judged = [result for clause, result in found if result["armed"] or clause.named]
    fired = _tripwires(paired, suites, [clause for clause, result in found if result["armed"]], contract)
    # a contract of nothing but unarmed abilities certifies nothing
    verdict = combine(Verdict(str(result["verdict"])) for result in judged) if judged else Verdict.INCONCLUSIVE
    if fired and verdict is Verdict.PASS:
        verdict = Verdict.INCONCLUSIVE
    verdict = combine([verdict, *map(Verdict, (repeats or {}).values())])
    return sealed(
        {
            "mixwright": 1,
            "recipe": recipe,
            "arm": arm,
            "verdict": verdict.value,
            "confidence": contract.confidence,
            "contract": contract.model_dump(mode="json"),
            "suites": {name: str(about["role"]) for name, about in suites.items()},
            "clauses": judged,
            "unarmed": [clause.name for clause, result in found if not result["armed"] and not clause.named],
            "tripwires": fired,
            "repeats": dict(repeats or {}),
            "ignored": list(ignore),
            "unrecorded": list(paired.unrecorded),
            "num_pending": len(paired.pending),
            "evidence": dict(evidence),
        }
    )


def sealed(body: Mapping[str, Json]) -> dict[str, Any]:
    """The certificate with the hash of everything else in it."""
    rest = {key: value for key, value in body.items() if key != SEAL}
    return {**rest, SEAL: digest(rest)}


def _sizes(base: Records) -> Sizes:
    clusters: dict[Stratum, list[str]] = {}
    for record in base.rows.values():
        clusters.setdefault((record.suite, record.ability), []).append(record.cluster)
    return asking_sizes(clusters)


def _judge(clause: Clause, strata: Mapping[Stratum, Pairs], contract: Contract, sizes: Sizes | None) -> dict[str, Json]:
    rate = clause.test == "rate"
    if sizes is not None and not all(_may_be_looked_at(strata.get(stratum)) for stratum in clause.strata):
        return _unasked(clause)
    difference = strata_difference(clause.strata, clause.metric, strata, contract.confidence, rate=rate)
    armed = clause.test != "noninferiority" or difference.base_mean > clause.margin
    parse = strata_difference(clause.strata, "parse_rate", strata, contract.confidence)
    base = strata_difference(clause.strata, clause.metric, strata, contract.confidence) if rate else difference
    posterior = posterior_difference(difference, clause.threshold)
    result: dict[str, Json] = {
        "kind": clause.kind,
        "name": clause.name,
        "metric": clause.metric,
        "test": clause.test,
        "verdict": Verdict.INCONCLUSIVE.value,
        "armed": armed,
        "estimate": difference.estimate,
        "low": difference.low,
        "high": difference.high,
        "margin": clause.margin,
        "threshold": clause.threshold,
        "base": base.base_mean,
        "candidate": difference.candidate_mean,
        "parse_rate_base": parse.base_mean,
        "parse_rate_candidate": parse.candidate_mean,
        "num_items": difference.num_items,
        "num_clusters": difference.num_clusters,
        "num_discordant": difference.num_discordant,
        "num_missing": sum(strata[stratum].num_missing for stratum in clause.strata),
        "method": difference.method,
        "probability": posterior.probability,
        "posterior_low": posterior.low,
        "posterior_high": posterior.high,
        "power": None,
        "share_used": None,
        "settle": None,
        "reason": None,
    }
    if not armed:
        points = 100 * difference.base_mean
        reason = f"the base scores {points:.1f} here: a drop of {100 * clause.margin:g} points could not be seen"
        return result | {"reason": reason}
    return result | (
        _fixed(clause, difference, contract) if sizes is None else _looked(clause, strata, sizes, contract)
    )


def _may_be_looked_at(pairs: Pairs | None) -> bool:
    return pairs is not None and len(set(pairs.clusters)) > 1


def _unasked(clause: Clause) -> dict[str, Json]:
    """A clause about abilities of which fewer than two clusters have been answered yet: nothing is known."""
    numbers = ("estimate", "base", "candidate", "parse_rate_base", "parse_rate_candidate", "probability", "share_used")
    counts = ("num_items", "num_clusters", "num_discordant", "num_missing")
    return {
        "kind": clause.kind,
        "name": clause.name,
        "metric": clause.metric,
        "test": clause.test,
        "verdict": Verdict.INCONCLUSIVE.value,
        "armed": True,
        **dict.fromkeys(numbers, 0.0),
        **dict.fromkeys(("low", "posterior_low"), -1.0),
        **dict.fromkeys(("high", "posterior_high"), 1.0),
        "margin": clause.margin,
        "threshold": clause.threshold,
        **dict.fromkeys(counts, 0),
        "method": "e-process",
        "power": None,
        "settle": "the items still to be asked",
        "reason": None,
    }


def _fixed(clause: Clause, difference: PairedDifference, contract: Contract) -> dict[str, Json]:
    decide = superiority if clause.test == "superiority" else noninferiority
    verdict = decide(difference, clause.margin)
    settle: str | None = None
    if verdict is Verdict.INCONCLUSIVE:
        more = items_to_settle(difference, clause.threshold)
        settle = f"about {more:,} more items" if more else "no realistic number of items: the effect lies at the margin"
    # the chance to certify a model that in truth lost nothing; for a gain there is no such natural assumption
    power = power_for_error(difference.standard_error, distance=clause.margin, confidence=contract.confidence)
    return {
        "verdict": verdict.value,
        "power": None if clause.test == "superiority" else power,
        "settle": settle,
    }


def _looked(clause: Clause, strata: Mapping[Stratum, Pairs], sizes: Sizes, contract: Contract) -> dict[str, Json]:
    result, plan, share_used = look(clause, strata, sizes, contract)
    left = share_used < 1.0
    return {
        "verdict": result.verdict.value,
        "low": result.low,
        "high": result.high,
        "method": "e-process",
        "power": plan.power,
        "share_used": share_used,
        "settle": ("the items still to be asked" if left else "a new set of items")
        if result.verdict is Verdict.INCONCLUSIVE
        else None,
    }


def _tripwires(
    paired: Pairing, suites: Mapping[str, Mapping[str, Any]], judged: Iterable[Clause], contract: Contract
) -> list[dict[str, Json]]:
    """General abilities without a clause of their own that have dropped by more than chance."""
    own = {clause.strata[0] for clause in judged if len(clause.strata) == 1 and clause.metric == "score"}
    watched = {
        f"{suite}/{ability}": pairs
        for (suite, ability), pairs in paired.strata.items()
        if suites[suite]["role"] == "general" and (suite, ability) not in own
    }
    p_values = {
        name: drop_p_value(pairs.candidate["score"], pairs.base["score"], clusters=list(pairs.clusters))
        for name, pairs in watched.items()
    }
    return [
        {
            "name": name,
            "base": float(watched[name].base["score"].mean()),
            "candidate": float(watched[name].candidate["score"].mean()),
            "p_value": p_value,
            "num_watched": len(watched),
        }
        for name, p_value in holm(p_values, 1.0 - contract.confidence).items()
    ]
