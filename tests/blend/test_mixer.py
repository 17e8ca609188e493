"""The mixer: exact in the declared unit at every moment, complete in every pass, resumable from integers."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from math import ceil
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_sources import ROW_TOKENS, UNITS, Lengths, lengths_of, make_plan, plans, sources

from mixwright.blend.kernel import WINDOW
from mixwright.blend.mixer import BatchPlan, Mixer, MixerState, MixPlan, Supply
from mixwright.blend.stages import Stage, ramp
from mixwright.ground.errors import InputError

unhurried = settings(deadline=None, max_examples=40)


class Piece(NamedTuple):
    source: str
    record: int
    length: int
    row: int


def batches_of(plan: MixPlan, found: dict[str, Lengths], state: MixerState | None = None) -> list[list[Piece]]:
    mixer = Mixer(plan, found, state)
    return [pieces_of(mixer, batch) for batch in mixer]


def pieces_of(mixer: Mixer, batch: BatchPlan) -> list[Piece]:
    names = (mixer.names[i] for i in batch.source)
    columns = (batch.record.tolist(), batch.length.tolist(), batch.row.tolist())
    return [Piece(*piece) for piece in zip(names, *columns, strict=True)]


def pieces_in(plan: MixPlan, found: dict[str, Lengths]) -> list[Piece]:
    return [piece for batch in batches_of(plan, found) for piece in batch]


def units_of(piece: Piece, found: dict[str, Lengths], unit: str) -> int:
    sizes = {"tokens": piece.length, "records": 1}
    return sizes.get(unit, int(found[piece.source].supervised[piece.record]))


def in_units(batch: list[Piece], found: dict[str, Lengths], unit: str) -> Counter[str]:
    counted: Counter[str] = Counter()
    for piece in batch:
        counted[piece.source] += units_of(piece, found, unit)
    return counted


def longest(found: dict[str, Lengths], unit: str) -> int:
    pieces = (Piece(name, i, n, 0) for name in found for i, n in enumerate(found[name].tokens))
    return max(units_of(piece, found, unit) for piece in pieces)


@pytest.mark.parametrize("unit", UNITS)
@unhurried
@given(data=st.data())
def test_after_every_batch_each_source_is_within_a_row_and_a_record_of_its_share(
    unit: str, data: st.DataObject
) -> None:
    found = data.draw(sources())
    plan = data.draw(plans(found, unit))
    bound = (2 if unit == "records" else ROW_TOKENS) + longest(found, unit)
    placed: Counter[str] = Counter()
    for batch in batches_of(plan, found):
        placed += in_units(batch, found, unit)
        for name, share in plan.stages[0].shares.items():
            assert abs(placed[name] - share * placed.total()) <= bound


def test_thirty_sources_stay_as_exact_as_two() -> None:
    """Choosing whoever is furthest behind drifts with the number of sources; 30 of unequal shares show it."""
    found = {f"s{i:02}": lengths_of([ROW_TOKENS]) for i in range(30)}
    plan = make_plan({name: 1 + i * i for i, name in enumerate(found)}, unit="records", budget_tokens=2000 * ROW_TOKENS)
    placed: Counter[str] = Counter()
    for number, piece in enumerate(pieces_in(plan, found), 1):
        placed[piece.source] += 1
        assert all(abs(placed[name] - share * number) <= 1 for name, share in plan.stages[0].shares.items())


def test_a_small_share_never_vanishes() -> None:
    found = {"large": lengths_of([10]), "small": lengths_of([10])}
    plan = make_plan({"large": 999, "small": 1}, unit="records", budget_tokens=10 * 2000)
    assert sum(piece.source == "small" for piece in pieces_in(plan, found)) == 2


def test_a_source_of_less_than_a_row_a_batch_comes_as_often_as_its_share_says() -> None:
    found = {"large": lengths_of([ROW_TOKENS]), "small": lengths_of([ROW_TOKENS])}
    plan = make_plan({"large": 49, "small": 1}, rows_per_batch=4, budget_tokens=4 * 1000 * ROW_TOKENS)
    batches = batches_of(plan, found)
    holding = [number for number, batch in enumerate(batches) if any(piece.source == "small" for piece in batch)]
    gaps = [after - before for before, after in zip([-1, *holding], [*holding, len(batches)], strict=True)]
    assert max(gaps) <= ceil(Fraction(50, 4)) + 1


@unhurried
@given(st.data())
def test_every_pass_holds_every_record_exactly_once(data: st.DataObject) -> None:
    """Passes may overlap by the few records that were passed over for a better fitting one."""
    found = data.draw(sources(max_sources=4))
    plan = data.draw(plans(found))
    given_out: dict[str, Counter[int]] = {name: Counter() for name in found}
    number: Counter[str] = Counter()
    for piece in pieces_in(plan, found):
        counts, size = given_out[piece.source], len(found[piece.source].supervised)
        counts[piece.record] += 1
        number[piece.source] += 1
        ahead = ceil((number[piece.source] + WINDOW) / size)
        assert max(counts.values()) <= ahead
        behind = (number[piece.source] - WINDOW) // size
        assert min(counts[record] for record in range(size)) >= behind


@unhurried
@given(st.data())
def test_no_row_is_longer_than_allowed_and_every_record_is_whole(data: st.DataObject) -> None:
    found = data.draw(sources())
    plan = data.draw(plans(found))
    for batch in batches_of(plan, found):
        used: Counter[int] = Counter()
        for piece in batch:
            assert piece.length == found[piece.source].tokens[piece.record]
            used[piece.row] += piece.length
        assert max(used.values()) <= plan.row_tokens
        assert set(used) == set(range(len(used))) <= set(range(plan.rows_per_batch))
        if not plan.packing:
            assert len(used) == len(batch)


def test_rows_are_well_filled() -> None:
    found = {name: lengths_of([first, 5, 9, 30, 41]) for name, first in (("a", 7), ("b", 23), ("c", 60))}
    plan = make_plan({"a": 3, "b": 2, "c": 1}, rows_per_batch=16, budget_tokens=10**5)
    batches = batches_of(plan, found)[:-1]
    filled = sum(piece.length for batch in batches for piece in batch) / (16 * ROW_TOKENS * len(batches))
    assert filled > 0.95


@unhurried
@given(st.data())
def test_the_budget_is_met_and_overshot_by_less_than_one_record(data: st.DataObject) -> None:
    found = data.draw(sources())
    plan = data.draw(plans(found))
    pieces = pieces_in(plan, found)
    assert plan.budget_tokens is not None
    assert sum(p.length for p in pieces) >= plan.budget_tokens > sum(p.length for p in pieces[:-1])


def test_a_budget_in_domain_tokens_counts_the_domain_alone() -> None:
    found = {"desk": lengths_of([7, 9]), "skills": lengths_of([5])}
    plan = make_plan(
        {"desk": 1, "skills": 3}, domain=frozenset({"desk"}), budget_tokens=None, budget_domain_tokens=16 * 5
    )
    placed = in_units(pieces_in(plan, found), found, "tokens")
    assert placed["desk"] == 16 * 5  # five whole passes
    assert abs(placed["skills"] - 3 * placed["desk"]) <= 4 * 9


@unhurried
@given(st.data())
def test_a_mixer_restored_after_any_batch_gives_the_identical_rest(data: st.DataObject) -> None:
    found = data.draw(sources())
    plan = data.draw(plans(found))
    whole = batches_of(plan, found)
    cut = data.draw(st.integers(0, len(whole)))
    mixer = Mixer(plan, found)
    given_out = [pieces_of(mixer, batch) for batch in islice(mixer, cut)]
    state = MixerState(**json.loads(json.dumps(mixer.state.as_json())))
    assert given_out + batches_of(plan, found, state) == whole


def test_a_mixer_restored_after_every_single_batch_gives_the_undisturbed_stream() -> None:
    found = {"a": lengths_of([3, 30, 17]), "b": lengths_of([64, 1, 8, 9])}
    plan = make_plan({"a": 2, "b": 5}, budget_tokens=30 * ROW_TOKENS)
    batches: list[list[Piece]] = []
    state: MixerState | None = None
    while state is None or not state.finished:
        mixer = Mixer(plan, found, state)
        batches.append(pieces_of(mixer, next(iter(mixer))))
        state = MixerState(**json.loads(json.dumps(mixer.state.as_json())))
    assert batches == batches_of(plan, found)


def test_the_state_is_small_however_far_the_run() -> None:
    found = {f"s{i}": lengths_of([1, 2, 3]) for i in range(12)}
    mixer = Mixer(make_plan(dict.fromkeys(found, 1), budget_tokens=10**6), found)
    sizes = [len(json.dumps(mixer.state.as_json())) for _ in islice(mixer, 1000)]
    assert max(sizes) < 1024 + 32 * len(found)


@unhurried
@given(st.data())
def test_another_source_in_the_plan_leaves_the_order_within_a_source_as_it_was(data: st.DataObject) -> None:
    """But for what is passed over to fill a row: the order offered is the same, so that none is far from its place."""
    found = data.draw(sources(max_sources=4))
    plan = replace(data.draw(plans(found)), packing=False)
    share = Fraction(7, 100)
    shares = {name: (1 - share) * part for name, part in plan.stages[0].shares.items()} | {"another": share}
    changed = replace(plan, stages=(Stage(shares),))
    before, after = pieces_in(plan, found), pieces_in(changed, found | {"another": lengths_of([5, 9])})
    for name in found:
        ours, theirs = ([p.record for p in pieces if p.source == name] for pieces in (before, after))
        shorter = min(len(ours), len(theirs))
        assert ours[:shorter] == theirs[:shorter]


def test_the_order_in_which_sources_are_named_does_not_matter() -> None:
    found = {"a": lengths_of([3, 5]), "b": lengths_of([7]), "c": lengths_of([2, 2, 2])}
    plan, turned = make_plan({"a": 1, "b": 1, "c": 1}), make_plan({"c": 1, "b": 1, "a": 1})
    assert batches_of(turned, dict(reversed(found.items()))) == batches_of(plan, found)


def test_another_seed_gives_another_order_of_the_same_mix() -> None:
    found = {"a": lengths_of([4] * 40)}
    one, other = (
        [piece.record for piece in pieces_in(make_plan({"a": 1}, seed=seed, budget_tokens=160), found)]
        for seed in (0, 1)
    )
    assert one != other
    assert sorted(one) == sorted(other)


@unhurried
@given(st.data())
def test_shares_that_change_over_time_are_met_in_every_stage(data: st.DataObject) -> None:
    found = data.draw(sources(max_sources=5))
    unit = data.draw(st.sampled_from(UNITS))
    plan = replace(data.draw(plans(found, unit)), budget_tokens=200 * ROW_TOKENS)
    other = data.draw(plans(found, unit)).stages[0].shares
    begins = data.draw(st.integers(1, 12))
    plan = replace(plan, stages=(*plan.stages, Stage(other, from_step=begins)))
    due: dict[str, Fraction] = dict.fromkeys(found, Fraction())
    placed: Counter[str] = Counter()
    for step, batch in enumerate(batches_of(plan, found)):
        counted = in_units(batch, found, unit)
        placed += counted
        for name in found:
            due[name] += plan.stages[step >= begins].shares[name] * counted.total()
            assert abs(placed[name] - due[name]) <= 2 * longest(found, unit) + 1


@pytest.mark.parametrize("by_step", [True, False])
def test_a_ramp_from_the_very_beginning_rises_in_a_straight_line(by_step: bool) -> None:
    found = {"a": lengths_of([16] * 300), "b": lengths_of([16] * 300)}
    plan = make_plan({"a": 1}, budget_tokens=40 * ROW_TOKENS)
    whole = 10 if by_step else 40 * ROW_TOKENS
    line = ramp({"a": Fraction(1)}, {"b": Fraction(1)}, 0, whole)
    stages = [Stage(shares, at, None) if by_step else Stage(shares, None, at) for at, shares in line]
    plan = replace(plan, stages=(*plan.stages, *stages))
    first, second = pieces_in(plan, found)[:80], pieces_in(plan, found)[80:]
    most = 2 if by_step else 5  # shares by tokens are those from where a batch begins: half a batch behind the line
    assert abs(sum(piece.source == "a" for piece in first) - 60) <= most
    assert abs(sum(piece.source == "a" for piece in second) - 20) <= most


def test_a_stage_by_tokens_begins_with_the_first_batch_behind_them() -> None:
    found = {"a": lengths_of([ROW_TOKENS]), "b": lengths_of([ROW_TOKENS])}
    plan = make_plan({"a": 1}, budget_tokens=40 * ROW_TOKENS)
    plan = replace(plan, stages=(*plan.stages, Stage({"b": Fraction(1)}, None, 17 * ROW_TOKENS)))
    sources_by_step = ["".join(piece.source for piece in batch) for batch in batches_of(plan, found)]
    assert sources_by_step == ["aaaa"] * 5 + ["bbbb"] * 5


def test_a_source_that_joins_or_leaves_keeps_every_other_place() -> None:
    found = {name: lengths_of([ROW_TOKENS] * 50) for name in "abc"}
    alone = [p.record for p in pieces_in(make_plan({"a": 1}, budget_tokens=50 * ROW_TOKENS), found)]
    plan = make_plan({"a": 1, "b": 1}, budget_tokens=60 * ROW_TOKENS)
    joined = Stage({"a": Fraction(1, 2), "c": Fraction(1, 2)}, from_step=7)
    pieces = pieces_in(replace(plan, stages=(*plan.stages, joined)), found)
    assert [p.record for p in pieces if p.source == "a"] == alone[:30]


@pytest.mark.parametrize("rule", ["stop", "renormalise"])
def test_a_source_gives_no_more_than_it_may(rule: str) -> None:
    found = {"small": lengths_of([16] * 10), "large": lengths_of([16] * 100), "third": lengths_of([16] * 100)}
    plan = make_plan({"small": 2, "large": 1, "third": 1}, budget_tokens=400 * 16)
    plan = replace(plan, supply={"small": Supply(1.5, rule)})  # type: ignore[arg-type]
    placed = in_units(pieces_in(plan, found), found, "records")
    assert placed["small"] == 15
    if rule == "stop":
        assert 30 <= placed.total() <= 32
    else:
        assert placed.total() == 400
        assert abs(placed["large"] - placed["third"]) <= 1


def test_a_source_may_be_repeated_where_that_is_said() -> None:
    found = {"small": lengths_of([16] * 10)}
    plan = make_plan({"small": 1}, budget_tokens=400 * 16, supply={"small": Supply(1.5, "repeat")})
    assert len(pieces_in(plan, found)) == 400


def test_a_record_that_is_nothing_in_the_declared_unit_is_an_error_and_no_endless_loop() -> None:
    found = {"a": lengths_of([5, 5], [1, 1]), "b": Lengths(lengths_of([5]).offsets, lengths_of([0]).supervised)}
    plan = make_plan({"a": 1, "b": 1}, unit="supervised_tokens")
    with pytest.raises(InputError, match="record 0 has no supervised tokens") as caught:
        pieces_in(plan, found)
    assert caught.value.where == "sources.b"
