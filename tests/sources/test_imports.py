"""Recipes out of other tools' configurations: what holds for all of them, and the mixes of Nova Forge."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from import_work import exchange, imported, learnt, loaded, told, write_rows

from mixwright.cli.main import main
from mixwright.ground.errors import InputError
from mixwright.recipe.load import load_recipe
from mixwright.sources.imports import IMPORTERS, Imported

NOVA = {
    "reasoning-instruction-following": 45,
    "instruction-following": 13,
    "baseline": 10,
    "code": 10,
    "planning": 10,
    "math": 2,
    "agents": 1,
    "identity": 1,
    "long-context": 1,
    "rai": 1,
    "rag": 1,
    "chat": 0.5,
    "stem": 0.5,
    **{f"reasoning-{name}": 0.5 for name in ("chat", "code", "factuality", "math", "planning", "rai")},
    "reasoning-rag": 0.4,
    "reasoning-stem": 0.4,
    "factuality": 0.1,
    "translation": 0.1,
}


def flat(customer: float, nova: dict[str, float]) -> dict[str, Any]:
    return {"customer_data_percent": customer, **{f"nova_{name}_percent": value for name, value in nova.items()}}


def sagemaker(customer: float, nova: dict[str, float]) -> dict[str, Any]:
    return {"customer_data_percent": customer, "nova_data_percentages": nova}


def hyperpod(customer: float, nova: dict[str, float]) -> dict[str, Any]:
    sources = {"customer_data": {"percent": customer}, "nova_data": nova}
    return {"run": {}, "training_config": {"data_mixing": {"dataset_catalog": "sft_text", "sources": sources}}}


@pytest.mark.parametrize("form", [flat, sagemaker, hyperpod])
def test_a_nova_mix_of_all_23_categories_keeps_its_shares(tmp_path: Path, form: Any) -> None:
    assert len(NOVA) == 23
    found = imported("nova", tmp_path / "mix.yaml", form(75, NOVA))
    shares = loaded(found, tmp_path).blend.shares
    assert sum(shares.values()) == 1
    assert shares["customer"] == Fraction(3, 4)
    assert shares["code"] == Fraction(1, 40)
    assert shares["reasoning-instruction-following"] == Fraction(9, 80)
    assert shares["reasoning-factuality"] == Fraction(1, 800)
    assert shares["reasoning-rag"] == Fraction(1, 1000)
    assert shares["factuality"] == Fraction(11, 4000)  # with rag, which has the same counterpart
    assert "'identity' has no open counterpart" in told(found)
    assert "Samples and tokens diverge" in told(found)
    assert "Parts of their data sets are chat, code, reasoning-code, reasoning-factuality, reasoning-rag" in told(found)
    assert found.recipe["blend"]["unit"] == "records"


def test_a_nova_mix_without_novas_half_is_the_customers_alone(tmp_path: Path) -> None:
    assert imported("nova", tmp_path / "m.json", flat(100, {})).recipe["blend"]["shares"] == {"customer": "1"}


def test_what_a_nova_recipe_says_of_the_run_is_taken_over_or_told(tmp_path: Path) -> None:
    config = hyperpod(50, {"code": 100})
    config["run"] = {"name": "x", "data_s3_path": "s3://bucket/mine.jsonl", "replicas": 4}
    config["training_config"] |= {"max_steps": 500, "max_length": 1024, "global_batch_size": 32, "model": {"x": 1}}
    found = imported("nova", tmp_path / "mix.yaml", {**config, "learning_rate": "1e-5"})
    recipe = loaded(found, tmp_path)
    assert recipe.sources["customer"].path == "s3://bucket/mine.jsonl"
    assert recipe.train.learning_rate == 1e-5
    assert recipe.train.batch_tokens == 32 * 1024
    assert "'max_steps: 500' of 32 samples" in told(found)
    assert "run.name, run.replicas" in told(found)
    assert "training_config.model" in told(found)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (flat(50, {**NOVA, "maths": 0}), "Did you mean 'math'"),
        (flat(50, {"general": 100}), "no category 'general'"),
        (flat(50, {"code": 60}), "sum to 60"),
        (flat(500, NOVA), "customer_data_percent is 500"),
        (flat(50, {"code": "many"}), "'many'"),  # type: ignore[dict-item]
        (flat(50, {"code": "1e999999999"}), "nova|code is"),  # type: ignore[dict-item]
        ({"customer_data_percent": 50, "nova_data_percentages": [1, 2]}, "not a mapping"),
        ({"customer_data_percent": 50, "nova_data_percentages": "math"}, "not a mapping"),
        ({"customer_data_percent": 50, "nova_data_percentages": {"code": 100}, "nova_code_percent": 9}, "twice"),
        ({"data_mixing": {"sources": None}}, "sum to 0"),
        ({"data_mixing": {"sources": ["code"]}}, "'sources' is"),
        ({"data_mixing": ["code"]}, "'data_mixing' is"),
        ({"data_mixing": {"sources": {"customer_data": 50, "nova_data": None}}}, "sum to 0"),
        ({"data_mixing": {"sources": {"customer_data": 50, "nova_data": ["code"]}}}, "'nova_data' is"),
        ({"model": "nova"}, "no data mixing"),
        ([1], "not a mapping"),
        ("", "is empty"),
        ("[" * 3000, "nested too deeply|no YAML"),
    ],
)
def test_a_nova_mix_that_cannot_be_is_refused(tmp_path: Path, config: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        imported("nova", tmp_path / "mix.yaml", config)


def test_a_configuration_nested_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nested too deeply"):
        imported("axolotl", tmp_path / "config.json", '{"datasets":' + "[" * 100_000)


# -------------------------------------------------------------------------------------------------- paths of the recipe


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a configuration in `conf`, and data beside it and outside."""
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    row = {"instruction": "2 + 2?", "output": "4"}
    write_rows(project / "data" / "mine.jsonl", row)
    write_rows(tmp_path / "shared" / "theirs.jsonl", row)
    (project / "conf").mkdir()
    (project / "conf" / "config.yml").write_text(
        "base_model: embedded:nano\nlearning_rate: 1e-4\ndatasets:\n"
        "  - {path: ../data/mine.jsonl, type: alpaca}\n  - {path: ../../shared/theirs.jsonl, type: alpaca}\n"
    )
    (project / "recipes").mkdir()
    monkeypatch.chdir(project)
    return project


