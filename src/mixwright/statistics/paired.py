"""How much better or worse is the candidate than the base, on the same items?

Idea: both models answer every item, so the item's difficulty cancels and only the difference is left to
chance. Each situation has its bound: independent right/wrong items get Tango's score bound, up to a hundred of
them the exact one; anything clustered or graded gets cluster-t, never narrower than a score bound at the effective
size; what a judge has scored and people have checked gets the corrected mean of `judged`; a macro mean
over abilities combines its strata's own bounds by MOVER, which keeps their asymmetry where a normal
approximation would average it away.

Trade-off: all three prefer a bound that is honest with few differing items over one that is short. A
comparison on which nothing differed is not a proof of equality and never has zero width.

Sources: `score` (Tango 1998), `exact`, `clustered` (cluster-t), `judged` (PPI); Zou and Donner, Statistics in Medicine
27 (2008)
1693-1702, and Newcombe, Statistics in Medicine 17 (1998) 873-890 (MOVER, "square and add").
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from mixwright.statistics.clustered import cluster_bounds
from mixwright.statistics.exact import MOST_ITEMS, paired_bounds
from mixwright.statistics.judged import judged_mean
from mixwright.statistics.score import Floats, check_confidence, normal_quantile, score_bounds

Method = Literal["exact", "tango", "cluster-t", "judged", "mover"]
Labels = Sequence[Hashable] | npt.NDArray[np.generic]


class EffectiveCounts(NamedTuple):
    """A comparison as if of independent right/wrong items: `gains` and `losses` of size `magnitude` among `items`."""

    gains: float
    losses: float
    items: float
    magnitude: float = 1.0


@dataclass(frozen=True)
class PairedDifference:
    """Mean score of the candidate minus mean score of the base, on the same items.

    `low` and `high` are EACH a one-sided bound at `confidence`; together, (low, high) is a two-sided
    interval at 2 * confidence - 1 (0.95 gives a 90 % interval).

    `standard_error` is the plug-in one for power work and always positive; where the data show no variance
    it is the half-width of the bounds divided by their quantile. `design_effect` is the variance over that
    of as many independent items (1.0 for independent items; the size-weighted mean cluster size where
    nothing varied). `num_discordant` counts items whose two scores differ. `strata` are those of a macro mean, whose
    own counts are their sums.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    method: Method
    num_items: int
    num_clusters: int
    num_discordant: int
    base_mean: float
    candidate_mean: float
    standard_error: float
    design_effect: float
    counts: EffectiveCounts
    strata: tuple[PairedDifference, ...] = ()


