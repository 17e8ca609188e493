"""What a clause or a table cell is about, as a number with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mixwright.evidence.clauses import Stratum
from mixwright.evidence.pairing import Pairs
from mixwright.ground.errors import InputError
from mixwright.statistics.paired import PairedDifference, paired_difference, stratified_difference


def strata_difference(
    wanted: Sequence[Stratum], metric: str, strata: Mapping[Stratum, Pairs], confidence: float, *, rate: bool = False
) -> PairedDifference:
    """A metric, candidate minus base, as the macro mean over the strata wanted. rate: minus a score without fault.

    Strata that share clusters are not independent and are judged as one sample. Where people have scored items too,
    they correct the scores. Raises InputError for strata without records, too few clusters and too few human scores.
    """
    missing = ["/".join(stratum) for stratum in wanted if stratum not in strata]
    if missing:
        raise InputError("there are no records of this ability", where=missing[0])
    parts = {"/".join(stratum): strata[stratum].against_no_fault() if rate else strata[stratum] for stratum in wanted}
    labels = [set(pairs.clusters) for pairs in parts.values()]
    try:
        if len(set().union(*labels)) < sum(map(len, labels)):
            return _difference(_pooled([*parts.values()]), metric, confidence)
        differences = {name: _difference(pairs, metric, confidence) for name, pairs in parts.items()}
    except ValueError as error:
        raise InputError(str(error), where=", ".join(parts)) from None
    return next(iter(differences.values())) if len(differences) == 1 else stratified_difference(differences)


def _difference(pairs: Pairs, metric: str, confidence: float) -> PairedDifference:
    human = pairs.human_differences() if metric == "score" else None
    return paired_difference(
        pairs.candidate[metric], pairs.base[metric], clusters=pairs.clusters, human=human, confidence=confidence
    )


def _pooled(parts: Sequence[Pairs]) -> Pairs:
    """All items as one sample, weighted so that its mean is the mean over the strata."""
    num_items = sum(len(pairs.clusters) for pairs in parts)
    weights = [num_items / (len(parts) * len(pairs.clusters)) for pairs in parts]
    candidate, base = (
        {
            metric: np.concatenate([weight * arm[metric] for weight, arm in zip(weights, arms, strict=True)])
            for metric in arms[0]
        }
        for arms in ([pairs.candidate for pairs in parts], [pairs.base for pairs in parts])
    )
    clusters = np.concatenate([pairs.clusters for pairs in parts])
    return Pairs(candidate, base, clusters, sum(pairs.num_missing for pairs in parts))
