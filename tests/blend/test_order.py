"""The order of a pass: a complete permutation, named by a key, computed anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mixwright.blend.order import permute

unhurried = settings(deadline=None)
keys = st.integers(0, 2**63 - 1)


def whole(size: int, key: int) -> list[int]:
    return permute(np.arange(size, dtype=np.uint64), size, key).tolist()


@unhurried
@given(st.integers(1, 5000), keys)
@example(size=1, key=0)
@example(size=2, key=1)
@example(size=3, key=2**63 - 1)
@example(size=4096, key=5)
@example(size=4097, key=5)
def test_a_pass_takes_every_record_exactly_once(size: int, key: int) -> None:
    assert sorted(whole(size, key)) == list(range(size))


@unhurried
@given(st.integers(1, 2000), keys, st.randoms(use_true_random=False))
def test_a_position_has_the_same_image_alone_and_in_any_company(size: int, key: int, random: object) -> None:
    positions = list(range(size))
    random.shuffle(positions)  # type: ignore[attr-defined]
    images = whole(size, key)
    assert permute(np.asarray(positions, np.uint64), size, key).tolist() == [images[p] for p in positions]
    assert permute(np.asarray(positions[:1], np.uint64), size, key).tolist() == [images[positions[0]]]


@unhurried
@given(st.integers(50, 2000), keys, keys)
def test_another_key_gives_another_order(size: int, key: int, other: int) -> None:
    if key != other:
        assert whole(size, key) != whole(size, other)


def test_a_billion_records_cost_no_more_than_ten() -> None:
    size = 10**9
    positions = np.asarray([0, 1, size // 2, size - 1], np.uint64)
    images = permute(positions, size, 7)
    assert len(set(images.tolist())) == 4
    assert int(images.max()) < size


def test_every_position_is_likely_to_go_everywhere() -> None:
    """Over many keys each record leads the pass about equally often: 20 records, 4,000 keys, within 5 errors."""
    size, num_keys = 20, 4000
    first = [int(permute(np.zeros(1, np.uint64), size, key)[0]) for key in range(num_keys)]
    counts = np.bincount(first, minlength=size)
    assert np.abs(counts - num_keys / size).max() < 5 * np.sqrt(num_keys / size)


def test_a_position_outside_the_pass_is_a_defect_of_the_caller() -> None:
    with pytest.raises(ValueError, match="range"):
        permute(np.asarray([5], np.uint64), 5, 0)
    with pytest.raises(ValueError, match="range"):
        permute(np.asarray([], np.uint64), 0, 0)
