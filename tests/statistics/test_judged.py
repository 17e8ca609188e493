"""Prediction-powered inference: the published formula, coverage under a biased judge, clusters."""

from __future__ import annotations

import numpy as np
import pytest

from mixwright.statistics import paired_difference
from mixwright.statistics.judged import FEWEST_LABELS, judged_mean


def sample(rng: np.random.Generator, num_items: int, labelled: int, accuracy: float) -> tuple[np.ndarray, np.ndarray]:
    truth = (rng.random(num_items) < 0.6).astype(float)
    judge = np.where(rng.random(num_items) < accuracy, truth, 1.0)  # a judge that only ever flatters
    human = np.full(num_items, np.nan)
    seen = rng.permutation(num_items)[:labelled]
    human[seen] = truth[seen]
    return judge, human


def test_independent_items_give_the_published_estimate_and_error() -> None:
    judge, human = sample(np.random.default_rng(1), 1000, 150, 0.9)
    seen = ~np.isnan(human)
    y, f, rest = human[seen], judge[seen], judge[~seen]
    # PPI++ (Angelopoulos, Duchi and Zrnic 2023): lambda of the mean, estimate and variance, as printed there
    weight = np.cov(y, f, bias=True)[0, 1] / ((1 + len(y) / len(rest)) * np.var(judge))
    estimate = weight * rest.mean() + (y - weight * f).mean()
    error = np.sqrt(weight**2 * rest.var() / len(rest) + (y - weight * f).var() / len(y))
    found = judged_mean(judge, human, np.arange(1000))
    assert found.weight == pytest.approx(weight)
    assert found.estimate == pytest.approx(estimate)
    assert found.standard_error == pytest.approx(error, rel=0.01)


@pytest.mark.parametrize("accuracy", [0.6, 0.95])
def test_the_interval_covers_the_truth_however_biased_the_judge(accuracy: float) -> None:
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(500):
        judge, human = sample(rng, 400, 80, accuracy)
        found = judged_mean(judge, human, np.arange(400), confidence=0.95)
        inside.append(found.low <= 0.6 <= found.high)
    assert np.mean(inside) == pytest.approx(0.90, abs=3.5 * np.sqrt(0.9 * 0.1 / 500))


def test_a_good_judge_narrows_the_interval_and_a_useless_one_does_not_widen_it() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(2000)
    human = np.where(np.arange(2000) < 100, truth, np.nan)
    alone = np.std(truth[:100]) / 10
    good, useless = (judged_mean(j, human, np.arange(2000)) for j in (truth + 0.2, rng.random(2000)))
    assert good.standard_error < 0.4 * alone
    assert useless.standard_error < 1.05 * alone


def test_labels_in_few_clusters_are_refused_and_clusters_widen() -> None:
    judge, human = sample(np.random.default_rng(4), 400, 200, 0.9)
    alone = judged_mean(judge, human, np.arange(400))
    copies = np.repeat(np.arange(400), 4)
    assert judged_mean(np.repeat(judge, 4), np.repeat(human, 4), copies).standard_error == pytest.approx(
        alone.standard_error, rel=0.02
    )
    with pytest.raises(ValueError, match=f"at least {FEWEST_LABELS}"):
        judged_mean(judge, human, np.arange(400) // 40)


def test_a_paired_difference_is_corrected_by_what_people_said() -> None:
    rng = np.random.default_rng(6)
    base = (rng.random(600) < 0.5).astype(float)
    flattered = np.minimum(base + (rng.random(600) < 0.3), 1.0)  # the judge sees gains where there are none
    human = np.where(np.arange(600) < 120, 0.0, np.nan)
    corrected = paired_difference(flattered, base, human=human)
    assert paired_difference(flattered, base).low > 0.1
    assert corrected.method == "judged"
    assert corrected.low <= 0.0 <= corrected.high
