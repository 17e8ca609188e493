"""Recipes out of other tools' configurations: the same data in the same shares, and what has no counterpart."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from mixwright.ground.errors import InputError
from mixwright.recipe.load import load_recipe
from mixwright.recipe.schema import Recipe
from mixwright.sources.imports import IMPORTERS, Imported
from mixwright.sources.ingest import ingest

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


def imported(tool: str, file: Path, config: Any, *general: str) -> Imported:
    file.write_text(json.dumps(config) if file.suffix == ".json" else yaml.safe_dump(config))
    return IMPORTERS[tool](file, general)


def loaded(found: Imported, folder: Path) -> Recipe:
    (folder / "recipe.yaml").write_text(found.as_yaml())
    variables = [f"{name}=x.jsonl" for name in found.recipe.get("variables", ())]
    return load_recipe(folder / "recipe.yaml", variables).recipe


def flat(customer: float, nova: dict[str, float]) -> dict[str, float]:
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
    assert shares["reasoning-factuality"] == Fraction(9, 4000)  # with reasoning-rag, which has the same counterpart
    told = "\n".join(found.warnings)
    assert "'identity' has no open counterpart" in told
    assert "Samples and tokens diverge" in told
    assert found.recipe["blend"]["unit"] == "records"


def test_a_nova_mix_without_novas_half_is_the_customers_alone(tmp_path: Path) -> None:
    assert imported("nova", tmp_path / "m.json", flat(100, {})).recipe["blend"]["shares"] == {"customer": "1"}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (flat(50, {**NOVA, "maths": 0}), "Did you mean 'math'"),
        (flat(50, {"general": 100}), "no category 'general'"),
        (flat(50, {"code": 60}), "sum to 60"),
        (flat(500, NOVA), "customer_data_percent is 500"),
        (flat(50, {"code": "many"}), "'many'"),
        ({"model": "nova"}, "no data mixing"),
        ([1], "not a mapping"),
    ],
)
def test_a_nova_mix_that_cannot_be_is_refused(tmp_path: Path, config: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        imported("nova", tmp_path / "mix.yaml", config)


SHAREGPT = {"dialog": [{"who": "client", "said": "2 + 2?"}, {"who": "agent", "said": "4"}]}


def write_rows(path: Path, row: dict[str, Any], count: int) -> None:
    path.write_text((json.dumps(row) + "\n") * count)


def answers(recipe: Recipe, tmp_path: Path) -> set[str]:
    import pyarrow.parquet as pq

    found = set()
    for name, source in recipe.sources.items():
        folder = tmp_path / f"read-{name}"
        folder.mkdir()
        ingest(name, source, folder)
        found |= set(pq.read_table(folder / "records.parquet")["messages"].to_pylist())
    return {json.dumps(json.loads(text)) for text in found}


EXCHANGE = json.dumps([{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}])


def test_axolotls_data_sets_are_read_as_it_reads_them(tmp_path: Path) -> None:
    write_rows(tmp_path / "chat.jsonl", SHAREGPT, 3)
    write_rows(tmp_path / "alpaca.jsonl", {"instruction": "2 + 2?", "input": "", "output": "4"}, 1)
    write_rows(tmp_path / "own.jsonl", {"q": "2 + 2?", "a": "4"}, 4)
    config = {
        "base_model": "someone/model",
        "adapter": "lora",
        "lora_r": 8,
        "sequence_len": 512,
        "datasets": [
            {
                "path": "chat.jsonl",
                "type": "chat_template",
                "field_messages": "dialog",
                "message_property_mappings": {"role": "who", "content": "said"},
                "roles": {"user": ["client"], "assistant": ["agent"]},
                "shards": 4,
            },
            {"path": "alpaca.jsonl", "type": "alpaca"},
            {"path": "own.jsonl", "type": {"field_instruction": "q", "field_output": "a", "format": "{instruction}"}},
        ],
    }
    found = imported("axolotl", tmp_path / "config.yml", config, "alpaca")
    recipe = loaded(found, tmp_path)
    assert recipe.blend.shares == {"chat": Fraction(3, 8), "alpaca": Fraction(1, 8), "own": Fraction(1, 2)}
    assert recipe.sources["alpaca"].role == "general"
    assert recipe.train.method == "lora"
    assert recipe.train.lora.rank == 8
    assert answers(recipe, tmp_path) == {EXCHANGE}
    assert any("shards" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("datasets", "words"),
    [
        ([], "no data sets"),
        ([{"type": "alpaca"}], "needs a 'path'"),
        ([{"path": "a/b", "type": "pygmalion"}], "'pygmalion' has no counterpart"),
    ],
)
def test_an_axolotl_configuration_without_counterpart_is_refused(tmp_path: Path, datasets: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        imported("axolotl", tmp_path / "config.yml", {"datasets": datasets})


def llamafactory(tmp_path: Path, **changes: Any) -> Imported:
    (tmp_path / "data").mkdir(exist_ok=True)
    write_rows(tmp_path / "data" / "alpaca.json", {"q": "2 + 2?", "a": "4"}, 2)
    write_rows(tmp_path / "data" / "chat.jsonl", SHAREGPT, 2)
    pair = {"instruction": "2 + 2?", "chosen": "4", "rejected": "5"}
    write_rows(tmp_path / "data" / "pairs.jsonl", pair, 4)
    info = {
        "sums": {"file_name": "alpaca.json", "columns": {"prompt": "q", "response": "a"}, "num_samples": 9},
        "chat": {
            "file_name": "chat.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "dialog"},
            "tags": {"role_tag": "who", "content_tag": "said", "user_tag": "client", "assistant_tag": "agent"},
        },
        "pairs": {"file_name": "pairs.jsonl", "ranking": True, "columns": {"chosen": "chosen", "rejected": "rejected"}},
        "far": {"hf_hub_url": "someone/rows", "subset": "main"},
    }
    (tmp_path / "data" / "dataset_info.json").write_text(json.dumps(info))
    return imported("llamafactory", tmp_path / "train.yaml", {"dataset": "sums, chat,pairs", **changes})


def test_llamafactorys_data_sets_are_read_as_it_reads_them(tmp_path: Path) -> None:
    found = llamafactory(tmp_path)
    recipe = loaded(found, tmp_path)
    assert recipe.blend.shares == {"sums": Fraction(1, 4), "chat": Fraction(1, 4), "pairs": Fraction(1, 2)}
    assert answers(recipe, tmp_path) == {EXCHANGE}
    assert any("num_samples" in warning for warning in found.warnings)


def test_llamafactorys_probabilities_are_the_shares(tmp_path: Path) -> None:
    changes = {"dataset": "sums,far", "mix_strategy": "interleave_over", "interleave_probs": "0.7,0.3"}
    recipe = loaded(llamafactory(tmp_path, **changes), tmp_path)
    assert recipe.blend.shares == {"sums": Fraction(7, 10), "far": Fraction(3, 10)}
    assert recipe.sources["far"].hub == "someone/rows"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dataset": "summs"}, "Did you mean 'sums'"),
        ({"dataset": None}, "no data sets"),
        ({"dataset_dir": "elsewhere"}, "no elsewhere/dataset_info.json"),
        ({"mix_strategy": "interleave_under", "interleave_probs": "1"}, "interleave_probs"),
    ],
)
def test_a_llamafactory_configuration_without_counterpart_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        llamafactory(tmp_path, **changes)