def test_paths_are_as_seen_from_the_recipe_and_absolute_where_they_leave_its_project(project: Path) -> None:
    out = project / "recipes" / "recipe.yaml"
    with pytest.raises(SystemExit) as ended:
        main(["import", "axolotl", "conf/config.yml", "--out", str(out)])
    assert not ended.value.code
    written = yaml.safe_load(out.read_text())["sources"]
    assert written["mine"]["path"] == "../data/mine.jsonl"
    assert written["theirs"]["path"] == str(project.parent / "shared" / "theirs.jsonl")
    assert learnt(load_recipe(out).recipe) == 2 * [exchange("2 + 2?", "4")]


def test_a_printed_recipe_has_its_paths_as_seen_from_here_and_says_so(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["import", "axolotl", "conf/config.yml"])
    out, err = capsys.readouterr()
    assert yaml.safe_load(out)["sources"]["mine"]["path"] == "data/mine.jsonl"
    assert "as seen from this folder" in err
    assert "# Its paths are as seen from this folder" in out


def test_json_is_printed_of_a_recipe_that_is_written_as_well(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["import", "axolotl", "conf/config.yml", "--out", "recipe.yaml", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["recipe"] == yaml.safe_load((project / "recipe.yaml").read_text())
    assert printed["warnings"]


def test_a_link_out_of_the_project_is_written_as_the_absolute_path_it_is(project: Path) -> None:
    (project / "linked").symlink_to(project.parent / "shared")
    (project / "conf" / "config.yml").write_text("datasets: [{path: ../linked/theirs.jsonl, type: alpaca}]")
    found = IMPORTERS["axolotl"](project / "conf" / "config.yml", (), ()).seen_from(project / "recipe.yaml")
    assert found.recipe["sources"]["theirs"]["path"] == str(project / "linked" / "theirs.jsonl")


# ------------------------------------------------------------------------------------------ whatever a person may write

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**6), st.floats(), st.sampled_from(["", "x", "2e-4", "lots", "a.jsonl"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "path", "user"]), inner),
    max_leaves=6,
)
AXOLOTL_KEYS = """path type ds_type data_files name split revision roles field_messages field_chosen message_field_role
    message_property_mappings roles_to_train weight shards chat_template field message_field_training"""
AXOLOTL_TOP = """rl base_model adapter lora_r learning_rate num_epochs max_steps micro_batch_size sequence_len seed
    lr_scheduler warmup_steps warmup_ratio val_set_size train_on_inputs sample_packing optimizer chat_template
    pretraining_dataset excess_length_strategy weight_decay lora_modules_to_save bf16"""
FACTORY_KEYS = """file_name hf_hub_url formatting columns tags ranking subset split folder num_samples revision
    cloud_file_name"""
FACTORY_TOP = """stage finetuning_type learning_rate num_train_epochs max_steps max_samples mix_strategy
    interleave_probs val_size train_on_prompt mask_history template cutoff_len lora_rank lora_target dataset
    dataset_dir default_system packing optim"""
NOVA_TOP = "customer_data_percent nova_data_percentages data_mixing training_config run data_s3_path learning_rate"


def entries(keys: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(keys.split()), VALUES, max_size=4)


@settings(max_examples=150, deadline=None)
@given(entries(AXOLOTL_TOP), st.lists(entries(AXOLOTL_KEYS), max_size=2))
def test_any_axolotl_configuration_is_a_recipe_or_refused(
    tmp_path_factory: pytest.TempPathFactory, top: dict[str, Any], sets: list[dict[str, Any]]
) -> None:
    config = {"datasets": [{"path": "a.jsonl", "type": "alpaca", **one} for one in sets], **top}
    assert_a_recipe_or_refused("axolotl", tmp_path_factory.mktemp("any"), config)


@settings(max_examples=150, deadline=None)
@given(entries(FACTORY_TOP), entries(FACTORY_KEYS))
def test_any_llamafactory_configuration_is_a_recipe_or_refused(
    tmp_path_factory: pytest.TempPathFactory, top: dict[str, Any], entry: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "dataset_info.json").write_text(json.dumps({"x": {"file_name": "a.jsonl", **entry}}))
    assert_a_recipe_or_refused("llamafactory", folder, {"dataset": "x", "dataset_dir": ".", **top})


@settings(max_examples=100, deadline=None)
@given(entries(NOVA_TOP))
def test_any_nova_configuration_is_a_recipe_or_refused(
    tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]
) -> None:
    assert_a_recipe_or_refused("nova", tmp_path_factory.mktemp("any"), config)


def assert_a_recipe_or_refused(tool: str, folder: Path, config: dict[str, Any]) -> None:
    write_rows(folder / "a.jsonl", {"instruction": "2 + 2?", "output": "4"}, count=3)
    found = outcome(tool, folder / "config.yaml", config)
    if isinstance(found, InputError):
        assert found.where
        assert found.fix
    else:
        assert loaded(found, folder).sources


def outcome(tool: str, file: Path, config: dict[str, Any]) -> Imported | InputError:
    try:
        return imported(tool, file, config)
    except InputError as error:
        return error
