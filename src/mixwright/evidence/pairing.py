"""Two models' records, paired item by item - or a refusal to compare what must not be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mixwright.evidence.clauses import Stratum
from mixwright.ground.errors import InputError

SAME = {
    "prompt_sha": "was asked with another prompt, template or tokenizer",
    "scorer": "was scored by another scorer or version",
    "build": "was answered by another build, device, number format, thread count or batch size",
}


@dataclass(frozen=True)
class Pairs:
    """Scores of the same items, in the same order. All arrays (n,): scores and parse status 0 to 1."""

    candidate: Mapping[str, npt.NDArray[np.float64]]  # by metric: score, parse_rate
    base: Mapping[str, npt.NDArray[np.float64]]
    clusters: npt.NDArray[np.str_]


def pair(candidate: Path, base: Path) -> dict[Stratum, Pairs]:
    """Paired records by (suite, ability). candidate, base: `records.parquet` files.

    Raises InputError when the files are not about the same items, or an item differs in anything listed in `SAME`.
    """
    import pyarrow.parquet as pq

    rows: list[dict[str, dict[str, object]]] = []
    for path in (candidate, base):
        table = pq.read_table(path).to_pylist()
        rows.append({f"{row['suite']}/{row['item_id']}": row for row in table})
        if len(rows[-1]) < len(table):
            raise InputError("an item stands here twice", where=str(path))
    new, old = rows
    if new.keys() != old.keys():
        only = len(new.keys() ^ old.keys())
        raise InputError(f"{only} items were answered by one of the two models only", where=str(candidate))
    strata: dict[Stratum, list[str]] = {}
    for key in sorted(new):
        for column, what in SAME.items():
            if new[key][column] != old[key][column]:
                raise InputError(f"the two models cannot be compared: item {key} {what}", where=str(candidate))
        strata.setdefault((str(new[key]["suite"]), str(new[key]["ability"])), []).append(key)
    return {
        stratum: Pairs(_metrics(new, keys), _metrics(old, keys), np.asarray([str(new[key]["cluster"]) for key in keys]))
        for stratum, keys in strata.items()
    }


def _metrics(rows: Mapping[str, Mapping[str, object]], keys: Sequence[str]) -> dict[str, npt.NDArray[np.float64]]:
    return {
        metric: np.asarray([float(rows[key][column]) for key in keys])  # type: ignore[arg-type]
        for metric, column in (("score", "score"), ("parse_rate", "parsed"))
    }
