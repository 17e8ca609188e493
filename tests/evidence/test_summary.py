"""The summary: every arm on every suite, with the bounds of its difference to the base where there are any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_records import Row, about, rows_of, write_rows

from mixwright.cli.tables import summary_lines
from mixwright.evidence.summary import summarise

N = 50
SUITES = {"skills": about("general", addition=N, sorting=N), "desk": about("domain", intent=N)}


def records(desk: int, addition: int, sorting: int, parsed: int = N) -> list[Row]:
    def rows(suite: str, ability: str, right: int) -> list[Row]:
        return rows_of(suite, ability, [float(n < right) for n in range(N)], [n < parsed for n in range(N)])

    return [*rows("desk", "intent", desk), *rows("skills", "addition", addition), *rows("skills", "sorting", sorting)]


def summary(folder: Path, suites: dict[str, Any] = SUITES, **arms: list[Row]) -> list[dict[str, Any]]:
    paths = {arm: write_rows(folder / f"{arm}.parquet", rows) for arm, rows in arms.items()}
    return summarise(suites, paths, "base", 0.95)


def test_each_arm_has_a_row_for_each_suite_whose_abilities_count_alike(tmp_path: Path) -> None:
    rows = summary(tmp_path, base=records(0, 50, 25), blend=records(40, 45, 20, parsed=48))
    assert [(row["arm"], row["suite"]) for row in rows] == [
        (arm, suite) for arm in ("base", "blend") for suite in SUITES
    ]
    found = {(row["arm"], row["suite"]): row for row in rows}
    general = found["blend", "skills"]
    assert (general["score"], general["difference"]) == (pytest.approx(0.65), pytest.approx(-0.1))
    assert general["low"] < general["difference"] < general["high"]
    assert (general["parse_rate"], general["num_items"], general["role"]) == (pytest.approx(0.96), 100, "general")
    assert found["base", "skills"]["score"] == pytest.approx(0.75)
    assert [found["base", "desk"][key] for key in ("difference", "low", "high")] == [None] * 3


def test_a_suite_of_one_cluster_has_scores_and_no_bounds(tmp_path: Path) -> None:
    one = {"desk": about("domain", intent=N) | {"clusters": {"intent": 1}}}
    rows = [[row | {"cluster": "all"} for row in records(right, 50, 50)] for right in (10, 40)]
    base, blend = summary(tmp_path, one, base=rows[0], blend=rows[1])
    assert (base["score"], blend["score"], blend["num_items"]) == (0.2, 0.8, N)
    assert [blend[key] for key in ("difference", "low", "high")] == [None] * 3


def test_on_a_terminal_the_domain_comes_first_and_the_base_has_no_bounds(tmp_path: Path) -> None:
    rows = summary(tmp_path, base=records(0, 50, 25), blend=records(40, 45, 20, parsed=48))
    head, base, blend, note = summary_lines(rows, {"blend": "PASS"})
    assert head.split() == ["arm", "desk", "skills", "parsed", "certificate"]
    assert base.split() == ["base", "0.0", "75.0", "100", "%"]
    assert blend.startswith("blend  80.0 [+")
    assert blend.endswith("PASS")
    assert "96 %" in blend
    assert "(general suites)" in note
