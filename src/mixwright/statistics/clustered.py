"""Bounds for a mean difference when items come in clusters (questions on one passage, turns of one dialogue).

Idea: the cluster is the independent unit. The standard error sums residuals within each cluster before
squaring (the sandwich), corrected by G/(G-1), and is read against Student's t with G-1 degrees of freedom.
With one item per cluster that is the ordinary paired t.

Trade-off: t assumes that the mean is nearly normal. When few items differ - the usual case for a model that
was only lightly tuned - it is skewed, and plain cluster-t passes a drop that sits exactly at the margin
10-50 % of the time instead of 5 % (simulated, see tests/statistics). So each bound is the *wider* of
cluster-t and the score bound at the effective sample size, which brings that back to about 5 %. The price is
power: 1-5 points with 100 clusters of 5 or more, a third and more with 30 large clusters and few differences,
where nothing in the data tells one bad cluster from bad luck.
- graded scores become effective gains and losses by dividing by their typical size, sum d^2 / sum |d|, which
  keeps mean and variance (binary scores are unchanged);
- counts and items are divided by the design effect, as for survey proportions. Where few items differ that
  effect cannot be estimated, so one fully correlated cluster is added before taking the ratio, as Laplace's
  rule adds an observation to an empty cell; it fades as differing items accumulate and vanishes without
  clusters. (Half a one, as Jeffreys would add, passed 6.1 % where all that differs is lost; power costs
  less than a point.)
If every item has the same difference there is no variance at all: then the share of clusters that could
differ is bounded exactly (rule of three at the effective number of clusters), and each of them may differ by
the whole scale.

Sources: Liang and Zeger, Biometrika 73 (1986) 13-22, and Cameron and Miller, J. Human Resources 50 (2015)
317-372 (sandwich, correction, t); Kish, Survey Sampling (1965) (design effect, effective number); Korn and
Graubard, Survey Methodology 24 (1998) 193-201 (bounds at the effective size); Yang, Sun and Hardin,
Computational Statistics and Data Analysis 56 (2012) 1301-1320 (clustered matched pairs). The added cluster
is ours.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from mixwright.statistics.score import Floats, score_bounds

_PRIOR_CLUSTERS = 1.0
_ROUNDING = 1e-10  # relative to the score scale: differences below this are rounding, not information


class ClusterBounds(NamedTuple):
    """One-sided bounds, standard error (> 0), design effect, and what the data amount to as independent right/wrong
    items: gains and losses of size `magnitude` among `items`. Each of shape (...)."""

    low: Floats
    high: Floats
    standard_error: Floats
    design_effect: Floats
    gains: Floats
    losses: Floats
    items: Floats
    magnitude: Floats


def cluster_bounds(
    differences: npt.ArrayLike,
    cluster_of_item: npt.NDArray[np.integer],
    *,
    confidence: float,
    scale: float = 1.0,
) -> ClusterBounds:
    """Bound the mean of `differences`, clusters independent.

    differences: (..., n) candidate - base per item; leading axes are independent replicates (simulations).
    cluster_of_item: (n,) integers; at least two distinct values. confidence: of each one-sided bound, in
    (0.5, 1). scale: the largest difference that one item can show (1 for scores in [0, 1]).
    """
    diff = np.asarray(differences, dtype=np.float64)
    num_items = diff.shape[-1]
    order = np.argsort(cluster_of_item, kind="stable")
    starts = np.flatnonzero(np.diff(np.asarray(cluster_of_item)[order], prepend=np.nan))
    sizes = np.diff(starts, append=num_items)
    num_clusters = len(starts)
    size_of_random_item = float((sizes**2).sum()) / num_items  # Kish: the cluster size that an item sees
    effective_clusters = num_items / size_of_random_item

    mean = diff.mean(axis=-1)
    residual_of_item = diff - mean[..., None]
    residual_of_cluster = np.add.reduceat(residual_of_item[..., order], starts, axis=-1)
    item_squares = np.square(residual_of_item).sum(axis=-1)
    cluster_squares = np.square(residual_of_cluster).sum(axis=-1) * (num_clusters / (num_clusters - 1))
    quantile = float(special.stdtrit(num_clusters - 1, confidence))
    sandwich = np.sqrt(cluster_squares) / num_items

    absolute = np.abs(diff).sum(axis=-1)
    some_differ = absolute > _ROUNDING * scale
    squares = np.square(diff).sum(axis=-1)
    magnitude = np.where(some_differ, squares, 1.0) / np.where(some_differ, absolute, 1.0)
    prior = _PRIOR_CLUSTERS * size_of_random_item * np.square(magnitude)
    inflation = np.maximum(1.0, (cluster_squares + prior * size_of_random_item) / (item_squares + prior))
    gains = np.maximum(diff, 0.0).sum(axis=-1) / magnitude / inflation
    losses = np.maximum(-diff, 0.0).sum(axis=-1) / magnitude / inflation
    items = num_items / inflation
    score = score_bounds(gains, losses, items, confidence=confidence, quantile=quantile)
    low = np.minimum(mean - quantile * sandwich, magnitude * score.low)
    high = np.maximum(mean + quantile * sandwich, magnitude * score.high)

    constant = np.ptp(diff, axis=-1) <= _ROUNDING * scale
    may_differ = 1.0 - (1.0 - confidence) ** (1.0 / effective_clusters)
    low = np.where(constant, mean - may_differ * (scale + mean), low)
    high = np.where(constant, mean + may_differ * (scale - mean), high)

    standard_error = np.where(sandwich > _ROUNDING * scale, sandwich, (high - low) / (2.0 * quantile))
    independent = np.sqrt(item_squares / (num_items * (num_items - 1)))
    if num_clusters == num_items:
        design_effect = np.ones_like(mean)
    else:
        design_effect = np.where(
            constant, size_of_random_item, np.square(standard_error / np.where(constant, 1.0, independent))
        )
    return ClusterBounds(low, high, standard_error, design_effect, gains, losses, items, magnitude)
