"""The blend stage: what an arm will realise, in all three units, before a token is trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_sources import UNITS, Lengths, lengths_of

from mixwright.blend.plan import mix_plan, plan_blend
from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError
from mixwright.recipe.data import Source
from mixwright.recipe.training import Blend, Train

TRAIN = Train(sequence_length=64, batch_tokens=128)
FOUND = {"desk": lengths_of([10, 20, 30], [5, 5, 5]), "skills": lengths_of([8, 16], [4, 2])}


def sources(**desk: Any) -> dict[str, Source]:
    made = {"desk": {"role": "domain", **desk}, "skills": {"role": "general"}}
    return {name: Source.model_validate({"path": "x.jsonl", **about}) for name, about in made.items()}


def blend(**changes: Any) -> Blend:
    return Blend.model_validate({"shares": {"desk": 0.25, "skills": 0.75}, "budget": {"domain_epochs": 10}} | changes)


def realise(out: Path, asked: Blend, found: dict[str, Lengths] | None = None, **desk: Any) -> dict[str, Any]:
    found = found or FOUND
    plan_blend("blend", mix_plan(asked, TRAIN, sources(**desk), found), asked, sources(**desk), found, out)
    realised: dict[str, Any] = read_json(out / "realised.json")
    return realised


@pytest.mark.parametrize("unit", UNITS)
def test_the_declared_unit_is_realised_within_a_record_and_all_three_are_reported(tmp_path: Path, unit: str) -> None:
    realised = realise(tmp_path, blend(unit=unit))
    total = sum(realised["totals"][unit].values())
    for name, share in realised["requested"].items():
        assert abs(realised["realised"][unit][name] - share) <= 30 / total
    for each in UNITS:
        assert sum(realised["realised"][each].values()) == pytest.approx(1)
    assert realised["available"] == {"desk": 60, "skills": 24}


def test_a_budget_of_domain_epochs_repeats_the_domain_that_often(tmp_path: Path) -> None:
    realised = realise(tmp_path, blend())
    assert realised["repeats"]["desk"] == 10
    assert realised["totals"]["tokens"]["desk"] == 600
    assert realised["totals"]["records"]["desk"] == 30


def test_a_part_of_an_epoch_is_exact_too() -> None:
    plan = mix_plan(blend(budget={"domain_epochs": 0.1}), TRAIN, sources(), FOUND)
    assert plan.budget_domain_tokens == 6
    assert plan.domain == {"desk"}


def test_steps_and_padding_follow_from_the_rows(tmp_path: Path) -> None:
    realised = realise(tmp_path, blend())
    tokens = sum(realised["totals"]["tokens"].values())
    assert realised["num_steps"] == -(-realised["num_rows"] // 2)
    assert realised["padding_share"] == pytest.approx(1 - tokens / (64 * realised["num_rows"]))
    assert 0 <= realised["padding_share"] < 0.1


def test_a_ramp_may_begin_at_the_beginning_and_end_at_the_end(tmp_path: Path) -> None:
    turn = {"step": 18, "shares": {"desk": 0.75, "skills": 0.25}, "ramp": True}
    realised = realise(tmp_path, blend(budget={"tokens": 128 * 17}, schedule=[turn]))
    assert realised["num_steps"] == 18
    assert abs(realised["requested"]["desk"] - 0.5) < 0.02
    assert abs(realised["realised"]["tokens"]["desk"] - 0.5) < 0.04


@pytest.mark.parametrize("point", [{"step": 4000}, {"tokens": 10**7}])
def test_shares_from_behind_the_end_of_the_mix_are_refused(tmp_path: Path, point: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"before its shares from .*,?000") as caught:
        realise(tmp_path, blend(schedule=[{**point, "shares": {"skills": 1}}], budget={"tokens": 640}))
    assert caught.value.where == "blend.schedule"


def test_a_source_that_would_be_repeated_too_often_is_refused_with_the_ways_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"10\.0 times, max_repeats is 4") as caught:
        realise(tmp_path, blend(), max_repeats=4)
    assert caught.value.where == "sources.desk"
    assert "domain_epochs from 10 to 4" in str(caught.value.fix)
    with pytest.raises(InputError) as caught:
        realise(tmp_path, blend(budget={"tokens": 2400}), max_repeats=4)
    assert "share from 0.25 to about 0.1," in str(caught.value.fix)
    assert realise(tmp_path, blend(), max_repeats=10)["repeats"]["desk"] == 10
