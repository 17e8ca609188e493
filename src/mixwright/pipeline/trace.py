"""`trace`: exactly what one step of a run saw, worked out from the run's folder alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from mixwright.blend.ledger import Entry, batch_at
from mixwright.pipeline.mix import open_mix
from mixwright.recipe.schema import MAIN_ARM
from mixwright.tokens.store import TokenStore


@dataclass(frozen=True)
class Seen:
    """One record that a step saw. row: of the global batch. record_id, origin: as in the corpus. tokens, learnt: how
    many."""

    row: int
    source: str
    record_id: str
    origin: str
    tokens: int
    learnt: int


@dataclass(frozen=True)
class Trace:
    """records: row by row, in the order in which they stand there."""

    arm: str
    step: int
    num_steps: int
    records: list[Seen]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def trace(run: Path, step: int, arm: str = MAIN_ARM) -> Trace:
    """What the step, counted from 1, of a run's arm saw. Raises InputError as `open_mix`, or for a step it has not."""
    mix = open_mix(run, arm)
    entries = batch_at(step, mix.plan, mix.stores, mix.blend)
    return Trace(arm, step, mix.num_steps, _named(entries, mix.stores))


def _named(entries: list[Entry], stores: dict[str, TokenStore]) -> list[Seen]:
    names = {}
    for source in {entry.source for entry in entries}:
        wanted = sorted({entry.record for entry in entries if entry.source == source})
        table = pq.read_table(stores[source].folder / "records.parquet", columns=["record_id", "origin"])
        for record, row in zip(wanted, table.take(wanted).to_pylist(), strict=True):
            names[source, record] = row
    return [
        Seen(e.row, e.source, **names[e.source, e.record], tokens=e.tokens, learnt=e.supervised_tokens) for e in entries
    ]
