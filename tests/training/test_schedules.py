"""Learning rates as functions of the step: they rise to the peak once and fall as their name says."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixwright.training.schedule import FLOOR, learning_rate

SCHEDULES = ("constant", "linear", "cosine", "wsd")
schedules = st.sampled_from(SCHEDULES)
warmups = st.floats(0, 0.7)


def rates(num_steps: int, schedule: str, warmup: float, peak: float = 1.0, cooldown: float = 0.2) -> list[float]:
    about = {"peak": peak, "warmup": warmup, "cooldown": cooldown}
    return [learning_rate(step, num_steps, schedule=schedule, **about) for step in range(num_steps)]


@given(st.integers(1, 300), schedules, warmups, st.floats(1e-6, 10))
def test_every_rate_is_above_zero_and_at_most_the_peak(
    num_steps: int, schedule: str, warmup: float, peak: float
) -> None:
    assert all(0 < rate <= peak * (1 + 1e-12) for rate in rates(num_steps, schedule, warmup, peak))


@given(st.integers(2, 300), schedules, warmups)
def test_rates_rise_through_the_warm_up_and_never_again(num_steps: int, schedule: str, warmup: float) -> None:
    warm = round(warmup * num_steps)
    found = rates(num_steps, schedule, warmup)
    assert all(low < high for low, high in pairwise(found[: warm + 1]))
    assert all(high >= low - 1e-12 for high, low in pairwise(found[warm:]))
    if warm < num_steps:
        assert found[warm] == pytest.approx(1.0)


def test_where_each_schedule_ends() -> None:
    assert rates(1000, "constant", 0.1)[-1] == 1.0
    assert rates(1000, "linear", 0.1)[-1] == pytest.approx(1 / 900)
    assert rates(1000, "cosine", 0.0)[-1] == pytest.approx(FLOOR, abs=1e-4)
    assert rates(1000, "cosine", 0.0)[500] == pytest.approx((1 + FLOOR) / 2)
    assert rates(1000, "wsd", 0.0)[-1] == pytest.approx(1 / 200)


def test_wsd_stays_at_the_peak_until_it_cools_down() -> None:
    for cooldown in (0.2, 0.5):
        found = rates(1000, "wsd", 0.1, cooldown=cooldown)
        falling = 1000 - round(1000 * cooldown)
        assert set(found[100:falling]) == {1.0}
        assert all(high > low for high, low in pairwise(found[falling:]))
        assert found[-1] == pytest.approx(1 / (1000 * cooldown))


def test_an_unknown_schedule_is_a_defect_of_the_caller() -> None:
    with pytest.raises(ValueError, match="schedule"):
        learning_rate(5, 10, peak=1.0, schedule="magic", warmup=0.0)
