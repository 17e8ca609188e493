"""Sources of any lengths for the mixer, which needs no tokens, and real token stores for what does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from mixwright.blend.mixer import MixPlan
from mixwright.blend.stages import Stage
from mixwright.ground.artefacts import write_json
from mixwright.tokens.store import TokenStore

ROW_TOKENS = 64
UNITS = ("tokens", "supervised_tokens", "records")


@dataclass(frozen=True)
class Lengths:
    """offsets: uint64 (num_records + 1,); supervised: uint32 (num_records,)."""

    offsets: npt.NDArray[np.uint64]
    supervised: npt.NDArray[np.uint32]

    @property
    def tokens(self) -> list[int]:
        """The length of each record."""
        return [int(length) for length in np.diff(self.offsets)]


def lengths_of(tokens: Sequence[int], supervised: Sequence[int] | None = None) -> Lengths:
    return Lengths(np.cumsum([0, *tokens]).astype(np.uint64), np.asarray(supervised or tokens, np.uint32))


@st.composite
def sources(draw: st.DrawFn, max_sources: int = 12) -> dict[str, Lengths]:
    """One to twelve sources; records of any length a row holds, of which at least one token is learnt."""
    names = [f"source{i}" for i in range(draw(st.integers(1, max_sources)))]
    record = st.integers(1, ROW_TOKENS).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))
    records = {name: draw(st.lists(record, min_size=1, max_size=12)) for name in names}
    return {name: lengths_of([n for n, _ in rows], [n for _, n in rows]) for name, rows in records.items()}


@st.composite
def plans(draw: st.DrawFn, found: dict[str, Lengths], unit: str | None = None) -> MixPlan:
    """Any rational shares over the sources, any seed, packed or not."""
    weights = draw(st.lists(st.integers(1, 1000), min_size=len(found), max_size=len(found)))
    return make_plan(
        dict(zip(found, weights, strict=True)),
        unit=unit or draw(st.sampled_from(UNITS)),
        seed=draw(st.integers(0, 2**31)),
        packing=draw(st.booleans()),
        rows_per_batch=draw(st.sampled_from([1, 2, 3, 8])),
        budget_tokens=draw(st.integers(1, 40 * ROW_TOKENS)),
    )


def make_plan(weights: dict[str, int], **changes: Any) -> MixPlan:
    total = sum(weights.values())
    settings: dict[str, Any] = {
        "unit": "tokens",
        "stages": (Stage({name: Fraction(weight, total) for name, weight in weights.items()}),),
        "seed": 0,
        "rows_per_batch": 4,
        "row_tokens": ROW_TOKENS,
        "packing": True,
        "domain": frozenset(weights),
        "budget_tokens": 20 * ROW_TOKENS,
        "budget_domain_tokens": None,
    }
    return MixPlan(**(settings | changes))


def write_store(folder: Path, records: Sequence[tuple[Sequence[int], Sequence[bool]]]) -> TokenStore:
    """A token store of (tokens, loss mask) pairs."""
    folder.mkdir(parents=True)
    ids = [np.asarray(tokens, np.uint16) for tokens, _ in records]
    loss = [np.asarray(mask, np.uint8) for _, mask in records]
    np.concatenate(ids).tofile(folder / "tokens.bin")
    np.concatenate(loss).tofile(folder / "loss.bin")
    np.save(folder / "offsets.npy", np.cumsum([0, *map(len, ids)]).astype(np.uint64))
    np.save(folder / "supervised.npy", np.asarray([mask.sum() for mask in loss], np.uint32))
    supervised = int(sum(mask.sum() for mask in loss))
    write_json(folder / "store.json", {"dtype": "uint16", "supervised_tokens": supervised})
    return TokenStore(folder)
