"""What the frontier plot shows: domain score against general score, for arms and for what was tried.

With a contract both axes are the contract's own measures, so that points, bounds and thresholds are about
the same thing: across, the mean of the clauses that ask for a gain; up, the clause that keeps `general`
(without it, the mean of those that keep general suites). Without a contract both are means over all
abilities of a role. Candidates were measured on the search split, arms on the items of the certificates.
"""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple, TypeAlias

from mixwright.reporting.contents import BASE_ARM, Certificate, Clause, RunContents, SearchClause
from mixwright.reporting.scores import evaluated_arms, mean_score

AnyClause: TypeAlias = Clause | SearchClause


class Place(NamedTuple):
    """A score from 0 to 1 with its bounds, where there are any."""

    value: float
    low: float | None = None
    high: float | None = None


class ArmPoint(NamedTuple):
    """One arm; `verdict` is None for the base."""

    arm: str
    domain: Place
    general: Place
    verdict: str | None


class CandidatePoint(NamedTuple):
    """One setting tried for an arm, by its score on the search split."""

    label: str
    domain: float
    general: float
    chosen: bool


class Curve(NamedTuple):
    """What was tried for one arm, in order."""

    arm: str
    points: tuple[CandidatePoint, ...]


class Frontier(NamedTuple):
    """Everything in the plot; the first of `arms` is the base.

    asked: the least (domain, general) scores of the contract. measures: what the axes are the mean of, for both.
    """

    arms: tuple[ArmPoint, ...]
    curves: tuple[Curve, ...]
    asked: tuple[float, float] | None
    measures: tuple[str, str]


def frontier(run: RunContents) -> Frontier | None:
    """The points of a run; None where there is no base with another arm beside it."""
    roles = {suite.name: suite.role for suite in run.suites}
    return _by_contract(run, roles) or _by_means(run)


def _by_contract(run: RunContents, roles: dict[str, str]) -> Frontier | None:
    points: list[ArmPoint] = []
    asked, measures = None, ("", "")
    for certificate in (arm.certificate for arm in run.arms if arm.certificate):
        domain, general = _aims(certificate.clauses, roles)
        places = _place(domain), _place(general)
        if places[0] is None or places[1] is None:
            continue
        if not points:
            base = fmean(clause.base for clause in domain), fmean(clause.base for clause in general)
            points.append(ArmPoint(BASE_ARM, Place(base[0]), Place(base[1]), None))
            asked = (
                base[0] + fmean(clause.threshold for clause in domain),
                base[1] + fmean(clause.threshold for clause in general),
            )
            measures = _names(domain), _names(general)
        points.append(ArmPoint(certificate.arm, places[0], places[1], certificate.verdict))
    if not points:
        return None
    return Frontier(tuple(points), _curves(run, roles), asked, measures)


def _by_means(run: RunContents) -> Frontier | None:
    points = []
    for arm in evaluated_arms(run):
        domain, general = mean_score(run, arm, "domain"), mean_score(run, arm, "general")
        if domain is not None and general is not None:
            certificate: Certificate | None = arm.certificate
            verdict = certificate.verdict if certificate else None
            points.append(ArmPoint(arm.name, Place(domain), Place(general), verdict))
    if len(points) < 2 or points[0].arm != BASE_ARM:
        return None
    return Frontier(tuple(points), (), None, ("mean of the domain abilities", "mean of the general abilities"))


def _curves(run: RunContents, roles: dict[str, str]) -> tuple[Curve, ...]:
    curves = []
    for arm in run.arms:
        points = []
        for candidate in arm.choice.candidates if arm.choice else ():
            domain, general = _aims(candidate.clauses, roles)
            across, up = _place(domain), _place(general)
            if arm.choice and across and up:
                chosen = candidate.label == arm.choice.chosen
                points.append(CandidatePoint(candidate.label, across.value, up.value, chosen))
        if points:
            curves.append(Curve(arm.name, tuple(points)))
    return tuple(curves)


def _aims(
    clauses: Sequence[Clause] | Sequence[SearchClause], roles: dict[str, str]
) -> tuple[list[AnyClause], list[AnyClause]]:
    """The clauses behind the two axes: named ones about scores."""
    counted: list[AnyClause] = [
        clause for clause in clauses if not clause.name.startswith("each_ability:") and ".parse_rate" not in clause.name
    ]
    domain = [clause for clause in counted if clause.kind == "improve"]
    kept = [clause for clause in counted if clause.kind == "keep"]
    whole = [clause for clause in kept if _target(clause) == "general"]
    return domain, whole or [clause for clause in kept if roles.get(_target(clause).partition("/")[0]) == "general"]


def _target(clause: AnyClause) -> str:
    return clause.name.removesuffix(".score")


def _place(clauses: Sequence[AnyClause]) -> Place | None:
    """The mean of `clauses`; the bounds of a single one, since those of several do not add up."""
    if not clauses or not all(math.isfinite(clause.candidate) and math.isfinite(clause.base) for clause in clauses):
        return None
    value = fmean(clause.candidate for clause in clauses)
    only = clauses[0]
    if len(clauses) > 1 or isinstance(only, SearchClause) or not math.isfinite(only.low + only.high):
        return Place(value)
    return Place(value, max(0.0, only.base + only.low), min(1.0, only.base + only.high))


def _names(clauses: Sequence[AnyClause]) -> str:
    names = ", ".join(_target(clause) for clause in clauses)
    return f"mean of {names}" if len(clauses) > 1 else names
