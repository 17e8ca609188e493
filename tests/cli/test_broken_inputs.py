"""Bad input, one planted fault at a time: one message that names it and says what to do, exit code 2, nothing trained.

Each case breaks the good project of `tiny_project.py` in one place. `says` lists what the message must hold: the fault,
the place and the way out. `line` is a text of the recipe whose line the message must name.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tiny_project import Project, question

import mixwright
from mixwright.cli.main import _guarded, main

EMBEDDED = Path(mixwright.__file__).parent / "models" / "embedded" / "nano"


class Case(NamedTuple):
    """name: the test's id. breaks: plants the fault. says: words of the message. arguments: after `run RECIPE`."""

    name: str
    breaks: Callable[[Project], Any]
    says: tuple[str, ...]
    line: str = ""
    arguments: tuple[str, ...] = ()


def sets(place: str, value: Any) -> Callable[[Project], None]:
    """A fault that is one key of the recipe."""
    return lambda project: project.set(place, value)


def row(number: int, content: str | bytes) -> Callable[[Project], None]:
    """A fault that is one line of the tickets."""
    return lambda project: project.write_line("tickets.jsonl", number, content)


def messages(*turns: tuple[str, Any]) -> Callable[[Project], None]:
    """Tickets in the form `messages`, with a faulty conversation in line 3."""
    good = [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "delivery"}]
    bad = [{"role": role, "content": content} for role, content in turns]

    def breaks(project: Project) -> None:
        project.write_rows("tickets.jsonl", [{"messages": bad if number == 2 else good} for number in range(5)])

    return breaks


def file(name: str, content: str | bytes) -> Callable[[Project], None]:
    """The tickets come from another file, with this content."""

    def breaks(project: Project) -> None:
        project.write(name, content)
        project.set("sources.tickets.path", name)

    return breaks


def model(change: Callable[[Path], Any]) -> Callable[[Project], None]:
    """The base model is a folder, with something missing or wrong."""

    def breaks(project: Project) -> None:
        folder = project.folder / "my-model"
        shutil.copytree(EMBEDDED, folder)
        change(folder)
        project.set("base.model", "./my-model")

    return breaks


