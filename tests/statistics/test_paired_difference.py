"""The public comparison of two arms: which method, which fields, which invariances, which complaints."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixwright.statistics import PairedDifference, paired_difference

unhurried = settings(deadline=None, max_examples=40)  # a shared machine may be slow

NUMBERS = ("estimate", "low", "high", "standard_error", "design_effect", "base_mean", "candidate_mean")


def arms(
    *, binary: bool, smallest: int = 4, largest: int = 60
) -> st.SearchStrategy[tuple[list[float], list[float], list[int]]]:
    score = st.sampled_from([0.0, 1.0]) if binary else st.integers(0, 8).map(lambda eighths: eighths / 8)

    def of(num_items: int) -> st.SearchStrategy[tuple[list[float], list[float], list[int]]]:
        scores = st.lists(score, min_size=num_items, max_size=num_items)
        labels = st.lists(st.integers(0, 9), min_size=num_items - 2, max_size=num_items - 2)
        return st.tuples(scores, scores, labels.map(lambda some: [*some, 100, 101]))

    return st.integers(smallest, largest).flatmap(of)


any_arms = st.one_of(arms(binary=True), arms(binary=False))


def test_fields_describe_the_comparison() -> None:
    found = paired_difference([1, 1, 0, 1, 0, 1], [1, 0, 0, 0, 1, 1])
    assert found.estimate == pytest.approx(1 / 6)
    assert found.base_mean == pytest.approx(3 / 6)
    assert found.candidate_mean == pytest.approx(4 / 6)
    assert (found.num_items, found.num_clusters, found.num_discordant) == (6, 6, 3)
    assert (found.method, found.confidence, found.design_effect) == ("exact", 0.95, 1.0)
    assert found.standard_error == pytest.approx(math.sqrt((3 / 6 - 1 / 36) / 6))
    assert found.low < found.estimate < found.high


def test_clusters_or_graded_scores_turn_to_cluster_t() -> None:
    binary, other = [1, 0, 1, 1], [0, 0, 1, 0]
    assert paired_difference(binary, other, clusters=["a", "b", "c", "d"]).method == "exact"
    assert paired_difference(binary, other, clusters=["a", "a", "b", "b"]).method == "cluster-t"
    assert paired_difference([0.5, 0, 1, 1], other).method == "cluster-t"
    assert paired_difference(np.array([True, False]), np.array([False, False])).method == "exact"
    assert paired_difference([1, 0] * 60, [1] * 120).method == "tango"


def test_a_bound_at_higher_confidence_lies_further_out() -> None:
    arms_ = ([1, 0, 1, 1, 0, 1, 1, 0], [0, 0, 1, 0, 1, 1, 1, 0])
    narrow, wide = paired_difference(*arms_, confidence=0.9), paired_difference(*arms_, confidence=0.99)
    assert wide.low < narrow.low
    assert wide.high > narrow.high


@unhurried
@given(any_arms, st.booleans())
def test_width_is_never_zero(data: tuple[list[float], list[float], list[int]], clustered: bool) -> None:
    candidate, base, labels = data
    found = paired_difference(candidate, base, clusters=labels if clustered else None)
    assert -1 <= found.low <= found.estimate <= found.high <= 1
    assert found.high - found.low > 1e-4
    assert found.standard_error > 0
    assert found.design_effect > 0


@unhurried
@given(any_arms)
def test_a_model_compared_with_itself_has_width_on_both_sides(
    data: tuple[list[float], list[float], list[int]],
) -> None:
    scores, _, labels = data
    for clusters in (None, labels):
        found = paired_difference(scores, scores, clusters=clusters)
        assert found.num_discordant == 0
        assert found.low == -found.high < 0


@unhurried
@given(any_arms, st.booleans())
def test_swapping_the_arms_flips_the_sign(data: tuple[list[float], list[float], list[int]], clustered: bool) -> None:
    candidate, base, labels = data
    clusters = labels if clustered else None
    one = paired_difference(candidate, base, clusters=clusters)
    other = paired_difference(base, candidate, clusters=clusters)
    assert one.estimate == pytest.approx(-other.estimate, abs=1e-9)
    assert one.low == pytest.approx(-other.high, abs=1e-9)
    assert one.high == pytest.approx(-other.low, abs=1e-9)
    assert one.standard_error == pytest.approx(other.standard_error, abs=1e-9)


@unhurried
@given(any_arms, st.randoms(use_true_random=False))
def test_neither_the_order_of_items_nor_the_names_of_clusters_matter(data, random) -> None:  # type: ignore[no-untyped-def]
    candidate, base, labels = data
    order = list(range(len(labels)))
    random.shuffle(order)
    one = paired_difference(candidate, base, clusters=labels)
    other = paired_difference(
        [candidate[i] for i in order],
        [base[i] for i in order],
        clusters=[("passage", str(labels[i])) for i in order],
    )
    for number in NUMBERS:
        assert getattr(one, number) == pytest.approx(getattr(other, number), abs=1e-9), number


@unhurried
@given(arms(binary=False), st.floats(0.01, 100.0))
def test_the_unit_of_an_unbounded_score_does_not_matter(
    data: tuple[list[float], list[float], list[int]], unit: float
) -> None:
    candidate, base, labels = np.array(data[0]), np.array(data[1]), data[2]
    if np.ptp(candidate - base) == 0:
        return
    one = paired_difference(candidate * 200 - 100, base * 200 - 100, clusters=labels)
    other = paired_difference((candidate * 200 - 100) * unit, (base * 200 - 100) * unit, clusters=labels)
    assert other.estimate == pytest.approx(one.estimate * unit, abs=1e-6)
    assert other.high == pytest.approx(one.high * unit, rel=1e-6, abs=1e-6)


def test_a_result_cannot_be_edited() -> None:
    found = paired_difference([1, 0], [0, 0])
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.low = 0.0  # type: ignore[misc]
    assert isinstance(found, PairedDifference)


@pytest.mark.parametrize(
    ("candidate", "base", "options", "complaint"),
    [
        ([], [], {}, "candidate is empty"),
        ([1, 0, 1], [1, 0], {}, "candidate has 3 scores and base has 2"),
        ([1, math.nan, 1], [1, 0, 1], {}, "candidate has 1 scores that are not finite, first at item 1"),
        ([1, 0, 1], [1, 0, math.inf], {}, "base has 1 scores that are not finite, first at item 2"),
        ([[1, 0]], [[1, 0]], {}, r"shape \(1, 2\)"),
        ([1], [0], {}, "one cluster: at least 2"),
        ([1, 0], [0, 0], {"clusters": ["a", "a"]}, "one cluster: at least 2"),
        ([1, 0], [0, 0], {"clusters": ["a"]}, "1 labels for 2 items"),
        ([1, 0], [0, 0], {"clusters": ["a", None]}, r"clusters\[1\] is None"),
        ([1, 0], [0, 0], {"clusters": [0.0, math.nan]}, r"clusters\[1\] is nan"),
        ([1, 0], [0, 0], {"confidence": 1.0}, "confidence is 1.0"),
        ([1, 0], [0, 0], {"confidence": 0.5}, "confidence is 0.5"),
    ],
)
def test_a_mistake_is_named(candidate, base, options, complaint) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=complaint):
        paired_difference(candidate, base, **options)
