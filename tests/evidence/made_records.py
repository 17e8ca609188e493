"""Records of two models, made up to the letter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]


def rows_of(suite: str, ability: str, scores: Sequence[float], parsed: Sequence[bool] | None = None) -> list[Row]:
    """One record for each score, each item a cluster of its own."""
    return [
        {
            "item_id": f"{ability}{number:05}",
            "suite": suite,
            "ability": ability,
            "cluster": f"{ability}{number:05}",
            "prompt_sha": f"prompt{number}",
            "decoding": "greedy",
            "build": "build",
            "response": "text",
            "parsed": True if parsed is None else bool(parsed[number]),
            "score": float(score),
            "scorer": "exact@1",
        }
        for number, score in enumerate(scores)
    ]


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def about(role: str, **abilities: int) -> dict[str, Any]:
    """What `suite.json` says of a suite whose items are independent."""
    return {"role": role, "abilities": abilities, "clusters": abilities}
