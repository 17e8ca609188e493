"""Batches made ahead are the batches, with the state that belongs to each."""

from __future__ import annotations

import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from made_sources import make_plan, write_store

from mixwright.blend.ahead import batches_ahead
from mixwright.blend.batches import Assembler
from mixwright.blend.mixer import Mixer
from mixwright.ground.errors import InputError
from mixwright.tokens.store import TokenStore


@pytest.fixture
def stores(tmp_path: Path) -> dict[str, TokenStore]:
    records = [(list(range(1, length)), [place > 2 for place in range(1, length)]) for length in range(4, 30)]
    return {name: write_store(tmp_path / name, records) for name in ("desk", "skills")}


def test_the_batches_and_their_states_are_those_of_the_mixer(stores: dict[str, TokenStore]) -> None:
    plan = make_plan({"desk": 1, "skills": 2}, budget_tokens=9000)
    mixer = Mixer(plan, stores)
    assembler = Assembler(stores, mixer.names, pad_id=0)
    made = list(batches_ahead(Mixer(plan, stores), assembler, depth=2))
    for planned, (batch, state) in zip(mixer, made, strict=True):
        assert np.array_equal(batch.ids, assembler.tensors(planned, range(planned.num_rows)).ids)
        assert state == mixer.state
    assert made[-1][1].finished


def test_whoever_stops_early_leaves_no_thread_behind(stores: dict[str, TokenStore]) -> None:
    mixer = Mixer(make_plan({"desk": 1}, budget_tokens=10**7), stores)
    batches = batches_ahead(mixer, Assembler(stores, mixer.names, pad_id=0))
    first = list(islice(batches, 3))
    assert [state.step for _, state in first] == [1, 2, 3]
    batches.close()
    assert all(thread.name != "batches" for thread in threading.enumerate())


def test_an_error_of_the_mixer_comes_in_its_place(tmp_path: Path) -> None:
    stores = {"desk": write_store(tmp_path / "desk", [([1] * 20, [False] * 20), ([2] * 20, [True] * 20)])}
    mixer = Mixer(make_plan({"desk": 1}, unit="supervised_tokens", rows_per_batch=1), stores)
    with pytest.raises(InputError, match="has no supervised tokens"):
        list(batches_ahead(mixer, Assembler(stores, mixer.names, pad_id=0)))
