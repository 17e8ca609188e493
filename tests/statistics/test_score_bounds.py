"""Tango's score bounds: published examples, an independent solution, exact error rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paired_tables import Tables, pass_probability
from scipy import optimize, stats

from mixwright.statistics.score import restricted_variance, score_bounds, tango_bounds

unhurried = settings(deadline=None, max_examples=40)  # a shared machine may be slow

THREE_ERRORS_OF_10_000 = 3 * np.sqrt(0.05 * 0.95 / 10_000)


def tables(largest: int = 400) -> st.SearchStrategy[tuple[int, int, int]]:
    def counts(num_items: int) -> st.SearchStrategy[tuple[int, int, int]]:
        ends = st.tuples(st.integers(0, num_items), st.integers(0, num_items))
        return ends.map(lambda pair: (min(pair), num_items - max(pair), num_items))

    return st.integers(2, largest).flatmap(counts)


@pytest.mark.parametrize(
    ("gains", "losses", "num_items", "two_sided", "published"),
    [
        # Airway hyper-responsiveness before and after transplantation (Bentur et al. 2009), the worked
        # example of Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014) 2850-2875.
        (1, 7, 21, 0.95, (-0.517, -0.026)),
        # R, PropCIs::scoreci.mp(25, 28, 618, 0.90); that function estimates (second - first) / n.
        (28, 25, 618, 0.90, (-0.0148, 0.0247)),
    ],
)
def test_published_intervals_are_reproduced(
    gains: int, losses: int, num_items: int, two_sided: float, published: tuple[float, float]
) -> None:
    bounds = tango_bounds(gains, losses, num_items, float(stats.norm.ppf((1 + two_sided) / 2)))
    digits = len(str(published[0]).split(".")[1])
    assert (round(float(bounds.low), digits), round(float(bounds.high), digits)) == published


def test_the_contact_lens_example_of_tango_1998_has_its_published_z_and_p() -> None:
    num_items, gains, losses, margin = 44, 0, 1, 0.10
    z = (gains - losses + num_items * margin) / np.sqrt(
        num_items * restricted_variance(gains / num_items, losses / num_items, -margin)
    )
    assert round(float(z), 3) == 1.709
    assert float(stats.norm.sf(z)) == pytest.approx(0.0437, abs=1e-4)
    assert float(tango_bounds(gains, losses, num_items, float(z)).low) == pytest.approx(-margin, abs=1e-9)


@unhurried
@given(tables(), st.floats(-0.95, 0.95))
def test_the_restricted_loss_rate_maximises_the_likelihood(table: tuple[int, int, int], difference: float) -> None:
    gains, losses, num_items = table

    def minus_log_likelihood(loss_rate: float) -> float:
        gain_rate = loss_rate + difference
        rates = np.array([gain_rate, loss_rate, 1 - gain_rate - loss_rate])
        counts = np.array([gains, losses, num_items - gains - losses])
        return -float(np.sum(counts[counts > 0] * np.log(np.maximum(rates[counts > 0], 1e-300))))

    limits = (max(0.0, -difference), (1 - difference) / 2)
    found = optimize.minimize_scalar(minus_log_likelihood, bounds=limits, method="bounded", options={"xatol": 1e-12})
    best = 2 * found.x + difference * (1 - difference)
    variance = float(restricted_variance(gains / num_items, losses / num_items, difference))
    assert variance == pytest.approx(best, abs=2e-5)


@unhurried
@given(tables(), st.floats(0.6, 0.999))
def test_each_bound_solves_the_score_equation(table: tuple[int, int, int], confidence: float) -> None:
    gains, losses, num_items = table
    quantile = float(stats.norm.ppf(confidence))
    estimate = (gains - losses) / num_items
    for bound in tango_bounds(gains, losses, num_items, quantile):
        if abs(bound) < 1 - 1e-9:
            variance = restricted_variance(gains / num_items, losses / num_items, bound)
            distance = abs(estimate - float(bound))
            assert distance == pytest.approx(quantile * np.sqrt(float(variance) / num_items), rel=1e-6, abs=1e-9)


@unhurried
@given(tables(), st.floats(0.6, 0.999))
def test_bounds_enclose_the_estimate_have_width_and_mirror_when_the_arms_swap(
    table: tuple[int, int, int], confidence: float
) -> None:
    gains, losses, num_items = table
    low, high = score_bounds(gains, losses, num_items, confidence=confidence)
    swapped = score_bounds(losses, gains, num_items, confidence=confidence)
    assert -1 <= low <= (gains - losses) / num_items <= high <= 1
    assert high - low > 1e-3 / num_items
    assert low == pytest.approx(-swapped.high, abs=1e-12)
    assert high == pytest.approx(-swapped.low, abs=1e-12)


@unhurried
@given(tables())
def test_more_confidence_never_narrows_and_more_losses_never_raise_a_bound(
    table: tuple[int, int, int],
) -> None:
    gains, losses, num_items = table
    loose = score_bounds(gains, losses, num_items, confidence=0.90)
    tight = score_bounds(gains, losses, num_items, confidence=0.95)
    assert tight.low <= loose.low
    assert tight.high >= loose.high
    if gains + losses < num_items:
        worse = score_bounds(gains, losses + 1, num_items, confidence=0.95)
        assert worse.low <= tight.low + 1e-12
        assert worse.high <= tight.high + 1e-12


def test_nothing_lost_in_300_items_certifies_a_drop_below_one_point_and_not_less() -> None:
    low, high = score_bounds(0, 0, 300, confidence=0.95)
    assert low == pytest.approx(-(1 - 0.05 ** (1 / 300)))
    assert -0.01 < low < -0.0099
    assert high == -low


def test_arrays_of_tables_give_what_single_tables_give() -> None:
    gains, losses = np.array([[0, 3], [10, 40]]), np.array([[0, 0], [12, 1]])
    together = score_bounds(gains, losses, 50, confidence=0.95)
    for where in np.ndindex(2, 2):
        alone = score_bounds(gains[where], losses[where], 50, confidence=0.95)
        assert (together.low[where], together.high[where]) == (alone.low, alone.high)


@pytest.mark.parametrize("num_items", [100, 200, 400, 1000])
@pytest.mark.parametrize("margin", [0.01, 0.02, 0.03, 0.05, 0.10])
def test_a_drop_exactly_at_the_margin_passes_at_most_five_percent(num_items: int, margin: float) -> None:
    tables_ = Tables.up_to(num_items, max(0.4 if num_items <= 400 else 0.2, margin))
    passed = tables_.low() > -margin
    for discordance in (margin, 1.05 * margin, 1.5 * margin, 0.05, 0.10, 0.20):
        if discordance >= margin:
            false_pass = tables_.probabilities(discordance, -margin)[passed].sum()
            assert false_pass <= 0.05 + THREE_ERRORS_OF_10_000, f"discordance {discordance}"


def test_the_exact_corner_is_needed_where_only_losses_occur() -> None:
    published, repaired = (
        pass_probability(65, discordance=0.04, true_difference=-0.04, threshold=-0.04, repaired=repaired)
        for repaired in (False, True)
    )
    assert published > 0.07
    assert repaired < 0.05


def test_one_sided_coverage_is_near_the_stated_confidence() -> None:
    for true_difference in (-0.05, 0.0, 0.05):
        above = pass_probability(600, discordance=0.15, true_difference=true_difference, threshold=true_difference)
        assert 1 - above == pytest.approx(0.95, abs=0.003)
