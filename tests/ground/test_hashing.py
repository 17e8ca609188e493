"""Identity: one text for one value, seeds by name, and file hashes that are never stale."""

from __future__ import annotations

import json
import math
import os
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixwright.ground.hashing import FileDigests, canonical_json, derive_seed, digest, file_digest, text_digest


class Role(StrEnum):
    USER = "user"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

letters = st.text(st.characters(exclude_categories=[]))
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | letters
    | st.sampled_from([date(2026, 1, 1), UUID(int=1), b"bytes", Role.USER, (1, "x"), {1, 2}]),
    lambda inner: st.lists(inner) | st.dictionaries(letters, inner) | st.dictionaries(st.integers(), inner),
    max_leaves=12,
)


@given(values)
def test_canonical_json_reads_back_as_the_same_value(value: object) -> None:
    assert json.loads(canonical_json(value)) == value  # type: ignore[arg-type]


@given(anything)
def test_canonical_json_is_what_the_standard_library_writes(value: Any) -> None:
    """Also of half characters, floats and integers of any size, and of what it writes as text or refuses."""
    found: list[object] = []
    plain = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
    for write in (canonical_json, plain):
        try:
            found.append(write(value))
        except (TypeError, ValueError) as error:
            found.append((type(error), str(error)))
    assert found[0] == found[1]


@pytest.mark.parametrize("levels", [10, 99, 100, 101, 126, 127, 128, 300])
def test_canonical_json_of_deep_values_is_too(levels: int) -> None:
    value = json.loads('[{"b":' * levels + "1" + ',"a":2}]' * levels)
    assert canonical_json(value) == json.dumps(value, sort_keys=True, separators=(",", ":"))


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical_json(turned) == canonical_json(value)
    assert digest(turned) == digest(value)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_json_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"loss": number})


def test_values_that_print_alike_have_different_digests() -> None:
    alike = [1, "1", [1], True, None, "null", {"1": 1}]
    assert len({digest(value) for value in alike}) == len(alike)


def test_a_seed_depends_on_what_it_is_for_and_on_nothing_else() -> None:
    assert derive_seed(0, "order", "tickets", 2) == derive_seed(0, "order", "tickets", 2)
    different = [
        (0, "order", "tickets", 2),
        (0, "order", "tickets", 3),
        (1, "order", "tickets", 2),
        ("ab",),
        ("a", "b"),
    ]
    assert len({derive_seed(*names) for names in different}) == len(different)
    assert derive_seed("a", "bc") != derive_seed("ab", "c")


@given(st.lists(st.text() | st.integers()))
def test_a_seed_fits_every_generator(names: list[str | int]) -> None:
    assert 0 <= derive_seed(*names) < 2**63


@given(st.text(alphabet=st.characters()), st.text(alphabet=st.characters()))
def test_two_texts_have_one_hash_only_when_they_are_equal(one: str, other: str) -> None:
    assert len(text_digest(one)) == 32
    assert (text_digest(one) == text_digest(other)) == (one == other)


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_remembered(tmp_path: Path) -> None:
    file, memory = tmp_path / "data.jsonl", tmp_path / "memory" / "digests.json"
    file.write_text("first")
    digests = FileDigests(memory)
    first = digests(file)
    digests.save()
    assert first == file_digest(file)
    assert FileDigests(memory)(file) == first
    stamp = file.stat()
    file.write_text("other")  # as long as before
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))
    assert FileDigests(memory)(file) == file_digest(file) != first


@pytest.mark.parametrize("torn", ["", '{"/data', "[1, 2]", "null"])
def test_a_torn_memory_of_hashes_costs_time_and_nothing_else(tmp_path: Path, torn: str) -> None:
    file, memory = tmp_path / "data.jsonl", tmp_path / "digests.json"
    file.write_text("text")
    memory.write_text(torn)
    digests = FileDigests(memory)
    assert digests(file) == file_digest(file)
    digests.save()
    assert FileDigests(memory)(file) == file_digest(file)
