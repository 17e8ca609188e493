"""Curation: nothing is lost silently, every duplicate and leak has a name, and the workers change nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixwright.curation.curate import curate
from mixwright.ground.artefacts import read_json, write_json
from mixwright.ground.errors import InputError
from mixwright.ground.executor import Executor, InProcess, LocalProcesses
from mixwright.ground.hashing import file_digest
from mixwright.items.suite import Item, write_suite
from mixwright.recipe.data import Curate
from mixwright.sources.forms.reading import Sample
from mixwright.sources.intake.records import (
    Dropped,
    Record,
    RecordWriter,
    conversation_record,
    read_records,
    sample_record,
)

QUESTION = "Which of the branches near the station opens first on a public holiday"


class Corpus:
    """What curation wrote, read back."""

    def __init__(self, out: Path) -> None:
        self.attrition: dict[str, Any] = read_json(out / "attrition.json")["sources"]
        self.kept = {name: list(read_records(out / f"{name}.parquet")) for name in self.attrition}
        self.dropped: list[dict[str, str]] = pq.read_table(out / "dropped.parquet").to_pylist()

    def origins(self, source: str) -> list[str]:
        return [record.origin for record in self.kept[source]]

    def why(self, source: str) -> dict[str, str]:
        return {row["origin"]: row["rule"] for row in self.dropped if row["source"] == source}


def record(source: str, number: int, prompt: str, answer: str = "An answer", split: str = "train") -> Record:
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    origin = f"{source}.jsonl:{number}"
    return conversation_record(messages, source=source, origin=origin, licence="CC0-1.0", group=None, split=split)


def curated(
    folder: Path,
    sources: Mapping[str, Sequence[Record]],
    *,
    suites: Sequence[Path] = (),
    executor: Executor | None = None,
    malformed: int = 0,
    **asked: Any,
) -> Corpus:
    """sources: in the order in which curation is to see them. malformed: rows that reading dropped in each."""
    out = folder / "corpus"
    out.mkdir(parents=True)
    folders = {}
    for name, records in sources.items():
        folders[name] = folder / name
        folders[name].mkdir()
        with RecordWriter(folders[name] / "records.parquet", Record) as writer:
            for entry in records:
                writer.write(entry)
        counts = {
            "rows_in": len(records) + malformed,
            "rows_kept": len(records),
            "rows_dropped": malformed,
            "dropped": {"malformed": malformed} if malformed else {},
            "rows_heldout": sum(entry.split == "heldout" for entry in records),
        }
        write_json(folders[name] / "counts.json", counts)
    curate(folders, suites, Curate.model_validate(asked), executor or InProcess(), out)
    return Corpus(out)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "suite"
    folder.mkdir()
    prompt = ({"role": "user", "content": QUESTION},)
    item = Item("desk", "hours", "1", prompt, "Main Street", "exact", {}, 8)
    write_suite(folder, "desk", {"role": "domain"}, [item])
    return folder


def test_of_equal_rows_the_first_is_kept_and_the_others_name_it(tmp_path: Path) -> None:
    rows = [record("desk", 1, "Hello"), record("desk", 2, "Good day"), record("desk", 3, "Hello")]
    corpus = curated(tmp_path, {"desk": rows})
    assert corpus.origins("desk") == ["desk.jsonl:1", "desk.jsonl:2"]
    assert corpus.why("desk") == {"desk.jsonl:3": "duplicate"}
    assert "desk.jsonl:1" in corpus.dropped[0]["evidence"]


def test_of_equal_rows_in_two_sources_the_domain_keeps_its_own(tmp_path: Path) -> None:
    sources = {
        "desk": [record("desk", 1, "Hello"), record("desk", 2, "Only here")],
        "chat": [record("chat", 1, "Hello"), record("chat", 2, "Only there")],
    }
    corpus = curated(tmp_path, sources)
    assert corpus.origins("desk") == ["desk.jsonl:1", "desk.jsonl:2"]
    assert corpus.why("chat") == {"chat.jsonl:1": "duplicate"}


def test_blanks_at_the_ends_do_not_make_a_row_another_but_those_inside_do(tmp_path: Path) -> None:
    rows = [record("desk", 1, "if x:\n    y"), record("desk", 2, " if x:\n    y\n"), record("desk", 3, "if x:\n  y")]
    assert curated(tmp_path, {"desk": rows}).origins("desk") == ["desk.jsonl:1", "desk.jsonl:3"]


def test_rows_that_differ_in_reasoning_calls_or_tools_alone_are_no_duplicates(tmp_path: Path) -> None:
    def row(number: int, tools: str = "", **beside: Any) -> Record:
        messages = [{"role": "user", "content": "17 + 25?"}, {"role": "assistant", "content": "42", **beside}]
        about = {"source": "desk", "origin": f"desk.jsonl:{number}", "licence": "CC0-1.0", "split": "train"}
        return sample_record(Sample(messages, tools), group=None, **about)

    def call(city: str) -> list[dict[str, Any]]:
        return [{"type": "function", "function": {"name": "weather", "arguments": {"city": city}}}]

    different = [
        row(1),
        row(2, reasoning_content="10 + 20, then 7 + 5"),
        row(3, reasoning_content="17 + 20, then 5"),
        row(4, tool_calls=call("Rome")),
        row(5, tool_calls=call("Oslo")),
        row(6, tools='[{"name": "add"}]'),
        row(7, tools='[{"name": "sum"}]'),
    ]
    again = [entry._replace(origin=entry.origin.replace(":", ":1")) for entry in different]
    corpus = curated(tmp_path, {"desk": [*different, *again]})
    assert corpus.origins("desk") == [entry.origin for entry in different]
    assert corpus.why("desk") == {entry.origin: "duplicate" for entry in again}


def test_duplicates_stay_when_the_recipe_keeps_them(tmp_path: Path) -> None:
    rows = [record("desk", 1, "Hello"), record("desk", 2, "Hello")]
    assert len(curated(tmp_path, {"desk": rows}, dedup={"exact": False}).origins("desk")) == 2


def test_a_row_that_a_filter_drops_does_not_shadow_its_twin(tmp_path: Path) -> None:
    rows = [record("desk", 1, "", "x"), record("desk", 2, "", "x"), record("desk", 3, "Hello")]
    assert set(curated(tmp_path, {"desk": rows}).why("desk").values()) == {"empty_turn"}


def test_a_row_that_holds_an_item_is_dropped_and_names_it(tmp_path: Path, suite: Path) -> None:
    rows = [
        record("desk", 1, QUESTION.upper()),
        record("desk", 2, f"Hi, {QUESTION}? Thanks"),
        record("desk", 3, QUESTION.rsplit(" ", 1)[0]),
        record("desk", 4, "Something else"),
    ]
    corpus = curated(tmp_path, {"desk": rows}, suites=[suite])
    assert corpus.why("desk") == {"desk.jsonl:1": "leak", "desk.jsonl:2": "leak"}
    item_id = next(iter(read_json(suite / "protected.json").values()))[0][2]
    assert {row["evidence"] for row in corpus.dropped} == {item_id}


def test_a_leak_stops_the_run_when_the_recipe_refuses_it(tmp_path: Path, suite: Path) -> None:
    with pytest.raises(InputError, match=r"desk\.jsonl:1"):
        curated(tmp_path, {"desk": [record("desk", 1, QUESTION)]}, suites=[suite], decontaminate="refuse")


def test_held_out_rows_are_counted_and_no_part_of_the_corpus(tmp_path: Path, suite: Path) -> None:
    rows = [record("desk", 1, "Hello"), record("desk", 2, QUESTION, split="heldout")]
    corpus = curated(tmp_path, {"desk": rows}, suites=[suite])
    assert corpus.origins("desk") == ["desk.jsonl:1"]
    assert corpus.dropped == []
    assert corpus.attrition["desk"]["rows_heldout"] == 1


def test_a_dropped_row_keeps_its_text(tmp_path: Path) -> None:
    rows = [record("desk", 1, "Hello", "Long enough"), record("desk", 2, "Hello", "no")]
    corpus = curated(tmp_path, {"desk": rows}, filters={"min_answer_characters": 5})
    assert set(corpus.dropped[0]) == set(Dropped._fields)
    assert '"no"' in corpus.dropped[0]["text"]
    assert "2 characters" in corpus.dropped[0]["reason"]


def test_a_source_of_which_nothing_is_left_is_refused_with_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty_turn 1") as caught:
        curated(tmp_path, {"desk": [record("desk", 1, "")]})
    assert caught.value.where == "sources.desk"


def test_two_processes_write_the_corpus_of_one(tmp_path: Path, suite: Path) -> None:
    sources = {
        "desk": [record("desk", 0, ""), *(record("desk", n, f"Question {n % 4100}") for n in range(1, 4500))],
        "chat": [record("chat", n, f"Question {n + 4000}") for n in range(500)],
    }
    for folder, executor in (("one", InProcess()), ("two", LocalProcesses(2))):
        curated(tmp_path / folder, sources, suites=[suite], executor=executor)
    for name in ("desk.parquet", "dropped.parquet", "attrition.json"):
        one, two = (tmp_path / folder / "corpus" / name for folder in ("one", "two"))
        assert file_digest(one) == file_digest(two)


rows_of_any_fate = st.lists(
    st.tuples(
        st.sampled_from(["Hello", "Good day", "", QUESTION, "Hi there"]),
        st.sampled_from(["An answer", "Another", "", "\ufffd\ufffd"]),
        st.sampled_from(["train", "train", "heldout"]),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=40)
@given(rows_of_any_fate, rows_of_any_fate, st.integers(0, 3))
def test_every_row_that_came_in_is_kept_held_out_or_dropped_with_a_rule(
    tmp_path_factory: pytest.TempPathFactory,
    desk: list[tuple[str, str, str]],
    chat: list[tuple[str, str, str]],
    bad: int,
) -> None:
    folder = tmp_path_factory.mktemp("curate")
    suite = folder / "suite"
    suite.mkdir()
    prompt = ({"role": "user", "content": QUESTION},)
    write_suite(suite, "desk", {}, [Item("desk", "hours", "1", prompt, "x", "exact", {}, 8)])
    sources = {
        name: [
            record(name, 0, f"A row of {name} that stays"),
            *(record(name, number, *row) for number, row in enumerate(rows, 1)),
        ]
        for name, rows in (("desk", desk), ("chat", chat))
    }
    corpus = curated(folder, sources, suites=[suite], malformed=bad)
    for name, rows in sources.items():
        balance = corpus.attrition[name]
        assert balance["rows_in"] == len(rows) + bad
        assert balance["rows_in"] == balance["rows_kept"] + balance["rows_heldout"] + sum(balance["dropped"].values())
        assert balance["rows_kept"] == len(corpus.kept[name])
        assert balance["dropped"] == ({"malformed": bad} if bad else {}) | Counter(corpus.why(name).values())
        train = {entry.origin for entry in rows if entry.split == "train"}
        assert {*corpus.origins(name), *corpus.why(name)} == train
