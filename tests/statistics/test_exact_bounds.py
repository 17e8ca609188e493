"""Exact bounds: published values, error rates by enumeration, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paired_tables import Tables
from scipy import stats

from mixwright.statistics.exact import items_for_rate, paired_bounds, rate_bounds, rate_power

unhurried = settings(deadline=None, max_examples=40)


def test_no_fault_in_300_answers_certifies_less_than_one_percent() -> None:
    assert rate_bounds(0, 300).high < 0.01 < rate_bounds(0, 298).high
    assert items_for_rate(0.01) == 299


@pytest.mark.parametrize(("count", "num_items"), [(0, 10), (3, 40), (40, 40), (17, 210)])
def test_rate_bounds_are_those_of_scipy(count: int, num_items: int) -> None:
    found = rate_bounds(count, num_items, confidence=0.975)
    expected = stats.binomtest(count, num_items).proportion_ci(0.95, method="exact")
    assert found == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("max_rate", "true_rate"), [(0.01, 0.002), (0.05, 0.02), (0.2, 0.1)])
def test_a_planned_rate_has_its_power(max_rate: float, true_rate: float) -> None:
    num_items = items_for_rate(max_rate, true_rate=true_rate)
    assert rate_power(num_items, max_rate, true_rate=true_rate) >= 0.8
    assert rate_power(num_items // 2, max_rate, true_rate=true_rate) < 0.8


@pytest.mark.parametrize("num_items", [5, 12, 30])
@pytest.mark.parametrize("margin", [0.1, 0.3])
def test_a_drop_at_the_margin_passes_at_most_five_percent_even_in_small_sets(num_items: int, margin: float) -> None:
    worst = 0.0
    for discordance in np.linspace(margin, 1.0, 5):
        tables = Tables.up_to(num_items, discordance)
        low = np.asarray(
            [
                paired_bounds(int(g), int(x), num_items, 0.95).low
                for g, x in zip(tables.gains, tables.losses, strict=True)
            ]
        )
        worst = max(worst, float(tables.probabilities(discordance, -margin)[low > -margin].sum()))
    assert worst <= 0.05 + 1e-3


@unhurried
@given(st.integers(2, 40), st.data())
def test_bounds_enclose_the_estimate_and_mirror(num_items: int, data: st.DataObject) -> None:
    gains = data.draw(st.integers(0, num_items))
    losses = data.draw(st.integers(0, num_items - gains))
    found, mirrored = paired_bounds(gains, losses, num_items, 0.95), paired_bounds(losses, gains, num_items, 0.95)
    estimate = (gains - losses) / num_items
    assert -1.0 <= found.low <= estimate <= found.high <= 1.0
    assert found.low < found.high
    assert (found.low, found.high) == pytest.approx((-mirrored.high, -mirrored.low))


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="do not go into"):
        paired_bounds(3, 3, 5, 0.95)
    with pytest.raises(ValueError, match="is no rate"):
        rate_bounds(3, 2)
    with pytest.raises(ValueError, match="cannot be certified"):
        items_for_rate(0.01, true_rate=0.02)
