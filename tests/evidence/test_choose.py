"""The choice among an arm's candidates: the one whose worst named clause comes closest to its threshold, or beyond."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_records import Row, about, rows_of, write_rows

from mixwright.evidence.choose import choose
from mixwright.ground.artefacts import read_json
from mixwright.recipe.contract import Contract

N = 40
SUITES = {"desk": about("domain", intent=N), "skills": about("general", addition=N, sorting=N)}
CONTRACT = {"improve": {"desk": 0.5}, "keep": {"general": 0.1}}


def records(desk: int, addition: int, sorting: int) -> list[Row]:
    """So many items of each ability are answered right."""
    right = {("desk", "intent"): desk, ("skills", "addition"): addition, ("skills", "sorting"): sorting}
    return [row for (s, a), many in right.items() for row in rows_of(s, a, [float(n < many) for n in range(N)])]


BASE = records(0, 40, 40)


def choice(folder: Path, contract: dict[str, Any], **candidates: list[Row]) -> dict[str, Any]:
    paths = {label: write_rows(folder / f"{label}.parquet", rows) for label, rows in candidates.items()}
    base = write_rows(folder / "base.parquet", BASE)
    counts = choose(Contract.model_validate(contract), SUITES, paths, base, folder)
    made: dict[str, Any] = read_json(folder / "choice.json")
    assert counts == {"chosen": made["chosen"], "candidates": len(candidates)}
    return made


def test_the_largest_worst_slack_is_taken(tmp_path: Path) -> None:
    """The greedy candidate gains most and the timid one keeps most; the even one misses least."""
    made = choice(tmp_path, CONTRACT, greedy=records(40, 20, 20), even=records(30, 36, 36), timid=records(8, 40, 40))
    assert made["chosen"] == "even"
    slacks = {candidate["label"]: candidate["slack"] for candidate in made["candidates"]}
    assert slacks["greedy"] < slacks["timid"] < slacks["even"] < 0, "no bound of so few items reaches the contract"


def test_of_equals_the_first_is_taken(tmp_path: Path) -> None:
    same = records(30, 36, 36)
    assert choice(tmp_path, CONTRACT, worse=records(8, 40, 40), b=same, a=same)["chosen"] == "b"


def test_each_ability_is_shown_and_counts_only_where_nothing_else_is_asked(tmp_path: Path) -> None:
    uneven, even = records(32, 40, 30), records(30, 34, 34)
    each = {"keep": {"each_ability": 0.1}}
    with_names = choice(tmp_path / "named", {**CONTRACT, "keep": {"general": 0.1, **each["keep"]}}, u=uneven, e=even)
    assert with_names["chosen"] == "u"  # -0.125 of all abilities against -0.15
    clauses = with_names["candidates"][0]["clauses"]
    assert [(clause["name"], clause["named"]) for clause in clauses] == [
        ("desk", True),
        ("general", True),
        ("each_ability:skills/addition", False),
        ("each_ability:skills/sorting", False),
    ]
    assert choice(tmp_path / "alone", each, u=uneven, e=even)["chosen"] == "e"  # -0.25 of sorting against -0.15


def test_a_clause_says_what_it_rests_on(tmp_path: Path) -> None:
    (candidate,) = choice(tmp_path, CONTRACT, only=records(30, 36, 32))["candidates"]
    desk, general = candidate["clauses"]
    assert (desk["base"], desk["candidate"], desk["num_items"]) == (0.0, 0.75, N)
    assert (general["estimate"], general["num_items"]) == (pytest.approx(-0.15), 2 * N)
    assert (desk["threshold"], general["threshold"]) == (0.5, -0.1)
    for clause in (desk, general):
        assert clause["low"] < clause["estimate"]
        assert clause["slack"] == pytest.approx(clause["low"] - clause["threshold"])
    assert candidate["slack"] == general["slack"]
