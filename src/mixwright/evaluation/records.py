"""The score stage: responses to records, one row per item and model, ready to be paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from mixwright.evaluation.scorers import SCORERS, Response, score
from mixwright.ground.hashing import Json
from mixwright.items.suite import read_items

COLUMNS = (
    "item_id",
    "suite",
    "ability",
    "cluster",
    "prompt_sha",
    "decoding",
    "build",
    "response",
    "parsed",
    "score",
    "scorer",
)


def score_responses(responses: Path, suites: Sequence[Path], build: str, out: Path) -> Mapping[str, Json]:
    """Write `records.parquet` (the columns of `COLUMNS`; scorer as name@version).

    Returns the score per suite: the mean over its abilities, as in the contract.

    build: hash of everything that must be equal for two records to be comparable besides item, prompt and scorer.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    items = {(item.suite, item.item_id): item for folder in suites for item in read_items(folder)}
    table = pq.read_table(responses)
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    scores: dict[str, dict[str, list[float]]] = {}
    for row in table.to_pylist():
        item = items[row["suite"], row["item_id"]]
        result = score(Response(row["response"], row["finished"]), item)
        values = (
            row["item_id"],
            item.suite,
            item.ability,
            item.cluster,
            row["prompt_sha"],
            "most probable option" if item.normalise else f"greedy, at most {item.max_new_tokens} tokens",
            build,
            row["response"],
            result.parsed,
            result.value,
            f"{item.scorer}@{SCORERS[item.scorer].version}",
        )
        for name, value in zip(COLUMNS, values, strict=True):
            columns[name].append(value)
        scores.setdefault(item.suite, {}).setdefault(item.ability, []).append(result.value)
    pq.write_table(pa.table(columns), out / "records.parquet", compression="zstd")
    return {suite: round(fmean(map(fmean, abilities.values())), 6) for suite, abilities in scores.items()}
