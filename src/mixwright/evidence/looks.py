"""A clause decided cluster by cluster, in the order in which items are asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mixwright.evidence.clauses import Clause, Stratum
from mixwright.evidence.pairing import Pairs, asking_order
from mixwright.recipe.contract import Contract
from mixwright.statistics.sequential import (
    Assumption,
    SequentialPlan,
    SequentialResult,
    sequential_plan,
    sequential_test,
)

Sizes = Mapping[str, Mapping[Stratum, int]]
"""Of every cluster that will be asked, in the order of asking: how many items of which ability."""


class Looks(NamedTuple):
    """What the looks at one clause gave. share_used: of its items, when it was decided or all were in."""

    result: SequentialResult
    plan: SequentialPlan
    share_used: float


def asking_sizes(clusters: Mapping[Stratum, Sequence[str] | npt.NDArray[np.str_]]) -> Sizes:
    """clusters: of every item that will be asked, by (suite, ability)."""
    sizes: dict[str, dict[Stratum, int]] = defaultdict(lambda: defaultdict(int))
    for stratum, labels in clusters.items():
        for label in labels:
            sizes[str(label)][stratum] += 1
    return {cluster: sizes[cluster] for cluster in sorted(sizes, key=lambda name: (asking_order(name), name))}


def look(clause: Clause, strata: Mapping[Stratum, Pairs], sizes: Sizes, contract: Contract) -> Looks:
    """Decide a clause from the clusters answered so far, as if looked at after each. sizes: of all that will be."""
    totals = {stratum: sum(parts.get(stratum, 0) for parts in sizes.values()) for stratum in clause.strata}
    # abilities weigh alike however many items they have; an item weighs 1 in the mean
    weights = {stratum: sum(totals.values()) / (len(totals) * total) for stratum, total in totals.items()}
    planned = {
        cluster: sum(weights[stratum] * count for stratum, count in parts.items() if stratum in weights)
        for cluster, parts in sizes.items()
        if not weights.keys().isdisjoint(parts)
    }
    sums: dict[str, float] = defaultdict(float)
    for stratum in clause.strata:
        if stratum not in strata:
            continue  # none of its clusters has been asked yet
        pairs = strata[stratum].against_no_fault() if clause.test == "rate" else strata[stratum]
        differences = weights[stratum] * (pairs.candidate[clause.metric] - pairs.base[clause.metric])
        for cluster, difference in zip(pairs.clusters, differences, strict=True):
            sums[str(cluster)] += float(difference)
    answered = [cluster for cluster in planned if cluster in sums]
    settings = contract.planning
    difference = 0.0 if clause.test != "superiority" else min(2.0 * clause.margin, settings.discordance)
    assumption = Assumption(settings.discordance, difference, settings.correlation)
    weighted = np.asarray([planned[cluster] for cluster in answered])
    result = sequential_test(
        [sums[cluster] for cluster in answered],
        weighted,
        clause.threshold,
        planned=[*planned.values()],
        confidence=contract.confidence,
        assumption=assumption,
    )
    plan = sequential_plan([*planned.values()], clause.threshold, confidence=contract.confidence, assumption=assumption)
    used = float(weighted[: result.num_clusters].sum()) / sum(planned.values())
    return Looks(result, plan, used)
