"""Clustered and graded scores: agreement with statsmodels, and error rates where plain cluster-t fails."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mixwright.statistics.clustered import cluster_bounds

unhurried = settings(deadline=None, max_examples=40)  # a shared machine may be slow

NUM_REPLICATES = 3000
THREE_ERRORS = 3 * np.sqrt(0.05 * 0.95 / NUM_REPLICATES)

Floats = npt.NDArray[np.float64]


def codes_of(sizes: list[int]) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(len(sizes)), sizes)


def unequal_sizes(num_clusters: int) -> list[int]:
    drawn = np.random.default_rng(7).lognormal(mean=1.0, sigma=0.7, size=num_clusters)
    return [max(1, round(size)) for size in drawn]


def clustered_outcomes(
    sizes: list[int], *, discordance: float, true_difference: float, correlation: float, seed: int
) -> Floats:
    """(replicates, n) differences in {-1, 0, 1}; each cluster draws its own Dirichlet rates."""
    random = np.random.default_rng(seed)
    gain, loss = (discordance + true_difference) / 2, (discordance - true_difference) / 2
    shape = (NUM_REPLICATES, len(sizes))
    if correlation > 0:
        spread = (1 - correlation) / correlation
        drawn = np.stack([random.gamma(spread * rate + 1e-12, size=shape) for rate in (gain, loss, 1 - discordance)])
        gains, losses, _ = drawn / drawn.sum(axis=0)
    else:
        gains, losses = np.full(shape, gain), np.full(shape, loss)
    cluster_of_item = codes_of(sizes)
    gains, losses = gains[:, cluster_of_item], losses[:, cluster_of_item]
    uniform = random.random(gains.shape)
    return np.asarray((uniform < gains).astype(float) - (uniform > 1 - losses))


def plain_cluster_t_low(differences: Floats, cluster_of_item: npt.NDArray[np.int64]) -> Floats:
    bounds = cluster_bounds(differences, cluster_of_item, confidence=0.95)
    num_clusters = len(np.unique(cluster_of_item))
    quantile = stats.t.ppf(0.95, num_clusters - 1)
    return np.asarray(differences.mean(axis=-1) - quantile * bounds.standard_error)


@unhurried
@given(st.lists(st.integers(1, 6), min_size=3, max_size=25), st.integers(0, 2**32 - 1), st.booleans())
def test_the_standard_error_is_that_of_statsmodels_cluster_robust_ols(
    sizes: list[int], seed: int, binary: bool
) -> None:
    random = np.random.default_rng(seed)
    cluster_of_item = random.permutation(codes_of(sizes))
    diff = random.normal(size=len(sizes))[cluster_of_item] + random.normal(size=len(cluster_of_item))
    if binary:
        diff = np.sign(np.trunc(diff))
    ols = sm.OLS(diff, np.ones_like(diff)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster_of_item, "use_correction": True}, use_t=True
    )
    if ols.bse[0] > 1e-6:
        bounds = cluster_bounds(diff, cluster_of_item, confidence=0.95, scale=10.0)
        assert float(bounds.standard_error) == pytest.approx(ols.bse[0], rel=1e-6)
        low, high = ols.conf_int(alpha=0.10)[0]
        assert bounds.low <= low + 1e-9
        assert bounds.high >= high - 1e-9


@unhurried
@given(st.integers(20, 200), st.integers(0, 2**32 - 1))
def test_dense_graded_scores_without_clusters_give_the_ordinary_paired_t(num_items: int, seed: int) -> None:
    diff = np.random.default_rng(seed).normal(0.0, 0.2, size=num_items)
    bounds = cluster_bounds(diff, np.arange(num_items), confidence=0.95)
    low, high = stats.ttest_1samp(diff, 0.0).confidence_interval(0.90)
    assert float(bounds.standard_error) == pytest.approx(stats.sem(diff))
    assert bounds.design_effect == 1.0
    # Never narrower; wider by at most a few percent of the interval, where the sample happens to be lopsided.
    assert low - 0.12 * (high - low) <= bounds.low <= low + 1e-12
    assert high - 1e-12 <= bounds.high <= high + 0.12 * (high - low)


@unhurried
@given(st.lists(st.integers(1, 6), min_size=2, max_size=25), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_width_is_positive_and_the_estimate_inside(sizes: list[int], seed: int, discordance: float) -> None:
    random = np.random.default_rng(seed)
    cluster_of_item = codes_of(sizes)
    diff = random.choice([-1.0, 0.0, 1.0], p=[discordance / 2, 1 - discordance, discordance / 2], size=sum(sizes))
    bounds = cluster_bounds(diff, cluster_of_item, confidence=0.95)
    assert bounds.low <= diff.mean() <= bounds.high
    assert bounds.high - bounds.low > 1e-3 / len(diff)
    assert bounds.standard_error > 0
    assert bounds.design_effect > 0


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 0.3])
def test_without_any_variance_the_number_of_clusters_decides(value: float) -> None:
    sixty_items = np.full(60, value)
    in_pairs = cluster_bounds(sixty_items, codes_of([2] * 30), confidence=0.95)
    as_units = cluster_bounds(sixty_items[:30], np.arange(30), confidence=0.95)
    assert float(in_pairs.low) == pytest.approx(float(as_units.low))
    assert float(in_pairs.high) == pytest.approx(float(as_units.high))
    assert in_pairs.high - in_pairs.low > 0.09
    assert float(in_pairs.design_effect) == 2.0


def test_without_any_difference_the_bound_is_the_rule_of_three_over_clusters() -> None:
    bounds = cluster_bounds(np.zeros(500), codes_of([5] * 100), confidence=0.95)
    assert float(bounds.high) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert bounds.low == -bounds.high


def test_copies_of_every_item_add_no_information() -> None:
    diff = np.random.default_rng(1).choice([-1.0, 0.0, 1.0], p=[0.2, 0.6, 0.2], size=200)
    once = cluster_bounds(diff, np.arange(200), confidence=0.95)
    thrice = cluster_bounds(np.repeat(diff, 3), codes_of([3] * 200), confidence=0.95)
    assert float(thrice.standard_error) == pytest.approx(float(once.standard_error))
    assert float(thrice.design_effect) == pytest.approx(3.0, rel=0.01)
    assert float(thrice.low) == pytest.approx(float(once.low), rel=0.03)


def test_differences_that_cancel_within_clusters_still_leave_width() -> None:
    bounds = cluster_bounds(np.tile([1.0, -1.0], 50), codes_of([2] * 50), confidence=0.95)
    assert bounds.low < -0.05
    assert bounds.high > 0.05
    assert bounds.standard_error > 0


def test_replicates_along_leading_axes_are_bounded_one_by_one() -> None:
    random = np.random.default_rng(2)
    cluster_of_item = random.permutation(codes_of([1, 2, 3, 4] * 5))
    diff = random.choice([-1.0, 0.0, 0.5, 1.0], size=(2, 3, 50))
    diff[0, 0] = 0.0
    together = cluster_bounds(diff, cluster_of_item, confidence=0.95)
    for where in np.ndindex(2, 3):
        alone = cluster_bounds(diff[where], cluster_of_item, confidence=0.95)
        for of_all, of_one in zip(together, alone, strict=True):
            assert float(of_all[where]) == pytest.approx(float(of_one), abs=1e-12)


SUITES = {"100 passages of 5": [5] * 100, "30 passages of 10": [10] * 30, "150 unequal": unequal_sizes(150)}


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(("margin", "discordance"), [(0.03, 0.03), (0.03, 0.10), (0.05, 0.06), (0.05, 0.25)])
@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_a_clustered_drop_exactly_at_the_margin_passes_at_most_five_percent(
    suite: str, margin: float, discordance: float, correlation: float
) -> None:
    sizes = SUITES[suite]
    diff = clustered_outcomes(sizes, discordance=discordance, true_difference=-margin, correlation=correlation, seed=11)
    false_pass = (cluster_bounds(diff, codes_of(sizes), confidence=0.95).low > -margin).mean()
    assert false_pass <= 0.05 + THREE_ERRORS


def test_plain_cluster_t_would_pass_such_drops_far_too_often() -> None:
    sizes = [10] * 30
    diff = clustered_outcomes(sizes, discordance=0.03, true_difference=-0.03, correlation=0.3, seed=11)
    assert (plain_cluster_t_low(diff, codes_of(sizes)) > -0.03).mean() > 0.15


def test_many_differing_items_leave_cluster_t_its_power() -> None:
    sizes = [5] * 200
    diff = clustered_outcomes(sizes, discordance=0.2, true_difference=0.0, correlation=0.1, seed=12)
    power = (cluster_bounds(diff, codes_of(sizes), confidence=0.95).low > -0.04).mean()
    plain = (plain_cluster_t_low(diff, codes_of(sizes)) > -0.04).mean()
    assert power > plain - 0.04


@pytest.mark.parametrize("share_differing", [0.05, 0.3])
def test_a_graded_drop_passes_at_most_five_percent_even_if_few_items_differ(share_differing: float) -> None:
    random = np.random.default_rng(13)
    shape = (NUM_REPLICATES, 300)
    diff = -random.beta(2, 2, size=shape) * (random.random(shape) < share_differing)
    true_drop = 0.5 * share_differing
    low = cluster_bounds(diff, np.arange(300), confidence=0.95).low
    assert (low > -true_drop).mean() <= 0.05 + THREE_ERRORS
