"""The blend as PyTorch data sets: the same rows for any ranks and workers, taken up again anywhere."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_sources import ROW_TOKENS, make_plan, write_store
from tiny_models import build_model
from torch.utils.data import DataLoader

from mixwright.blend.dataset import BlendCollator, BlendRows, BlendSampler, BlendTable, Row
from mixwright.blend.mixer import Mixer, MixPlan
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import text_digest
from mixwright.tokens.store import TokenStore

PLAN = make_plan({"desk": 1, "skills": 2}, rows_per_batch=24, budget_tokens=24 * ROW_TOKENS * 6)
PAD = 60_000


def whole(rows: list[Row]) -> list[dict[str, list[int]]]:
    return [{name: tensor.tolist() for name, tensor in row.items()} for row in rows]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TokenStore]:
    """Records of 1 to 64 tokens, each unlike any other."""
    folder, random = tmp_path_factory.mktemp("stores"), np.random.default_rng(0)

    def records(first: int) -> list[tuple[list[int], list[bool]]]:
        lengths = [1, ROW_TOKENS, *random.integers(2, ROW_TOKENS, 60)]
        found = []
        for number, length in enumerate(lengths):
            loss = [False, *(bool(b) for b in random.random(length - 1) < 0.5)]
            found.append(([first + number, *random.integers(0, 1000, length - 1).tolist()], loss))
        return found

    return {name: write_store(folder / name, records(first)) for name, first in (("desk", 2000), ("skills", 3000))}


def rows_of(stores: dict[str, TokenStore], plan: MixPlan = PLAN, **settings: Any) -> BlendRows:
    return BlendRows(plan, stores, pad_id=PAD, **settings)


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 8])
def test_the_rows_of_the_ranks_joined_are_those_of_one(stores: dict[str, TokenStore], num_ranks: int) -> None:
    alone = whole(list(rows_of(stores)))
    parts = [iter(whole(list(rows_of(stores, rank=rank, num_ranks=num_ranks)))) for rank in range(num_ranks)]
    size = PLAN.rows_per_batch // num_ranks
    joined = [row for _ in range(len(alone) // PLAN.rows_per_batch) for part in parts for row in islice(part, size)]
    assert joined == alone
    assert all(next(part, None) is None for part in parts)


@pytest.mark.parametrize("num_workers", [0, 1, 2])
@pytest.mark.parametrize("rows", [24, 4])
def test_workers_change_nothing(stores: dict[str, TokenStore], num_workers: int, rows: int) -> None:
    dataset = rows_of(stores, rows=rows)
    loader = DataLoader(dataset, batch_size=rows, num_workers=num_workers, collate_fn=whole)
    assert [row for batch in loader for row in batch] == whole(list(rows_of(stores)))


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_a_stream_left_anywhere_is_taken_up_there(stores: dict[str, TokenStore], data: st.DataObject) -> None:
    expected = whole(list(rows_of(stores)))
    cut = data.draw(st.integers(0, len(expected)))
    first = rows_of(stores)
    before = whole(list(islice(iter(first), cut)))
    again = rows_of(stores)
    again.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert before + whole(list(again)) == expected
    assert whole(list(again)) == expected, "the iteration after that begins at the beginning"


def test_a_state_is_as_small_at_the_end_as_at_the_start(stores: dict[str, TokenStore]) -> None:
    dataset = rows_of(stores)
    sizes = [len(json.dumps(dataset.state_dict())) for _ in dataset]
    assert max(sizes) < 1024
    assert max(sizes) - min(sizes) < 100


def test_the_state_of_another_mix_is_refused(stores: dict[str, TokenStore], tmp_path: Path) -> None:
    state = rows_of(stores).state_dict()
    with pytest.raises(InputError, match="another mix") as caught:
        rows_of(stores, replace(PLAN, seed=1)).load_state_dict(state)
    assert caught.value.where == "plan"
    other = stores | {"skills": write_store(tmp_path / "skills", [([1, 2, 3], [False, True, True])])}
    with pytest.raises(InputError) as caught:
        rows_of(other).load_state_dict(state)
    assert caught.value.where == "sources.skills"


@pytest.mark.parametrize("settings", [{"num_ranks": 5}, {"rows": 7}, {"num_ranks": 0}])
def test_parts_that_do_not_divide_a_batch_are_refused(stores: dict[str, TokenStore], settings: dict[str, int]) -> None:
    with pytest.raises(InputError, match="does not divide 24 rows"):
        rows_of(stores, **settings)


def test_what_reaches_the_model_is_every_record_as_often_as_its_pass_says(stores: dict[str, TokenStore]) -> None:
    """Attributed by the tokens themselves, and not by what the mixer says of them."""
    names = {
        text_digest(str(stores[name].record(index)[0].tolist())): (name, index)
        for name in stores
        for index in range(len(stores[name]))
    }
    seen: Counter[tuple[str, int]] = Counter()
    tokens: Counter[str] = Counter()
    for row in rows_of(stores):
        for number in range(int(row["segment_ids"].max()) + 1):
            here = row["segment_ids"] == number
            name, index = names[text_digest(str(row["input_ids"][here].tolist()))]
            ids, loss = stores[name].record(index)
            wanted = np.where(loss.astype(bool), ids.astype(np.int64), -100)
            assert row["labels"][here].tolist() == wanted.tolist()
            assert row["position_ids"][here].tolist() == list(range(len(ids)))
            seen[name, index] += 1
            tokens[name] += len(ids)
    assert abs(tokens["desk"] - sum(tokens.values()) / 3) <= 2 * ROW_TOKENS
    for name in stores:
        counts = [seen[name, index] for index in range(len(stores[name]))]
        assert max(counts) - min(counts) <= 1


def test_batches_of_keys_hold_the_same_rows_dealt_to_ranks_in_turn(stores: dict[str, TokenStore]) -> None:
    alone = whole(list(rows_of(stores)))
    num_steps = len(alone) // PLAN.rows_per_batch
    sampler = BlendSampler(PLAN, stores, num_ranks=2, num_steps=num_steps)
    loader = DataLoader(BlendTable(PLAN, stores, pad_id=PAD), batch_sampler=sampler, collate_fn=whole, num_workers=2)
    batches = list(loader)
    assert len(batches) == len(loader) == 2 * num_steps
    assert [row for batch in batches for row in batch] == alone
    table = BlendTable(PLAN, stores, pad_id=PAD)
    assert whole([table[key] for key in next(iter(sampler))]) == alone[:12]


def test_a_sampler_left_anywhere_is_taken_up_there(stores: dict[str, TokenStore]) -> None:
    expected = list(BlendSampler(PLAN, stores, num_ranks=3))
    for cut in range(0, len(expected), 4):
        first = BlendSampler(PLAN, stores, num_ranks=3)
        before = list(islice(iter(first), cut))
        again = BlendSampler(PLAN, stores, num_ranks=3)
        again.load_state_dict(json.loads(json.dumps(first.state_dict())))
        assert before + list(again) == expected


def test_a_collator_pads_rows_and_keeps_their_records_apart(stores: dict[str, TokenStore]) -> None:
    model = build_model("llama")
    rows = list(islice(iter(rows_of(stores)), 4))
    batch = BlendCollator(model, PAD)(rows)
    width = max(len(row["input_ids"]) for row in rows)
    assert batch["input_ids"].shape == batch["labels"].shape == batch["position_ids"].shape == (4, width)
    assert batch["attention_mask"].shape == (4, 1, width, width)
    for number, row in enumerate(rows):
        end = len(row["input_ids"])
        assert torch.equal(batch["input_ids"][number, :end], row["input_ids"])
        assert (batch["labels"][number, end:] == -100).all()
        same = row["segment_ids"][:, None] == row["segment_ids"][None]
        seen = batch["attention_mask"][number, 0, :end, :end]
        assert torch.equal(seen if seen.dtype == torch.bool else seen == 0, same.tril())


def test_torchdata_resumes_it_with_workers(stores: dict[str, TokenStore]) -> None:
    stateful = pytest.importorskip("torchdata.stateful_dataloader")

    def loader(num_workers: int) -> Any:
        dataset = rows_of(stores, rows=4)
        return stateful.StatefulDataLoader(dataset, batch_size=4, num_workers=num_workers, collate_fn=whole)

    expected = [row for batch in loader(0) for row in batch]
    assert expected == whole(list(rows_of(stores)))
    for num_workers in (0, 2):
        for cut in (1, 7, 20):
            first = loader(num_workers)
            before = [row for batch in islice(iter(first), cut) for row in batch]
            again = loader(num_workers)
            again.load_state_dict(first.state_dict())
            assert before + [row for batch in again for row in batch] == expected


def test_the_mixer_and_the_rows_agree_on_the_number_of_steps(stores: dict[str, TokenStore]) -> None:
    assert len(list(rows_of(stores))) == PLAN.rows_per_batch * len(list(Mixer(PLAN, stores)))
