"""A verdict that may be looked at after every cluster, and acted upon.

Looking at a fixed-size test again and again until it passes makes it pass too often. Here every cluster of items is a
bet against the hypothesis, at odds that would be fair if it were true: the capital of such a bettor is an e-process,
and the chance that it ever reaches 1 / level is at most the level, however often one looks and whatever makes one stop
(Ville's inequality). One bettor stakes on "better than the threshold", one on "worse"; the first to get there decides.

Each bettor spreads his capital over stakes from the largest that cannot ruin him downwards, most of it near the one
that would grow fastest if the plan's assumptions (share of differing items, true difference) held. A wrong assumption
costs items, never validity.

Trade-off: to decide with *all* items this needs about half as many more as the fixed-size test; it pays where models
are clearly good or clearly bad, which most are. No stake may be ruined by the largest cluster, so a few clusters much
larger than the others leave it without power: the plan says so beforehand. A sequential verdict keeps its own plan and
power and never falls back on the fixed-size test, which would spend the level twice.

What must hold: clusters come in an order that has nothing to do with their answers, and their sizes are known
beforehand. As everywhere here, clusters are a random sample of those that could have been asked.

Sources: Ville (1939); Waudby-Smith and Ramdas, J. Royal Statistical Society B 86 (2024) 1-27 (betting on bounded
means); Shafer, J. Royal Statistical Society A 184 (2021) 407-431.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from mixwright.statistics.decision import Verdict
from mixwright.statistics.score import Floats, check_confidence

_STAKES = 0.97 * 2.0 ** (-0.5 * np.arange(18))  # of what the worst cluster would take
_OCTAVES = 1.5  # how far the assumptions are trusted
_HALVINGS = 24
_SIMULATED = 500_000  # clusters that a plan draws, in 50 to 400 replicates


class Assumption(NamedTuple):
    """What a plan takes to be true. discordance: share of items on which the models differ. difference: candidate -
    base. correlation: of the differences within a cluster."""

    discordance: float = 0.1
    difference: float = 0.0
    correlation: float = 0.1


class Decisions(NamedTuple):
    """Of each replicate, shape (...): whether it passed or failed (neither: undecided), after how many clusters it
    stopped, and the larger capital then (1 at the start, 1 / level to decide)."""

    passed: npt.NDArray[np.bool_]
    failed: npt.NDArray[np.bool_]
    num_clusters: npt.NDArray[np.int64]
    evidence: Floats


def decisions(
    sums: npt.ArrayLike,
    sizes: npt.ArrayLike,
    threshold: float,
    *,
    planned: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    assumption: Assumption = Assumption(),  # noqa: B008
) -> Decisions:
    """Whether the mean difference lies above or below `threshold`, looked at after every cluster.

    sums: (..., g) sum of the differences (each in [-1, 1]) of a cluster, in the order of asking. sizes: (g,) items of
    it; both may be weighted alike. planned: the sizes of all clusters that will ever be asked, these alone if None; the
    stakes rest on them, so that every look at a growing sequence sees the same bettors.
    Raises ValueError for shapes that differ, no clusters, or a threshold outside (-1, 1).
    """
    check_confidence(confidence)
    found, size = np.asarray(sums, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    if found.shape[-1:] != size.shape or not len(size):
        raise ValueError(f"sums {found.shape} and sizes {size.shape} of at least one cluster are needed, one each")
    if not -1.0 < threshold < 1.0:
        raise ValueError(f"threshold is {threshold}: a mean difference lies between -1 and 1")
    whole = size if planned is None else np.asarray(planned, dtype=np.float64)
    most = float(whole.max())
    enough = -math.log(1.0 - confidence)
    logs = [
        _capital(found, size, threshold, most, _stakes(whole, threshold, most, assumption, side), side)
        for side in (1, -1)
    ]
    never = len(size)
    up, down = (np.where((log >= enough).any(axis=-1), (log >= enough).argmax(axis=-1), never) for log in logs)
    last = np.minimum(np.minimum(up, down), never - 1)
    capital = np.take_along_axis(np.maximum(*logs), last[..., None], axis=-1)[..., 0]
    return Decisions(
        (up < never) & (up <= down), (down < never) & (down < up), last + 1, np.exp(np.minimum(capital, 700))
    )


class SequentialResult(NamedTuple):
    """verdict after `num_clusters` of the clusters, in their order. low, high: bounds that hold at every look, each
    one-sided. evidence: see `Decisions`."""

    verdict: Verdict
    num_clusters: int
    low: float
    high: float
    evidence: float


def sequential_test(
    sums: npt.ArrayLike,
    sizes: npt.ArrayLike,
    threshold: float,
    *,
    planned: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    assumption: Assumption = Assumption(),  # noqa: B008
) -> SequentialResult:
    """As `decisions`, of one sequence: sums (g,), sizes (g,), with bounds."""
    found, size = np.asarray(sums, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    decided = decisions(found, size, threshold, planned=planned, confidence=confidence, assumption=assumption)
    verdict = Verdict.PASS if decided.passed else Verdict.FAIL if decided.failed else Verdict.INCONCLUSIVE
    num_clusters = int(decided.num_clusters)
    whole = size if planned is None else np.asarray(planned, dtype=np.float64)
    most = float(whole.max())
    enough = -math.log(1.0 - confidence)
    low, high = (
        _bound(
            found[:num_clusters],
            size[:num_clusters],
            most,
            _stakes(whole, threshold, most, assumption, side),
            enough,
            side,
        )
        for side in (1, -1)
    )
    return SequentialResult(verdict, num_clusters, low, high, float(decided.evidence))


class SequentialPlan(NamedTuple):
    """power: the probability of a PASS with all clusters. share_used: of the items that are asked until it stops, in
    the mean."""

    power: float
    share_used: float


def sequential_plan(
    sizes: npt.ArrayLike, threshold: float, *, confidence: float = 0.95, assumption: Assumption
) -> SequentialPlan:
    """Power and saving of a sequential clause if the assumption is true, by simulation (seeded; to about 0.03).

    sizes: (g,) items of each cluster. Raises ValueError for an assumption that cannot be.
    """
    size = np.asarray(sizes, dtype=np.float64)
    replicates = min(max(_SIMULATED // len(size), 50), 400)
    sums = simulated_sums(np.random.default_rng(0), replicates, size, assumption)
    decided = decisions(sums, size, threshold, confidence=confidence, assumption=assumption)
    used = np.cumsum(size)[decided.num_clusters - 1] / size.sum()
    return SequentialPlan(float(decided.passed.mean()), float(used.mean()))


def simulated_sums(rng: np.random.Generator, replicates: int, sizes: npt.ArrayLike, assumption: Assumption) -> Floats:
    """(replicates, g) sums of right/wrong differences in clusters of these sizes (rounded to whole items).

    With probability `correlation` all items of a cluster share one outcome, otherwise each has its own. Raises
    ValueError when the difference exceeds the discordance.
    """
    discordance, difference, correlation = assumption
    if not (0.0 < discordance <= 1.0 and abs(difference) <= discordance and 0.0 <= correlation <= 1.0):
        raise ValueError(f"{assumption} cannot be: |difference| <= discordance <= 1 and correlation in [0, 1]")
    items = np.maximum(np.rint(np.asarray(sizes, dtype=np.float64)), 1.0).astype(np.int64)
    gain, loss = (discordance + difference) / 2.0, (discordance - difference) / 2.0
    shape = (replicates, len(items))
    gains = rng.binomial(items, gain, size=shape)
    losses = rng.binomial(items - gains, min(loss / (1.0 - gain), 1.0) if gain < 1.0 else 0.0)
    drawn = rng.random(shape)
    alike = np.where(drawn < gain, 1, np.where(drawn < discordance, -1, 0)) * items
    together = (rng.random(shape) < correlation) & (items > 1)
    return np.where(together, alike, gains - losses).astype(np.float64)


Stakes: TypeAlias = list[tuple[float, float]]


def _capital(sums: Floats, sizes: Floats, threshold: float, largest: float, stakes: Stakes, side: int) -> Floats:
    """(..., g) logarithm of the capital after each cluster. side: 1 bets on above the threshold, -1 on below."""
    worst = max(1.0 + side * threshold, 1e-9) * largest
    steps = side * (sums - threshold * sizes) / worst
    total: Floats = np.full(sums.shape, -np.inf)
    for stake, share in stakes:
        total = np.logaddexp(total, math.log(share) + np.cumsum(np.log1p(stake * steps), axis=-1))
    return total


def _stakes(sizes: Floats, threshold: float, largest: float, assumed: Assumption, side: int) -> Stakes:
    """Stakes, as shares of what the worst cluster would take, with their shares of the capital: most of it near the
    stake that grows fastest under the assumption."""
    distance = abs(assumed.difference - threshold) or 0.01
    size = float(sizes.mean())
    effect = 1.0 + (size - 1.0) * assumed.correlation if size > 1.0 else 1.0
    spread = size * effect * (assumed.discordance - assumed.difference**2) + (distance * size) ** 2
    best = (1.0 + side * threshold) * largest * distance * size / spread
    shares = np.exp(-0.5 * (np.log2(_STAKES / min(max(best, _STAKES[-1]), _STAKES[0])) / _OCTAVES) ** 2)
    return list(zip(_STAKES.tolist(), np.maximum(shares / shares.sum(), 1e-12).tolist(), strict=True))


def _bound(sums: Floats, sizes: Floats, largest: float, stakes: Stakes, enough: float, side: int) -> float:
    """The outermost threshold that the bettor has not refuted at any look so far, with the stakes as they were."""
    estimate = float(sums.sum() / sizes.sum())
    refuted, kept = -float(side), estimate
    for _ in range(_HALVINGS):
        middle = 0.5 * (refuted + kept)
        if float(_capital(sums, sizes, middle, largest, stakes, side).max()) >= enough:
            refuted = middle
        else:
            kept = middle
    return refuted
