"""Tripwires: has anything dropped that the contract does not speak of?

A composite hides a collapse: one of ten abilities losing 20 points moves their mean by 2. So every ability without a
clause of its own is tested for *any* drop, and Holm's procedure keeps the chance of a single false alarm, over all of
them, at the level.

Trade-off: the null hypothesis here is "no difference", which no amount of data can prove. A tripwire that stays silent
is no evidence of anything, and one that goes off says nothing about size - with many items a trivial drop sets it off.
It can therefore keep a PASS back and nothing else; what is to be guaranteed needs a margin.

Sources: McNemar, Psychometrika 12 (1947) 153-157, exact form; Obuchowski, Statistics in Medicine 17 (1998) 1495-1507
(clustered pairs); Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import special

from mixwright.statistics.paired import Labels, cluster_codes


def drop_p_value(candidate: npt.ArrayLike, base: npt.ArrayLike, *, clusters: Labels | None = None) -> float:
    """One-sided p-value of "the candidate is not worse than the base", scores of the same items, shapes (n,).

    McNemar's exact test where scores are right or wrong and items independent; otherwise Obuchowski's clustered form
    for any scores, read against Student's t with clusters - 1 degrees of freedom. 1.0 where nothing differs.
    """
    diff = np.asarray(candidate, dtype=np.float64) - np.asarray(base, dtype=np.float64)
    codes = np.arange(len(diff)) if clusters is None else cluster_codes(clusters, len(diff))
    num_clusters = int(codes.max()) + 1
    if num_clusters == len(diff) and bool(np.isin(diff, (-1.0, 0.0, 1.0)).all()):
        losses, gains = int((diff < 0).sum()), int((diff > 0).sum())
        return float(special.bdtrc(losses - 1, losses + gains, 0.5)) if losses else 1.0
    sums = np.bincount(codes, weights=diff)
    spread = math.sqrt(float((sums**2).sum()) * num_clusters / max(num_clusters - 1, 1))
    if spread == 0.0 or num_clusters < 2:
        return 1.0
    return float(special.stdtr(num_clusters - 1, float(sums.sum()) / spread))


def holm(p_values: Mapping[str, float], level: float = 0.05) -> dict[str, float]:
    """Holm's adjusted p-values of those hypotheses that are rejected at `level` for the whole family, by name."""
    rejected: dict[str, float] = {}
    adjusted = 0.0
    for rank, (name, p_value) in enumerate(sorted(p_values.items(), key=lambda entry: (entry[1], entry[0]))):
        adjusted = max(adjusted, min(1.0, (len(p_values) - rank) * p_value))
        if adjusted > level:
            break
        rejected[name] = adjusted
    return rejected
