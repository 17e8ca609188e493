"""The catalogue: what is in it, what a name stands for, and what a recipe has to allow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from mixwright.ground.errors import InputError
from mixwright.pipeline.explicit import explicit
from mixwright.recipe.data import Source
from mixwright.recipe.schema import Recipe
from mixwright.sources.catalogue import BALANCED, Entry, entries, named, skills, sources_named
from mixwright.sources.forms.reading import Sample, row_reader
from mixwright.sources.forms.turns import text_of
from mixwright.sources.imports.nova import COUNTERPARTS, entry_of, source_keys
from mixwright.sources.rows.formats.row import LEFT_OUT
from mixwright.sources.rows.readers import read_rows


def recipe(**sources: object) -> Recipe:
    about = {"mail": {"role": "domain", "path": "x.jsonl"}, **sources}
    shares = {name: f"1/{len(about)}" for name in about}
    blend = {"shares": shares, "budget": {"tokens": 10_000}}
    plain = {"mixwright": 1, "name": "x", "base": {"model": "embedded:nano"}, "sources": about, "blend": blend}
    return Recipe.model_validate(plain)


READABLE = [entry for entry in entries() if entry.readable]


def name_of(entry: Entry) -> str:
    return f"{entry.id}/{entry.config}/{entry.splits[0]}/{entry.skill}"


@pytest.mark.parametrize("entry", READABLE, ids=name_of)
def test_what_can_be_read_is_a_source(entry: Entry) -> None:
    source = Source.model_validate({**entry.source(), "allow": [] if entry.terms == "commercial" else [entry.terms]})
    assert source.hub == entry.id
    assert entry.licence
    assert entry.splits


def test_a_name_stands_only_for_what_was_read_to_be_free_for_commercial_use() -> None:
    for word in (BALANCED, *skills()):
        try:
            found = named(word, "x")
        except InputError:
            continue
        assert found
        assert all(entry.terms == "commercial" and entry.verified and entry.readable for entry in found)
    assert len({entry.skill for entry in named(BALANCED, "x")}) >= 12


def test_what_a_name_stands_for_has_the_whole_share_evenly_by_skill() -> None:
    found = sources_named("general", Source.model_validate({"role": "general", "catalogue": BALANCED}))
    assert sum(Fraction(1, parts) for _, parts in found.values()) == 1
    with pytest.raises(InputError, match="no 'mth'"):
        named("mth", "sources.general.catalogue")


def test_the_lock_has_the_explicit_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for entry in named("math", "x"):
        snapshot = tmp_path / f"datasets--{entry.id.replace('/', '--')}" / "snapshots" / ("c" * 40)
        snapshot.mkdir(parents=True, exist_ok=True)
        (snapshot.parents[1] / "refs").mkdir(exist_ok=True)
        (snapshot.parents[1] / "refs" / (entry.revision or "main")).write_text("c" * 40)
        (snapshot / "train.jsonl").write_text(json.dumps({"messages": []}))
    found = explicit(recipe(maths="math"))
    assert set(found.sources) - {"mail"} == {name for name in found.sources if name.startswith("maths-math")}
    assert sum(found.blend.shares.values()) == 1
    assert all(source.revision == "c" * 40 for name, source in found.sources.items() if name != "mail")


@pytest.mark.parametrize("allowed", [False, True])
def test_terms_have_to_be_allowed(allowed: bool) -> None:
    source = {"role": "general", "hub": "HuggingFaceH4/no_robots", "allow": ["non_commercial"] if allowed else []}
    with pytest.raises(InputError) as caught:
        explicit(recipe(chat=source))
    assert ("cc-by-nc-4.0" in str(caught.value)) != allowed  # allowed, it goes on to look for the data set
    assert ("not in the local cache" in str(caught.value)) == allowed


def test_every_category_of_nova_has_a_counterpart_that_may_be_taken() -> None:
    assert len(COUNTERPARTS) == 23
    for category, counterpart in COUNTERPARTS.items():
        if counterpart.id:
            assert entry_of(counterpart).may_be_taken, category


# What follows are rows made in the shapes that the catalogue's `columns` tell; nothing of them is of those data sets.

TURNS = [("user", "Which?"), ("assistant", "This one.")]
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
QUESTION = {"context": {"title": ["A", "B"], "sentences": [["A is.", " It was."], ["B."]]}, "question": "Which?"}
SHAPES: dict[str, dict[str, Any]] = {  # what a cell of `columns` does not tell
    "hotpotqa/hotpot_qa": {**QUESTION, "supporting_facts": {"title": ["A"], "sent_id": [1]}, "answer": "A"},
    "google-research-datasets/natural_questions": {
        "document": {"html": "<p>", "title": "A", "tokens": {"token": ["a"], "is_html": [False]}, "url": "u"},
        "question": {"text": "which?", "tokens": ["which", "?"]},
        "annotations": {
            "id": ["1"],
            "long_answer": [{"start_token": 0}],
            "short_answers": [{"start_token": [0], "text": ["A"]}],
            "yes_no_answer": [-1],
        },
    },
    "rajpurkar/squad_v2": {"answers": {"text": ["A"], "answer_start": [0]}},
    "nvidia/HelpSteer3": {
        "context": [{"role": role, "content": text} for role, text in (*TURNS, ("user", "And?"))],
        "individual_preference": [{"score": 1, "reasoning": "so"}],
    },
    "facebook/natural_reasoning": {"responses": [{"response_model": "m", "response": "This one."}]},
    "mandarjoshi/trivia_qa": {"answer": {"value": "A", "aliases": ["a"]}},
    "Helsinki-NLP/opus-100": {"translation": {"de": "Wer?", "en": "Who?"}},
    "nvidia/Llama-Nemotron-Post-Training-Dataset": {"input": [{"role": "user", "content": "Which?"}]},
    "allenai/tulu-3-pref-personas-instruction-following": {"prompt": "Which?"},
    "Salesforce/xlam-function-calling-60k": {"tools": json.dumps([{"name": "look", "parameters": {}}])},
}


def made_row(entry: Entry) -> dict[str, Any]:
    """A row in the shape that the entry tells, which its conditions do not leave out."""
    row: dict[str, Any] = {}
    for cell in re.split(r";\s*(?![^\[]*\])", entry.columns):
        if name := re.match(r"[A-Za-z_][\w-]*", cell.strip()):
            row[name.group()] = made_value(name.group(), cell)
    row |= SHAPES.get(entry.id, {})
    for path, asked in (entry.source().get("where") or {}).items():
        row[path] = fitting(asked)
    return row


def made_value(name: str, cell: str) -> Any:
    inner = re.search(r"\[(.*)\]", cell)
    value: Any = f"the {name}"
    if name in ("chosen", "rejected") and inner:
        value = [{"role": role, "content": text} for role, text in (TURNS[0], ("assistant", f"{name}."))]
    elif name.startswith("conversation") and "from" in (inner.group(1) if inner else "from"):
        value = [{"from": {"user": "human", "assistant": "gpt"}[role], "value": text} for role, text in TURNS]
    elif name in ("messages", "conversation"):
        value = [{"role": role, "content": text} for role, text in TURNS]
    elif "tools" in name and name != "target_tools":
        value = TOOLS
    elif inner:
        value = {key: f"the {key}" for key in re.findall(r"\w+", inner.group(1))}
    return json.dumps(value) if "(str)" in cell and not isinstance(value, str) else value


def fitting(asked: Any) -> Any:
    if isinstance(asked, dict):
        return "something else" if "not" in asked else asked.get("min", asked.get("max"))
    return asked[0] if isinstance(asked, list) else asked


def unfitting(asked: Any) -> Any:
    if isinstance(asked, dict) and "not" in asked:
        return asked["not"][0] if isinstance(asked["not"], list) else asked["not"]
    if isinstance(asked, dict):
        return asked["min"] - 1 if "min" in asked else asked["max"] + 1
    return not asked if isinstance(asked, bool) else 7 if isinstance(asked, int) else "something else"


def messages_of_a_tree(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows of OpenAssistant's shape: a question, two answers of which the second is better, and thanks."""
    place = [("m0", None, None, "prompter"), ("m1", "m0", 1, "assistant"), ("m2", "m0", 0, "assistant")]
    for name, parent, rank, role in (*place, ("m3", "m2", None, "prompter")):
        about = {"message_id": name, "parent_id": parent, "rank": rank, "role": role, "text": f"text of {name}"}
        yield {**row, **about, "message_tree_id": "m0"}


