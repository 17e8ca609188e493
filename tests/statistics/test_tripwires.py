"""Tripwires: McNemar as others compute it, clustered as published, and Holm's family."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from mixwright.statistics import drop_p_value, holm


@pytest.mark.parametrize(("losses", "gains"), [(12, 3), (5, 5), (1, 0), (2, 9), (40, 20)])
def test_independent_items_have_the_p_value_of_mcnemar(losses: int, gains: int) -> None:
    base = [1.0] * losses + [0.0] * gains + [1.0] * 50
    candidate = [0.0] * losses + [1.0] * gains + [1.0] * 50
    one_sided = drop_p_value(candidate, base)
    two_sided = mcnemar([[0, losses], [gains, 50]], exact=True).pvalue
    if losses > gains:
        assert min(1.0, 2 * one_sided) == pytest.approx(two_sided)
    else:
        assert one_sided >= 0.5


def test_nothing_that_differs_is_no_alarm() -> None:
    assert drop_p_value([1, 0, 1], [1, 0, 1]) == 1.0
    assert drop_p_value([0.5, 0.5], [0.5, 0.5], clusters=["a", "a"]) == 1.0


def test_a_drop_in_whole_clusters_weighs_less_than_as_many_single_ones() -> None:
    base = np.ones(120)
    candidate = np.where(np.arange(120) < 24, 0.0, 1.0)
    alone = drop_p_value(candidate, base)
    together = drop_p_value(candidate, base, clusters=[n // 12 for n in range(120)])
    assert alone < 1e-6 < together


def test_alarms_at_random_are_as_rare_as_promised() -> None:
    rng = np.random.default_rng(3)
    fired = 0
    for _ in range(400):
        flips = rng.random((8, 60)) < 0.2
        signs = np.where(rng.random((8, 60)) < 0.5, 1.0, -1.0) * flips
        fired += bool(holm({str(i): drop_p_value(0.5 + row / 2, np.full(60, 0.5)) for i, row in enumerate(signs)}))
    assert fired / 400 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_holm_is_that_of_statsmodels() -> None:
    p_values = {"a": 0.001, "b": 0.013, "c": 0.02, "d": 0.04, "e": 0.6}
    reject, adjusted, _, _ = multipletests([*p_values.values()], method="holm")
    expected = {name: p for name, yes, p in zip(p_values, reject, adjusted, strict=True) if yes}
    assert holm(p_values) == pytest.approx(expected)
    assert holm({}) == {}
