"""How the settings of an arm were chosen: what was tried, how far each try lay from the contract, what was taken.

The slack of a candidate is that of its worst clause: how far beyond its threshold the clause's lower bound lay
on the search split, or how far short of it. Only clauses that the contract names decide.
"""

from typing import NamedTuple

from mixwright.reporting.contents import Candidate, RunContents, SearchClause


class TriedSetting(NamedTuple):
    """One candidate; `deciding` is the clause whose slack it has."""

    label: str
    slack: float
    deciding: SearchClause | None
    chosen: bool


class ArmChoice(NamedTuple):
    """The settings tried for one arm, in order."""

    arm: str
    settings: tuple[TriedSetting, ...]


def choices(run: RunContents) -> list[ArmChoice]:
    """Every arm that was tuned."""
    return [
        ArmChoice(
            arm.name,
            tuple(
                TriedSetting(each.label, each.slack, _deciding(each), each.label == arm.choice.chosen)
                for each in arm.choice.candidates
            ),
        )
        for arm in run.arms
        if arm.choice
    ]


def _deciding(candidate: Candidate) -> SearchClause | None:
    counted = [clause for clause in candidate.clauses if clause.named] or candidate.clauses
    return min(counted, key=lambda clause: clause.slack, default=None)