def rows_of_shape(entry: Entry) -> list[dict[str, Any]]:
    row = made_row(entry)
    return [*messages_of_a_tree(row)] if "threads" in entry.source() else [row]


def as_jsonl(rows: list[dict[str, Any]], folder: Path) -> Path:
    (folder / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "x.jsonl"


def as_parquet(rows: list[dict[str, Any]], folder: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), folder / "x.parquet")
    return folder / "x.parquet"


def samples(keys: dict[str, Any], file: Path) -> list[Sample]:
    of_hub = ("hub", "revision", "config", "split")
    source = Source.model_validate({**{k: v for k, v in keys.items() if k not in of_hub}, "path": str(file)})
    rows = list(read_rows(file, source))
    assert [row.fault for row in rows if row.rule != LEFT_OUT] == [None] * sum(row.rule != LEFT_OUT for row in rows)
    values = [row.value for row in rows if row.value is not None]
    return [row_reader(source, values[0]).read(value) for value in values] if values else []


@pytest.mark.parametrize("write", [as_jsonl, as_parquet])
@pytest.mark.parametrize("entry", READABLE, ids=name_of)
def test_a_row_of_the_shape_that_an_entry_tells_is_read_as_it_says(
    tmp_path: Path, entry: Entry, write: Callable[[list[dict[str, Any]], Path], Path]
) -> None:
    (sample,) = samples(entry.source(), write(rows_of_shape(entry), tmp_path))
    if "format: text" in entry.reads:
        assert sample.text == "the text"
        return
    assert [message["role"] for message in sample.messages][-2:] == ["user", "assistant"]
    assert all(message["content"] for message in sample.messages)
    assert bool(sample.rejected) == ("rejected" in str(entry.source().get("columns")) or "rejected" in entry.columns)


@pytest.mark.parametrize("entry", [e for e in READABLE if "where" in e.source()], ids=name_of)
def test_a_row_that_the_conditions_of_an_entry_leave_out_is_left_out(tmp_path: Path, entry: Entry) -> None:
    for path, asked in entry.source()["where"].items():
        rows = [{**row, path: unfitting(asked)} for row in rows_of_shape(entry)]
        assert samples(entry.source(), as_jsonl(rows, tmp_path)) == []


def test_what_is_learnt_of_the_sets_that_need_more_than_columns(tmp_path: Path) -> None:
    def said(id: str) -> list[str]:
        entry = next(entry for entry in READABLE if entry.id == id)
        (sample,) = samples(entry.source(), as_parquet(rows_of_shape(entry), tmp_path))
        return [message["content"] for message in sample.messages]

    assert said("OpenAssistant/oasst2") == ["text of m0", "text of m2"]
    assert said("hotpotqa/hotpot_qa") == ["A is. It was.\nB.\n\nWhich?", "A"]
    assert said("google-research-datasets/natural_questions") == ["which?", "A"]
    assert said("nvidia/HelpSteer3") == ["Which?", "This one.", "And?", "the response1"]


@pytest.mark.parametrize("id", ["nvidia/HelpSteer3", "PKU-Alignment/PKU-SafeRLHF"])
def test_of_a_pair_judged_by_a_number_both_halves_can_be_read(tmp_path: Path, id: str) -> None:
    halves = [entry for entry in READABLE if entry.id == id]
    read = [samples(entry.source(), as_jsonl(rows_of_shape(entry), tmp_path))[0] for entry in halves]
    one, other = [(text_of([sample.messages[-1]]), sample.rejected) for sample in read]
    assert one == (other[1], other[0])


@pytest.mark.parametrize("category", [name for name, counterpart in COUNTERPARTS.items() if counterpart.id])
def test_the_counterpart_of_a_category_of_nova_reads_rows_of_its_shape(tmp_path: Path, category: str) -> None:
    counterpart = COUNTERPARTS[category]
    keys = source_keys(counterpart)
    asked = {path: fitting(asked) for path, asked in keys.get("where", {}).items()}
    rows = [{**row, **asked} for row in rows_of_shape(entry_of(counterpart))]
    (sample,) = samples(keys, as_jsonl(rows, tmp_path))
    assert sample.messages[-1]["role"] == "assistant"
    assert ("<think>" in sample.messages[-1]["content"]) == (category in ("reasoning-factuality", "reasoning-rag"))


GUIDE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_the_sources_that_the_guide_shows_are_sources(block: str) -> None:
    shown = yaml.safe_load(block)
    for about in shown.get("sources", shown).values():
        Source.model_validate(about)
