"""The words of a contract, resolved against the suites that exist."""

from __future__ import annotations

import pytest
from made_records import about

from mixwright.evidence.clauses import Clause, clauses
from mixwright.ground.errors import InputError
from mixwright.recipe.contract import Contract

SUITES = {
    "desk": about("domain", intent=10, tone=10),
    "skills": about("general", addition=10, sorting=10),
    "chat": about("general", manners=10),
}
GENERAL = (("chat", "manners"), ("skills", "addition"), ("skills", "sorting"))


def clauses_of(**contract: dict[str, float]) -> list[Clause]:
    return clauses(Contract.model_validate(contract), SUITES)


def test_a_suite_is_the_mean_over_its_abilities() -> None:
    (clause,) = clauses_of(improve={"desk": 0.1})
    assert clause.strata == (("desk", "intent"), ("desk", "tone"))
    assert (clause.kind, clause.metric, clause.margin, clause.named) == ("improve", "score", 0.1, True)


def test_one_ability_may_be_named() -> None:
    (clause,) = clauses_of(keep={"skills/sorting": 0.1})
    assert clause.strata == (("skills", "sorting"),)


def test_general_and_domain_are_all_abilities_of_the_suites_with_that_role() -> None:
    general, domain = clauses_of(keep={"general": 0.1, "domain": 0.1})
    assert general.strata == GENERAL
    assert domain.strata == (("desk", "intent"), ("desk", "tone"))


def test_each_ability_is_a_clause_for_every_general_one() -> None:
    found = clauses_of(keep={"each_ability": 0.2})
    assert [clause.strata for clause in found] == [(stratum,) for stratum in GENERAL]
    assert not any(clause.named for clause in found)
    assert len({clause.name for clause in found}) == 3


def test_a_clause_may_be_about_answers_that_can_be_read() -> None:
    clause, *rest = clauses_of(keep={"desk/tone.parse_rate": 0.1, "each_ability.parse_rate": 0.1, "desk.score": 0.1})
    assert clause.metric == "parse_rate"
    assert [other.metric for other in rest] == ["parse_rate"] * 3 + ["score"]


def test_what_is_asked_is_a_gain_or_at_most_a_drop() -> None:
    improve, keep = clauses_of(improve={"desk": 0.1}, keep={"skills": 0.1})
    assert (improve.threshold, keep.threshold) == (0.1, -0.1)


def test_an_ability_that_no_suite_has_is_refused_with_the_near_match() -> None:
    with pytest.raises(InputError) as caught:
        clauses_of(keep={"skills/sortign": 0.1})
    assert caught.value.where == "contract.keep.skills/sortign"
    assert "sorting" in str(caught.value.fix)


def test_an_ability_of_a_single_cluster_can_prove_nothing_and_is_refused() -> None:
    suites = SUITES | {"desk": about("domain", intent=10) | {"clusters": {"intent": 1}}}
    with pytest.raises(InputError, match="one cluster") as caught:
        clauses(Contract(improve={"desk": 0.1}), suites)
    assert caught.value.where == "suites.desk"
