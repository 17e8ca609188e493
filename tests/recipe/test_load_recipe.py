"""A recipe from its file: variables, settings, paths and the project they stay in, and the line of everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mixwright.ground.errors import InputError
from mixwright.recipe.load import LoadedRecipe, load_recipe, source_of

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


def refused(file: Path, text: str, settings: Sequence[str] = ()) -> str:
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load_recipe(file, settings)
    return str(caught.value)


@pytest.mark.parametrize("path", ["../rows.jsonl", "rows/../../rows.jsonl", "file://../rows.jsonl", "*/../../*.jsonl"])
def test_a_path_that_leads_out_of_the_project_is_refused_with_the_ways_out(file: Path, path: str) -> None:
    said = refused(file, RECIPE.replace("${data}/train.jsonl", path))
    assert f"{file}:11 (sources.desk.path)" in said
    assert f"'{path}' leads out of the project {file.parent}" in said
    assert all(way in said for way in ("into the project", str(file.parent.parent), "--set data="))


@pytest.mark.parametrize(
    ("replace", "by", "place"),
    [
        ("embedded:nano", "../my-model", ":7 (base.model)"),
        ('path: "${data}/train.jsonl"', "hub: ../my-set", ":11 (sources.desk.hub)"),
        ('"${data}/train.jsonl"', '[rows.jsonl, "../rows.jsonl"]', ":11 (sources.desk.path.1)"),
        (
            "blend:",
            'suites:\n  exam: {role: general, path: ../x.csv, prompt: "{a}", target: "{b}", scorer: exact}\nblend:',
            ":14 (suites.exam.path)",
        ),
        ("data: rows", "data: ../rows", ":11 (sources.desk.path)"),
    ],
)
def test_so_is_every_other_relative_path_of_the_recipe(file: Path, replace: str, by: str, place: str) -> None:
    said = refused(file, RECIPE.replace(replace, by))
    assert f"{file}{place}" in said
    assert "leads out of the project" in said


def test_paths_that_lead_out_are_shown_with_the_other_problems(file: Path) -> None:
    said = refused(file, RECIPE.replace("data: rows", "data: ../rows").replace("1000", "-5"))
    assert "sources.desk.path" in said
    assert "blend.budget.tokens" in said
    assert "--set data=..." in said  # the variable has a name already


@pytest.mark.parametrize("mark", [".git", "pyproject.toml"])
def test_the_project_reaches_up_to_the_nearest_mark(file: Path, mark: str) -> None:
    text = RECIPE.replace("data: rows", "data: ../../rows")
    deep = file.parent / "recipes" / "may" / "recipe.yaml"
    deep.parent.mkdir(parents=True)
    assert "out of the project" in refused(deep, text)
    (file.parent / mark).touch()
    loaded = load_recipe(deep)
    assert loaded.project == file.parent
    assert path_of(loaded) == str(file.parent / "rows" / "train.jsonl")
    (deep.parent / mark).touch()
    assert f"out of the project {deep.parent}" in refused(deep, text)


def test_what_is_absolute_or_given_on_the_command_line_leads_anywhere(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    rows = str(tmp_path / "rows.jsonl")
    for setting in ("sources.desk.path=../rows.jsonl", "sources.desk={role: domain, path: ../rows.jsonl}"):
        assert path_of(load_recipe(file, [setting])) == rows
    assert path_of(load_recipe(file, ["data=.."])) == str(tmp_path / "train.jsonl")
    assert load_recipe(file, ["base.model=../my-model"]).recipe.base.model == str(tmp_path / "my-model")
    moved = load_recipe(file, ["sources.desk={role: domain, hub: ../my-set}"]).recipe.sources["desk"]
    assert moved.hub == str(tmp_path / "my-set")
    for written, meant in ((rows, rows), (f"file://{rows}", rows), ("~/r.jsonl", str(tmp_path / "home" / "r.jsonl"))):
        file.write_text(RECIPE.replace("${data}/train.jsonl", written))
        assert path_of(load_recipe(file)) == meant


def test_a_folder_that_is_a_link_out_of_the_project_has_to_be_named_itself(file: Path, tmp_path: Path) -> None:
    """As on clusters: data -> /mnt/data."""
    (tmp_path / "mnt").mkdir()
    (file.parent / "rows").symlink_to(tmp_path / "mnt")
    said = refused(file, RECIPE)
    assert f"leads out of the project {file.parent}, to {tmp_path / 'mnt' / 'train.jsonl'}" in said
    assert path_of(load_recipe(file, [f"data={file.parent / 'rows'}"])) == str(file.parent / "rows" / "train.jsonl")


def test_a_link_that_stays_in_the_project_is_followed(file: Path) -> None:
    (file.parent / "may").mkdir()
    (file.parent / "rows").symlink_to("may")
    assert path_of(load_recipe(file)) == str(file.parent / "rows" / "train.jsonl")


def test_a_recipe_behind_a_link_belongs_to_the_project_where_it_really_lies(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "mine.yaml"
    link.symlink_to(file)
    assert load_recipe(link).project == file.parent


@pytest.mark.parametrize("line", ['name: "a\\ud800"', '"na\\udfffme": a'])
def test_half_a_character_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(f"mixwright: 1\n{line}\n")
    with pytest.raises(InputError, match="half a character") as caught:
        load_recipe(file)
    assert caught.value.where == f"{file}:2"


@pytest.mark.parametrize("setting", ['system="a\\ud800"', 'template={user: "\\udfff", assistant: "{a}"}'])
def test_half_a_character_in_a_setting_is_refused(setting: str) -> None:
    with pytest.raises(InputError, match="half a character") as caught:
        source_of({"role": "domain", "path": "a.jsonl"}, [setting])
    assert str(caught.value.where).startswith("--set ")