def paired_difference(
    candidate: npt.ArrayLike,
    base: npt.ArrayLike,
    *,
    clusters: Labels | None = None,
    human: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> PairedDifference:
    """Compare two models item by item.

    candidate, base: (n,) scores of the same items in the same order, higher is better; binary (0/1) or
    graded. clusters: (n,) hashable labels of the independent units (passage, conversation), None if items
    are independent. human: (n,) differences as people scored them, NaN where nobody looked; the scores are then taken
    to be a judge's. confidence: of each one-sided bound, in (0.5, 1).

    Binary scores with one item per cluster use exact or Tango's score bounds, all else cluster-t (see the module
    docstring). Graded scores are taken to lie in [0, 1]; if any does not, their observed range is the scale.
    Raises ValueError naming the fault: shape, length, NaN or infinity, missing label, fewer than 2 clusters,
    confidence out of range.
    """
    check_confidence(confidence)
    new, old = _scores("candidate", candidate), _scores("base", base)
    if len(new) != len(old):
        raise ValueError(f"candidate has {len(new)} scores and base has {len(old)}: both must score the same items")
    num_items = len(new)
    cluster_of_item = np.arange(num_items) if clusters is None else cluster_codes(clusters, num_items)
    num_clusters = int(cluster_of_item.max()) + 1
    if num_clusters < 2:
        raise ValueError(f"all {num_items} items belong to one cluster: at least 2 independent clusters are needed")

    both = np.concatenate([new, old])
    diff = new - old
    binary = bool(np.isin(both, (0.0, 1.0)).all())
    bounded = bool(both.min() >= 0.0 and both.max() <= 1.0)
    method: Method
    estimate = float(diff.mean())
    if human is not None:
        method = "judged"
        checked = judged_mean(diff, human, cluster_of_item, confidence=confidence)
        estimate, low, high, standard_error = checked[:4]
        design_effect, counts = 1.0, _counts_for(estimate, standard_error)
    elif binary and num_clusters == num_items:
        gains, losses = int((diff > 0).sum()), int((diff < 0).sum())
        method = "exact" if num_items <= MOST_ITEMS else "tango"
        low, high, standard_error = _independent_binary(gains, losses, num_items, confidence)
        design_effect, counts = 1.0, EffectiveCounts(gains, losses, num_items)
    else:
        method = "cluster-t"
        scale = 1.0 if bounded else max(1.0, float(np.ptp(both)))
        found = cluster_bounds(diff, cluster_of_item, confidence=confidence, scale=scale)
        low, high = float(found.low), float(found.high)
        standard_error, design_effect = float(found.standard_error), float(found.design_effect)
        counts = EffectiveCounts(*(float(value) for value in found[4:]))
    if bounded:
        low, high = max(low, -1.0), min(high, 1.0)
    return PairedDifference(
        estimate=estimate,
        low=low,
        high=high,
        confidence=confidence,
        method=method,
        num_items=num_items,
        num_clusters=num_clusters,
        num_discordant=int(np.count_nonzero(diff)),
        base_mean=float(old.mean()),
        candidate_mean=float(new.mean()),
        standard_error=standard_error,
        design_effect=design_effect,
        counts=counts,
    )


def stratified_difference(strata: Mapping[str, PairedDifference]) -> PairedDifference:
    """Macro mean over abilities, each with equal weight however many items it has.

    strata: ability -> its difference, all at one confidence. Strata must not share clusters: MOVER adds their
    squared distances from estimate to bound, which assumes independence. One stratum keeps its own bounds.
    Raises ValueError for no strata or unequal confidence.
    """
    if not strata:
        raise ValueError("no strata given: a macro mean needs at least one ability")
    parts = list(strata.values())
    confidence = parts[0].confidence
    for name, part in strata.items():
        if part.confidence != confidence:
            first = next(iter(strata))
            raise ValueError(
                f"strata differ in confidence: {first!r} has {confidence}, {name!r} has {part.confidence}; "
                "bounds can only be combined at one confidence"
            )
    estimate = _macro_mean([part.estimate for part in parts])
    variance = sum(part.standard_error**2 for part in parts)
    return PairedDifference(
        estimate=estimate,
        low=estimate - math.hypot(*(part.estimate - part.low for part in parts)) / len(parts),
        high=estimate + math.hypot(*(part.high - part.estimate for part in parts)) / len(parts),
        confidence=confidence,
        method="mover",
        num_items=sum(part.num_items for part in parts),
        num_clusters=sum(part.num_clusters for part in parts),
        num_discordant=sum(part.num_discordant for part in parts),
        base_mean=_macro_mean([part.base_mean for part in parts]),
        candidate_mean=_macro_mean([part.candidate_mean for part in parts]),
        standard_error=math.sqrt(variance) / len(parts),
        design_effect=variance / sum(part.standard_error**2 / part.design_effect for part in parts),
        counts=EffectiveCounts(*(sum(part.counts[i] for part in parts) for i in range(3))),
        strata=tuple(parts),
    )


def _independent_binary(gains: int, losses: int, num_items: int, confidence: float) -> tuple[float, float, float]:
    """Bounds and plug-in standard error of items that differ by -1, 0 or 1."""
    if num_items <= MOST_ITEMS:
        low, high = paired_bounds(gains, losses, num_items, confidence)
    else:
        bounds = score_bounds(gains, losses, num_items, confidence=confidence)
        low, high = float(bounds.low), float(bounds.high)
    variance = (gains + losses) / num_items - ((gains - losses) / num_items) ** 2
    if variance > 0.0:
        return low, high, math.sqrt(variance / num_items)
    return low, high, (high - low) / (2.0 * normal_quantile(confidence))


def _counts_for(estimate: float, standard_error: float) -> EffectiveCounts:
    """Half gained, half lost among so many items that mean and error are these (all differ)."""
    items = max((1.0 - estimate**2) / max(standard_error**2, 1e-12), 1.0)
    return EffectiveCounts((1.0 + estimate) / 2.0 * items, (1.0 - estimate) / 2.0 * items, items)


def _scores(name: str, values: npt.ArrayLike) -> Floats:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1:
        raise ValueError(f"{name} has shape {scores.shape}: one score per item is needed, shape (n,)")
    if len(scores) == 0:
        raise ValueError(f"{name} is empty: there are no items to compare")
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} scores that are not finite, first at item {bad[0]} ({scores[bad[0]]}): "
            "an item without a score must be scored or left out of both arms"
        )
    return scores


def cluster_codes(clusters: Labels, num_items: int) -> npt.NDArray[np.int64]:
    """(n,) labels as numbers from 0, in order of appearance. Raises ValueError for a missing label."""
    if len(clusters) != num_items:
        raise ValueError(f"clusters has {len(clusters)} labels for {num_items} items: one each is needed")
    code_of_label: dict[Hashable, int] = {}
    codes = np.empty(num_items, dtype=np.int64)
    for item, label in enumerate(clusters):
        if label is None or label != label:
            raise ValueError(
                f"clusters[{item}] is {label}: give every item a cluster, "
                "or pass clusters=None if all items are independent"
            )
        codes[item] = code_of_label.setdefault(label, len(code_of_label))
    return codes


def _macro_mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
