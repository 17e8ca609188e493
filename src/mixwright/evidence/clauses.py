"""The clauses of a contract: names resolved against the suites that exist.

`support` is a suite, `support/intent` one ability of it, `general` and `domain` the macro mean over all abilities of
the suites with that role, `each_ability` every ability of the general suites by itself. `.score` (default) and
`.parse_rate` say which column counts.

A clause of *improve*, and of *keep*, is one sentence. One of *never* is several: a bound for the rate and a margin for
what balances it, or the margin for every ability of the name, since the gain of one must not pay for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.recipe.contract import Contract, Never, split_metric

Stratum: TypeAlias = tuple[str, str]  # suite, ability


Kind: TypeAlias = Literal["improve", "keep", "never"]
Test: TypeAlias = Literal["superiority", "noninferiority", "rate"]
BALANCE_MARGIN = 0.05
"""By how much that which balances a rate may fall where the contract does not say."""


class Clause(NamedTuple):
    """One sentence of a contract. margin: score from 0 to 1. strata: what it averages over, each with equal weight.

    test: against the base (superiority, noninferiority), or of the candidate alone (rate: one minus its score).
    """

    kind: Kind
    name: str
    metric: Literal["score", "parse_rate"]
    margin: float
    strata: tuple[Stratum, ...]
    named: bool  # False when it was expanded from each_ability
    test: Test

    @property
    def threshold(self) -> float:
        """The difference that must be exceeded: to the base, or of a rate to a score without fault."""
        return self.margin if self.test == "superiority" else -self.margin


def clauses(contract: Contract, suites: Mapping[str, Mapping[str, Any]]) -> list[Clause]:
    """Every clause of a contract. suites: `suite.json` by suite name.

    Raises InputError for an unknown ability, and for one whose items all belong to one cluster: nothing can be proved
    from a single independent unit.
    """
    found: list[Clause] = []
    for name, margin in contract.improve.items():
        found += _expanded("improve", name, margin, "superiority", suites)
    for name, margin in contract.keep.items():
        found += _expanded("keep", name, margin, "noninferiority", suites)
    for name, limit in contract.never.items():
        found += _never(name, limit, suites)
    for clause in found:
        for suite, ability in clause.strata:
            if suites[suite]["clusters"][ability] < 2:
                raise InputError(
                    f"all items of {suite}/{ability} belong to one cluster: no interval can be given",
                    where=f"suites.{suite}",
                    fix="Give it items of more clusters (passages, customers, templates), or another 'cluster' column.",
                )
    return found


def _never(name: str, limit: Never, suites: Mapping[str, Mapping[str, Any]]) -> list[Clause]:
    if limit.max_rate is not None and limit.balanced_by is not None:
        margin = BALANCE_MARGIN if limit.margin is None else limit.margin
        return [
            *_expanded("never", name, limit.max_rate, "rate", suites),
            *_expanded("never", limit.balanced_by, margin, "noninferiority", suites),
        ]
    assert limit.margin is not None
    whole = _expanded("never", name, limit.margin, "noninferiority", suites)
    return [
        clause._replace(name=_with_metric(f"{suite}/{ability}", name), strata=((suite, ability),))
        for clause in whole
        for suite, ability in clause.strata
    ]


def _with_metric(target: str, name: str) -> str:
    metric = split_metric(name)[1]
    return f"{target}.{metric}" if metric else target


def _expanded(
    kind: Kind, name: str, margin: float, test: Test, suites: Mapping[str, Mapping[str, Any]]
) -> list[Clause]:
    target, suffix = split_metric(name)
    metric: Literal["score", "parse_rate"] = "parse_rate" if suffix == "parse_rate" else "score"
    suite, _, ability = target.partition("/")
    if target == "each_ability":
        general = _strata(suites, "general")
        ending = f".{suffix}" if suffix else ""
        return [
            Clause(kind, f"each_ability:{s}/{a}{ending}", metric, margin, ((s, a),), named=False, test=test)
            for s, a in general
        ]
    if target in ("general", "domain"):
        strata = _strata(suites, target)
    else:
        known = list(suites[suite]["abilities"])
        if ability and ability not in known:
            fix = did_you_mean(ability, known)
            raise InputError(
                f"the suite '{suite}' has no ability '{ability}'", where=f"contract.{kind}.{name}", fix=fix
            )
        strata = tuple((suite, entry) for entry in known if not ability or entry == ability)
    return [Clause(kind, name, metric, margin, strata, named=True, test=test)]


def _strata(suites: Mapping[str, Mapping[str, Any]], role: str) -> tuple[Stratum, ...]:
    return tuple(
        (name, ability)
        for name, about in sorted(suites.items())
        if about["role"] == role
        for ability in about["abilities"]
    )
