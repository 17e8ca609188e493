"""The clauses of a contract: names resolved against the suites that exist.

`support` is a suite, `support/intent` one ability of it, `general` and `domain` the macro mean over all abilities of
the suites with that role, `each_ability` every ability of the general suites by itself. `.score` (default) and
`.parse_rate` say which column counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.recipe.contract import Contract
from mixwright.recipe.schema import split_metric

Stratum: TypeAlias = tuple[str, str]  # suite, ability


class Clause(NamedTuple):
    """One sentence of a contract. margin: score from 0 to 1. strata: what it averages over, each with equal weight."""

    kind: Literal["improve", "keep"]
    name: str
    metric: Literal["score", "parse_rate"]
    margin: float
    strata: tuple[Stratum, ...]
    named: bool  # False when it was expanded from each_ability

    @property
    def threshold(self) -> float:
        """The difference (candidate - base) that must be exceeded."""
        return self.margin if self.kind == "improve" else -self.margin


def clauses(contract: Contract, suites: Mapping[str, Mapping[str, Any]]) -> list[Clause]:
    """Every clause of a contract. suites: `suite.json` by suite name.

    Raises InputError for an unknown ability, and for one whose items all belong to one cluster: nothing can be proved
    from a single independent unit.
    """
    found: list[Clause] = []
    for name, margin in contract.improve.items():
        found += _expanded("improve", name, margin, suites)
    for name, margin in contract.keep.items():
        found += _expanded("keep", name, margin, suites)
    for clause in found:
        for suite, ability in clause.strata:
            if suites[suite]["clusters"][ability] < 2:
                raise InputError(
                    f"all items of {suite}/{ability} belong to one cluster: no interval can be given",
                    where=f"suites.{suite}",
                    fix="Give it items of more clusters (passages, customers, templates), or another 'cluster' column.",
                )
    return found


def _expanded(
    kind: Literal["improve", "keep"], name: str, margin: float, suites: Mapping[str, Mapping[str, Any]]
) -> list[Clause]:
    target, suffix = split_metric(name)
    metric: Literal["score", "parse_rate"] = "parse_rate" if suffix == "parse_rate" else "score"
    suite, _, ability = target.partition("/")
    if target == "each_ability":
        general = _strata(suites, "general")
        ending = f".{suffix}" if suffix else ""
        return [
            Clause(kind, f"each_ability:{s}/{a}{ending}", metric, margin, ((s, a),), named=False) for s, a in general
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
    return [Clause(kind, name, metric, margin, strata, named=True)]


def _strata(suites: Mapping[str, Mapping[str, Any]], role: str) -> tuple[Stratum, ...]:
    return tuple(
        (name, ability)
        for name, about in sorted(suites.items())
        if about["role"] == role
        for ability in about["abilities"]
    )
