"""Axolotl configurations as recipes: the same data in the same shares, and all that has no counterpart told."""

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
ALPACA = {"instruction": "2 + 2?", "input": "", "output": "4"}
DIALOG = {"dialog": [{"who": "client", "said": "2 + 2?"}, {"who": "agent", "said": "4"}]}
MESSAGES = {"messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]}


def axolotl(folder: Path, *datasets: Any, **keys: Any) -> Imported:
    return imported("axolotl", folder / "config.yml", {"base_model": "embedded:nano", "datasets": [*datasets], **keys})


def recipe_of(folder: Path, *datasets: Any, **keys: Any) -> Recipe:
    return loaded(axolotl(folder, *datasets, **keys), folder)


def refused(folder: Path, *datasets: Any, **keys: Any) -> str:
    with pytest.raises(InputError) as error:
        axolotl(folder, *datasets, **keys)
    return str(error.value)


def test_data_sets_are_read_as_axolotl_reads_them(tmp_path: Path) -> None:
    write_rows(tmp_path / "chat.jsonl", DIALOG, count=3)
    write_rows(tmp_path / "alpaca.jsonl", ALPACA)
    write_rows(tmp_path / "own.jsonl", {"q": "2 + 2?", "a": "4"}, count=4)
    datasets = [
        {
            "path": "chat.jsonl",
            "type": "chat_template",
            "field_messages": "dialog",
            "message_property_mappings": {"role": "who", "content": "said"},
            "roles": {"user": ["client"], "assistant": "agent", "system": None},
            "drop_system_message": True,
        },
        {"path": "alpaca.jsonl", "type": "alpaca"},
        {"path": "own.jsonl", "type": {"field_instruction": "q", "field_output": "a", "format": "{instruction}"}},
    ]
    config = {"base_model": "someone/model", "revision_of_model": "abc", "datasets": datasets, "adapter": "lora"}
    found = imported("axolotl", tmp_path / "config.yml", {**config, "lora_r": 8, "sequence_len": 512}, "alpaca")
    recipe = loaded(found, tmp_path)
    assert recipe.blend.shares == {"chat": Fraction(3, 8), "alpaca": Fraction(1, 8), "own": Fraction(1, 2)}
    assert recipe.sources["alpaca"].role == "general"
    assert (recipe.base.model, recipe.base.revision) == ("someone/model", "abc")
    assert (recipe.train.method, recipe.train.lora.rank, recipe.train.lora.embeddings) == ("lora", 8, False)
    assert all(turns == SUM for turns in learnt(recipe))
    assert "'chat': without counterpart: drop_system_message" in told(found)


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("alpaca", ALPACA),
        ("alpaca:chat", ALPACA),
        ("alpaca_chat.load_concise", ALPACA),
        ("alpaca_chat.load_qa", {"question": "2 + 2?", "answer": "4", "system": "not read"}),
        ("alpaca_chat.load_camel_ai", {"message_1": "2 + 2?", "message_2": "4"}),
        ("gpteacher", {"instruction": "2 + 2?", "input": "", "response": "4"}),
        ("oasst", {"INSTRUCTION": "2 + 2?", "RESPONSE": "4"}),
        ("alpaca_w_system.load_open_orca", {"system_prompt": "", "question": "2 + 2?", "response": "4"}),
        ("chat_template", MESSAGES),
        ("chat_template.default", MESSAGES),
        ("sharegpt", {"conversations": [{"from": "human", "value": "2 + 2?"}, {"from": "gpt", "value": "4"}]}),
        (None, MESSAGES),
    ],
)
def test_the_types_that_axolotl_has_by_name(tmp_path: Path, kind: str | None, row: dict[str, Any]) -> None:
    write_rows(tmp_path / "a.jsonl", row)
    assert learnt(recipe_of(tmp_path, {"path": "a.jsonl", "type": kind})) == [SUM]


