"""Another plan in the middle of a run: every other source keeps its place, nothing is repeated and nothing is lost."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_sources import ROW_TOKENS, Lengths, lengths_of, make_plan, plans, sources

from mixwright.blend.migration import carry_over
from mixwright.blend.mixer import Mixer, MixerState, MixPlan
from mixwright.blend.stages import Stage
from mixwright.ground.errors import InputError


def run_on(
    plan: MixPlan, found: dict[str, Lengths], num_batches: int | None = None
) -> tuple[list[tuple[str, int]], Mixer]:
    """The records given, as (source, record), and the mixer behind them."""
    mixer = Mixer(plan, found)
    batches = list(islice(mixer, num_batches))
    return [(mixer.names[s], int(r)) for b in batches for s, r in zip(b.source, b.record, strict=True)], mixer


def changed(mixer: Mixer, after: MixPlan, kept: set[str] | None = None) -> MixPlan:
    """The plan `after`, going on where the mixer stands; its state has been through JSON."""
    state = MixerState(**json.loads(json.dumps(mixer.state.as_json())))
    weights = mixer.plan.weights(state.stage, state.gone)
    kept = set(mixer.names) & set(after.names) if kept is None else kept
    return replace(after, start=carry_over(state, mixer.plan.unit, weights, after, kept))


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_the_same_plan_goes_on_as_if_nothing_had_happened(data: st.DataObject) -> None:
    found = data.draw(sources())
    plan = data.draw(plans(found))
    whole, _ = run_on(plan, found)
    batches = len(list(Mixer(plan, found)))
    cut = data.draw(st.integers(0, batches - 1))
    first, mixer = run_on(plan, found, cut)
    rest, _ = run_on(changed(mixer, plan), found)
    assert first + rest == whole


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_other_shares_and_sources_leave_every_place_as_it_was(data: st.DataObject) -> None:
    """Unpacked, where records are given in their order: before and after together are the order of each source."""
    found = data.draw(sources(max_sources=5)) | {"joins": lengths_of([5, 9, 13])}
    names = [name for name in found if name != "joins"]
    plan = replace(data.draw(plans({name: found[name] for name in names})), packing=False)
    leaves = data.draw(st.sampled_from(names)) if len(names) > 1 else None
    weights = {name: data.draw(st.integers(1, 50)) for name in found if name != leaves}
    first, mixer = run_on(plan, found, data.draw(st.integers(0, 3)))
    if mixer.state.finished:
        return
    budget = mixer.state.tokens + 30 * ROW_TOKENS
    after = make_plan(weights, unit=plan.unit, seed=plan.seed, packing=False, budget_tokens=budget)
    second, _ = run_on(changed(mixer, after), found)
    for name in found:
        alone, _ = run_on(
            make_plan({name: 1}, unit="records", seed=plan.seed, packing=False, budget_tokens=10**4), found
        )
        ours = [piece for piece in first + second if piece[0] == name]
        assert ours == alone[: len(ours)]
    assert all(name != leaves for name, _ in second)


def test_what_a_source_was_owed_is_made_up_for_under_the_new_shares() -> None:
    found = {name: lengths_of([ROW_TOKENS]) for name in "abc"}
    plan = make_plan({"a": 7, "b": 2, "c": 1}, rows_per_batch=3, budget_tokens=10**6)
    first, mixer = run_on(plan, found, 1)
    after = make_plan({"a": 1, "b": 1, "c": 8}, rows_per_batch=3, budget_tokens=3000 * ROW_TOKENS)
    second, _ = run_on(changed(mixer, after), found)
    counts = Counter(name for name, _ in first + second)
    due = {"a": 0.7 * 3 + 0.1 * 2997, "b": 0.2 * 3 + 0.1 * 2997, "c": 0.1 * 3 + 0.8 * 2997}
    assert all(abs(counts[name] - due[name]) <= 2 for name in "abc")


def test_a_source_with_other_tokens_begins_anew() -> None:
    found = {"a": lengths_of([ROW_TOKENS] * 40), "b": lengths_of([ROW_TOKENS] * 40)}
    plan = make_plan({"a": 1, "b": 1}, budget_tokens=40 * ROW_TOKENS)
    first, mixer = run_on(plan, found, 3)
    second, _ = run_on(changed(mixer, plan, kept={"a"}), found)
    given_out = [[record for name, record in part if name == "b"] for part in (first, second)]
    assert given_out[1][: len(given_out[0])] == given_out[0]


def test_steps_and_tokens_count_on_and_a_schedule_is_met_where_it_says() -> None:
    found = {name: lengths_of([ROW_TOKENS]) for name in "ab"}
    first, mixer = run_on(make_plan({"a": 1}, budget_tokens=10**6), found, 5)
    assert len(first) == 20
    after = make_plan({"a": 1}, budget_tokens=40 * ROW_TOKENS)
    after = replace(after, stages=(*after.stages, Stage({"b": Fraction(1)}, from_step=8)))
    second, mixer = run_on(changed(mixer, after), found)
    assert "".join(name for name, _ in second) == "a" * 12 + "b" * 8
    assert mixer.state.step == 10


def test_a_budget_that_is_spent_is_refused() -> None:
    found = {"a": lengths_of([ROW_TOKENS])}
    _, mixer = run_on(make_plan({"a": 1}, budget_tokens=10**6), found, 5)
    with pytest.raises(InputError, match="1,280 tokens") as caught:
        changed(mixer, make_plan({"a": 1}, budget_tokens=1280))
    assert caught.value.where == "blend.budget"
