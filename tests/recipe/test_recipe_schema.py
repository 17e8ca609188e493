"""The recipe as an object: exact shares, complete arms, and references that hold."""

from __future__ import annotations

from copy import deepcopy
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mixwright.recipe.problems import as_problems, dotted
from mixwright.recipe.schema import Candidate, Recipe

GOOD: dict[str, Any] = {
    "mixwright": 1,
    "name": "tickets",
    "base": {"model": "embedded:nano"},
    "sources": {
        "desk": {"role": "domain", "path": "a.jsonl", "holdout": 0.2},
        "mail": {"role": "domain", "path": "b.jsonl"},
        "skills": {"role": "general", "generate": "skills", "records": 10},
    },
    "suites": {
        "desk": {"role": "domain", "source": "desk", "scorer": "exact"},
        "skills": {"role": "general", "generate": "skills", "items_per_ability": 2},
    },
    "blend": {"shares": {"desk": 0.1, "mail": 0.3, "skills": 0.6}, "budget": {"domain_epochs": 2}},
    "arms": {
        "domain_only": {"shares": "domain"},
        "half": {"shares": {"desk": 0.5, "skills": 0.5}, "budget": {"tokens": 7}, "learning_rate": 0.5, "seed": 9},
    },
    "contract": {"improve": {"desk": 0.05}, "keep": {"general": 0.02, "skills/addition.parse_rate": 0.1}},
}


def recipe(**places: Any) -> Recipe:
    """The good recipe with some places changed: `recipe(blend__unit="records")`."""
    data = deepcopy(GOOD)
    for place, value in places.items():
        *parents, last = place.split("__")
        into = data
        for parent in parents:
            into = into[parent]
        into[last] = value
    return Recipe.model_validate(data)


