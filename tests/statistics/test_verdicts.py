"""From bounds to PASS, FAIL or INCONCLUSIVE."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixwright.statistics import PairedDifference, Verdict, combine, noninferiority, superiority
from mixwright.statistics.paired import EffectiveCounts

unhurried = settings(deadline=None, max_examples=40)  # a shared machine may be slow

HARSHNESS = [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS]
margins = st.floats(1e-6, 1.0)


def difference(low: float, high: float) -> PairedDifference:
    estimate = (low + high) / 2
    return PairedDifference(
        estimate=estimate,
        low=low,
        high=high,
        confidence=0.95,
        method="tango",
        num_items=100,
        num_clusters=100,
        num_discordant=10,
        base_mean=0.5,
        candidate_mean=0.5 + estimate,
        standard_error=(high - low) / 3.29,
        design_effect=1.0,
        counts=EffectiveCounts(5, 5, 100),
    )


differences = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(lambda ends: difference(min(ends), max(ends) + 1e-6))


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.019, 0.01, Verdict.PASS),
        (-0.02, 0.01, Verdict.INCONCLUSIVE),  # touching the margin certifies nothing
        (-0.05, -0.02, Verdict.INCONCLUSIVE),
        (-0.05, -0.021, Verdict.FAIL),
    ],
)
def test_noninferiority_needs_the_whole_interval_on_one_side(low: float, high: float, verdict: Verdict) -> None:
    assert noninferiority(difference(low, high), 0.02) is verdict


@pytest.mark.parametrize(
    ("low", "high", "margin", "verdict"),
    [
        (0.001, 0.05, 0.0, Verdict.PASS),
        (0.0, 0.05, 0.0, Verdict.INCONCLUSIVE),
        (-0.05, -0.001, 0.0, Verdict.FAIL),
        (0.01, 0.05, 0.03, Verdict.INCONCLUSIVE),
        (0.031, 0.05, 0.03, Verdict.PASS),
        (0.01, 0.02, 0.03, Verdict.FAIL),
    ],
)
def test_superiority_needs_the_whole_interval_on_one_side(
    low: float, high: float, margin: float, verdict: Verdict
) -> None:
    assert superiority(difference(low, high), margin) is verdict


@unhurried
@given(differences, margins, margins)
def test_a_wider_margin_never_makes_a_keep_clause_harsher(found: PairedDifference, one: float, other: float) -> None:
    narrow, wide = sorted((one, other))
    assert HARSHNESS.index(noninferiority(found, narrow)) <= HARSHNESS.index(noninferiority(found, wide))


@unhurried
@given(differences, margins, margins)
def test_a_higher_demand_never_makes_an_improve_clause_milder(
    found: PairedDifference, one: float, other: float
) -> None:
    small, large = sorted((one, other))
    assert HARSHNESS.index(superiority(found, large)) <= HARSHNESS.index(superiority(found, small))


@unhurried
@given(differences, margins)
def test_superior_implies_not_inferior(found: PairedDifference, margin: float) -> None:
    better = difference(abs(found.low) + 1e-9, abs(found.low) + abs(found.high) + 1e-6)
    assert superiority(better) is Verdict.PASS
    assert noninferiority(better, margin) is Verdict.PASS


@pytest.mark.parametrize("margin", [0.0, -0.01, math.nan, math.inf])
def test_a_margin_that_cannot_be_certified_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="non-inferiority margin"):
        noninferiority(difference(-0.1, 0.1), margin)


def test_the_refusal_of_a_zero_margin_says_why() -> None:
    with pytest.raises(ValueError, match="equal models leave the lower bound below 0"):
        noninferiority(difference(-0.1, 0.1), 0.0)


@pytest.mark.parametrize("margin", [-0.01, math.nan, math.inf])
def test_a_negative_demand_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="superiority margin"):
        superiority(difference(-0.1, 0.1), margin)


@unhurried
@given(st.lists(st.sampled_from(Verdict), min_size=1, max_size=6))
def test_a_contract_is_as_good_as_its_worst_clause(verdicts: list[Verdict]) -> None:
    assert combine(verdicts) is min(verdicts, key=HARSHNESS.index)
    assert combine(reversed(verdicts)) is combine(verdicts)


def test_a_contract_without_clauses_is_refused() -> None:
    with pytest.raises(ValueError, match="without clauses"):
        combine([])


def test_verdicts_are_written_as_their_names() -> None:
    assert [str(verdict) for verdict in Verdict] == ["PASS", "FAIL", "INCONCLUSIVE"]
