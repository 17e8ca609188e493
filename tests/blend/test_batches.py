"""From rows to arrays: every token where the mixer put it, padding marked, nothing lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_sources import make_plan, write_store

from mixwright.blend.batches import Assembler, Batch
from mixwright.blend.mixer import Mixer
from mixwright.tokens.store import TokenStore

PAD = 999
NAMES = ["desk", "skills"]


@pytest.fixture
def stores(tmp_path: Path) -> dict[str, TokenStore]:
    """Token values name their record: 100 * record + place, skills from 1000 on. The first token is never learnt."""

    def records(lengths: list[int], base: int) -> list[tuple[list[int], list[bool]]]:
        return [
            ([base + 100 * number + place for place in range(length)], [place > length // 2 for place in range(length)])
            for number, length in enumerate(lengths)
        ]

    return {
        "desk": write_store(tmp_path / "desk", records([20, 33, 7], 1)),
        "skills": write_store(tmp_path / "skills", records([5, 64, 12, 9], 1001)),
    }


def all_batches(stores: dict[str, TokenStore], *, packing: bool = True, rows: int = 4) -> list[Batch]:
    mixer = Mixer(make_plan({"desk": 1, "skills": 2}, packing=packing, budget_tokens=600, rows_per_batch=rows), stores)
    assembler = Assembler(stores, mixer.names, pad_id=PAD)
    return [assembler.tensors(batch, range(batch.num_rows)) for batch in mixer]


@pytest.mark.parametrize("packing", [True, False])
def test_every_record_stands_whole_in_its_segment(stores: dict[str, TokenStore], packing: bool) -> None:
    mixer = Mixer(make_plan({"desk": 1, "skills": 2}, packing=packing, budget_tokens=600), stores)
    for planned, batch in zip(mixer, all_batches(stores, packing=packing), strict=True):
        for r in range(len(batch.ids)):
            (places,) = np.nonzero(planned.row == r)
            for number, piece in enumerate(places):
                here = batch.segment[r] == number
                name = mixer.names[planned.source[piece]]
                tokens, mask = stores[name].record(int(planned.record[piece]))
                assert batch.ids[r, here].tolist() == tokens.tolist()
                assert batch.loss[r, here].tolist() == mask.astype(bool).tolist()
                assert batch.position[r, here].tolist() == list(range(len(tokens)))
                assert set(batch.source[r, here]) == {mixer.names.index(name)}


@pytest.mark.parametrize("num_ranks", [1, 2, 4])
def test_the_rows_of_the_ranks_are_those_of_the_whole(stores: dict[str, TokenStore], num_ranks: int) -> None:
    mixer = Mixer(make_plan({"desk": 1, "skills": 2}, budget_tokens=2000), stores)
    assembler = Assembler(stores, mixer.names, pad_id=PAD)
    each = 4 // num_ranks
    for planned in mixer:
        parts = [assembler.tensors(planned, range(rank * each, (rank + 1) * each)) for rank in range(num_ranks)]
        whole = assembler.tensors(planned, range(4))
        for field in ("ids", "loss", "source", "segment", "position"):
            joined = np.concatenate([getattr(part, field) for part in parts])
            assert np.array_equal(joined, getattr(whole, field))


def test_padding_is_marked_in_every_array(stores: dict[str, TokenStore]) -> None:
    found = all_batches(stores, packing=False)
    assert any((batch.segment < 0).any() for batch in found)
    for batch in found:
        padding = batch.segment < 0
        assert (batch.ids[padding] == PAD).all()
        assert not batch.loss[padding].any()
        assert (batch.source[padding] == -1).all()
        assert (batch.ids[~padding] != PAD).all()


def test_a_batch_is_no_wider_than_its_longest_row(stores: dict[str, TokenStore]) -> None:
    for batch in all_batches(stores, packing=False, rows=1):
        assert (batch.segment >= 0).all()


def test_counts_are_of_tokens_that_entered_and_of_those_learnt(stores: dict[str, TokenStore]) -> None:
    found = all_batches(stores)
    assert sum(batch.num_tokens for batch in found) >= 600
    assert all(batch.num_supervised == np.count_nonzero(batch.loss) for batch in found)
