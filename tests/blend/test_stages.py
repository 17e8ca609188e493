"""Exact weights for shares, straight ramps, and what is owed when shares change."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from made_sources import make_plan

from mixwright.blend.stages import carried, ramp, whole_weights

weights = st.lists(st.integers(1, 10**9), min_size=1, max_size=30)


@given(weights)
def test_weights_are_in_the_ratio_of_the_shares(parts: list[int]) -> None:
    shares = {f"s{i}": Fraction(part, sum(parts)) for i, part in enumerate(parts)}
    found = whole_weights(shares, sorted([*shares, "without"]))
    assert found.pop("without") == 0
    assert all(Fraction(weight, sum(found.values())) == shares[name] for name, weight in found.items())


@given(weights, st.integers(8, 40))
def test_shares_finer_than_the_parts_are_rounded_and_never_vanish(parts: list[int], bits: int) -> None:
    shares = {f"s{i}": Fraction(part, sum(parts)) for i, part in enumerate(parts)}
    found = whole_weights(shares, [*shares], 1 << bits)
    assert all(weight > 0 for weight in found.values())
    assert sum(found.values()) <= (1 << bits) + len(parts)
    for name, weight in found.items():
        assert abs(Fraction(weight, sum(found.values())) - shares[name]) <= Fraction(2 * len(parts), 1 << bits)


def test_what_the_kernel_sums_stays_within_64_bits_however_large_a_batch() -> None:
    shares = {f"s{i}": 10**6 + 7 * i for i in range(50)}  # with a denominator beyond all parts
    for rows, row_tokens in ((1, 8), (64, 1024), (1 << 16, 1 << 16)):
        plan = make_plan(shares, rows_per_batch=rows, row_tokens=row_tokens)
        assert sum(plan.weights(0).values()) * rows * row_tokens < 1 << 62


@given(st.integers(0, 10**6), st.integers(1, 5000))
def test_a_ramp_is_straight_and_its_stretches_follow_each_other(begin: int, length: int) -> None:
    before, after = {"a": Fraction(1)}, {"a": Fraction(1, 4), "b": Fraction(3, 4)}
    found = ramp(before, after, begin, begin + length)
    assert [where for where, _ in found] == sorted({where for where, _ in found})
    assert found[0][0] == begin
    ends = [*(where for where, _ in found[1:]), begin + length]
    integral = sum((shares["b"] * (end - where) for (where, shares), end in zip(found, ends, strict=True)), Fraction())
    assert all(sum(shares.values()) == 1 for _, shares in found)
    assert abs(integral - Fraction(3, 8) * length) <= Fraction(3, 4)


@given(st.lists(st.tuples(st.integers(-1000, 1000), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=9))
def test_what_is_owed_is_kept_and_still_sums_to_nothing(rows: list[tuple[int, int, int]]) -> None:
    names = [f"s{i}" for i in range(len(rows))]
    before = {name: old for name, (_, old, _) in zip(names, rows, strict=True)}
    after = {name: new for name, (_, _, new) in zip(names, rows, strict=True)}
    if not any(before.values()) or not any(after.values()):
        return
    lags = {name: lag for name, (lag, old, _) in zip(names, rows, strict=True) if old}
    first = next(iter(lags))
    lags[first] -= sum(lags.values())
    found = carried(lags, before, after)
    assert sum(found.values()) == 0
    old, new = sum(before.values()), sum(after.values())
    if all(after[name] for name in lags):
        for name in lags:
            assert abs(Fraction(found[name], new) - Fraction(lags[name], old)) <= Fraction(len(rows), new)