def problems(**places: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        recipe(**places)
    return [dotted(problem.path) for problem in as_problems(caught.value)]


def test_shares_are_exactly_what_is_written() -> None:
    assert recipe().blend.shares == {"desk": Fraction(1, 10), "mail": Fraction(3, 10), "skills": Fraction(3, 5)}
    thirds = recipe(blend__shares={"desk": "1/3", "mail": "1/3", "skills": "1/3"})
    assert set(thirds.blend.shares.values()) == {Fraction(1, 3)}


@given(st.lists(st.integers(1, 10**6), min_size=3, max_size=3))
def test_any_rational_shares_that_sum_to_one_are_accepted(weights: list[int]) -> None:
    shares = {n: Fraction(w, sum(weights)) for n, w in zip(("desk", "mail", "skills"), weights, strict=True)}
    written = {name: str(share) for name, share in shares.items()}
    accepted = recipe(blend__shares=written)
    assert accepted.blend.shares == shares
    assert accepted.model_dump(mode="json")["blend"]["shares"] == written


@pytest.mark.parametrize("share", [0, -0.1, 25, "a half", "1/0", True, None, [0.5], "nan", "inf"])
def test_a_share_that_is_none_is_refused_at_its_place(share: Any) -> None:
    assert problems(blend__shares={"desk": share, "mail": 0.3, "skills": 0.6}) == ["blend.shares.desk"]


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    assert "blend.shares" in problems(blend__shares={"desk": 0.1, "mail": 0.3, "skills": 0.5})


def test_the_domain_arm_has_the_domain_sources_in_their_own_proportion() -> None:
    assert recipe().arm_shares("domain_only") == {"desk": Fraction(1, 4), "mail": Fraction(3, 4)}
    assert recipe().arm_shares("blend") == recipe().blend.shares


def test_an_arm_is_the_blend_but_for_what_it_says() -> None:
    good = recipe()
    assert good.arm_names == ("domain_only", "half", "blend")
    assert good.arm_blend("domain_only").budget == good.blend.budget
    (usual,) = good.arm_candidates("domain_only")
    assert good.arm_train("domain_only", usual) == good.train
    assert good.arm_blend("half").budget.tokens == 7
    assert good.arm_blend("half").unit == good.blend.unit
    (own,) = good.arm_candidates("half")
    assert (good.arm_train("half", own).learning_rate, good.arm_train("half", own).seed) == (0.5, 9)
    assert good.arm_train("half", own).schedule == good.train.schedule


def test_every_trained_arm_without_a_rate_of_its_own_tries_all_rates() -> None:
    tuned = recipe(tune={"learning_rates": [0.25, 2e-5, 1]})
    assert [candidate.label for candidate in tuned.arm_candidates("blend")] == ["lr=0.25", "lr=2e-05", "lr=1"]
    assert tuned.arm_candidates("domain_only") == tuned.arm_candidates("blend")
    assert tuned.arm_candidates("half") == (Candidate(learning_rate=0.5),)
    for candidate in tuned.arm_candidates("blend"):
        changed = tuned.arm_train("blend", candidate)
        assert changed == tuned.train.model_copy(update={"learning_rate": candidate.learning_rate})


def test_an_interpolated_arm_goes_back_from_a_trained_one_and_tries_its_weights() -> None:
    good = recipe(arms__back={"interpolate": "domain_only", "weights": [0.5, 1]}, tune={})
    assert good.arm_names == ("domain_only", "half", "back", "blend")
    assert good.trained_arms == ("domain_only", "half", "blend")
    assert (good.parent("back"), good.parent("half"), good.parent("blend")) == ("domain_only", "half", "blend")
    assert [candidate.label for candidate in good.arm_candidates("back")] == ["weight=0.5", "weight=1"]
    one = recipe(arms__back={"interpolate": "blend", "weights": [0.5]})
    assert one.arm_candidates("back") == (Candidate(weight=0.5),)


@given(st.lists(st.floats(1e-9, 1, exclude_min=True), min_size=2, unique=True))
def test_different_settings_have_different_labels(rates: list[float]) -> None:
    assert len({Candidate(learning_rate=rate).label for rate in rates}) == len(rates)
    assert len({Candidate(weight=rate).label for rate in rates}) == len(rates)


def test_the_base_may_write_its_own_replay() -> None:
    own = {"role": "general", "generate": "self", "records": 10, "replay": {"temperature": 0.7, "turns": 2}}
    assert recipe(sources__skills=own).sources["skills"].generate == "self"


def test_an_arm_may_be_trained_by_another_method() -> None:
    adapted = recipe(arms__half__method="lora", train={"lora": {"rank": 4}})
    (candidate,) = adapted.arm_candidates("half")
    assert (adapted.arm_train("half", candidate).method, adapted.arm_train("half", candidate).lora.rank) == ("lora", 4)
    assert adapted.arm_train("blend", candidate).method == "full"
    assert recipe(train={"method": "lora"}, arms__half__method="full").arm_train("half", candidate).method == "full"


def test_adapters_come_with_trained_embeddings() -> None:
    assert recipe(train={"method": "lora"}).train.lora.embeddings


def test_a_scorer_may_be_a_name_or_a_name_with_options() -> None:
    scorer = recipe(suites__desk__scorer={"numeric": {"tolerance": 0.1}}).suites["desk"].scorer
    assert scorer is not None
    assert (scorer.name, scorer.options) == ("numeric", {"tolerance": 0.1})


def test_a_recipe_cannot_be_changed_after_it_was_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        recipe().train.learning_rate = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("places", "where"),
    [
        ({"blend__shares": {"desks": 0.4, "mail": 0.6}}, "blend.shares.desks"),
        ({"arms__half__shares": {"desk": 0.5, "skill": 0.5}}, "arms.half.shares.skill"),
        ({"arms__base": {"shares": "domain"}}, "arms.base"),
        ({"sources__unused": {"role": "general", "path": "c.jsonl"}}, "sources.unused"),
        ({"sources__desk__generate": "skills"}, "sources.desk"),
        ({"sources__desk__records": 5}, "sources.desk.records"),
        ({"sources__skills__group": "customer"}, "sources.skills.group"),
        ({"sources__desk__template": {"user": "{a}"}}, "sources.desk.template.assistant"),
        ({"suites__desk__source": "skills"}, "suites.desk.source"),
        ({"suites__desk__source": "disk"}, "suites.desk.source"),
        ({"suites__desk__prompt": "{a}"}, "suites.desk.prompt"),
        ({"suites__desk__answer": "likelihood"}, "suites.desk.answer"),
        ({"suites__desk__answer": "likely"}, "suites.desk.answer"),
        ({"suites__skills__answer": "likelihood"}, "suites.skills.answer"),
        ({"suites__desk__normalise": "tokens"}, "suites.desk.normalise"),
        ({"suites__general": {"role": "general", "generate": "skills", "items_per_ability": 1}}, "suites.general"),
        ({"contract__keep": {"general": 0}}, "contract.keep.general"),
        ({"contract__keep": {"generel": 0.1}}, "contract.keep.generel"),
        ({"contract__improve": {"desk.scores": 0.1}}, "contract.improve.desk.scores"),
        ({"contract__improve": {}, "contract__keep": {}}, "contract"),
        ({"contract__confidence": 1.0}, "contract.confidence"),
        ({"blend__budget": {"tokens": 5, "domain_epochs": 1}}, "blend.budget"),
        ({"train": {"sequence_length": 256, "batch_tokens": 1000}}, "train.batch_tokens"),
        ({"train": {"learning_rates": 0.1}}, "train.learning_rates"),
        ({"train": {"lora": {"rank": 8}}}, "train.lora"),
        ({"train": {"method": "full", "lora": {}}}, "train.lora"),
        ({"train": {"method": "lora", "lora": {"rank": 0}}}, "train.lora.rank"),
        ({"train": {"method": "lora", "lora": {"alpha": 0}}}, "train.lora.alpha"),
        ({"train": {"method": "lora", "lora": {"dropout": 1}}}, "train.lora.dropout"),
        ({"train": {"method": "lora", "lora": {"ranks": 8}}}, "train.lora.ranks"),
        ({"train": {"method": "lora", "optimizer": "muon"}}, "train.optimizer"),
        ({"train": {"optimizer": "muon"}, "arms__half__method": "lora"}, "train.optimizer"),
        ({"arms__half__method": "qlora"}, "arms.half.method"),
        ({"arms__back": {"interpolate": "blend", "weights": [0.5], "method": "lora"}}, "arms.back.method"),
        ({"tune": {}}, "tune"),
        ({"tune": {"learning_rates": [0.1]}}, "tune"),
        ({"tune": {"learning_rates": [0.1, 0.2]}, "contract": None}, "tune"),
        ({"tune": {"learning_rates": [0.1, 0.1]}}, "tune.learning_rates"),
        ({"tune": {"learning_rates": [0.1, 0]}}, "tune.learning_rates.1"),
        ({"tune": {"learning_rates": [0.1, 0.2], "search_share": 0}}, "tune.search_share"),
        ({"tune": {"learning_rates": [0.1, 0.2], "search_share": 1}}, "tune.search_share"),
        ({"tune": {"learning_rates": [0.1, 0.2], "shares": [0.2]}}, "tune.shares"),
        ({"arms__back": {"interpolate": "blend", "weights": [0.5], "shares": "domain"}}, "arms.back"),
        ({"arms__back": {"learning_rate": 0.1}}, "arms.back"),
        ({"arms__back": {"interpolate": "blend"}}, "arms.back.weights"),
        ({"arms__back": {"interpolate": "blend", "weights": [0.5, 0.5]}, "tune": {}}, "arms.back.weights"),
        ({"arms__back": {"interpolate": "blend", "weights": [0]}}, "arms.back.weights.0"),
        ({"arms__back": {"interpolate": "blend", "weights": [1.5]}}, "arms.back.weights.0"),
        ({"arms__back": {"interpolate": "blend", "weights": [0.5, 0.6]}}, "arms.back.weights"),
        ({"arms__back": {"interpolate": "blend", "weights": [0.5], "seed": 1}}, "arms.back.seed"),
        ({"arms__back": {"interpolate": "blend", "weights": [0.5], "learning_rate": 1}}, "arms.back.learning_rate"),
        ({"arms__back": {"interpolate": "blend", "weights": [0.5], "budget": {"tokens": 9}}}, "arms.back.budget"),
        ({"arms__back": {"interpolate": "halve", "weights": [0.5]}}, "arms.back.interpolate"),
        ({"arms__back": {"interpolate": "back", "weights": [0.5]}}, "arms.back.interpolate"),
        ({"arms__blend": {"interpolate": "half", "weights": [0.5]}}, "arms.blend"),
        ({"arms__half__weights": [0.5]}, "arms.half.weights"),
        ({"sources__skills__replay": {"turns": 1}}, "sources.skills.replay"),
        ({"sources__mail__replay": {"turns": 1}}, "sources.mail.replay"),
        ({"sources__skills": {"role": "general", "generate": "self"}}, "sources.skills.records"),
        (
            {"sources__skills": {"role": "general", "generate": "self", "records": 5, "abilities": ["facts"]}},
            "sources.skills.abilities",
        ),
        (
            {"sources__skills": {"role": "general", "generate": "self", "records": 5, "replay": {"temperature": 0}}},
            "sources.skills.replay.temperature",
        ),
        ({"evaluate": {"session": "Hello"}}, "evaluate.session"),
        ({"mixwright": 2}, "mixwright"),
        ({"name": "two words"}, "name"),
    ],
)
def test_what_does_not_hold_is_refused_at_its_place(places: dict[str, Any], where: str) -> None:
    assert where in problems(**places)