def test_documents_are_learnt_whole_from_the_column_named(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", {"body": "All of it.", "text": "not this"})
    recipe = recipe_of(tmp_path, {"path": "a.jsonl", "type": "completion", "field": "body"}, train_on_inputs=True)
    assert learnt(recipe) == ["All of it."]
    assert recipe.sources["a"].loss == "assistant"  # a document is learnt whole anyway


def test_a_pretraining_data_set_alone_is_documents(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", {"body": "All of it."}, count=2)
    streamed = [{"path": "a.jsonl", "text_column": "body"}, {"path": "b.jsonl"}]
    keys = {"pretraining_dataset": streamed, "max_steps": 10, "sequence_len": 64, "sample_packing": True}
    found = imported("axolotl", tmp_path / "c.yml", {"base_model": "embedded:nano", **keys})
    recipe = loaded(found, tmp_path)
    assert learnt(recipe) == 2 * ["All of it."]
    assert recipe.blend.budget.tokens == 10 * 64
    assert "Axolotl reads the first entry alone" in told(found)


def test_beside_a_pretraining_data_set_others_are_not_read_there_and_that_is_told(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", {"text": "All of it."})
    found = axolotl(tmp_path, {"path": "b.jsonl", "type": "alpaca"}, pretraining_dataset="a.jsonl")
    assert list(found.recipe["sources"]) == ["a"]
    assert "'datasets' are left out" in told(found)


# ------------------------------------------------------------------------------------------------- where rows come from


@pytest.mark.parametrize("entry", [{"path": "json"}, {"path": "json", "ds_type": "json"}, {"path": "rows"}])
def test_files_that_an_entry_lists_are_one_source(tmp_path: Path, entry: dict[str, Any]) -> None:
    folder = tmp_path / "rows" if entry["path"] == "rows" else tmp_path
    for name in ("a", "b"):
        write_rows(folder / f"{name}.jsonl", ALPACA)
    recipe = recipe_of(tmp_path, {**entry, "data_files": ["a.jsonl", "b.jsonl"], "type": "alpaca"})
    assert len(recipe.sources) == 1
    assert learnt(recipe) == [SUM, SUM]


def test_files_of_a_repository_are_read_from_the_hub_at_their_revision(tmp_path: Path) -> None:
    entry = {"path": "some/rows", "data_files": ["x.jsonl"], "revision": "abc", "type": "alpaca"}
    assert recipe_of(tmp_path, entry).sources["rows"].path == "hf://datasets/some/rows@abc/x.jsonl"


def test_each_configuration_of_a_list_is_a_source(tmp_path: Path) -> None:
    sources = recipe_of(tmp_path, {"path": "some/rows", "name": ["a", "b"], "type": "alpaca"}).sources
    assert [source.config for source in sources.values()] == ["a", "b"]


def test_paths_are_seen_from_a_folder_above_the_configuration_too(tmp_path: Path) -> None:
    write_rows(tmp_path / "data" / "a.jsonl", ALPACA)
    (tmp_path / "conf").mkdir()
    assert learnt(recipe_of(tmp_path / "conf", {"path": "data/a.jsonl", "type": "alpaca"})) == [SUM]


# --------------------------------------------------------------------------------------------------------------- shares


def test_the_same_data_set_twice_is_one_source_with_both_shares(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", ALPACA, count=2)
    write_rows(tmp_path / "b.jsonl", ALPACA, count=4)
    a, b = ({"path": f"{name}.jsonl", "type": "alpaca"} for name in "ab")
    found = axolotl(tmp_path, a, b, a, num_epochs=3)
    recipe = loaded(found, tmp_path)
    assert recipe.blend.shares == {"a": Fraction(1, 2), "b": Fraction(1, 2)}
    assert recipe.blend.budget.domain_epochs == 4  # 3 times 8 rows are 4 passes over 6
    assert "'a-2' is 'a' once more" in told(found)


def test_an_empty_file_is_left_out_and_told(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", ALPACA)
    (tmp_path / "none.jsonl").write_text("")
    a, none = ({"path": f"{name}.jsonl", "type": "alpaca"} for name in ("a", "none"))
    found = axolotl(tmp_path, a, none)
    assert loaded(found, tmp_path).blend.shares == {"a": 1}
    assert "'none' has no rows, and is left out" in told(found)
    assert "no data set has any rows" in refused(tmp_path, none)
    assert "no data set has any rows" in refused(tmp_path, {**a, "split": "train[:0%]"})


def test_where_no_row_can_be_counted_it_is_told_why(tmp_path: Path) -> None:
    write_rows(tmp_path / "k.jsonl", {"prompt": "?", "completion": "!", "kto_tag": True}, count=3)
    said = refused(tmp_path, {"path": "k.jsonl", "type": "llama3.ultra"}, rl="kto")
    assert "'k': 3 rows cannot be read as they stand (the first: k.jsonl:1, there is no column 'label'" in said


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    found = axolotl(tmp_path, {"path": "a.jsonl", "type": "alpaca"})
    assert f"a (there is no file {tmp_path / 'a.jsonl'})" in told(found)


def test_a_role_is_that_of_all_sources_of_a_data_set(tmp_path: Path) -> None:
    write_rows(tmp_path / "own.jsonl", *ROWS)
    write_rows(tmp_path / "a.jsonl", ALPACA)
    both = own(format="Do: {instruction} With: {input}", no_input_format="Do: {instruction}")
    config = {"datasets": [{"path": "a.jsonl", "type": "alpaca"}, both]}
    sources = loaded(imported("axolotl", tmp_path / "config.yml", config, "own"), tmp_path).sources
    assert {name: source.role for name, source in sources.items()} == {
        "a": "domain",
        "own": "general",
        "own-without-input": "general",
    }


@pytest.mark.parametrize(
    ("keys", "share"),
    [
        ({"weight": 0.5}, "1/2"),
        ({"shards": 4}, "1/4"),
        ({"split": "train[:10%]"}, "1/10"),
        ({"split": "train[5:25]"}, "1/5"),
        ({"split": "train[90%:]"}, "1/10"),
    ],
)
def test_a_part_of_a_data_set_has_the_share_of_that_part(tmp_path: Path, keys: dict[str, Any], share: str) -> None:
    write_rows(tmp_path / "a.jsonl", ALPACA, count=100)
    write_rows(tmp_path / "b.jsonl", ALPACA, count=100)
    found = axolotl(tmp_path, {"path": "a.jsonl", "type": "alpaca", **keys}, {"path": "b.jsonl", "type": "alpaca"})
    recipe = loaded(found, tmp_path)
    part = Fraction(share)
    assert recipe.blend.shares["a"] == part / (1 + part)
    assert recipe.blend.budget.domain_epochs == pytest.approx(float((1 + part) / 2), abs=1e-6)
    assert "'a':" in told(found)


def test_a_slice_of_a_split_on_the_hub_is_told_and_the_split_kept(tmp_path: Path) -> None:
    found = axolotl(tmp_path, {"path": "some/rows", "split": "validation[:10%]", "type": "alpaca"})
    assert loaded(found, tmp_path).sources["rows"].split == "validation"
    assert "[:10%]" in told(found)


def test_where_rows_cannot_be_counted_shares_are_equal_and_all_such_data_sets_are_told(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", ALPACA, count=5)
    sets = [{"path": path, "type": "alpaca"} for path in ("a.jsonl", "some/far", "some/farther")]
    found = axolotl(tmp_path, *sets)
    assert set(loaded(found, tmp_path).blend.shares.values()) == {Fraction(1, 3)}
    assert "cannot be counted from here of far (a data set of the hub), farther (a data set of the hub)." in told(found)


# --------------------------------------------------------------------------------------------------- types of one's own


def own(**fields: str) -> dict[str, Any]:
    return {
        "path": "own.jsonl",
        "type": {"field_instruction": "q", "field_input": "given", "field_output": "a", **fields},
    }


ROWS = [{"q": "Add.", "given": "2 2", "a": "4"}, {"q": "2 + 2?", "given": "", "a": "4"}]


def test_a_format_of_instruction_and_input_leaves_out_the_input_where_there_is_none(tmp_path: Path) -> None:
    write_rows(tmp_path / "own.jsonl", *ROWS)
    recipe = recipe_of(tmp_path, own(format="{instruction}\n{input}", no_input_format="{instruction}"))
    assert learnt(recipe) == [exchange("Add.\n\n2 2", "4"), SUM]


def test_a_format_with_words_becomes_two_sources_one_for_rows_without_input(tmp_path: Path) -> None:
    write_rows(tmp_path / "own.jsonl", *ROWS, ROWS[1])
    recipe = recipe_of(tmp_path, own(format="Do: {instruction} With: {input}", no_input_format="Do: {instruction}"))
    assert recipe.blend.shares == {"own": Fraction(1, 3), "own-without-input": Fraction(2, 3)}
    assert learnt(recipe) == [exchange("Do: Add. With: 2 2", "4"), *2 * [exchange("Do: 2 + 2?", "4")]]


def test_where_no_row_lacks_an_input_there_is_one_source(tmp_path: Path) -> None:
    write_rows(tmp_path / "own.jsonl", ROWS[0])
    recipe = recipe_of(tmp_path, own(format="Do: {instruction} With: {input}", no_input_format="Do: {instruction}"))
    assert recipe.blend.shares == {"own": 1}


def test_rows_without_the_column_of_the_input_are_told(tmp_path: Path) -> None:
    write_rows(tmp_path / "own.jsonl", {"q": "2 + 2?", "a": "4"}, count=3)
    assert "3 rows have no column 'given'" in told(axolotl(tmp_path, own(format="{instruction}\n{input}")))


def test_marks_of_a_chat_template_in_a_format_are_taken_off_and_told(tmp_path: Path) -> None:
    write_rows(tmp_path / "own.jsonl", *ROWS)
    found = axolotl(
        tmp_path, own(format="[INST] {instruction} {input} [/INST]", no_input_format="[INST] {instruction} [/INST]")
    )
    assert learnt(loaded(found, tmp_path)) == [exchange("Add.\n\n2 2", "4"), SUM]
    assert "[INST]" in told(found)


def test_a_system_prompt_of_ones_own_stands_before_each_row(tmp_path: Path) -> None:
    write_rows(tmp_path / "own.jsonl", ROWS[1])
    kind = {"field_instruction": "q", "field_output": "a", "system_prompt": "Be brief."}
    assert learnt(recipe_of(tmp_path, {"path": "own.jsonl", "type": kind})) == [exchange("2 + 2?", "4", "Be brief.")]


def test_columns_that_axolotl_passes_over_and_a_source_reads_are_told(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", {**ALPACA, "system": "Be rude."})
    assert "'a' has columns system, which are read here and not there" in told(
        axolotl(tmp_path, {"path": "a.jsonl", "type": "alpaca"})
    )
    far = axolotl(tmp_path, {"path": "some/far", "type": "alpaca"})
    assert "Where they have columns system or history, these are read here and not there: far." in told(far)


# --------------------------------------------------------------------------------------------------- what is judged bad

PAIR = {"chosen": "4", "rejected": "5"}
TURNS = [{"role": "user", "content": "2 + 2?"}]
BOTH = {
    "chosen": [*TURNS, {"role": "assistant", "content": "4"}],
    "rejected": [*TURNS, {"role": "assistant", "content": "5"}],
}


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        ({"type": "chatml.intel"}, {"question": "2 + 2?", **PAIR}),
        ({"type": "llama3.intel"}, {"question": "2 + 2?", "input": "not read", **PAIR}),
        ({"type": "chatml.argilla"}, {"instruction": "2 + 2?", "chosen_response": "4", "rejected_response": "5"}),
        ({"type": "chatml.prompt_pairs"}, {"prompt": "2 + 2?", **PAIR}),
        ({"type": "chatml.icr"}, {"input": "2 + 2?", **PAIR}),
        ({"type": "chatml.ultra"}, {"prompt": "2 + 2?", **BOTH}),
        ({"type": "llama3.argilla_chat"}, BOTH),
        ({"type": "chatml"}, {"question": "2 + 2?", **PAIR}),
        (
            {"type": "chat_template.argilla_chat", "field_chosen": "good", "field_rejected": "bad"},
            {"good": BOTH["chosen"], "bad": BOTH["rejected"]},
        ),
        (
            {
                "type": "chat_template.default",
                "field_messages": "asked",
                "field_chosen": "good",
                "field_rejected": "bad",
            },
            {
                "asked": TURNS,
                "good": {"role": "assistant", "content": "4"},
                "bad": {"role": "assistant", "content": "5"},
            },
        ),
        (
            {
                "type": {
                    "field_prompt": "q",
                    "field_chosen": "good",
                    "field_rejected": "bad",
                    "prompt_format": "<|user|>{prompt}",
                }
            },
            {"q": "2 + 2?", "good": "4", "bad": "5"},
        ),
        ({"type": {"field_prompt": "q", "prompt_format": "2 + {prompt}?"}}, {"q": "2", **PAIR}),
        (
            {"type": "user_defined.default", "field_prompt": "q", "field_chosen": "good", "field_rejected": "bad"},
            {"q": "2 + 2?", "good": "4", "bad": "5"},
        ),
        (
            {"field_prompt": "q", "field_chosen": "good", "field_rejected": "bad"},
            {"q": "2 + 2?", "good": "4", "bad": "5"},
        ),
    ],
)
def test_of_pairs_the_better_answer_is_learnt(tmp_path: Path, keys: dict[str, Any], row: dict[str, Any]) -> None:
    write_rows(tmp_path / "a.jsonl", row)
    found = axolotl(tmp_path, {"path": "a.jsonl", **keys}, rl="dpo")
    assert learnt(loaded(found, tmp_path)) == [SUM]
    assert "nothing from the worse one" in told(found)


def test_pairs_with_named_columns_are_preferences(tmp_path: Path) -> None:
    entry = {"path": "some/pairs", "type": "chatml.intel"}
    source = recipe_of(tmp_path, entry, rl="dpo").sources["pairs"]
    assert (source.format, source.columns) == ("preference", {"prompt": "question"})


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("chatml.ultra", {"prompt": "2 + 2?", "completion": "4"}, {"prompt": "2 + 2?", "completion": "5"}),
        ("llama3.intel", {"question": "2 + 2?", "completion": "4"}, {"question": "2 + 2?", "completion": "5"}),
        ("chatml.argilla_chat", {"completion": BOTH["chosen"]}, {"completion": BOTH["rejected"]}),
        ({"field_prompt": "q", "field_completion": "a"}, {"q": "2 + 2?", "a": "4"}, {"q": "2 + 2?", "a": "5"}),
    ],
)
def test_of_labelled_answers_only_the_good_ones_are_learnt(
    tmp_path: Path, kind: Any, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    write_rows(tmp_path / "a.jsonl", {**good, "label": True}, {**bad, "label": False}, {**bad, "label": False})
    write_rows(tmp_path / "b.jsonl", {**good, "label": True})
    found = axolotl(tmp_path, {"path": "a.jsonl", "type": kind}, {"path": "b.jsonl", "type": kind}, rl="kto")
    recipe = loaded(found, tmp_path)
    assert learnt(recipe) == [SUM, SUM]
    assert set(recipe.blend.shares.values()) == {Fraction(1, 2)}  # of the rows that are learnt
    assert "nothing from the bad ones" in told(found)


@pytest.mark.parametrize("method", ["grpo", "gdpo", "ebft", "unheard_of"])
def test_what_learns_from_rewards_is_refused(tmp_path: Path, method: str) -> None:
    assert f"'rl: {method}' learns from rewards" in refused(tmp_path, {"path": "a/b", "type": "x.y"}, rl=method)


def test_turns_that_are_not_to_be_learnt_are_not_learnt_or_refused(tmp_path: Path) -> None:
    row = {
        "messages": [
            *MESSAGES["messages"][:1],
            {"role": "assistant", "content": "5", "train": False},
            *MESSAGES["messages"],
        ]
    }
    write_rows(tmp_path / "a.jsonl", row)
    entry = {"path": "a.jsonl", "type": "chat_template"}
    recipe = recipe_of(tmp_path, {**entry, "message_field_training": "train"})
    assert "a" in recipe.sources
    assert "what is not to be learnt would be" in refused(tmp_path, {**entry, "message_field_training": "learn"})
    assert "what is not to be learnt would be" in refused(tmp_path, {**entry, "message_field_training_detail": "d"})
    assert "roles_to_train" in refused(tmp_path, {**entry, "roles_to_train": []})
    assert recipe_of(tmp_path, {**entry, "roles_to_train": ["gpt"]}).sources["a"].loss == "assistant"
    assert recipe_of(tmp_path, {**entry, "roles_to_train": ["user", "assistant"]}).sources["a"].loss == "all"


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"type": "alpaca"}, "needs a 'path'"),
        ({"path": 5}, "'path' is 5, not text"),
        ({"path": "a/b", "type": "pygmalion"}, "'pygmalion' has no counterpart"),
        ({"path": "a/b", "type": "input_output"}, "segments of 'input_output' have no counterpart"),
        ({"path": "a/b", "type": "chat_template", "roles": ["user"]}, "'roles' is"),
        ({"path": "a/b", "type": "chat_template", "roles": {"narrator": ["x"]}}, "narrator"),
        ({"path": "a/b", "type": "chat_template", "message_property_mappings": ["a"]}, "message_property_mappings"),
        ({"path": "a/b", "type": "alpaca", "split": "train+test"}, "'train+test' is not one split"),
        ({"path": "a/b", "type": "alpaca", "weight": "much"}, "'weight'"),
        ({"path": "a/b", "type": "alpaca", "data_files": 5}, "'data_files'"),
        (["a"], "'path' is"),
    ],
)
def test_a_data_set_without_counterpart_is_refused_with_what_to_do(tmp_path: Path, entry: Any, words: str) -> None:
    assert words in refused(tmp_path, entry)
    assert "--without" in refused(tmp_path, entry)