def edit_json(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def text(replace: str, by: str) -> Callable[[Project], None]:
    """A fault in the text of the recipe that no dictionary can hold."""
    return lambda project: project.write_recipe(replace=replace, by=by)


def back(**about: Any) -> Callable[[Project], None]:
    """A fault in an arm that is interpolated, not trained."""
    return sets("arms.back", {"interpolate": "blend", "weights": [0.5], **about})


def without_cuda(project: Project) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    project.set("train.device", "cuda")


def read_only_output(project: Project) -> None:
    """Root may write anywhere but into the kernel's own folders."""
    project.out = Path("/sys/mixwright")
    if not project.out.parent.is_dir():
        pytest.skip("this system has no /sys")


RECIPE_FILE = [
    Case(
        "recipe_missing", lambda p: p.write("recipes.yaml", "a: 1"), ("recipe.yaml", "no such recipe", "recipes.yaml")
    ),
    Case("recipe_is_a_folder", lambda p: p.write("recipe.yaml/my.yaml", ""), ("recipe.yaml", "folder", "my.yaml")),
    Case("recipe_not_utf8", lambda p: p.write("recipe.yaml", b"a: 1\nname: caf\xe9\n"), ("recipe.yaml:2", "UTF-8")),
    Case("recipe_empty", lambda p: p.write("recipe.yaml", ""), ("recipe.yaml", "empty", "mixwright: 1")),
    Case("recipe_is_a_list", lambda p: p.write("recipe.yaml", "- a\n- b\n"), ("recipe.yaml", "mapping")),
    Case("broken_yaml", text("shares:\n", "shares: {a: 0.5\n"), ("not valid YAML", "bracket"), line="tickets: 0.5"),
    Case("tab_in_yaml", text("  budget:", "\tbudget:"), ("tabs",), line="\tbudget"),
    Case("two_documents", text("blend:\n", "---\nblend:\n"), ("document",), line="---"),
    Case("unquoted_field", text("'{text}'", "{text}"), ("suites.intents.prompt", "quotes", "'{text}'"), line="{text}"),
    Case("unquoted_star", text("tickets.jsonl", "*.jsonl"), ("*", "quotes"), line="*.jsonl"),
    Case("date_that_does_not_exist", text("tiny", "2026-02-30"), ("2026-02-30", "quotes"), line="2026-02-30"),
    Case(
        "aliases_without_end",
        lambda p: p.write(
            "recipe.yaml",
            "a: &a [1, 2]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b]\n"
            "d: &d [*c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d]\n"
            "f: &f [*e, *e, *e, *e, *e, *e, *e]\ng: [*f, *f, *f, *f, *f, *f, *f]\n",
        ),
        ("recipe.yaml:", "without end", "alias"),
    ),
    Case(
        "duplicate_key",
        text("train:\n", "train:\n  batch_tokens: 256\n"),
        ("train.batch_tokens", "twice", "line"),
        line="batch_tokens: 512",
    ),
    Case("merge_key", text("train:\n", "train:\n  <<: {seed: 1}\n"), ("<<",), line="<<"),
    Case(
        "alias_of_itself", text("train:\n", "train: &again\n  seed: *again\n"), ("recipe.yaml", "alias", "without end")
    ),
    Case("not_plain_data", text("seed: 1", "seed: !!python/object:os.system {}"), ("python",), line="!!python"),
]

KEYS = [
    Case("unknown_key", sets("curat", {}), ("curat", "unknown key", "Did you mean 'curate'?"), line="curat"),
    Case(
        "unknown_nested_key",
        sets("train.lerning_rate", 1),
        ("train.lerning_rate", "'learning_rate'"),
        line="lerning_rate",
    ),
    Case(
        "missing_key",
        lambda p: p.remove("sources.tickets.role"),
        ("sources.tickets.role", "missing", "Add 'role: ...'"),
        line="tickets:",
    ),
    Case(
        "text_for_a_number", sets("train.batch_tokens", "many"), ("train.batch_tokens", "'many'", "number"), line="many"
    ),
    Case("number_for_a_path", sets("sources.tickets.path", 7), ("sources.tickets.path", "7", "text"), line="path: 7"),
    Case("list_for_a_mapping", sets("blend", ["tickets"]), ("blend", "mapping"), line="blend"),
    Case("unknown_choice", sets("train.optimizer", "adam"), ("train.optimizer", "'adam'", "'adamw'"), line="adam"),
    Case("name_with_slash", sets("name", "a/b"), ("name", "'a/b'", "letters"), line="a/b"),
    Case(
        "source_name_with_dot",
        sets("sources.a b", {"role": "domain", "path": "tickets.jsonl"}),
        ("sources.a b", "'a b'", "letters"),
        line="a b",
    ),
    Case("huge_number", sets("train.batch_tokens", 10**40), ("train.batch_tokens",), line="10000"),
    Case(
        "endless_learning_rate",
        sets("train.learning_rate", float("inf")),
        ("train.learning_rate", "inf", "finite"),
        line="inf",
    ),
    Case(
        "word_for_text",
        text("licence: proprietary", "licence: no"),
        ("sources.tickets.licence", "False", "in quotes"),
        line="licence: no",
    ),
    Case(
        "unknown_word_for_shares",
        sets("arms", {"only": {"shares": "domian"}}),
        ("arms.only.shares", "'domian'", "'domain'"),
        line="domian",
    ),
    Case("version_of_tomorrow", sets("mixwright", 2), ("mixwright", "2"), line="mixwright"),
    Case(
        "path_and_generate",
        sets("sources.tickets.generate", "skills"),
        ("sources.tickets", "either 'path', 'hub', 'catalogue' or 'generate'"),
        line="tickets:",
    ),
    Case("undefined_variable", sets("sources.tickets.path", "${dta}/t.jsonl"), ("'dta'", "variables"), line="${dta}"),
    Case(
        "variable_without_value",
        lambda p: (p.set("variables", {"data": None}), p.set("sources.tickets.path", "${data}/t.jsonl")),
        ("'data'", "no value", "--set data="),
        line="${data}",
    ),
    Case("set_without_equals", lambda p: None, ("--set", "'data'", "name=value"), arguments=("--set", "data")),
    Case("set_unknown_key", lambda p: None, ("--set", "'trian'", "'train'"), arguments=("--set", "trian.seed=1")),
    Case(
        "set_wrong_value",
        lambda p: None,
        ("--set train.seed=one (train.seed)", "whole number"),
        arguments=("--set", "train.seed=one"),
    ),
    Case("set_below_a_value", lambda p: None, ("--set", "name", "not a mapping"), arguments=("--set", "name.x=1")),
    Case("set_empty_part", lambda p: None, ("--set", "'train.=1'", "name=value"), arguments=("--set", "train.=1")),
]

SHARES = [
    Case(
        "shares_do_not_sum_to_one",
        sets("blend.shares.skills", 0.4),
        ("blend.shares", "0.9", "tickets: 5/9"),
        line="shares",
    ),
    Case(
        "negative_share",
        sets("blend.shares.skills", -0.5),
        ("blend.shares.skills", "-0.5", "above 0"),
        line="skills: -0.5",
    ),
    Case(
        "zero_share", sets("blend.shares.skills", 0), ("blend.shares.skills", "Leave the source out"), line="skills: 0"
    ),
    Case(
        "percent_share",
        sets("blend.shares.skills", 50),
        ("blend.shares.skills", "0.25, not 25", "found 50"),
        line="skills: 50",
    ),
    Case(
        "share_that_is_no_number",
        sets("blend.shares.skills", "half"),
        ("blend.shares.skills", "'half'", "1/3"),
        line="half",
    ),
    Case(
        "unknown_source_in_shares",
        sets("blend.shares", {"ticket": 0.5, "skills": 0.5}),
        ("blend.shares.ticket", "'tickets'"),
        line="ticket: 0.5",
    ),
    Case("source_without_share", sets("blend.shares", {"tickets": 1}), ("sources.skills", "share"), line="  skills:"),
    Case(
        "repeats_that_do_not_suffice",
        lambda p: (p.set("sources.skills.max_repeats", 1), p.set("blend.budget", {"domain_epochs": 9})),
        ("sources.skills", "max_repeats", "Lower its share"),
        line="  skills:",
    ),
    Case(
        "batch_of_broken_rows",
        sets("train.batch_tokens", 500),
        ("train.batch_tokens", "500", "Nearest: 512"),
        line="batch_tokens: 500",
    ),
]

FILES = [
    Case(
        "file_missing",
        sets("sources.tickets.path", "ticket.jsonl"),
        ("sources.tickets.path", "ticket.jsonl", "tickets.jsonl"),
        line="path: ticket.jsonl",
    ),
    Case(
        "folder_missing",
        sets("sources.tickets.path", "data/tickets.jsonl"),
        ("data/tickets.jsonl", "folder"),
        line="data/tickets",
    ),
    Case(
        "glob_without_match",
        sets("sources.tickets.path", "*.csv"),
        ("sources.tickets.path", "*.csv", "tickets.jsonl"),
        line="*.csv",
    ),
    Case(
        "folder_of_several_kinds",
        lambda p: (p.write("data/a.jsonl", "{}"), p.write("data/b.csv", ""), p.set("sources.tickets.path", "data")),
        ("data", "several kinds", "data/**/*.jsonl"),
        line="path: data",
    ),
    Case("unknown_suffix", file("tickets.xlsx", "x"), ("tickets.xlsx", ".jsonl"), line="tickets.xlsx"),
    Case(
        "pipe_as_file",
        lambda p: (os.mkfifo(p.folder / "pipe.jsonl"), p.set("sources.tickets.path", "pipe.jsonl")),
        ("pipe.jsonl", "regular file"),
        line="pipe.jsonl",
    ),
    Case(
        "link_to_itself",
        lambda p: ((p.folder / "loop.jsonl").symlink_to("loop.jsonl"), p.set("sources.tickets.path", "loop.jsonl")),
        ("loop.jsonl", "link"),
        line="loop.jsonl",
    ),
    Case("empty_file", file("empty.jsonl", ""), ("sources.tickets", "empty.jsonl", "no rows"), line="tickets:"),
    Case(
        "damaged_gzip",
        file("t.jsonl.gz", gzip.compress(b'{"prompt": "a", "completion": "b"}\n' * 900)[:-20]),
        ("t.jsonl.gz", "gzip", "damaged"),
    ),
    Case("not_gzip_at_all", file("t.jsonl.gz", b'{"prompt": "a", "completion": "b"}\n'), ("t.jsonl.gz", "gzip")),
    Case("damaged_parquet", file("t.parquet", b"PAR1 nothing PAR1"), ("t.parquet", "Parquet")),
    Case("csv_with_semicolons", file("t.csv", "prompt;completion\na;b\n"), ("t.csv:1", "';'", "commas")),
    Case("csv_in_utf16", file("t.csv", "prompt,completion\na,b\n".encode("utf-16")), ("t.csv:1", "UTF-8")),
    Case(
        "json_array",
        file("t.jsonl", '[\n{"prompt": "a", "completion": "b"}\n]\n'),
        ("t.jsonl:1", "one object in each line"),
    ),
    Case(
        "name_too_long",
        sets("sources.tickets.path", "a" * 300 + ".jsonl"),
        ("sources.tickets.path", "there is no file"),
        line="aaa",
    ),
    Case("no_files_named", sets("sources.tickets.path", []), ("sources.tickets.path", "empty"), line="path: []"),
]

ROWS = [
    Case("malformed_json", row(7, '{"prompt": "a", "completion": '), ("tickets.jsonl:7", "JSON", "malformed: drop")),
    Case("nan_in_json", row(7, '{"prompt": "a", "completion": NaN}'), ("tickets.jsonl:7", "NaN")),
    Case("row_not_utf8", row(7, b'{"prompt": "caf\xe9", "completion": "b"}'), ("tickets.jsonl:7", "UTF-8")),
    Case("row_is_a_list", row(7, '["a", "b"]'), ("tickets.jsonl:7", "list")),
    Case("half_a_character", row(7, r'{"prompt": "\ud83d", "completion": "b"}'), ("tickets.jsonl:7", "surrogate")),
    Case("nested_without_end", row(7, "[" * 100_000), ("tickets.jsonl:7", "JSON")),
    Case("endless_number", row(7, '{"prompt": %s, "completion": "b"}' % ("9" * 5000)), ("tickets.jsonl:7", "digit")),
    Case("row_without_column", row(7, '{"prompt": "a", "answer": "b"}'), ("tickets.jsonl:7", "'completion'")),
    Case("null_column", row(7, '{"prompt": "a", "completion": null}'), ("tickets.jsonl:7", "'completion'", "null")),
    Case("csv_with_a_field_too_many", file("t.csv", "prompt,completion\na,b\na,b,c\n"), ("t.csv:3", "3 fields", "2")),
    Case(
        "csv_quote_without_end", file("t.csv", 'prompt,completion\na,b\n"a,b\n'), ("t.csv:3", "CSV", "unexpected end")
    ),
    Case("csv_column_twice", file("t.csv", "prompt,prompt\na,b\n"), ("t.csv:1", "'prompt'", "twice")),
    Case("csv_with_header_only", file("t.csv", "prompt,completion\n"), ("t.csv", "no rows")),
    Case(
        "columns_of_unknown_form",
        file("t.csv", "frage,antwort\na,b\n"),
        ("t.csv", "frage, antwort", "columns: {prompt: frage, completion: antwort}"),
        line="tickets:",
    ),
    Case(
        "column_missing",
        sets("sources.tickets.columns", {"prompt": "promt", "completion": "completion"}),
        ("sources.tickets.columns", "'promt'", "Did you mean 'prompt'?"),
        line="columns:",
    ),
    Case(
        "unknown_part_in_columns",
        sets("sources.tickets.columns", {"prompt": "prompt", "answer": "completion"}),
        ("sources.tickets.columns", "'answer'", "completion"),
        line="columns:",
    ),
    Case(
        "template_with_unknown_column",
        sets("sources.tickets.template", {"user": "{promt}", "assistant": "{completion}"}),
        ("tickets.jsonl:1", "'promt'", "'prompt'"),
    ),
    Case("unknown_group", sets("sources.tickets.group", "customer"), ("tickets.jsonl:1", "'customer'")),
    Case("unknown_role", messages(("user", "a"), ("elf", "b")), ("tickets.jsonl:3", "'elf'", "assistant")),
    Case(
        "two_user_turns",
        messages(("user", "a"), ("user", "b"), ("assistant", "c")),
        ("tickets.jsonl:3", "messages 1 and 2 are both from the user"),
    ),
    Case("no_assistant_turn", messages(("user", "a")), ("tickets.jsonl:3", "assistant")),
    Case("null_content", messages(("user", "a"), ("assistant", None)), ("tickets.jsonl:3", "message 2", "null")),
    Case(
        "content_in_parts",
        messages(("user", [{"type": "image_url", "image_url": {}}]), ("assistant", "b")),
        ("tickets.jsonl:3", "message 1", "image_url", "a text model cannot learn it"),
    ),
    Case("role_that_is_a_list", messages((["user"], "a"), ("assistant", "b")), ("tickets.jsonl:3", "['user']")),
    Case("no_messages", messages(), ("tickets.jsonl:3", "no messages")),
    Case(
        "every_row_malformed",
        lambda p: (p.write("tickets.jsonl", "{\n" * 3), p.set("sources.tickets.malformed", "drop")),
        ("sources.tickets", "tickets.jsonl:1", "malformed"),
        line="tickets:",
    ),
]

CURATION = [
    Case(
        "source_emptied_by_filters",
        sets("curate.filters", {"min_answer_characters": 50}),
        ("sources.tickets", "short_answer 60", "tickets.jsonl:1", "curate.filters"),
        line="tickets:",
    ),
    Case(
        "source_all_held_out",
        lambda p: p.set("sources.tickets.holdout", 0.9999),
        ("sources.tickets", "held out", "holdout"),
        line="tickets:",
    ),
    Case(
        "rows_longer_than_a_row",
        lambda p: (p.set("train.sequence_length", 8), p.set("train.batch_tokens", 64)),
        ("sources.tickets", "longer_than_a_row 60", "more than 8", "train.sequence_length"),
        line="  tickets:",
    ),
    Case(
        "leaking_item",
        lambda p: (
            p.set("curate.decontaminate", "refuse"),
            p.write_line(
                "tickets.jsonl", 9, json.dumps({"prompt": "Hello! " + question(3)["text"], "completion": "cancel"})
            ),
        ),
        ("tickets.jsonl:9", "evaluation item", "all_suites"),
        line="tickets:",
    ),
]

MODEL = [
    Case(
        "unknown_embedded_model",
        sets("base.model", "embedded:nanno"),
        ("base.model", "'embedded:nanno'", "'embedded:nano'"),
        line="nanno",
    ),
    Case(
        "unknown_hub_model",
        sets("base.model", "acme/no-such-model"),
        ("base.model", "'acme/no-such-model'", "hub", "embedded:nano"),
        line="acme",
    ),
    Case("model_folder_missing", sets("base.model", "./modell"), ("base.model", "modell"), line="./modell"),
    Case(
        "model_is_a_file",
        sets("base.model", "./tickets.jsonl"),
        ("base.model", "tickets.jsonl", "folder"),
        line="./tickets.jsonl",
    ),
    Case(
        "folder_without_model",
        lambda p: (p.write("m/a.txt", ""), p.set("base.model", "./m")),
        ("base.model", "config.json"),
        line="./m",
    ),
    Case(
        "model_in_pickle_only",
        model(lambda m: (m / "model.safetensors").rename(m / "pytorch_model.bin")),
        ("base.model", "pytorch_model.bin", "pickle", "safetensors"),
        line="./my-model",
    ),
    Case(
        "model_without_tokenizer",
        model(lambda m: (m / "tokenizer.json").unlink()),
        ("base.model", "tokenizer.json"),
        line="./my-model",
    ),
    Case(
        "model_without_chat_template",
        model(lambda m: (m / "chat_template.jinja").unlink()),
        ("base.model", "chat template", "chat_template.jinja"),
        line="./my-model",
    ),
    Case(
        "no_causal_model",
        model(lambda m: edit_json(m / "config.json", architectures=["BertForMaskedLM"])),
        ("base.model", "BertForMaskedLM", "causal"),
        line="./my-model",
    ),
    Case(
        "config_is_no_json",
        model(lambda m: (m / "config.json").write_text("{")),
        ("base.model", "config.json"),
        line="./my-model",
    ),
    Case(
        "weights_are_a_pointer",
        model(lambda m: (m / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")),
        ("base.model", "model.safetensors", "git lfs pull"),
        line="./my-model",
    ),
    Case(
        "weights_are_cut_off",
        model(lambda m: os.truncate(m / "model.safetensors", 100_000)),
        ("base.model", "model.safetensors"),
        line="./my-model",
    ),
    Case(
        "weights_lack_a_part",
        model(lambda m: (m / "model.safetensors.index.json").write_text('{"weight_map": {"a": "part-2.safetensors"}}')),
        ("base.model", "part-2.safetensors"),
        line="./my-model",
    ),
    Case(
        "tokenizer_is_damaged",
        model(lambda m: (m / "tokenizer.json").write_text("{}")),
        ("my-model", "tokenizer cannot be loaded"),
    ),
    Case(
        "chat_template_is_damaged",
        model(lambda m: (m / "chat_template.jinja").write_text("{% for message in messages %}")),
        ("base.model", "chat template", "endfor"),
        line="./my-model",
    ),
    Case(
        "chat_template_never_closes_an_answer",
        model(
            lambda m: (m / "chat_template.jinja").write_text(
                "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\\n' }}{% endfor %}"
                "{% if add_generation_prompt %}assistant: {% endif %}"
            )
        ),
        ("base.model", "does not close an answer", "special token"),
        line="./my-model",
    ),
    Case(
        "rows_longer_than_the_model_attends_over",
        lambda p: (p.set("train.sequence_length", 2048), p.set("train.batch_tokens", 2048)),
        ("train.sequence_length", "2048", "1024"),
        line="sequence_length:",
    ),
    Case("cuda_is_absent", without_cuda, ("train.device", "CUDA", "cpu"), line="device: cuda"),
]

SUITES = [
    Case(
        "unknown_scorer",
        sets("suites.intents.scorer", "exakt"),
        ("suites.intents.scorer", "'exakt'", "'exact'"),
        line="exakt",
    ),
    Case(
        "unknown_option_of_a_scorer",
        sets("suites.intents.scorer", {"numeric": {"tolerence": 1}}),
        ("suites.intents.scorer", "'tolerence'", "'tolerance'"),
        line="scorer:",
    ),
    Case(
        "tolerance_without_end",
        sets("suites.intents.scorer", {"numeric": {"tolerance": float("inf")}}),
        ("suites.intents.scorer", "tolerance", "inf"),
        line="scorer:",
    ),
    Case(
        "numeric_target_without_a_number",
        sets("suites.intents.scorer", "numeric"),
        ("suites.intents", "'refund'", "no number", "another scorer"),
        line="intents:",
    ),
    Case(
        "json_target_that_is_not_json",
        sets("suites.intents.scorer", {"format": {"json": True}}),
        ("suites.intents", "'refund'", "not JSON"),
        line="intents:",
    ),
    Case(
        "choice_target_that_is_no_option",
        sets("suites.intents.scorer", {"choice": {"options": ["yes", "no"]}}),
        ("suites.intents", "'refund'", "none of 'options'"),
        line="intents:",
    ),
    Case(
        "items_of_one_cluster",
        sets("suites.intents.cluster", "all"),
        ("suites.intents", "intents/intents", "one cluster"),
        line="intents:",
    ),
    Case(
        "likelihood_of_a_text_without_options",
        sets("suites.intents.answer", "likelihood"),
        ("suites.intents.answer", "'choice'", "options: [...]"),
        line="answer:",
    ),
    Case(
        "options_with_one_twice",
        sets("suites.intents.scorer", {"choice": {"options": ["refund", "delivery", "refund"]}}),
        ("suites.intents.scorer", "'refund'", "twice"),
        line="scorer:",
    ),
    Case(
        "options_of_a_row_with_one_twice",
        sets("suites.intents.scorer", {"choice": {"options": ["cancel", "{is}"]}}),
        ("questions.jsonl:5", "'cancel'", "twice", "suites.intents"),
    ),
    Case(
        "scorer_with_two_names",
        sets("suites.intents.scorer", {"exact": {}, "numeric": {}}),
        ("suites.intents.scorer",),
        line="scorer:",
    ),
    Case(
        "suite_without_target",
        lambda p: p.remove("suites.intents.target"),
        ("suites.intents.target", "needs 'target'"),
        line="intents:",
    ),
    Case(
        "suite_row_without_column",
        lambda p: p.write_line("questions.jsonl", 4, '{"text": "What is it?"}'),
        ("questions.jsonl:4", "'is'", "suites.intents"),
    ),
    Case(
        "malformed_suite_row",
        lambda p: p.write_line("questions.jsonl", 4, "{"),
        ("questions.jsonl:4", "JSON", "suites.intents"),
    ),
    Case(
        "suite_without_rows", lambda p: p.write("questions.jsonl", ""), ("suites.intents", "no items"), line="intents:"
    ),
    Case(
        "suite_of_unknown_source",
        sets("suites.held", {"role": "domain", "source": "ticket", "scorer": "exact"}),
        ("suites.held.source", "'tickets'"),
        line="source: ticket",
    ),
    Case(
        "suite_of_nothing_held_out",
        sets("suites.held", {"role": "domain", "source": "tickets", "scorer": "exact"}),
        ("suites.held.source", "sources.tickets.holdout"),
        line="source: tickets",
    ),
    Case(
        "unknown_generator",
        sets("sources.skills.generate", "skils"),
        ("sources.skills.generate", "'skils'", "skills"),
        line="skils",
    ),
    Case(
        "unknown_ability",
        sets("suites.skills.abilities", ["sortin"]),
        ("suites.skills.abilities", "'sortin'", "'sorting'"),
        line="abilities",
    ),
]

CONTRACT = [
    Case(
        "contract_on_unknown_suite",
        sets("contract.improve", {"intent": 0.1}),
        ("contract.improve.intent", "'intents'"),
        line="intent: 0.1",
    ),
    Case(
        "contract_on_unknown_ability",
        sets("contract.improve", {"skills/sortin": 0.1}),
        ("contract.improve.skills/sortin", "'sorting'"),
        line="skills/sortin",
    ),
    Case(
        "contract_on_unknown_metric",
        sets("contract.improve", {"intents.accuracy": 0.1}),
        ("'accuracy'", "score"),
        line="intents.accuracy",
    ),
    Case(
        "contract_on_ability_of_all",
        sets("contract.keep", {"general/sorting": 0.1}),
        ("general/sorting", "'<suite>/sorting'"),
        line="general/sorting",
    ),
    Case("contract_that_asks_nothing", sets("contract", {}), ("contract", "nothing", "'improve'"), line="contract"),
    Case(
        "margin_of_zero",
        sets("contract.keep.general", 0),
        ("contract.keep.general", "No test can certify a margin of 0"),
        line="general: 0",
    ),
    Case(
        "margin_above_one",
        sets("contract.keep.general", 2),
        ("contract.keep.general", "between 0 and 1"),
        line="general: 2",
    ),
    Case(
        "gain_in_points",
        sets("contract.improve.intents", 5),
        ("contract.improve.intents", "between 0 and 1"),
        line="intents: 5",
    ),
    Case(
        "confidence_in_percent", sets("contract.confidence", 95), ("contract.confidence", "95", "1"), line="confidence"
    ),
]

ARMS = [
    Case(
        "arm_trained_and_interpolated",
        back(shares="domain"),
        ("arms.back", "trained or interpolated", "either 'shares' or 'interpolate'"),
        line="back:",
    ),
    Case(
        "interpolation_of_an_unknown_arm",
        back(interpolate="blendd"),
        ("arms.back.interpolate", "'blendd'", "'blend'"),
        line="blendd",
    ),
    Case(
        "interpolation_of_an_interpolation",
        lambda p: (back()(p), p.set("arms.further", {"interpolate": "back", "weights": [0.5]})),
        ("arms.further.interpolate", "no trained arm is called 'back'"),
        line="interpolate: back",
    ),
    Case("interpolation_without_weights", back(weights=[]), ("arms.back.weights", "weights: [0.5]"), line="weights:"),
    Case(
        "weights_without_a_search",
        back(weights=[0.5, 0.75]),
        ("arms.back.weights", "no 'tune'", "tune: {}", "one weight"),
        line="weights:",
    ),
    Case("weight_above_one", back(weights=[2]), ("arms.back.weights", "2", "1"), line="- 2"),
    Case(
        "interpolation_by_a_method",
        back(method="lora"),
        ("arms.back.method", "trained arms only", "Leave it out"),
        line="method:",
    ),
    Case(
        "weights_of_a_trained_arm",
        sets("arms.only", {"shares": "domain", "weights": [0.5]}),
        ("arms.only.weights", "interpolated arms only", "interpolate: <arm>"),
        line="weights:",
    ),
    Case(
        "search_without_a_contract",
        lambda p: (p.set("tune.learning_rates", [1e-3, 2e-3]), p.remove("contract")),
        ("tune", "no contract to choose by", "Add a contract"),
        line="tune:",
    ),
    Case("search_among_nothing", sets("tune", {}), ("tune", "nothing to choose from", "learning_rates"), line="tune:"),
    Case(
        "rate_twice",
        sets("tune.learning_rates", [1e-3, 0.001]),
        ("tune.learning_rates", "twice"),
        line="learning_rates:",
    ),
    Case(
        "search_on_everything",
        sets("tune", {"learning_rates": [1e-3, 2e-3], "search_share": 1}),
        ("tune.search_share", "1"),
        line="search_share:",
    ),
    Case(
        "search_on_an_ability_of_one_cluster",
        lambda p: (p.set("tune.learning_rates", [1e-3, 2e-3]), p.set("suites.intents.cluster", "all")),
        ("suites.intents", "intents/intents", "more clusters", "tune.search_share"),
        line="intents:",
    ),
]

OWN_REPLAY = [
    Case(
        "own_replay_without_records",
        sets("sources.skills", {"role": "general", "generate": "self"}),
        ("sources.skills.records", "needs 'records'"),
        line="skills:",
    ),
    Case(
        "own_replay_of_abilities",
        sets("sources.skills", {"role": "general", "generate": "self", "records": 9, "abilities": ["facts"]}),
        ("sources.skills.abilities", "writes what it likes", "Leave it out"),
        line="abilities:",
    ),
    Case(
        "temperature_of_a_generator",
        sets("sources.skills.replay", {"temperature": 1}),
        ("sources.skills.replay", "'generate: self' only"),
        line="replay:",
    ),
    Case(
        "suite_from_the_model_itself",
        sets("suites.skills.generate", "self"),
        ("suites.skills.generate", "'self'", "skills"),
        line="generate: self",
    ),
    Case(
        "own_replay_of_documents_in_turns",
        sets(
            "sources.skills",
            {"role": "general", "generate": "self", "records": 9, "replay": {"opening": "start", "turns": 2}},
        ),
        ("sources.skills.replay.turns", "documents have no turns", "Leave it out"),
        line="turns:",
    ),
    Case(
        "own_replay_in_a_language_that_cannot_be_told",
        sets(
            "sources.skills",
            {"role": "general", "generate": "self", "records": 9, "replay": {"languages": ["english"]}},
        ),
        ("sources.skills.replay.languages", "'english' cannot be told", "ISO 639-1"),
        line="languages:",
    ),
    Case(
        "a_term_that_keeps_no_token",
        sets("sources.skills.kl", {"top_k": 0}),
        ("sources.skills.kl.top_k", "0"),
        line="top_k:",
    ),
    Case(
        "a_term_of_more_than_the_loss",
        sets("sources.skills.kl", {"weight": 1.5}),
        ("sources.skills.kl.weight", "1.5"),
        line="weight:",
    ),
    Case(
        "own_replay_from_a_template_of_words",
        lambda p: (
            model(
                lambda m: (m / "chat_template.jinja").write_text(
                    "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\\n' }}"
                    "{{ '<|end|>' if message['role'] == 'assistant' }}{% endfor %}"
                    "{% if add_generation_prompt %}assistant: {% endif %}"
                )
            )(p),
            p.set("sources.skills", {"role": "general", "generate": "self", "records": 9}),
        ),
        ("base.model", "where a user's turn ends", "curated replay"),
        line="./my-model",
    ),
]

ARGUMENTS = [
    Case("output_is_a_file", lambda p: setattr(p, "out", p.write("out", "")), ("out", "--out", "Not a directory")),
    Case("output_below_a_file", lambda p: setattr(p, "out", p.write("out", "") / "runs"), ("out/runs", "--out")),
    Case("output_is_read_only", read_only_output, ("/sys/mixwright", "--out", "writable")),
    Case("no_threads", lambda p: None, ("--threads", "1"), arguments=("--threads", "0")),
    Case("unknown_option", lambda p: None, ("--thread", "--threads"), arguments=("--thread", "1")),
]

CASES = [
    *RECIPE_FILE,
    *KEYS,
    *SHARES,
    *FILES,
    *ROWS,
    *CURATION,
    *MODEL,
    *SUITES,
    *CONTRACT,
    *ARMS,
    *OWN_REPLAY,
    *ARGUMENTS,
]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def plant(case: Case, project: Project) -> list[str]:
    """Break the project and return the command line that must be refused."""
    case.breaks(project)
    if not project.file.exists() and case.name != "recipe_missing":
        project.write_recipe()
    return ["run", str(project.file), "--out", str(project.out), "--threads", "1", *case.arguments]


def assert_refused(case: Case, project: Project, errors: str) -> None:
    """One message that names the fault, its place and the way out; no training was begun."""
    assert "Traceback" not in errors
    assert errors.count("error:") == 1
    message = errors[errors.index("error:") :]
    missing = [words for words in case.says if words not in message]
    if case.line and f"{project.file}:{project.line_of(case.line)}" not in message and "--set" not in message:
        missing.append(f"{project.file.name}:{project.line_of(case.line)}")
    assert not missing, f"the message lacks {missing}:\n{message}"
    assert not project.trained


def test_the_project_is_good_until_a_fault_is_planted(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write_recipe()
    with pytest.raises(SystemExit) as stop:
        main(["plan", str(project.file), "--out", str(project.out), "--threads", "1"])
    assert stop.value.code == 0, capsys.readouterr().err


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_broken_input_is_refused_with_one_message(
    case: Case, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([*plant(case, project), "--json"])
    result = capsys.readouterr()
    assert stop.value.code == 2
    assert_refused(case, project, result.err)
    answer = json.loads(result.out)
    assert answer.keys() == {"error", "where", "fix", "exit_code"}
    assert answer["exit_code"] == 2
    assert answer["error"] in result.err
    assert answer["where"] in result.err
    assert answer["fix"] in result.err


BY_NAME = {case.name: case for case in CASES}
OUTSIDE = ("unknown_nested_key", "malformed_json", "leaking_item", "output_below_a_file", "no_threads")


@pytest.mark.parametrize("name", OUTSIDE)
def test_the_installed_command_exits_with_2_and_no_traceback(name: str, project: Project) -> None:
    command = [sys.executable, "-c", "from mixwright.cli.main import main; main()", *plant(BY_NAME[name], project)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 2
    assert result.stdout == ""
    assert_refused(BY_NAME[name], project, result.stderr)


def test_every_case_has_its_own_name() -> None:
    assert len(BY_NAME) == len(CASES)


def test_a_defect_of_ours_never_exits_like_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert _guarded(lambda: 1 // 0, as_json=False) == 4
    assert "ZeroDivisionError" in capsys.readouterr().err


STRANGE_BUT_GOOD: dict[str, Callable[[Project], Any]] = {
    "recipe_with_bom": lambda p: p.write_recipe() or p.file.write_bytes(b"\xef\xbb\xbf" + p.file.read_bytes()),
    "recipe_with_crlf": lambda p: p.write_recipe() or p.file.write_bytes(p.file.read_bytes().replace(b"\n", b"\r\n")),
    "recipe_with_alias": text("licence: proprietary", "licence: &mine proprietary\n    skill: *mine"),
    "rows_with_bom_and_crlf": lambda p: p.write(
        "tickets.jsonl", b"\xef\xbb\xbf" + (p.folder / "tickets.jsonl").read_bytes().replace(b"\n", b"\r\n")
    ),
    "emoji_and_right_to_left": row(
        3, '{"prompt": "\U0001f469\u200d\U0001f467 \u05e9\u05dc\u05d5\u05dd \u202e", "completion": "ok"}'
    ),
    "escaped_emoji": row(3, r'{"prompt": "\ud83d\ude42", "completion": "ok"}'),
    "line_of_megabytes": row(3, json.dumps({"prompt": "x " * 1_000_000, "completion": "ok"})),
    "empty_lines": row(3, "   "),
}


@pytest.mark.parametrize("name", STRANGE_BUT_GOOD)
def test_a_strange_but_good_input_is_accepted(name: str, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    STRANGE_BUT_GOOD[name](project)
    if not project.file.exists():
        project.write_recipe()
    with pytest.raises(SystemExit) as stop:
        main(["curate", str(project.file), "--out", str(project.out), "--threads", "1"])
    assert stop.value.code == 0, capsys.readouterr().err
