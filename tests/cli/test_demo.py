"""`mixwright demo`: a recipe that ships with the package, shows what a blend is for, and can be copied and changed."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

import mixwright.cli
from mixwright.cli.main import main
from mixwright.recipe.load import load_recipe
from mixwright.recipe.schema import Recipe
from mixwright.sources.generators import abilities_of

DEMO = Path(mixwright.cli.__file__).parent / "demo.yaml"


@pytest.fixture
def recipe() -> Recipe:
    return load_recipe(DEMO).recipe


def test_its_recipe_can_be_printed_and_is_then_a_recipe_like_any_other(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--recipe"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert printed == DEMO.read_text()
    assert not list(tmp_path.iterdir()), "nothing is done"
    (tmp_path / "mine.yaml").write_text(printed)
    assert load_recipe(tmp_path / "mine.yaml").recipe == recipe


def test_every_skill_is_rehearsed_or_left_out_and_asked_in_the_same_sets(recipe: Recipe) -> None:
    rehearsed = {a for s in recipe.sources.values() if s.generate == "skills" for a in s.abilities or ()}
    asked = [a for suite in recipe.suites.values() if suite.generate == "skills" for a in suite.abilities or ()]
    assert sorted(asked) == sorted(rehearsed) == sorted(abilities_of("skills"))


def test_the_skills_left_out_are_those_that_the_seed_draws(recipe: Recipe) -> None:
    drawn = Random(2).sample(sorted(abilities_of("skills")), 6)
    assert set(recipe.suites["left_out_a"].abilities or ()) == set(drawn[:3])
    assert set(recipe.suites["left_out_b"].abilities or ()) == set(drawn[3:])


def test_each_arm_holds_what_its_name_says(recipe: Recipe) -> None:
    assert recipe.arm_shares("domain_only").keys() == {"desk"}
    assert recipe.arm_shares("some_skills").keys() == {"desk", "rehearsed", "copying"}
    assert recipe.arm_shares("self_replay").keys() == {"desk", "replay"}
    assert recipe.sources["replay"].generate == "self"
    assert recipe.parent("part_way_back") == "domain_only"
    assert all(len(recipe.arm_candidates(arm)) > 1 for arm in recipe.arm_names), "every arm gets its best chance"
