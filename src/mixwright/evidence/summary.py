"""Every arm on every suite: score, parse rate, and what lies between it and the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mixwright.evidence.differences import strata_difference
from mixwright.evidence.importers import read_records
from mixwright.evidence.pairing import pair
from mixwright.ground.hashing import Json


def summarise(
    suites: Mapping[str, Mapping[str, Any]], arms: Mapping[str, Path], base: str, confidence: float
) -> list[dict[str, Json]]:
    """One row for each arm and suite, the suite's abilities counting alike.

    suites: `suite.json` by name. arms: `records.parquet` by arm, the base among them. The bounds are one-sided, each at
    `confidence`, on the paired difference to the base; the base has none, nor has a suite with an ability whose items
    all belong to one cluster.
    """
    rows: list[dict[str, Json]] = []
    before = read_records(arms[base])
    for arm, records in arms.items():
        strata = pair(read_records(records), before).strata
        for suite, about in suites.items():
            wanted = [(suite, ability) for ability in about["abilities"]]
            parts = [strata[stratum] for stratum in wanted]
            score, parse = (_mean([part.candidate[metric] for part in parts]) for metric in ("score", "parse_rate"))
            bounded = arm != base and min(about["clusters"].values()) > 1
            difference = strata_difference(wanted, "score", strata, confidence) if bounded else None
            rows.append(
                {
                    "arm": arm,
                    "suite": suite,
                    "role": about["role"],
                    "score": score,
                    "parse_rate": parse,
                    "difference": difference.estimate if difference else None,
                    "low": difference.low if difference else None,
                    "high": difference.high if difference else None,
                    "num_items": sum(len(part.clusters) for part in parts),
                }
            )
    return rows


def _mean(scores: Sequence[npt.NDArray[np.float64]]) -> float:
    return float(np.mean([part.mean() for part in scores]))