def test_all_data_sets_without_counterpart_are_named_at_once_and_can_be_left_out(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", ALPACA)
    sets = [
        {"path": "a.jsonl", "type": "alpaca"},
        {"path": "x/one", "type": "pygmalion"},
        {"path": "x/two", "type": "input_output"},
    ]
    message = refused(tmp_path, *sets)
    assert "2 data sets cannot be imported" in message
    assert "--without one" in message
    assert "--without two" in message
    found = imported("axolotl", tmp_path / "config.yml", {"datasets": sets}, without=("one", "two"))
    assert list(found.recipe["sources"]) == ["a"]
    assert "Left out, as --without says: one, two." in told(found)
    with pytest.raises(InputError, match="Did you mean 'one'"):
        imported("axolotl", tmp_path / "config.yml", {"datasets": sets}, without=("ones",))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"num_epochs": "lots"}, "'num_epochs' is 'lots', not a number"),
        ({"num_epochs": -1}, "'num_epochs' is -1, not a number above 0"),
        ({"learning_rate": "fast"}, "'learning_rate' is 'fast'"),
        ({"learning_rate": -1}, "train.learning_rate"),
        ({"micro_batch_size": 1.5}, "not a whole number"),
        ({"train_on_inputs": "yes"}, "not true or false"),
        ({"datasets": []}, "no data sets"),
        ({"datasets": {"path": "x"}}, "no data sets"),
    ],
)
def test_a_configuration_that_says_nothing_sensible_is_refused(
    tmp_path: Path, keys: dict[str, Any], words: str
) -> None:
    config = {"datasets": [{"path": "some/rows", "type": "alpaca"}], **keys}
    with pytest.raises(InputError) as error:
        imported("axolotl", tmp_path / "config.yml", config)
    assert words in str(error.value)


