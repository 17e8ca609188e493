"""Differences scored by a fallible judge, corrected by the items that people have scored too.

A judge (a language model, a classifier) scores every item, people a random part of them. Prediction-powered inference
takes the judge's mean over the items that only it has seen, and adds the mean of its errors where people looked. The
interval then covers what people would have said about all items, however wrong the judge is; a good judge makes it
narrow, a bad one is tuned away (lambda near 0) and costs nothing but its own time.

Trade-off: the labelled items must be a random sample of all items, chosen before looking at scores. Labels given where
the judge looked wrong would correct an error that is not there elsewhere, and no formula can notice.

Clusters: the estimate is a sum over items, so its error is a sum over clusters (the sandwich of `clustered`), whether
labelled and unlabelled items share clusters or not. Where few labels differ that normal theory is too narrow, and where
none does it has no width at all; so each bound is the wider of it and of the two parts' own bounds, combined by MOVER.

Sources: Angelopoulos, Bates, Fannjiang, Jordan and Zrnic, Science 382 (2023) 669-674 (PPI); Angelopoulos, Duchi and
Zrnic, "PPI++" (2023), section 5 (lambda).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from mixwright.statistics.clustered import cluster_bounds

FEWEST_LABELS = 20
"""Labelled clusters below which the normal theory of the correction cannot be trusted."""


class JudgedMean(NamedTuple):
    """Mean of what people would have said, each bound one-sided. weight: PPI++'s lambda, the trust in the judge."""

    estimate: float
    low: float
    high: float
    standard_error: float
    weight: float


def judged_mean(
    judge: npt.ArrayLike, human: npt.ArrayLike, cluster_of_item: npt.NDArray[np.integer], *, confidence: float = 0.95
) -> JudgedMean:
    """judge: (n,) scores or differences of all items. human: (n,), NaN where nobody looked. cluster_of_item: (n,).

    Raises ValueError for fewer than `FEWEST_LABELS` labelled clusters.
    """
    predicted, truth = np.asarray(judge, dtype=np.float64), np.asarray(human, dtype=np.float64)
    seen = ~np.isnan(truth)
    num_seen, num_rest = int(seen.sum()), int((~seen).sum())
    num_clusters = len(np.unique(cluster_of_item[seen]))
    if num_clusters < FEWEST_LABELS:
        raise ValueError(
            f"people scored items of {num_clusters} clusters: at least {FEWEST_LABELS} are needed to correct a judge"
        )
    weight = _weight(predicted, truth, seen) if num_rest else 0.0
    error = truth[seen] - weight * predicted[seen]
    rest = weight * predicted[~seen]
    estimate = float(error.mean()) + (float(rest.mean()) if num_rest else 0.0)

    influence = np.empty(len(predicted))
    influence[seen] = (error - error.mean()) / num_seen
    influence[~seen] = (rest - rest.mean()) / num_rest if num_rest else 0.0
    sums = np.bincount(np.unique(cluster_of_item, return_inverse=True)[1], weights=influence)
    standard_error = math.sqrt(float((sums**2).sum()) * num_clusters / (num_clusters - 1))
    quantile = float(special.stdtrit(num_clusters - 1, confidence))

    parts = [cluster_bounds(error, cluster_of_item[seen], confidence=confidence, scale=1.0 + weight)]
    means = [float(error.mean())]
    if weight > 0.0:
        parts.append(cluster_bounds(rest, cluster_of_item[~seen], confidence=confidence, scale=weight))
        means.append(float(rest.mean()))
    down = math.hypot(*(mean - float(part.low) for mean, part in zip(means, parts, strict=True)))
    up = math.hypot(*(float(part.high) - mean for mean, part in zip(means, parts, strict=True)))
    low, high = (max(quantile * standard_error, reach) for reach in (down, up))
    standard_error = max(standard_error, 1e-3 * (low + high) / (2.0 * quantile))  # never zero
    return JudgedMean(estimate, estimate - low, estimate + high, standard_error, weight)


def _weight(predicted: npt.NDArray[np.float64], truth: npt.NDArray[np.float64], seen: npt.NDArray[np.bool_]) -> float:
    """The lambda of least variance, between 0 and 1: cov(human, judge) / ((1 + n / N) var(judge))."""
    variance = float(predicted.var())
    if variance == 0.0:
        return 0.0
    together = float(np.cov(truth[seen], predicted[seen], bias=True)[0, 1])
    ratio = int(seen.sum()) / int((~seen).sum())
    return min(max(together / ((1.0 + ratio) * variance), 0.0), 1.0)
