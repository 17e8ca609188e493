"""The order of a pass: a complete permutation, named by a key, computed anywhere."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mixwright.blend.order import half_bits, record_at

unhurried = settings(deadline=None)
keys = st.integers(0, 2**63 - 1)


def one_pass(size: int, key: int, number: int = 0) -> list[int]:
    return [record_at(number * size + k, size, half_bits(size), np.uint64(key)) for k in range(size)]


@unhurried
@given(st.integers(1, 5000), keys, st.integers(0, 1000))
@example(size=1, key=0, number=0)
@example(size=2, key=1, number=1)
@example(size=3, key=2**63 - 1, number=2)
@example(size=4096, key=5, number=0)
@example(size=4097, key=5, number=0)
def test_a_pass_takes_every_record_exactly_once(size: int, key: int, number: int) -> None:
    assert sorted(one_pass(size, key, number)) == list(range(size))


@unhurried
@given(st.integers(50, 2000), keys, keys)
def test_another_key_gives_another_order(size: int, key: int, other: int) -> None:
    if key != other:
        assert one_pass(size, key) != one_pass(size, other)


@unhurried
@given(st.integers(50, 2000), keys, st.integers(0, 1000))
def test_the_next_pass_has_another_order(size: int, key: int, number: int) -> None:
    assert one_pass(size, key, number) != one_pass(size, key, number + 1)


def test_a_billion_records_cost_no_more_than_ten() -> None:
    size = 10**9
    images = {record_at(k, size, half_bits(size), np.uint64(7)) for k in (0, 1, size // 2, size - 1)}
    assert len(images) == 4
    assert max(images) < size


def test_every_position_is_likely_to_go_everywhere() -> None:
    """Over many keys each record leads the pass about equally often: 20 records, 4,000 keys, within 5 errors."""
    size, num_keys = 20, 4000
    first = [record_at(0, size, half_bits(size), np.uint64(key)) for key in range(num_keys)]
    counts = np.bincount(first, minlength=size)
    assert np.abs(counts - num_keys / size).max() < 5 * np.sqrt(num_keys / size)
