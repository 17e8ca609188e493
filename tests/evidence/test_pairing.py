"""Two models are compared item by item, or not at all."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from made_records import Row, rows_of, write_rows

from mixwright.evidence.importers import read_records
from mixwright.evidence.pairing import Pairs, pair
from mixwright.ground.errors import InputError

BASE = [*rows_of("desk", "intent", [0, 1, 0, 1]), *rows_of("skills", "sorting", [1, 0.5], [True, False])]
CANDIDATE = [*rows_of("desk", "intent", [1, 1, 0, 0]), *rows_of("skills", "sorting", [0, 1])]


def paired(folder: Path, candidate: list[Row], base: list[Row]) -> Mapping[tuple[str, str], Pairs]:
    files = (write_rows(folder / f"{name}.parquet", rows) for name, rows in (("candidate", candidate), ("base", base)))
    return pair(*map(read_records, files)).strata


def test_records_are_paired_by_item_whatever_their_order(tmp_path: Path) -> None:
    random.Random(0).shuffle(shuffled := list(CANDIDATE))
    strata = paired(tmp_path, shuffled, BASE)
    assert set(strata) == {("desk", "intent"), ("skills", "sorting")}
    intent, sorting = strata["desk", "intent"], strata["skills", "sorting"]
    assert intent.base["score"].tolist() == [0, 1, 0, 1]
    assert intent.candidate["score"].tolist() == [1, 1, 0, 0]
    assert intent.clusters.tolist() == [f"intent{n:05}" for n in range(4)]
    assert sorting.base["parse_rate"].tolist() == [1, 0]
    assert sorting.candidate["parse_rate"].tolist() == [1, 1]


def test_the_same_item_in_two_suites_is_two_items(tmp_path: Path) -> None:
    both = [*rows_of("one", "intent", [1]), *rows_of("two", "intent", [0])]
    assert set(paired(tmp_path, both, both)) == {("one", "intent"), ("two", "intent")}


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("prompt_sha", "another", "prompt"),
        ("scorer", "exact@2", "scorer"),
        ("build", "another", "build"),
    ],
)
def test_a_record_that_came_about_otherwise_is_refused(tmp_path: Path, column: str, value: str, words: str) -> None:
    changed = [row | {column: value} if row["item_id"] == "intent00002" else row for row in CANDIDATE]
    with pytest.raises(InputError, match=words) as caught:
        paired(tmp_path, changed, BASE)
    assert "intent00002" in str(caught.value)


@pytest.mark.parametrize(
    ("candidate", "base"),
    [(CANDIDATE[1:], BASE), (CANDIDATE, BASE[1:]), (CANDIDATE, [*BASE[1:], BASE[0] | {"item_id": "other"}])],
)
def test_records_of_other_items_are_refused(tmp_path: Path, candidate: list[Row], base: list[Row]) -> None:
    with pytest.raises(InputError, match="one of the two models only"):
        paired(tmp_path, candidate, base)


@pytest.mark.parametrize("which", ["candidate", "base"])
def test_an_item_that_stands_twice_is_refused_in_its_file(tmp_path: Path, which: str) -> None:
    rows = {"candidate": CANDIDATE, "base": BASE}
    rows[which] = [*rows[which], rows[which][0]]
    with pytest.raises(InputError, match="twice") as caught:
        paired(tmp_path, **rows)
    assert f"{which}.parquet" in str(caught.value.where)
