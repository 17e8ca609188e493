"""LLaMA-Factory configurations as recipes: the same data in the same shares, and all without counterpart told."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from import_work import exchange, imported, learnt, loaded, told, write_rows

from mixwright.ground.errors import InputError
from mixwright.recipe.schema import Recipe
from mixwright.sources.imports import Imported

SUM = exchange("2 + 2?", "4")
DIALOG = {"dialog": [{"who": "client", "said": "2 + 2?"}, {"who": "agent", "said": "4"}]}
ASKED = [{"from": "human", "value": "2 + 2?"}]


def factory(folder: Path, info: Any, without: tuple[str, ...] = (), **keys: Any) -> Imported:
    """info: of `dataset_info.json`; all of its data sets are read, unless `dataset` says which."""
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "dataset_info.json").write_text(json.dumps(info))
    config = {"model_name_or_path": "embedded:nano", "dataset": ",".join(info), **keys}
    return imported("llamafactory", folder / "train.yaml", config, without=without)


def one(
    folder: Path, row: dict[str, Any] | None = None, *, keys: dict[str, Any] | None = None, **entry: Any
) -> Imported:
    """A data set `x` of one row, with the keys of its entry."""
    write_rows(folder / "data" / "x.jsonl", row or {"instruction": "2 + 2?", "output": "4"})
    return factory(folder, {"x": {"file_name": "x.jsonl", **entry}}, **(keys or {}))


def refused(folder: Path, *, keys: dict[str, Any] | None = None, **entry: Any) -> str:
    with pytest.raises(InputError) as error:
        one(folder, keys=keys, **entry)
    return str(error.value)


def test_data_sets_are_read_as_llamafactory_reads_them(tmp_path: Path) -> None:
    write_rows(tmp_path / "data" / "sums.json", {"q": "2 + 2?", "a": "4"}, count=2)
    write_rows(tmp_path / "data" / "chat.jsonl", DIALOG, count=2)
    write_rows(tmp_path / "data" / "pairs.jsonl", {"instruction": "2 + 2?", "chosen": "4", "rejected": "5"}, count=4)
    tags = {"role_tag": "who", "content_tag": "said", "user_tag": "client", "assistant_tag": "agent"}
    pairs = {"prompt": "instruction", "chosen": "chosen", "rejected": "rejected"}
    info = {
        "sums": {"file_name": "sums.json", "columns": {"prompt": "q", "response": "a"}, "unheard_of": 9},
        "chat": {"file_name": "chat.jsonl", "formatting": "sharegpt", "columns": {"messages": "dialog"}, "tags": tags},
        "pairs": {"file_name": "pairs.jsonl", "ranking": True, "columns": pairs},
    }
    found = factory(tmp_path, info, dataset="sums, chat,pairs")
    recipe = loaded(found, tmp_path)
    assert recipe.blend.shares == {"sums": Fraction(1, 4), "chat": Fraction(1, 4), "pairs": Fraction(1, 2)}
    assert all(turns == SUM for turns in learnt(recipe))
    assert "'sums': without counterpart: unheard_of" in told(found)
    assert "nothing from the worse one" in told(found)


OPENAI = {
    "formatting": "openai",
    "columns": {"messages": "turns"},
    "tags": {"role_tag": "role", "content_tag": "content"},
}


@pytest.mark.parametrize(
    ("row", "entry"),
    [
        ({"instruction": "2 + 2?", "input": "", "output": "4"}, {}),
        ({"turns": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]}, OPENAI),
        ({"conversations": [*ASKED, {"from": "gpt", "value": "4"}]}, {"formatting": "sharegpt"}),
        ({"q": "2 + 2?", "a": "4"}, {"columns": {"query": "q", "response": "a"}}),
        (
            {
                "conversations": ASKED,
                "chosen": {"from": "gpt", "value": "4"},
                "rejected": {"from": "gpt", "value": "5"},
            },
            {
                "formatting": "sharegpt",
                "ranking": True,
                "columns": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"},
            },
        ),
    ],
)
def test_each_formatting_has_its_form(tmp_path: Path, row: dict[str, Any], entry: dict[str, Any]) -> None:
    assert learnt(loaded(one(tmp_path, row, **entry), tmp_path)) == [SUM]


def test_parts_that_columns_do_not_name_are_not_read(tmp_path: Path) -> None:
    row = {"instruction": "2 + 2?", "output": "4", "input": "x", "system": "y", "history": [["a", "b"]], "tools": "[]"}
    plain = {"prompt": "instruction", "response": "output"}
    assert learnt(loaded(one(tmp_path, row, columns=plain), tmp_path)) == [SUM]
    spoken = one(tmp_path, row, columns={**plain, "system": "system"})
    assert learnt(loaded(spoken, tmp_path)) == [exchange("2 + 2?", "4", "y")]


def test_parts_that_are_read_nevertheless_are_told(tmp_path: Path) -> None:
    row = {"instruction": "2 + 2?", "output": "4", "input": "", "system": "y"}
    assert "'x' has columns system, which are read here and not there" in told(one(tmp_path, row))


def test_the_empty_line_below_an_instruction_is_told(tmp_path: Path) -> None:
    found = one(tmp_path, {"instruction": "Add.", "input": "2 2", "output": "4"})
    assert learnt(loaded(found, tmp_path)) == [exchange("Add.\n\n2 2", "4")]
    assert "an empty line here, a line break there: x." in told(found)


def test_in_pretraining_the_prompt_is_a_document(tmp_path: Path) -> None:
    found = one(tmp_path, {"text": "All of it."}, columns={"prompt": "text"}, keys={"stage": "pt"})
    recipe = loaded(found, tmp_path)
    assert learnt(recipe) == ["All of it."]
    assert recipe.blend.packing


def test_of_labelled_answers_only_the_good_ones_are_learnt(tmp_path: Path) -> None:
    columns = {"prompt": "q", "response": "a", "kto_tag": "good"}
    good, bad = {"q": "2 + 2?", "a": "4", "good": True}, {"q": "2 + 2?", "a": "5", "good": False}
    write_rows(tmp_path / "data" / "x.jsonl", good, bad, bad)
    found = factory(tmp_path, {"x": {"file_name": "x.jsonl", "columns": columns}}, stage="kto")
    assert learnt(loaded(found, tmp_path)) == [SUM]
    assert "nothing from the bad ones" in told(found)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"columns": ["q"]}, "'columns' is"),
        ({"tags": "x", "formatting": "sharegpt"}, "'tags' is"),
        ({"file_name": 5}, "'file_name' is 5"),
        ({"file_name": None}, "says of no file where it is"),
        ({"file_name": None, "ms_hub_url": "a/b"}, "'ms_hub_url' has no counterpart"),
        ({"file_name": None, "script_url": "a"}, "'script_url' has no counterpart"),
        ({"formatting": "alpacca"}, "Did you mean 'alpaca'"),
        ({"columns": {"response": "a"}}, "do not name 'prompt'"),
        ({"columns": {"prompt": "q"}}, "do not name 'response'"),
        ({"columns": {"prompt": "q", "response": "a", "images": "i"}}, "images have no counterpart"),
        ({"columns": {"prompt": "q", "query": "i", "response": "a", "tools": "t"}}, "tools beside 'query'"),
        ({"formatting": "sharegpt", "tags": {"function_tag": "call_it"}}, "'call_it' for calls of tools"),
        ({"ranking": True, "columns": {"prompt": "q", "chosen": "c"}}, "do not name 'rejected'"),
        ({"split": "train+test"}, "is not one split"),
        ({"num_samples": "many"}, "'num_samples'"),
    ],
)
def test_a_data_set_without_counterpart_is_refused_with_what_to_do(
    tmp_path: Path, entry: dict[str, Any], words: str
) -> None:
    message = refused(tmp_path, **entry)
    assert words in message
    assert "--without x" in message


def test_all_data_sets_without_counterpart_are_named_at_once_and_can_be_left_out(tmp_path: Path) -> None:
    write_rows(tmp_path / "data" / "a.jsonl", {"instruction": "2 + 2?", "output": "4"})
    info = {"a": {"file_name": "a.jsonl"}, "b": {"ms_hub_url": "x/y"}, "c": {"file_name": "c", "formatting": "x"}}
    with pytest.raises(InputError) as error:
        factory(tmp_path, info)
    assert "--without b" in str(error.value)
    assert "--without c" in str(error.value)
    turns = {"mix_strategy": "interleave_over", "interleave_probs": [0.5, 0.3, 0.2]}
    assert loaded(factory(tmp_path, info, without=("b", "c"), **turns), tmp_path).blend.shares == {"a": 1}


# -------------------------------------------------------------------------------------------------------------- shares


@pytest.fixture
def two(tmp_path: Path) -> dict[str, Any]:
    """A data set of 10 rows and one of 40."""
    for name, count in (("few", 10), ("many", 40)):
        write_rows(tmp_path / "data" / f"{name}.jsonl", {"instruction": "2 + 2?", "output": "4"}, count=count)
    return {name: {"file_name": f"{name}.jsonl"} for name in ("few", "many")}


def mix(folder: Path, info: dict[str, Any], **keys: Any) -> tuple[str, float]:
    """The share of the few, and the passes over all domain rows."""
    blend = loaded(factory(folder, info, num_train_epochs=1, **keys), folder).blend
    assert blend.budget.domain_epochs is not None
    return str(blend.shares["few"]), blend.budget.domain_epochs


def test_data_sets_behind_one_another_have_shares_by_rows(tmp_path: Path, two: dict[str, Any]) -> None:
    assert mix(tmp_path, two) == ("1/5", 1)
    assert mix(tmp_path, two, mix_strategy="interleave_once") == ("1/5", 1)


def test_data_sets_that_take_turns_are_alike_until_the_first_or_the_last_is_exhausted(
    tmp_path: Path, two: dict[str, Any]
) -> None:
    assert mix(tmp_path, two, mix_strategy="interleave_under") == ("1/2", 20 / 50)
    assert mix(tmp_path, two, mix_strategy="interleave_over") == ("1/2", 80 / 50)


def test_probabilities_are_the_shares(tmp_path: Path, two: dict[str, Any]) -> None:
    turns = {"mix_strategy": "interleave_under", "interleave_probs": "0.25, 0.75"}
    assert mix(tmp_path, two, **turns) == ("1/4", 40 / 50)
    turns |= {"dataset": "few,many,few", "interleave_probs": "0.25,0.5,0.25"}
    assert mix(tmp_path, two, **turns) == ("1/2", 40 / 50)


def test_numbers_of_samples_are_the_shares_of_so_many_rows(tmp_path: Path, two: dict[str, Any]) -> None:
    assert mix(tmp_path, two, max_samples=20) == ("1/3", 30 / 50)
    two["few"]["num_samples"] = 40
    assert mix(tmp_path, two) == ("1/2", 80 / 50)


def test_the_same_data_set_twice_is_one_source_with_both_shares(tmp_path: Path, two: dict[str, Any]) -> None:
    assert mix(tmp_path, two, dataset="few,many,few") == ("1/3", 60 / 50)


def test_a_number_of_samples_on_the_hub_counts_it(tmp_path: Path, two: dict[str, Any]) -> None:
    far = {"hf_hub_url": "some/rows", "subset": "main", "revision": "abc", "num_samples": 40}
    recipe = loaded(factory(tmp_path, {**two, "far": far}, dataset="many,far"), tmp_path)
    assert recipe.blend.shares == {"many": Fraction(1, 2), "far": Fraction(1, 2)}
    assert (recipe.sources["far"].hub, recipe.sources["far"].config) == ("some/rows", "main")
    assert recipe.sources["far"].revision == "abc"


def test_a_folder_on_the_hub_and_a_file_in_a_store_are_addresses(tmp_path: Path) -> None:
    info = {"a": {"hf_hub_url": "some/rows", "folder": "en"}, "b": {"cloud_file_name": "s3://bucket/b.jsonl"}}
    sources = factory(tmp_path, info, num_train_epochs=1).recipe["sources"]
    assert [source["path"] for source in sources.values()] == ["hf://datasets/some/rows/en", "s3://bucket/b.jsonl"]


# ------------------------------------------------------------------------------------------------------------ training


def test_what_llamafactory_does_where_nothing_is_said_is_written_out(tmp_path: Path) -> None:
    recipe: Recipe = loaded(one(tmp_path), tmp_path)
    train = recipe.train
    assert (train.method, train.lora.rank, train.lora.alpha) == ("lora", 8, 16)
    assert (train.learning_rate, train.schedule, train.warmup) == (5e-5, "linear", 0)
    assert (train.sequence_length, train.batch_tokens, train.micro_batch_rows) == (2048, 8 * 2048, 8)
    assert recipe.blend.budget.domain_epochs == 3
    assert recipe.sources["x"].longer == "truncate"


def test_training_is_taken_over_or_told(tmp_path: Path) -> None:
    config = """
