"""The certificate: PASS, FAIL or INCONCLUSIVE from made-up records whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from made_records import Row, about, rows_of, write_rows

from mixwright.evidence.certify import certify
from mixwright.evidence.importers import read_records
from mixwright.evidence.render import render
from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError
from mixwright.recipe.contract import Contract

SUITES = {"desk": about("domain", intent=400), "skills": about("general", addition=400, sorting=400)}
N = 400


def scores(right: int, of: int = N) -> list[float]:
    """The first `right` items are answered right."""
    return [float(number < right) for number in range(of)]


def records(desk: int = 0, addition: int = 300, sorting: int = 300, of: int = N) -> list[Row]:
    return [
        *rows_of("desk", "intent", scores(desk, of)),
        *rows_of("skills", "addition", scores(addition, of)),
        *rows_of("skills", "sorting", scores(sorting, of)),
    ]


def certificate(
    folder: Path,
    candidate: Sequence[Row],
    base: Sequence[Row],
    confidence: float = 0.95,
    **contract: dict[str, float],
) -> dict[str, Any]:
    paths = [write_rows(folder / f"{name}.parquet", rows) for name, rows in (("new", candidate), ("old", base))]
    asked = Contract.model_validate({**contract, "confidence": confidence})
    certify("tickets", "blend", asked, SUITES, *map(read_records, paths), {"lock": "abc"}, folder)
    made: dict[str, Any] = read_json(folder / "certificate.json")
    return made


BOTH = {"improve": {"desk": 0.1}, "keep": {"general": 0.05, "each_ability": 0.1}}


def test_a_candidate_that_gains_and_loses_nothing_passes(tmp_path: Path) -> None:
    made = certificate(tmp_path, records(desk=200), records(desk=40), **BOTH)
    assert made["verdict"] == "PASS"
    assert [clause["verdict"] for clause in made["clauses"]] == ["PASS"] * 4
    improve = made["clauses"][0]
    assert improve["estimate"] == pytest.approx(0.4)
    assert improve["low"] > improve["threshold"] == 0.1
    assert (improve["base"], improve["candidate"], improve["num_items"]) == (0.1, 0.5, 400)


def test_a_candidate_that_gained_too_little_fails(tmp_path: Path) -> None:
    made = certificate(tmp_path, records(desk=42), records(desk=40), **BOTH)
    assert made["verdict"] == "FAIL"
    assert [clause["verdict"] for clause in made["clauses"]] == ["FAIL", "PASS", "PASS", "PASS"]


def test_a_candidate_that_lost_one_ability_fails_although_the_mean_holds(tmp_path: Path) -> None:
    made = certificate(tmp_path, records(desk=200, addition=400, sorting=200), records(desk=40), **BOTH)
    verdicts = {clause["name"]: clause["verdict"] for clause in made["clauses"]}
    assert verdicts == {
        "desk": "PASS",
        "general": "PASS",
        "each_ability:skills/addition": "PASS",
        "each_ability:skills/sorting": "FAIL",
    }
    assert made["verdict"] == "FAIL"


def test_a_few_items_prove_nothing_either_way_and_say_how_many_would(tmp_path: Path) -> None:
    base, candidate = records(desk=3, addition=9, sorting=9, of=12), records(desk=5, addition=8, sorting=9, of=12)
    made = certificate(tmp_path, candidate, base, keep={"general": 0.02}, improve={"desk": 0.05})
    assert made["verdict"] == "INCONCLUSIVE"
    assert all("more items" in clause["settle"] for clause in made["clauses"])


def test_that_nothing_was_lost_is_not_taken_from_the_absence_of_a_difference(tmp_path: Path) -> None:
    """Twelve items without a single change do not certify a margin of two points."""
    same = records(desk=6, addition=9, sorting=9, of=12)
    assert certificate(tmp_path, same, same, keep={"general": 0.02})["verdict"] == "INCONCLUSIVE"


def test_a_model_compared_with_itself_keeps_everything_and_improves_nothing(tmp_path: Path) -> None:
    same = records(desk=200)
    made = certificate(tmp_path, same, same, improve={"desk": 0.0}, keep=BOTH["keep"])
    assert [clause["verdict"] for clause in made["clauses"]] == ["INCONCLUSIVE", "PASS", "PASS", "PASS"]


def test_an_ability_that_the_base_does_not_have_is_left_out_and_listed(tmp_path: Path) -> None:
    low = records(desk=40, sorting=8)
    made = certificate(tmp_path, low, low, keep={"each_ability": 0.1})
    assert made["unarmed"] == ["each_ability:skills/sorting"]
    assert [clause["name"] for clause in made["clauses"]] == ["each_ability:skills/addition"]
    assert made["verdict"] == "PASS"


def test_an_unarmed_clause_that_the_contract_names_cannot_pass(tmp_path: Path) -> None:
    low = records(sorting=8)
    made = certificate(tmp_path, low, low, keep={"skills/sorting": 0.1})
    (clause,) = made["clauses"]
    assert (clause["verdict"], clause["armed"], made["unarmed"]) == ("INCONCLUSIVE", False, [])
    assert "could not be seen" in clause["reason"]


def test_an_improvement_may_start_from_nothing(tmp_path: Path) -> None:
    made = certificate(tmp_path, records(desk=200), records(desk=0), improve={"desk": 0.1})
    assert made["verdict"] == "PASS"


def test_answers_that_can_no_longer_be_read_are_a_clause_of_their_own(tmp_path: Path) -> None:
    base = rows_of("desk", "intent", scores(100)) + records()[N:]
    candidate = rows_of("desk", "intent", scores(100), [n < 150 for n in range(N)]) + records()[N:]
    made = certificate(tmp_path, candidate, base, keep={"desk": 0.1, "desk.parse_rate": 0.1})
    assert [clause["verdict"] for clause in made["clauses"]] == ["PASS", "FAIL"]
    assert made["clauses"][0]["parse_rate_candidate"] == pytest.approx(0.375)


def test_items_of_one_cluster_count_less_than_as_many_independent_ones(tmp_path: Path) -> None:
    def clustered(rows: list[Row], size: int) -> list[Row]:
        return [row | {"cluster": f"{row['ability']}{n // size}"} for n, row in enumerate(rows)]

    base, candidate = records(addition=200), records(addition=180)
    alone = certificate(tmp_path / "alone", candidate, base, keep={"skills/addition": 0.2})["clauses"][0]
    together = certificate(
        tmp_path / "together", clustered(candidate, 20), clustered(base, 20), keep={"skills/addition": 0.2}
    )["clauses"][0]
    assert alone["num_clusters"] == 400
    assert together["num_clusters"] == 20
    assert together["estimate"] == pytest.approx(alone["estimate"])
    assert together["low"] < alone["low"]


def test_more_confidence_is_harder_to_satisfy(tmp_path: Path) -> None:
    candidate, base = records(desk=72), records(desk=40)
    bounds = [
        certificate(tmp_path / str(c), candidate, base, confidence=c, improve={"desk": 0.05})["clauses"][0]["low"]
        for c in (0.8, 0.95, 0.999)
    ]
    assert bounds == sorted(bounds, reverse=True)
    assert len(set(bounds)) == 3


def test_the_certificate_carries_its_evidence_and_can_be_read_by_a_person(tmp_path: Path) -> None:
    made = certificate(tmp_path, records(desk=200, sorting=8), records(desk=40, sorting=8), **BOTH)
    assert made["evidence"] == {"lock": "abc"}
    assert (made["recipe"], made["arm"], made["confidence"]) == ("tickets", "blend", 0.95)
    text = render(made)
    assert text.startswith(made["verdict"])
    assert all(clause["name"] in text for clause in made["clauses"])
    assert "each_ability:skills/sorting" in text.splitlines()[-1]


def test_records_that_lack_an_ability_of_the_suite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        certificate(tmp_path, records()[: 2 * N], records()[: 2 * N], keep={"general": 0.1})


def test_a_contract_of_nothing_but_unarmed_abilities_certifies_nothing(tmp_path: Path) -> None:
    none = records(addition=0, sorting=0)
    made = certificate(tmp_path, none, none, keep={"each_ability": 0.1})
    assert (made["verdict"], made["clauses"]) == ("INCONCLUSIVE", [])
    assert "addition" in render(made)


def test_abilities_that_share_clusters_are_no_independent_evidence(tmp_path: Path) -> None:
    """The same passages ask for both abilities: a passage that is lost is lost twice."""

    def shared(rows: list[Row], number_of_ability: bool) -> list[Row]:
        return [
            row | {"cluster": f"passage{n % N}" + (row["ability"] if number_of_ability else "")}
            for n, row in enumerate(rows)
        ]

    base, candidate = records(addition=300, sorting=300), records(addition=280, sorting=280)
    apart, together = (
        certificate(tmp_path / name, shared(candidate, own), shared(base, own), keep={"general": 0.1})["clauses"][0]
        for name, own in (("apart", True), ("together", False))
    )
    assert together["estimate"] == pytest.approx(apart["estimate"])
    assert together["base"] == pytest.approx(apart["base"])
    assert together["num_clusters"] == N
    assert together["low"] < apart["low"]


def test_an_ability_with_a_dot_in_its_name_can_be_named(tmp_path: Path) -> None:
    rows = [row | {"ability": "v1.2"} for row in rows_of("skills", "addition", scores(300))]
    paths = [write_rows(tmp_path / f"{name}.parquet", rows) for name in ("new", "old")]
    asked = Contract(keep={"skills/v1.2": 0.1, "skills/v1.2.parse_rate": 0.1})
    suites = {"skills": about("general", **{"v1.2": N})}
    assert certify("r", "blend", asked, suites, *map(read_records, paths), {}, tmp_path) == {
        "verdict": "PASS",
        "clauses": 2,
    }
