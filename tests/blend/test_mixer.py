"""The mixer: exact in the declared unit at every moment, complete in every pass, resumable from integers."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from itertools import chain, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_sources import ROW_TOKENS, UNITS, Lengths, lengths_of, make_plan, plans, sources

from mixwright.blend.mixer import OPEN_ROWS, Mixer, MixerState, MixPlan, Piece, Row

unhurried = settings(deadline=None, max_examples=40)


def rows_of(plan: MixPlan, found: dict[str, Lengths], state: MixerState | None = None) -> list[Row]:
    return [list(row) for row in Mixer(plan, found, state).rows()]


def in_order_of_placement(plan: MixPlan, found: dict[str, Lengths]) -> list[Piece]:
    """The records in the order in which they were chosen: without packing a row is one record."""
    alone = MixPlan(**{**plan.__dict__, "packing": False})
    return list(chain.from_iterable(rows_of(alone, found)))


def units_of(piece: Piece, found: dict[str, Lengths], unit: str) -> int:
    sizes = {"tokens": piece.length, "records": 1}
    return sizes.get(unit, int(found[piece.source].supervised[piece.record]))


@pytest.mark.parametrize("unit", UNITS)
@unhurried
@given(data=st.data())
def test_no_source_is_ever_further_from_its_share_than_the_longest_record(unit: str, data: st.DataObject) -> None:
    found = data.draw(sources())
    plan = data.draw(plans(found, unit))
    # of all records, placed or still to come: a source may have to wait until its long one is due
    longest = max(units_of(Piece(name, i, n), found, unit) for name in found for i, n in enumerate(found[name].lengths))
    placed: Counter[str] = Counter()
    for piece in in_order_of_placement(plan, found):
        placed[piece.source] += units_of(piece, found, unit)
        total = placed.total()
        for name, share in plan.shares.items():
            assert abs(placed[name] - share * total) <= longest


def test_thirty_sources_stay_as_exact_as_two() -> None:
    """Choosing whoever is furthest behind drifts with the number of sources; 30 of unequal shares show it."""
    found = {f"s{i:02}": lengths_of([ROW_TOKENS]) for i in range(30)}
    plan = make_plan({name: 1 + i * i for i, name in enumerate(found)}, unit="records", budget_tokens=2000 * ROW_TOKENS)
    placed: Counter[str] = Counter()
    for number, piece in enumerate(in_order_of_placement(plan, found), 1):
        placed[piece.source] += 1
        assert all(abs(placed[name] - share * number) <= 1 for name, share in plan.shares.items())


def test_a_small_share_never_vanishes() -> None:
    found = {"large": lengths_of([10]), "small": lengths_of([10])}
    plan = make_plan({"large": 999, "small": 1}, unit="records", budget_tokens=10 * 2000)
    pieces = in_order_of_placement(plan, found)
    assert sum(piece.source == "small" for piece in pieces) == 2


@unhurried
@given(st.data())
def test_every_pass_holds_every_record_exactly_once(data: st.DataObject) -> None:
    found = data.draw(sources(max_sources=4))
    plan = data.draw(plans(found))
    taken: dict[str, list[int]] = {name: [] for name in found}
    for piece in in_order_of_placement(plan, found):
        taken[piece.source].append(piece.record)
    for name, records in taken.items():
        size = len(found[name].lengths)
        for start in range(0, len(records), size):
            one_pass = records[start : start + size]
            assert len(set(one_pass)) == len(one_pass)
            if len(one_pass) == size:
                assert sorted(one_pass) == list(range(size))


def test_each_pass_has_an_order_of_its_own() -> None:
    found = {"only": lengths_of([1] * 50)}
    records = [p.record for p in in_order_of_placement(make_plan({"only": 1}, budget_tokens=150), found)]
    assert len({tuple(records[start : start + 50]) for start in (0, 50, 100)}) == 3


def test_a_pass_longer_than_a_block_of_the_order_is_complete() -> None:
    size = 10_000
    found = {"only": lengths_of([1] * size)}
    records = [p.record for p in in_order_of_placement(make_plan({"only": 1}, budget_tokens=2 * size), found)]
    assert sorted(records[:size]) == sorted(records[size:]) == list(range(size))


@unhurried
@given(st.data())
def test_rows_are_never_longer_than_allowed_and_lose_no_record(data: st.DataObject) -> None:
    found = data.draw(sources())
    plan = data.draw(plans(found))
    rows = rows_of(plan, found)
    assert all(0 < sum(piece.length for piece in row) <= plan.row_tokens for row in rows)
    assert all(piece.length == found[piece.source].lengths[piece.record] for row in rows for piece in row)
    assert Counter(chain.from_iterable(rows)) == Counter(in_order_of_placement(plan, found))
    if not plan.packing:
        assert all(len(row) == 1 for row in rows)


@unhurried
@given(st.data())
def test_packing_leaves_at_most_the_open_rows_half_empty(data: st.DataObject) -> None:
    """Two rows that would fit into one are never both emitted, but for those open at the end."""
    found = data.draw(sources())
    plan = MixPlan(**{**data.draw(plans(found)).__dict__, "packing": True, "budget_tokens": 50 * ROW_TOKENS})
    rows = rows_of(plan, found)
    half_empty = sum(2 * sum(piece.length for piece in row) < plan.row_tokens for row in rows)
    assert half_empty <= OPEN_ROWS + 1


@unhurried
@given(st.data())
def test_the_budget_is_met_and_overshot_by_less_than_one_record(data: st.DataObject) -> None:
    found = data.draw(sources())
    plan = data.draw(plans(found))
    pieces = in_order_of_placement(plan, found)
    assert plan.budget_tokens is not None
    assert sum(p.length for p in pieces) >= plan.budget_tokens > sum(p.length for p in pieces[:-1])


def test_a_budget_in_domain_tokens_counts_the_domain_alone() -> None:
    found = {"desk": lengths_of([7, 9]), "skills": lengths_of([5])}
    plan = make_plan(
        {"desk": 1, "skills": 3}, domain=frozenset({"desk"}), budget_tokens=None, budget_domain_tokens=16 * 5
    )
    placed = Counter[str]()
    for piece in in_order_of_placement(plan, found):
        placed[piece.source] += piece.length
    assert placed["desk"] == 16 * 5  # five whole passes
    assert abs(placed["skills"] - 3 * placed["desk"]) <= 4 * 9


@unhurried
@given(st.data())
def test_a_mixer_restored_at_any_row_gives_the_identical_rest(data: st.DataObject) -> None:
    found = data.draw(sources())
    plan = data.draw(plans(found))
    whole = rows_of(plan, found)
    cut = data.draw(st.integers(0, len(whole)))
    mixer = Mixer(plan, found)
    given_out = [list(row) for row in islice(mixer.rows(), cut)]
    state = json.loads(json.dumps(mixer.snapshot()))
    assert given_out + rows_of(plan, found, MixerState(**state)) == whole


def test_a_mixer_restored_after_every_single_row_gives_the_undisturbed_stream() -> None:
    found = {"a": lengths_of([3, 30, 17]), "b": lengths_of([64, 1, 8, 9])}
    plan = make_plan({"a": 2, "b": 5}, budget_tokens=30 * ROW_TOKENS)
    rows: list[Row] = []
    state: MixerState | None = None
    while True:
        mixer = Mixer(plan, found, state)
        row = next(mixer.rows(), None)
        if row is None:
            break
        rows.append(list(row))
        state = MixerState(**json.loads(json.dumps(mixer.snapshot())))
    assert rows == rows_of(plan, found)


def test_the_state_is_small() -> None:
    found = {f"s{i}": lengths_of([1, 2, 3]) for i in range(12)}
    mixer = Mixer(make_plan(dict.fromkeys(found, 1), budget_tokens=10**5), found)
    assert len(list(islice(mixer.rows(), 500))) == 500
    state = mixer.snapshot() | {"open_rows": []}
    assert len(json.dumps(state)) < 1024 + 32 * len(found)


@unhurried
@given(st.data())
def test_another_source_in_the_plan_leaves_the_order_within_a_source_as_it_was(data: st.DataObject) -> None:
    found = data.draw(sources(max_sources=4))
    plan = data.draw(plans(found))
    weights = {name: share.numerator for name, share in plan.shares.items()} | {"another": 7}
    more = found | {"another": lengths_of([5, 9])}
    changed = make_plan(weights, seed=plan.seed, unit=plan.unit, budget_tokens=plan.budget_tokens)
    before, after = in_order_of_placement(plan, found), in_order_of_placement(changed, more)
    for name in found:
        ours, theirs = ([p.record for p in pieces if p.source == name] for pieces in (before, after))
        shorter = min(len(ours), len(theirs))
        assert ours[:shorter] == theirs[:shorter]


def test_the_order_in_which_sources_are_named_does_not_matter() -> None:
    found = {"a": lengths_of([3, 5]), "b": lengths_of([7]), "c": lengths_of([2, 2, 2])}
    shares = {"a": Fraction(1, 3), "b": Fraction(1, 3), "c": Fraction(1, 3)}
    turned = dict(reversed(shares.items()))
    plan = make_plan({"a": 1, "b": 1, "c": 1})
    assert rows_of(MixPlan(**{**plan.__dict__, "shares": turned}), dict(reversed(found.items()))) == rows_of(
        plan, found
    )


def test_another_seed_gives_another_order_of_the_same_mix() -> None:
    found = {"a": lengths_of([4] * 40)}
    one, other = (in_order_of_placement(make_plan({"a": 1}, seed=seed, budget_tokens=160), found) for seed in (0, 1))
    assert one != other
    assert sorted(one) == sorted(other)
