"""How many items a clause needs, and what power a suite has."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paired_tables import pass_probability

from mixwright.statistics import (
    composite_error,
    error_of,
    items_for_variance,
    items_needed,
    items_to_settle,
    noninferiority,
    paired_difference,
    power_for_error,
    power_of,
    stratified_difference,
)
from mixwright.statistics.decision import Verdict
from mixwright.statistics.paired import PairedDifference
from mixwright.statistics.planning import Variance

unhurried = settings(deadline=None, max_examples=40)  # a shared machine may be slow

distances = st.floats(0.005, 0.5)
METHODS: tuple[Variance, ...] = ("plug-in", "score")


def observed(gains: int, losses: int, num_items: int) -> PairedDifference:
    same = num_items - gains - losses
    return paired_difference([1] * gains + [0] * losses + [1] * same, [0] * gains + [1] * losses + [1] * same)


@pytest.mark.parametrize(("margin", "num_items"), [(0.01, 6183), (0.02, 1546), (0.03, 687), (0.05, 248)])
def test_the_worked_numbers_of_the_design_are_reproduced(margin: float, num_items: int) -> None:
    assert items_needed(discordance=0.10, distance=margin) == num_items


def test_superiority_is_planned_by_the_same_distance() -> None:
    # An assumed gain of 6 points against a demanded gain of 2: four points away from the threshold.
    num_items = items_needed(discordance=0.2, distance=0.04, true_difference=0.06)
    assert num_items == math.ceil(6.18256 * (0.2 - 0.06**2) / 0.04**2)


def test_a_design_effect_multiplies_the_items() -> None:
    alone = items_needed(discordance=0.1, distance=0.02)
    assert items_needed(discordance=0.1, distance=0.02, design_effect=2.0) == pytest.approx(2 * alone, abs=1)


@unhurried
@given(
    discordance=st.floats(0.02, 1.0),
    distance=distances,
    share=st.floats(-0.9, 0.9),
    power=st.floats(0.3, 0.99),
    design_effect=st.floats(1.0, 5.0),
)
def test_power_inverts_items_needed(
    discordance: float, distance: float, share: float, power: float, design_effect: float
) -> None:
    true_difference = share * discordance
    for method in METHODS:
        if method == "score" and true_difference - distance < -1:
            continue

        def power_at(num_items: int, method: Variance = method) -> float:
            return power_of(
                num_items,
                discordance=discordance,
                distance=distance,
                true_difference=true_difference,
                design_effect=design_effect,
                method=method,
            )

        num_items = items_needed(
            discordance=discordance,
            distance=distance,
            true_difference=true_difference,
            design_effect=design_effect,
            power=power,
            method=method,
        )
        assert power_at(num_items) >= power - 1e-9
        if num_items > 1:
            assert power_at(num_items - 1) < power


@unhurried
@given(distances, distances, st.floats(0.05, 1.0))
def test_a_threshold_further_away_needs_no_more_items(one: float, other: float, discordance: float) -> None:
    near, far = sorted((one, other))
    assert items_needed(discordance=discordance, distance=far) <= items_needed(discordance=discordance, distance=near)


def test_at_the_threshold_power_is_the_error_rate_and_beyond_it_less() -> None:
    assert power_of(500, discordance=0.1, distance=0.0) == pytest.approx(0.05)
    assert power_of(500, discordance=0.1, distance=-0.02) < 0.05


@pytest.mark.parametrize(
    ("discordance", "margin"), [(0.05, 0.02), (0.05, 0.05), (0.10, 0.03), (0.10, 0.05), (0.20, 0.05)]
)
def test_planning_with_the_variance_of_the_score_test_delivers_the_planned_power(
    discordance: float, margin: float
) -> None:
    num_items = items_needed(discordance=discordance, distance=margin, method="score")
    delivered = pass_probability(num_items, discordance=discordance, true_difference=0.0, threshold=-margin)
    assert 0.80 <= delivered <= 0.85


def test_the_first_order_plan_falls_short_only_where_the_margin_is_large_against_the_discordance() -> None:
    for margin, shortfall in ((0.02, 0.01), (0.05, 0.03)):
        num_items = items_needed(discordance=0.10, distance=margin)
        delivered = pass_probability(num_items, discordance=0.10, true_difference=0.0, threshold=-margin)
        assert 0.80 - shortfall < delivered < 0.80


def test_variance_and_error_forms_agree_with_the_binary_form() -> None:
    variance = 1.5 * (0.12 - 0.01**2)
    num_items = items_needed(discordance=0.12, true_difference=0.01, design_effect=1.5, distance=0.03)
    assert items_for_variance(variance, distance=0.03) == num_items
    error = error_of(num_items, discordance=0.12, true_difference=0.01, design_effect=1.5)
    assert error == pytest.approx(math.sqrt(variance / num_items))
    power = power_of(num_items, discordance=0.12, true_difference=0.01, design_effect=1.5, distance=0.03)
    assert power_for_error(error, distance=0.03) == pytest.approx(power)


def test_a_composite_is_planned_from_the_errors_of_its_strata() -> None:
    strata = {"maths": observed(20, 30, 400), "code": observed(5, 4, 150)}
    macro = stratified_difference(strata)
    planned = composite_error([part.standard_error for part in strata.values()])
    assert planned == pytest.approx(macro.standard_error)
    with pytest.raises(ValueError, match="at least one stratum"):
        composite_error([])


def test_an_inconclusive_clause_is_settled_by_the_items_promised() -> None:
    found = observed(14, 16, 300)
    assert noninferiority(found, 0.03) is Verdict.INCONCLUSIVE
    more = items_to_settle(found, -0.03)
    assert more is not None
    total = found.num_items + more
    delivered = pass_probability(total, discordance=0.10, true_difference=found.estimate, threshold=-0.03)
    assert delivered == pytest.approx(0.80, abs=0.02)
    demanding = items_to_settle(found, -0.03, power=0.95)
    assert demanding is not None
    assert demanding > more


def test_items_to_settle_looks_to_the_side_on_which_the_estimate_lies() -> None:
    found = observed(10, 25, 300)  # five points down: likely to FAIL a margin of two
    assert noninferiority(found, 0.02) is Verdict.INCONCLUSIVE
    more = items_to_settle(found, -0.02)
    assert more is not None
    assert 0 < more < 1000


def test_a_settled_clause_needs_nothing_more() -> None:
    assert items_to_settle(observed(5, 5, 2000), -0.03) == 0
    assert items_to_settle(observed(0, 200, 400), -0.03) == 0


def test_an_estimate_at_the_threshold_is_never_settled() -> None:
    assert items_to_settle(observed(10, 10, 200), 0.0) is None
    assert items_to_settle(observed(10, 12, 200), -0.01) is None
    assert items_to_settle(observed(10, 12, 200), -0.0101) is None


@unhurried
@given(st.integers(2, 300), st.data())
def test_items_to_settle_is_positive_exactly_while_inconclusive(num_items: int, data: st.DataObject) -> None:
    gains = data.draw(st.integers(0, num_items))
    losses = data.draw(st.integers(0, num_items - gains))
    threshold = data.draw(st.floats(-0.3, 0.3))
    found = observed(gains, losses, num_items)
    more = items_to_settle(found, threshold)
    settled = found.low > threshold or found.high < threshold
    assert (more == 0) is settled
    assert more is None or 0 <= more <= 1_000_000


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"discordance": 0.0}, "discordance is 0.0"),
        ({"discordance": 1.1}, "discordance is 1.1"),
        ({"distance": 0.0}, "distance is 0.0"),
        ({"distance": -0.1}, "distance is -0.1"),
        ({"distance": np.nan}, "distance is nan"),
        ({"true_difference": 0.3}, "cannot exceed the discordance"),
        ({"confidence": 0.4}, "confidence is 0.4"),
        ({"power": 1.0}, "power is 1.0"),
        ({"design_effect": 0.0}, "design_effect is 0.0"),
        ({"distance": 1.5, "method": "score"}, "threshold on binary scores"),
    ],
)
def test_a_plan_out_of_range_is_refused(change, complaint) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=complaint):
        items_needed(**({"discordance": 0.1, "distance": 0.02} | change))


def test_power_and_error_forms_refuse_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="num_items is 0"):
        power_of(0, discordance=0.1, distance=0.02)
    with pytest.raises(ValueError, match="num_items is 0"):
        error_of(0, discordance=0.1)
    with pytest.raises(ValueError, match="standard_error is 0"):
        power_for_error(0.0, distance=0.02)
    with pytest.raises(ValueError, match="variance is 0"):
        items_for_variance(0.0, distance=0.02)
    with pytest.raises(ValueError, match="threshold is nan"):
        items_to_settle(observed(1, 1, 20), math.nan)