model_name_or_path: embedded:nano
dataset: x
template: qwen
finetuning_type: full
learning_rate: 1e-4
lr_scheduler_type: polynomial
train_on_prompt: true
mask_history: true
default_system: Be brief.
val_size: 0.1
eval_dataset: y
max_steps: 10
plot_loss: true
dataset_dir: data
"""
    one(tmp_path)
    found = imported("llamafactory", tmp_path / "train.yaml", config)
    recipe = loaded(found, tmp_path)
    source = recipe.sources["x"]
    assert (recipe.train.method, recipe.train.learning_rate) == ("full", 1e-4)
    assert (source.loss, source.system, source.holdout) == ("all", "Be brief.", 0.1)
    for words in (
        "not as 'template: qwen' would",
        "'lr_scheduler_type: polynomial' has no counterpart",
        "'mask_history' has no counterpart",
        "'eval_dataset' has no counterpart",
        "Without counterpart here: plot_loss.",
    ):
        assert words in told(found)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"dataset": "xx"}, "Did you mean 'x'"),
        ({"dataset": None}, "no data sets"),
        ({"dataset": [1]}, "'dataset' is"),
        ({"dataset_dir": "elsewhere"}, "no elsewhere/dataset_info.json"),
        ({"dataset_dir": "REMOTE:some/infos"}, "not at hand"),
        ({"stage": "ppo"}, "'stage: ppo' learns from rewards"),
        ({"stage": "pt", "dataset": "x"}, "do not name"),
        ({"mix_strategy": "interleave_under", "interleave_probs": "1,2"}, "interleave_probs"),
        ({"mix_strategy": "interleave_under", "interleave_probs": "0"}, "interleave_probs"),
        ({"mix_strategy": "interleave_under", "interleave_probs": 5}, "interleave_probs"),
        ({"mix_strategy": "shuffle"}, "'mix_strategy' is 'shuffle'"),
        ({"num_train_epochs": "lots"}, "'num_train_epochs' is 'lots'"),
        ({"num_train_epochs": [1]}, "'num_train_epochs' is [1]"),
        ({"num_train_epochs": -1}, "'num_train_epochs' is -1, not a number above 0"),
    ],
)
def test_a_configuration_without_counterpart_is_refused(tmp_path: Path, keys: dict[str, Any], words: str) -> None:
    assert words in refused(tmp_path, keys=keys, columns={"response": "output", "system": "s", "query": "instruction"})


def test_names_of_data_sets_online_are_those_of_the_hub(tmp_path: Path) -> None:
    found = imported("llamafactory", tmp_path / "t.yaml", {"dataset": "some/rows", "dataset_dir": "ONLINE"})
    assert found.recipe["sources"]["rows"]["hub"] == "some/rows"