# ------------------------------------------------------------------------------------------------------------- training


def test_training_is_taken_over_where_it_has_a_counterpart(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", ALPACA, count=80)
    config = """
base_model: embedded:nano
datasets: [{path: a.jsonl, type: alpaca}]
learning_rate: 2e-4
weight_decay: 0.01
micro_batch_size: 2
gradient_accumulation_steps: 4
sequence_len: 300
num_epochs: 2
lr_scheduler: linear
warmup_steps: 5
max_grad_norm: 0.5
seed: 7
train_on_inputs: true
val_set_size: 0.05
default_system_message: Be brief.
optimizer: adamw_bnb_8bit
bf16: true
excess_length_strategy: truncate
"""
    found = imported("axolotl", tmp_path / "config.yml", config)
    recipe = loaded(found, tmp_path)
    train, source = recipe.train, recipe.sources["a"]
    assert (train.learning_rate, train.weight_decay, train.gradient_clip) == (2e-4, 0.01, 0.5)
    assert (train.sequence_length, train.batch_tokens, train.micro_batch_rows) == (300, 8 * 300, 2)
    assert (train.schedule, train.seed, train.precision) == ("linear", 7, "bf16")
    assert train.warmup == pytest.approx(5 / (2 * 76 / 8), abs=0.01)
    assert (source.loss, source.holdout, source.system, source.longer) == ("all", 0.05, "Be brief.", "truncate")
    assert recipe.blend.budget.domain_epochs == 2
    assert not recipe.blend.packing
    assert "'optimizer: adamw_bnb_8bit' is 'optimizer: adamw' here" in told(found)


def test_a_number_of_steps_is_as_many_passes_as_its_records_make(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", ALPACA, count=40)
    entry, size = {"path": "a.jsonl", "type": "alpaca"}, {"micro_batch_size": 4}
    assert recipe_of(tmp_path, entry, max_steps=5, **size).blend.budget.domain_epochs == 0.5
    assert recipe_of(tmp_path, entry, max_steps=50, **size).blend.budget.domain_epochs == 1  # it only shortens
    far = axolotl(tmp_path, {"path": "some/far", "type": "alpaca"}, max_steps=5, **size)
    assert "'max_steps: 5' of 4 records each is 20 records" in told(far)


def test_what_has_no_counterpart_is_named_in_one_line(tmp_path: Path) -> None:
    keys = {"lr_scheduler": "rex", "chat_template": "chatml", "neftune_noise_alpha": 5, "load_in_4bit": True}
    found = axolotl(tmp_path, {"path": "some/rows", "type": "alpaca"}, **keys)
    assert "'lr_scheduler: rex' has no counterpart" in told(found)
    assert "not as 'chat_template: chatml', 'type: alpaca' would" in told(found)
    assert "Without counterpart here: load_in_4bit, neftune_noise_alpha." in found.warnings


def test_no_base_model_is_a_variable_to_give(tmp_path: Path) -> None:
    found = imported("axolotl", tmp_path / "c.yml", {"datasets": [{"path": "some/rows", "type": "alpaca"}]})
    assert found.recipe["variables"] == {"base": None}
    assert "--set base=" in told(found)


def test_every_key_of_a_configuration_is_in_the_recipe_or_in_a_note(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", ALPACA)
    keys = [f"unheard_of_{number}" for number in range(5)]
    found = axolotl(tmp_path, {"path": "a.jsonl", "type": "alpaca", "unheard_of": 1}, **dict.fromkeys(keys, 1))
    assert all(key in told(found) for key in [*keys, "'a': without counterpart: unheard_of"])
    assert json.dumps(found.recipe)
