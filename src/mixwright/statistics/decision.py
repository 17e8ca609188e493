"""From bounds to a verdict, with a third answer: the data do not say.

Idea: a clause passes only if its bound clears the threshold, and fails only if the opposite bound does.
Everything between is INCONCLUSIVE and asks for more items. Absence of a significant drop is therefore never
a PASS.

Trade-off: three answers are less convenient than two, but a gate that must answer yes or no on thin data is
wrong in one direction by design. A contract passes only if every clause does (an intersection-union test: no
correction for the number of clauses is needed, because all of them must be shown).

Sources: Berger, Technometrics 24 (1982) 295-300 (intersection-union); ICH E9 (1998), section 3.3.2
(non-inferiority).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum

from mixwright.statistics.paired import PairedDifference


class Verdict(StrEnum):
    """What the data say about one clause, or about a whole contract."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


def noninferiority(difference: PairedDifference, margin: float) -> Verdict:
    """Is the candidate at most `margin` worse? margin: the tolerated drop in score units, > 0.

    PASS: the lower bound lies above -margin. FAIL: the upper bound lies below it. Else INCONCLUSIVE.
    Raises ValueError for a margin that is not positive and finite.
    """
    if not (math.isfinite(margin) and margin > 0.0):
        raise ValueError(
            f"non-inferiority margin is {margin}: it must be positive. A margin of 0 cannot be certified, "
            "because two equal models leave the lower bound below 0 however many items are run; "
            "name the drop that you would accept"
        )
    return _verdict(difference, -margin)


def superiority(difference: PairedDifference, margin: float = 0.0) -> Verdict:
    """Is the candidate more than `margin` better? margin: the demanded gain in score units, >= 0 (0: any
    gain).

    PASS: the lower bound lies above margin. FAIL: the upper bound lies below it. Else INCONCLUSIVE.
    Raises ValueError for a margin that is negative or not finite.
    """
    if not (math.isfinite(margin) and margin >= 0.0):
        raise ValueError(
            f"superiority margin is {margin}: it must be 0 or more. To tolerate a drop, ask for non-inferiority instead"
        )
    return _verdict(difference, margin)


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a contract: FAIL if any clause fails, else INCONCLUSIVE if any is, else PASS.

    Raises ValueError for no verdicts: a contract without clauses certifies nothing.
    """
    found = set(verdicts)
    if not found:
        raise ValueError("no verdicts to combine: a contract without clauses certifies nothing")
    return next(worst for worst in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS) if worst in found)


def _verdict(difference: PairedDifference, threshold: float) -> Verdict:
    if difference.low > threshold:
        return Verdict.PASS
    if difference.high < threshold:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE
