"""The macro mean over abilities and its MOVER bounds."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from mixwright.statistics import paired_difference, stratified_difference
from mixwright.statistics.paired import PairedDifference
from mixwright.statistics.score import score_bounds


def ability(gains: int, losses: int, num_items: int, confidence: float = 0.95) -> PairedDifference:
    same = num_items - gains - losses
    candidate = [1] * gains + [0] * losses + [1] * same
    base = [0] * gains + [1] * losses + [1] * same
    return paired_difference(candidate, base, confidence=confidence)


def test_one_ability_keeps_its_own_numbers() -> None:
    alone = ability(3, 7, 100)
    macro = stratified_difference({"maths": alone})
    for field in dataclasses.fields(alone):
        if field.name not in ("method", "counts", "strata"):
            assert getattr(macro, field.name) == pytest.approx(getattr(alone, field.name)), field.name
    assert macro.method == "mover"


def test_abilities_weigh_the_same_however_many_items_they_have() -> None:
    macro = stratified_difference({"maths": ability(0, 20, 100), "code": ability(0, 0, 10_000)})
    assert macro.estimate == pytest.approx(-0.10)
    assert (macro.num_items, macro.num_clusters, macro.num_discordant) == (10_100, 10_100, 20)
    assert macro.candidate_mean - macro.base_mean == pytest.approx(macro.estimate)


def test_bounds_add_the_squared_distances_of_the_strata() -> None:
    maths, code = ability(2, 9, 120), ability(8, 1, 80)
    macro = stratified_difference({"maths": maths, "code": code})
    below = math.hypot(maths.estimate - maths.low, code.estimate - code.low) / 2
    above = math.hypot(maths.high - maths.estimate, code.high - code.estimate) / 2
    assert macro.low == pytest.approx(macro.estimate - below)
    assert macro.high == pytest.approx(macro.estimate + above)
    assert macro.standard_error == pytest.approx(math.hypot(maths.standard_error, code.standard_error) / 2)


def test_a_composite_is_narrower_than_its_parts_and_never_of_zero_width() -> None:
    part = ability(0, 0, 100)
    macro = stratified_difference({str(number): part for number in range(4)})
    assert macro.high == pytest.approx(part.high / 2)
    assert macro.low == -macro.high < 0


def test_the_design_effect_is_that_of_the_whole() -> None:
    doubled = paired_difference([1, 1, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1, 1], clusters=list("aabbccdd"))
    macro = stratified_difference({"one": doubled, "two": doubled})
    assert macro.design_effect == pytest.approx(doubled.design_effect)


def test_no_strata_or_unequal_confidence_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one ability"):
        stratified_difference({})
    with pytest.raises(ValueError, match=r"'maths' has 0.95, 'code' has 0.9"):
        stratified_difference({"maths": ability(1, 1, 50), "code": ability(1, 1, 50, confidence=0.9)})


@pytest.mark.parametrize(("discordance", "margin"), [(0.05, 0.03), (0.10, 0.02), (0.03, 0.03)])
def test_a_macro_drop_exactly_at_the_margin_passes_at_most_five_percent(discordance: float, margin: float) -> None:
    """Five abilities of unequal size. Bounds are tabulated once per count, so 20,000 replicates are cheap."""
    random = np.random.default_rng(5)
    num_replicates, sizes = 20_000, (60, 100, 150, 200, 400)
    estimate, below = np.zeros(num_replicates), np.zeros(num_replicates)
    for num_items in sizes:
        rates = [(discordance - margin) / 2, (discordance + margin) / 2, 1 - discordance]
        gains, losses, _ = random.multinomial(num_items, rates, size=num_replicates).T
        pairs, where = np.unique(np.stack([gains, losses]), axis=1, return_inverse=True)
        low = score_bounds(pairs[0], pairs[1], num_items, confidence=0.95).low[where.ravel()]
        mean = (gains - losses) / num_items
        estimate += mean / len(sizes)
        below += ((mean - low) / len(sizes)) ** 2
    false_pass = (estimate - np.sqrt(below) > -margin).mean()
    assert false_pass <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / num_replicates)
