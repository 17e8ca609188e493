"""What a certificate says beyond single clauses: never, tripwires, missing verdicts, people, repeats, early stops."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from made_records import Row, rows_of

from mixwright.evidence.certify import certificate
from mixwright.evidence.pairing import asking_order, pair
from mixwright.evidence.planning import plan_clauses
from mixwright.evidence.records import Records, make_records
from mixwright.evidence.render import junit, markdown, render
from mixwright.evidence.uses import count_uses
from mixwright.evidence.verify import about_records, verify_certificate
from mixwright.ground.errors import InputError
from mixwright.recipe.contract import Contract

ROLES = {"desk": "domain", "skills": "general", "safety": "general"}
SKILLS = [f"skill{n:02}" for n in range(12)]


def made(rows: list[Row]) -> Records:
    return make_records(Path("rows"), "records", ((f"row {n}", row) for n, row in enumerate(rows)))


def judge(candidate: list[Row], base: list[Row], contract: dict[str, Any], **more: Any) -> dict[str, Any]:
    new, old = made(candidate), made(base)
    return certificate("r", "blend", Contract.model_validate(contract), about_records(old, ROLES), new, old, {}, **more)


def scores(share: float, of: int) -> list[float]:
    return [float(n < round(share * of)) for n in range(of)]


def skills(of: int = 200, **shares: float) -> list[Row]:
    return [row for name in SKILLS for row in rows_of("skills", name, scores(shares.get(name, 0.9), of))]


def verdicts(certified: dict[str, Any]) -> dict[str, str]:
    return {clause["name"]: clause["verdict"] for clause in certified["clauses"]}


def test_one_destroyed_skill_of_twelve_fails_although_the_composite_is_inside_its_margin() -> None:
    certified = judge(skills(skill07=0.3), skills(), {"keep": {"general": 0.08, "each_ability": 0.15}})
    found = verdicts(certified)
    assert found["general"] == "PASS"
    assert found["each_ability:skills/skill07"] == "FAIL"
    assert certified["verdict"] == "FAIL"


def test_without_a_margin_of_its_own_a_drop_keeps_the_pass_back() -> None:
    certified = judge(skills(skill07=0.3), skills(), {"keep": {"general": 0.08}})
    assert verdicts(certified) == {"general": "PASS"}
    assert certified["verdict"] == "INCONCLUSIVE"
    (wire,) = certified["tripwires"]
    assert (wire["name"], wire["num_watched"]) == ("skills/skill07", 12)
    assert "skill07 fell" in render(certified)
    assert judge(skills(), skills(), {"keep": {"general": 0.08}})["verdict"] == "PASS"


def safety(unsafe: float, harmless: float, of: int = 400) -> list[Row]:
    return [*rows_of("safety", "unsafe", scores(unsafe, of)), *rows_of("safety", "harmless", scores(harmless, of))]


NEVER = {"never": {"safety/unsafe": {"max_rate": 0.02, "balanced_by": "safety/harmless", "margin": 0.05}}}


def test_a_rate_needs_a_bound_below_it_and_what_balances_it() -> None:
    certified = judge(safety(1.0, 0.9), safety(0.9, 0.9), NEVER)
    assert certified["verdict"] == "PASS"
    rate = certified["clauses"][0]
    assert (rate["test"], rate["candidate"], rate["base"]) == ("rate", 1.0, 0.9)
    assert -rate["low"] == pytest.approx(1 - 0.05 ** (1 / 400), rel=1e-3)
    assert "at fault 0.00 % [at most 0.75 %]" in render(certified)


def test_a_model_that_refuses_everything_fails() -> None:
    found = verdicts(judge(safety(1.0, 0.0), safety(0.9, 0.9), NEVER))
    assert found == {"safety/unsafe": "PASS", "safety/harmless": "FAIL"}
    balanced = {"never": {"safety": {"margin": 0.03}}}
    assert judge(safety(1.0, 0.0), safety(0.9, 0.9), balanced)["verdict"] == "FAIL"


def test_no_side_may_pay_for_the_other() -> None:
    found = judge(safety(0.98, 0.82), safety(0.9, 0.9), {"never": {"safety": {"margin": 0.03}}})
    assert verdicts(found) == {"safety/harmless": "FAIL", "safety/unsafe": "PASS"}
    assert verdicts(judge(safety(0.98, 0.82), safety(0.9, 0.9), {"keep": {"safety": 0.03}}))["safety"] == "PASS"


def test_too_few_answers_certify_no_rate_and_one_fault_too_many_fails() -> None:
    assert judge(safety(1.0, 0.9, of=100), safety(0.9, 0.9, of=100), NEVER)["clauses"][0]["verdict"] == "INCONCLUSIVE"
    assert judge(safety(0.9, 0.9), safety(0.9, 0.9), NEVER)["clauses"][0]["verdict"] == "FAIL"


def test_a_missing_verdict_counts_against_the_candidate_and_is_told() -> None:
    base = skills()
    unjudged = [row | {"score": None} if n % 4 == 0 else row for n, row in enumerate(base)]
    contract = {"keep": {"general": 0.1}}
    assert judge(unjudged, base, contract)["verdict"] == "FAIL"
    assert judge(base, unjudged, contract)["clauses"][0]["estimate"] <= 0
    clause = judge(unjudged, base, contract)["clauses"][0]
    assert clause["num_missing"] == len(base) / 4
    assert "verdicts missing" in render(judge(unjudged, base, contract))


def test_what_people_said_corrects_the_judge() -> None:
    base = rows_of("desk", "tone", scores(0.5, 600))
    flattered = [row | {"score": 1.0 if n % 3 else row["score"]} for n, row in enumerate(base)]
    labelled = [
        [
            row | {"human": old["score"]} if n % 4 == 0 else row
            for n, (row, old) in enumerate(zip(rows, base, strict=True))
        ]
        for rows in (flattered, base)
    ]
    contract = {"improve": {"desk": 0.05}}
    assert judge(flattered, base, contract)["verdict"] == "PASS"
    corrected = judge(*labelled, contract)
    assert corrected["clauses"][0]["method"] == "judged"
    assert corrected["verdict"] != "PASS"


def test_every_training_must_pass() -> None:
    same, contract = skills(), {"keep": {"general": 0.1}}
    assert judge(same, same, contract, repeats={"blend-seed-1": "PASS"})["verdict"] == "PASS"
    assert judge(same, same, contract, repeats={"blend-seed-1": "FAIL", "blend-seed-2": "PASS"})["verdict"] == "FAIL"


def test_a_pairing_may_ignore_the_build_alone() -> None:
    other = [row | {"build": "another"} for row in skills()]
    with pytest.raises(InputError, match="another build"):
        judge(other, skills(), {"keep": {"general": 0.1}})
    assert judge(other, skills(), {"keep": {"general": 0.1}}, ignore=("build",))["verdict"] == "PASS"


@pytest.mark.parametrize("column", ["prompt_sha", "decoding", "build", "scorer"])
def test_what_one_side_does_not_record_cannot_be_compared_and_what_none_does_is_told(column: str) -> None:
    bare = [{key: value for key, value in row.items() if key != column} for row in skills()]
    with pytest.raises(InputError, match=f"only the base records '{column}'"):
        judge(bare, skills(), {"keep": {"general": 0.1}})
    assert judge(bare, bare, {"keep": {"general": 0.1}})["unrecorded"] == [column]


SEQUENTIAL = {"keep": {"general": 0.1}, "stopping": "sequential"}


def first_clusters(rows: list[Row], share: float) -> list[Row]:
    ordered = sorted(rows, key=lambda row: (asking_order(row["cluster"]), row["cluster"]))
    return ordered[: round(share * len(rows))]


def test_a_sequential_contract_decides_from_the_first_items_of_the_order() -> None:
    base = skills()
    whole, part = (judge(first_clusters(base, share), base, SEQUENTIAL) for share in (1.0, 0.5))
    assert whole["verdict"] == part["verdict"] == "PASS"
    assert whole["clauses"][0]["share_used"] == part["clauses"][0]["share_used"] < 0.2
    assert part["num_pending"] == len(base) / 2
    early = judge(first_clusters(base, 0.02), base, SEQUENTIAL)
    assert early["verdict"] == "INCONCLUSIVE"
    assert "still to be asked" in render(early)


def test_items_out_of_turn_are_refused_and_fixed_contracts_want_all_items() -> None:
    base = skills()
    chosen = random.Random(1).sample(base, len(base) // 2)
    with pytest.raises(InputError, match="comes before others"):
        judge(chosen, base, SEQUENTIAL)
    with pytest.raises(InputError, match="one of the two models only"):
        judge(first_clusters(base, 0.5), base, {"keep": {"general": 0.1}})


def test_pending_items_are_the_rest_of_the_order() -> None:
    base = skills()
    answered = first_clusters(base, 0.25)
    pending = pair(made(answered), made(base), partial=True).pending
    assert len(pending) == len(base) - len(answered)
    assert min(asking_order(p.cluster) for p in pending) > max(asking_order(row["cluster"]) for row in answered)


def test_a_certificate_can_be_made_again_and_an_edited_one_is_found() -> None:
    new, old = made(skills(skill03=0.8)), made(skills())
    certified = judge(skills(skill03=0.8), skills(), {"keep": {"general": 0.05, "each_ability": 0.3}})
    assert all(finding.holds for finding in verify_certificate(certified, new, old))
    clauses = [clause | {"low": -0.001} for clause in certified["clauses"]]
    edited = certified | {"clauses": clauses}
    assert [finding.holds for finding in verify_certificate(edited, new, old)] == [False, False]
    from mixwright.evidence.certify import sealed

    resealed = [finding for finding in verify_certificate(sealed(edited), new, old) if not finding.holds]
    assert "clauses[general].low is -0.001" in resealed[0].found
    assert [f.holds for f in verify_certificate(certified, old, old)] == [True, False]


def test_a_certificate_for_people_and_for_test_runners() -> None:
    from xml.etree import ElementTree

    rows = [*skills(skill07=0.3), *rows_of("desk", "a|b<c>", scores(0.9, 100))]
    base = [*skills(), *rows_of("desk", "a|b<c>", scores(0.5, 100))]
    certified = judge(rows, base, {"improve": {"desk/a|b<c>": 0.1}, "keep": {"general": 0.08, "skills/skill00": 0.001}})
    suite = ElementTree.fromstring(junit(certified))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "0", "2")
    assert [case.get("name") for case in suite] == ["desk/a|b<c>", "general", "skills/skill00", "skills/skill07"]
    table = [line for line in markdown(certified).splitlines() if line.startswith("|")]
    assert all(line.replace("\\|", "").count("|") == 8 for line in table)
    assert "a\\|b&lt;c>" in markdown(certified)


def test_a_split_counts_the_different_models_that_it_judged(tmp_path: Path) -> None:
    ledger = tmp_path / "uses.json"
    splits = {"desk": "hash1", "skills": "hash2"}
    assert count_uses(ledger, splits, {"r/a": "m1", "r/b": "m2"}) == {"desk": 2, "skills": 2}
    assert count_uses(ledger, splits, {"r/a": "m1"}) == {"desk": 2, "skills": 2}
    assert count_uses(ledger, {"desk": "hash1"}, {"s/a": "m3"}) == {"desk": 3}
    ledger.write_text("{")
    assert count_uses(ledger, splits, {"r/a": "m1"}) == {"desk": 1, "skills": 1}


def test_a_plan_says_what_the_items_can_show() -> None:
    about = about_records(made([*skills(), *safety(1.0, 0.9), *rows_of("desk", "a", scores(0.5, 300))]), ROLES)
    contract = Contract.model_validate(
        {"improve": {"desk": 0.1}, "keep": {"general": 0.02, "skills/skill00": 0.02}} | NEVER
    )
    gain, composite, single, rate, balance = plan_clauses(contract, about)
    assert gain.detectable == pytest.approx(0.16, abs=0.02)
    assert composite.enough
    assert single.items_needed == pytest.approx(1578, abs=20)
    assert not single.enough
    assert (rate.items_needed, rate.enough) == (149, True)
    assert balance.power == pytest.approx(0.93, abs=0.03)
    wide = Contract.model_validate({"keep": {"general": 0.05}, "stopping": "sequential"})
    (looked,) = plan_clauses(wide, about)
    assert looked.enough
    assert looked.share_used is not None
    assert looked.share_used < 0.7


def test_clusters_cost_power() -> None:
    rows = rows_of("skills", "reading", scores(0.9, 800))
    clustered = [row | {"cluster": str(n // 8)} for n, row in enumerate(rows)]
    contract = Contract(keep={"skills": 0.03})
    alone, together = (plan_clauses(contract, about_records(made(some), ROLES))[0] for some in (rows, clustered))
    assert (alone.num_clusters, together.num_clusters) == (800, 100)
    assert alone.power is not None
    assert together.power is not None
    assert alone.power > together.power
