"""Scores of every arm on every ability, with the parse rate beside each score.

A score says nothing about why it is low; the parse rate does: an answer that could not be read was a
wrong format, not lost knowledge. Differences to the base are paired on the same items, by the same
function that certifies. The means of a role and of a suite give every ability the same weight, however many
items it has, so that a large suite cannot hide a small one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from mixwright.reporting.contents import BASE_ARM, Answer, Arm, ItemKey, RunContents

FEWEST_CLUSTERS = 2
Answers = Mapping[ItemKey, Answer]


class Ability(NamedTuple):
    """One ability of one suite."""

    suite: str
    name: str


class Stratum(NamedTuple):
    """One arm's answers by ability."""

    arm: Arm
    abilities: Mapping[Ability, Answers]


class Difference(NamedTuple):
    """Candidate minus base, with one one-sided bound on each side; fractions."""

    estimate: float
    low: float
    high: float


class Cell(NamedTuple):
    """One arm on one row of the table; `difference` is None for the base."""

    score: float
    parse_rate: float
    num_items: int
    difference: Difference | None


@dataclass(frozen=True)
class ScoreRow:
    """One line: `level` is `suite`, `ability` or `mean`; an arm without answers has no cell."""

    label: str
    level: str
    num_items: int
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class ScoreTable:
    """The suites of one role; a column per arm, base first."""

    role: str
    arms: tuple[str, ...]
    rows: tuple[ScoreRow, ...]


def evaluated_arms(run: RunContents) -> list[Arm]:
    """The arms that answered anything, base first, otherwise in the order of the run."""
    return sorted((arm for arm in run.arms if arm.answers), key=lambda arm: arm.name != BASE_ARM)


def score_tables(run: RunContents, confidence: float) -> list[ScoreTable]:
    """One table for the domain suites and one for the general ones; a role without suites gives none.

    Where the run has a summary, whole suites stand in it and not here.
    """
    arms = evaluated_arms(run)
    tables = []
    for role in ("domain", "general"):
        strata = [Stratum(arm, _by_ability(run, arm, role)) for arm in arms]
        suites: dict[str, dict[Ability, None]] = {}
        for stratum in strata:
            for ability in stratum.abilities:
                suites.setdefault(ability.suite, {})[ability] = None
        rows = []
        whole = run.summary is None and role == "general" and any(len(members) > 1 for members in suites.values())
        if len(suites) > 1 or whole:
            everything = {ability for members in suites.values() for ability in members}
            rows.append(_row(f"{role} mean", "mean", strata, everything, confidence))
        for suite, members in sorted(suites.items()):
            if run.summary is None:
                rows.append(_row(suite, "suite", strata, set(members), confidence))
            if len(members) > 1:
                prefix = f"{suite}/" if run.summary and len(suites) > 1 else ""
                rows += [
                    _row(f"{prefix}{member.name}", "ability", strata, {member}, confidence)
                    for member in sorted(members)
                ]
        if any(row.level != "mean" for row in rows):
            tables.append(ScoreTable(role, tuple(arm.name for arm in arms), tuple(rows)))
    return tables


def mean_score(run: RunContents, arm: Arm, role: str) -> float | None:
    """The mean score of `arm` over the abilities of `role`, equally weighted; None without answers."""
    abilities = _by_ability(run, arm, role)
    return fmean(_score(answers) for answers in abilities.values()) if abilities else None


def _by_ability(run: RunContents, arm: Arm, role: str) -> dict[Ability, Answers]:
    roles = {suite.name: suite.role for suite in run.suites}
    found: dict[Ability, dict[ItemKey, Answer]] = {}
    for key, answer in arm.answers.items():
        if roles.get(key.suite, "general") == role:
            found.setdefault(Ability(key.suite, answer.ability), {})[key] = answer
    return dict(found)


def _row(label: str, level: str, strata: Sequence[Stratum], members: set[Ability], confidence: float) -> ScoreRow:
    """One row over the abilities `members`, equally weighted as in the contract."""
    chosen = [
        {ability: answers for ability, answers in stratum.abilities.items() if ability in members} for stratum in strata
    ]
    base = next((each for stratum, each in zip(strata, chosen, strict=True) if stratum.arm.name == BASE_ARM), None)
    cells = tuple(
        _cell(each, None if stratum.arm.name == BASE_ARM else base, confidence)
        for stratum, each in zip(strata, chosen, strict=True)
    )
    return ScoreRow(label, level, max(cell.num_items if cell else 0 for cell in cells), cells)


def _cell(strata: Mapping[Ability, Answers], base: Mapping[Ability, Answers] | None, confidence: float) -> Cell | None:
    if not strata:
        return None
    answers = [answer for each in strata.values() for answer in each.values()]
    return Cell(
        score=fmean(_score(each) for each in strata.values()),
        parse_rate=fmean(fmean(answer.parsed for answer in each.values()) for each in strata.values()),
        num_items=len(answers),
        difference=_difference(strata, base, confidence) if base else None,
    )


def _score(answers: Answers) -> float:
    return fmean(answer.score for answer in answers.values())


def _difference(
    candidate: Mapping[Ability, Answers], base: Mapping[Ability, Answers], confidence: float
) -> Difference | None:
    """The paired difference over the items both answered; None where an ability is too small to compare."""
    from mixwright.statistics.paired import paired_difference, stratified_difference

    parts = {}
    for ability in sorted(candidate.keys() & base.keys()):
        new, old = candidate[ability], base[ability]
        keys = sorted(new.keys() & old.keys())
        clusters = [new[key].cluster for key in keys]
        if len(set(clusters)) < FEWEST_CLUSTERS:
            return None
        scores = [new[key].score for key in keys], [old[key].score for key in keys]
        parts[f"{ability.suite}/{ability.name}"] = paired_difference(*scores, clusters=clusters, confidence=confidence)
    if not parts:
        return None
    whole = stratified_difference(parts)
    return Difference(whole.estimate, whole.low, whole.high)
