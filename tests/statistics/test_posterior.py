"""The posterior: the words of probability beside the verdict."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixwright.statistics import paired_difference, posterior_difference, stratified_difference


def difference(gains: int, losses: int, ties: int):  # type: ignore[no-untyped-def]
    candidate = [1.0] * gains + [0.0] * losses + [1.0] * ties
    return paired_difference(candidate, [0.0] * gains + [1.0] * losses + [1.0] * ties)


def test_losses_alone_have_the_beta_posterior() -> None:
    found = posterior_difference(difference(0, 10, 390), -0.03)
    rate = stats.beta(11, 392)  # one loss added, one gain and one tie on the other side
    assert found.probability == pytest.approx(rate.cdf(0.03 + 1 / 403), abs=0.03)
    assert found.low == pytest.approx(-rate.ppf(0.95) + 1 / 403, abs=0.004)


def test_more_gains_make_a_clause_more_probable_and_the_same_data_the_same_number() -> None:
    few, many = (posterior_difference(difference(gains, 5, 100), 0.0).probability for gains in (5, 15))
    assert few == pytest.approx(0.5, abs=0.02)
    assert many > 0.95
    assert posterior_difference(difference(5, 5, 100), 0.0).probability == few


def test_a_macro_mean_averages_its_strata() -> None:
    parts = {"a": difference(20, 0, 80), "b": difference(0, 20, 80)}
    found = posterior_difference(stratified_difference(parts), 0.0)
    assert found.probability == pytest.approx(0.5, abs=0.03)
    assert found.low < 0 < found.high


def test_clustered_and_graded_scores_have_one_too() -> None:
    rng = np.random.default_rng(0)
    base = rng.random(200)
    found = paired_difference(np.clip(base - 0.1, 0, 1), base, clusters=np.arange(200) // 4)
    assert posterior_difference(found, -0.2).probability > 0.95 > posterior_difference(found, -0.09).probability
