"""A recipe from its file: variables, settings, paths, and the line of everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixwright.ground.errors import InputError
from mixwright.recipe.load import LoadedRecipe, load_recipe

RECIPE = """\
mixwright: 1
name: tickets
variables:
  data: rows
  customer: null
base:
  model: embedded:nano
sources:
  desk:
    role: domain
    path: "${data}/train.jsonl"
  skills: {role: general, generate: skills, records: 10}
blend:
  shares: {desk: 1/3, skills: 2/3}
  budget: {tokens: 1000}
train:
  learning_rate: 1.0e-3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "recipe.yaml"
    path.parent.mkdir()
    path.write_text(RECIPE)
    return path


def path_of(loaded: LoadedRecipe, source: str = "desk") -> str:
    return str(loaded.recipe.sources[source].path)


def test_paths_are_relative_to_the_file(file: Path) -> None:
    assert path_of(load_recipe(file)) == str(file.parent / "rows" / "train.jsonl")


def test_a_path_given_as_a_setting_is_relative_to_where_it_was_typed(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    for typed in ("elsewhere", "./elsewhere", str(tmp_path / "elsewhere")):
        assert path_of(load_recipe(file, [f"data={typed}"])) == str(tmp_path / "elsewhere" / "train.jsonl")
    assert path_of(load_recipe(file, ["data=2024"])) == str(tmp_path / "2024" / "train.jsonl")


def test_a_setting_changes_any_key(file: Path) -> None:
    settings = ["train.learning_rate=0.5", "train.schedule=linear", "sources.skills.abilities=[sorting]", "curate={}"]
    recipe = load_recipe(file, settings).recipe
    assert recipe.train.learning_rate == 0.5
    assert recipe.train.schedule == "linear"
    assert recipe.sources["skills"].abilities == ("sorting",)


@pytest.mark.parametrize("setting", ["train", "=3", "trian.seed=3", "name.x=3"])
def test_a_setting_that_names_nothing_is_refused(file: Path, setting: str) -> None:
    with pytest.raises(InputError) as caught:
        load_recipe(file, [setting])
    assert "--set" in str(caught.value.where)


def test_a_variable_without_a_value_must_be_given(file: Path) -> None:
    file.write_text(RECIPE.replace("${data}", "${customer}"))
    with pytest.raises(InputError) as caught:
        load_recipe(file)
    assert "customer" in str(caught.value)
    assert path_of(load_recipe(file, ["customer=/data/acme"])) == "/data/acme/train.jsonl"


def test_a_problem_is_shown_with_its_line_and_its_recipe_path(file: Path) -> None:
    file.write_text(RECIPE.replace("generate: skills", "generates: skills"))
    with pytest.raises(InputError) as caught:
        load_recipe(file)
    assert f"{file}:12" in str(caught.value)
    assert "sources.skills" in str(caught.value)
    assert "'generate'" in str(caught.value)


def test_all_problems_are_shown_together(file: Path) -> None:
    text = RECIPE.replace("role: domain", "role: main").replace("records: 10", "records: 0").replace("1000", "-5")
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load_recipe(file)
    shown = str(caught.value)
    assert all(place in shown for place in ("sources.desk.role", "sources.skills.records", "blend.budget.tokens"))


def test_a_later_error_is_pointed_at_the_line_of_its_recipe_path(file: Path) -> None:
    loaded = load_recipe(file)
    located = loaded.located(InputError("there is no such file", where="sources.desk.path", fix="Look."))
    assert located.where == f"{file}:11 (sources.desk.path)"
    assert located.fix == "Look."
    elsewhere = InputError("no", where="/data/file.jsonl:3")
    assert loaded.located(elsewhere) is elsewhere


def test_a_key_that_stands_twice_is_refused_with_both_lines(file: Path) -> None:
    file.write_text(RECIPE + "name: again\n")
    with pytest.raises(InputError) as caught:
        load_recipe(file)
    assert f"{file}:18" in str(caught.value.where)
    assert "2" in str(caught.value.fix)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "name: [a\n", "3", "{[a]: b}"])
def test_a_file_that_is_no_recipe_is_refused_at_its_place(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load_recipe(file)
    assert str(file) in str(caught.value.where)


def test_a_model_folder_beside_the_recipe_is_found_and_a_hub_name_is_left_alone(file: Path) -> None:
    (file.parent / "my-model").mkdir()
    for written in ("my-model", "./my-model"):
        file.write_text(RECIPE.replace("embedded:nano", written))
        assert load_recipe(file).recipe.base.model == str(file.parent / "my-model")
    for elsewhere in ("org/model", "embedded:nano"):
        file.write_text(RECIPE.replace("embedded:nano", elsewhere))
        assert load_recipe(file).recipe.base.model == elsewhere


def test_a_glob_or_a_list_of_paths_given_as_a_setting_is_relative_to_where_it_was_typed(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert path_of(load_recipe(file, ["sources.desk.path=rows/*.jsonl"])) == str(tmp_path / "rows" / "*.jsonl")
    several = load_recipe(file, ["sources.desk.path=[a.jsonl, b.jsonl]"]).recipe.sources["desk"].path
    assert several == (str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl"))


def test_a_variable_that_names_no_path_keeps_its_text_whatever_folders_exist(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "en").mkdir()
    text = RECIPE.replace("    role: domain", '    role: domain\n    skill: "${language}"', 1)
    file.write_text(text.replace("variables:", "variables:\n  language: de", 1))
    for setting in ("language=en", "variables.language=en"):
        assert load_recipe(file, [setting]).recipe.sources["desk"].skill == "en"
