"""The verdict that may be looked at after every cluster: valid under peeking, and as powerful as planned."""

from __future__ import annotations

import numpy as np
import pytest

from mixwright.statistics import Verdict
from mixwright.statistics.sequential import Assumption, sequential_plan, sequential_test, simulated_sums


def verdicts(sizes: np.ndarray, truth: Assumption, margin: float, replicates: int = 300) -> list[Verdict]:
    sums = simulated_sums(np.random.default_rng(7), replicates, sizes, truth)
    assumed = Assumption(truth.discordance, 0.0, truth.correlation)
    return [sequential_test(row, sizes, -margin, assumption=assumed).verdict for row in sums]


@pytest.mark.parametrize("sizes", [np.ones(600), np.tile([1.0, 2.0, 4.0], 120)], ids=["alone", "clusters"])
def test_a_drop_at_the_margin_rarely_passes_or_fails_however_often_one_looks(sizes: np.ndarray) -> None:
    found = verdicts(sizes, Assumption(0.15, -0.05, 0.2), 0.05)
    for verdict in (Verdict.PASS, Verdict.FAIL):
        assert found.count(verdict) / len(found) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(found))


def test_the_plan_says_how_often_it_passes_and_how_many_items_that_takes() -> None:
    sizes, assumed = np.ones(1200), Assumption(0.1, 0.0, 0.0)
    plan = sequential_plan(sizes, -0.03, assumption=assumed)
    found = verdicts(sizes, assumed, 0.03)
    assert found.count(Verdict.PASS) / len(found) == pytest.approx(plan.power, abs=0.08)
    assert 0.3 < plan.share_used < 0.8
    assert sequential_plan(np.ones(300), -0.03, assumption=assumed).power < plan.power


def test_it_stops_at_the_first_look_that_decides_and_ignores_what_comes_after() -> None:
    wins = np.ones(400)
    result = sequential_test(wins, np.ones(400), 0.2)
    assert result.verdict is Verdict.PASS
    assert result.num_clusters < 40
    again = sequential_test(
        np.concatenate([wins[: result.num_clusters], -np.ones(300)]), np.ones(300 + result.num_clusters), 0.2
    )
    assert (again.verdict, again.num_clusters) == (result.verdict, result.num_clusters)
    assert result.evidence >= 20
    assert result.low >= 0.2 - 1e-6
    assert result.high == pytest.approx(1.0)
    assert sequential_test(-wins, np.ones(400), -0.2).verdict is Verdict.FAIL


def test_no_difference_is_not_decided_by_a_handful() -> None:
    result = sequential_test(np.zeros(20), np.ones(20), -0.02)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.low < -0.02 < result.high


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="sums"):
        sequential_test([0.0], [1.0, 1.0], 0.1)
    with pytest.raises(ValueError, match="threshold"):
        sequential_test([0.0], [1.0], 1.0)
    with pytest.raises(ValueError, match="cannot be"):
        sequential_plan([1.0, 1.0], -0.1, assumption=Assumption(0.1, 0.2, 0.0))


def test_every_look_at_a_growing_sequence_sees_the_same_bettors() -> None:
    sizes = np.concatenate([np.ones(200), np.full(100, 4.0)])
    sums = simulated_sums(np.random.default_rng(3), 1, sizes, Assumption(0.3, -0.1, 0.0))[0]
    whole = sequential_test(sums, sizes, -0.1)
    assert whole.verdict is Verdict.INCONCLUSIVE
    for seen in (50, 150, 250):
        part = sequential_test(sums[:seen], sizes[:seen], -0.1, planned=sizes)
        padded = sequential_test(np.concatenate([sums[:seen], -0.1 * sizes[seen:]]), sizes, -0.1)
        assert part.evidence == pytest.approx(padded.evidence)
