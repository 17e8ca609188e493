"""One source read: every row is a record or a dropped row, and the held-out part is split by group."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError
from mixwright.recipe.data import Source
from mixwright.sources.forms.reading import Sample
from mixwright.sources.intake.ingest import ingest
from mixwright.sources.intake.records import Record, read_records, sample_record


def customer_row(number: int) -> dict[str, Any]:
    return {"prompt": f"Question {number}", "completion": f"Answer {number}", "customer": f"c{number % 40}"}


ROWS = [customer_row(number) for number in range(200)]


def source_of(folder: Path, rows: Sequence[Any], name: str = "data.jsonl", **about: Any) -> Source:
    path = folder / name
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return Source.model_validate({"role": "domain", "path": str(path), **about})


def ingested(source: Source, out: Path, name: str = "tickets") -> list[Record]:
    out.mkdir(exist_ok=True)
    ingest(name, source, out)
    return list(read_records(out / "records.parquet"))


def test_a_row_becomes_a_record_with_identity_and_provenance(tmp_path: Path) -> None:
    source = source_of(tmp_path, ROWS[:3], licence="CC0-1.0", group="customer")
    record = ingested(source, tmp_path)[1]
    assert json.loads(record.messages)[1] == {"role": "assistant", "content": "Answer 1"}
    assert (record.source, record.origin, record.licence) == ("tickets", "data.jsonl:2", "CC0-1.0")
    assert (record.kind, record.group, record.split) == ("conversation", "c1", "train")
    assert record.num_chars == len("Question 1" + "Answer 1")


def test_equal_conversations_have_equal_identity_wherever_they_come_from(tmp_path: Path) -> None:
    turns = [{"content": "Question 0", "role": "user"}, {"role": "assistant", "content": "Answer 0"}]
    one = ingested(source_of(tmp_path, ROWS[:1]), tmp_path / "one")
    other = ingested(source_of(tmp_path, [{"messages": turns}], "other.jsonl"), tmp_path / "other", "elsewhere")
    assert one[0].record_id == other[0].record_id


CALL = {"name": "price", "arguments": {"b": 1e-5, "a": [1e16, 12345678901234567890123, -0.0, None, True]}}
KNOWN = {
    "7afe76df56eeed95b4450883fea8272f": Sample(
        [{"role": "user", "content": 'Größe? 😀\u2028\x7f\x00"\\'}, {"content": "42\n", "role": "assistant"}]
    ),
    "8f01af7a30922e9b29ab610fa5de6d4e": Sample(
        [
            {"role": "user", "content": "?"},
            {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": CALL}]},
            {"role": "tool", "content": "9.50"},
            {"role": "assistant", "content": "9.50"},
        ],
        '[{"type":"function","function":{"name":"price"}}]',
    ),
    "797ee0a8395de27bf204d7f3b15446fa": Sample(
        [{"role": "user", "content": "?"}, {"role": "assistant", "content": "yes"}],
        rejected='[{"role":"assistant","content":"no"}]',
    ),
    "6335bc9e82b0954b2da523e353f86dc9": Sample([], text="A document, 😀 über alles."),
}


@pytest.mark.parametrize("record_id", KNOWN)
def test_the_identity_of_a_record_stays_what_it_was_in_the_first_version(record_id: str) -> None:
    record = sample_record(KNOWN[record_id], source="s", origin="o", licence="l", group=None, split="train")
    assert (record.record_id, record.group) == (record_id, record_id)


def test_malformed_rows_are_dropped_with_their_reason_when_the_recipe_says_so(tmp_path: Path) -> None:
    source = source_of(tmp_path, [ROWS[0], "not json", {"prompt": "?"}, ROWS[1]], malformed="drop")
    assert len(ingested(source, tmp_path)) == 2
    dropped = pq.read_table(tmp_path / "dropped.parquet").to_pylist()
    assert [row["origin"] for row in dropped] == ["data.jsonl:2", "data.jsonl:3"]
    assert all(row["rule"] == "malformed" and row["reason"] and row["text"] for row in dropped)
    counts = read_json(tmp_path / "counts.json")
    dropped_by = {"dropped": {"malformed": 2}}
    assert counts == {"rows_in": 4, "rows_kept": 2, "rows_dropped": 2, "rows_heldout": 0, **dropped_by}


def test_the_first_malformed_row_ends_the_run_with_file_and_line_otherwise(tmp_path: Path) -> None:
    source = source_of(tmp_path, [ROWS[0], "not json", ROWS[1]])
    with pytest.raises(InputError) as caught:
        ingested(source, tmp_path)
    assert f"{tmp_path / 'data.jsonl'}:2" in str(caught.value.where)
    assert "malformed: drop" in str(caught.value.fix)


def test_a_source_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        ingested(source_of(tmp_path, []), tmp_path)
    assert caught.value.where == "sources.tickets"


def sides(records: Sequence[Record]) -> dict[str, set[str]]:
    """The splits in which each group appears."""
    found: dict[str, set[str]] = {}
    for record in records:
        found.setdefault(record.group, set()).add(record.split)
    return found


def test_no_group_stands_on_both_sides_of_the_split(tmp_path: Path) -> None:
    records = ingested(source_of(tmp_path, ROWS, group="customer", holdout=0.3), tmp_path)
    found = sides(records)
    assert len(found) == 40
    assert all(len(splits) == 1 for splits in found.values())
    heldout = sum(splits == {"heldout"} for splits in found.values())
    assert 4 <= heldout <= 20  # 12 expected
    assert read_json(tmp_path / "counts.json")["rows_heldout"] == 5 * heldout


def test_without_a_group_equal_conversations_still_stay_together(tmp_path: Path) -> None:
    records = ingested(source_of(tmp_path, [*ROWS, *ROWS], holdout=0.5), tmp_path)
    assert all(len(splits) == 1 for splits in sides(records).values())
    assert {record.split for record in records} == {"train", "heldout"}


def test_more_rows_and_other_files_leave_the_side_of_a_group_as_it_was(tmp_path: Path) -> None:
    few = ingested(source_of(tmp_path, ROWS[:50], group="customer", holdout=0.3), tmp_path / "few")
    all_rows = ingested(source_of(tmp_path, ROWS[::-1], "all.jsonl", group="customer", holdout=0.3), tmp_path / "all")
    all_sides = sides(all_rows)
    assert all(all_sides[group] == splits for group, splits in sides(few).items())


def test_a_larger_holdout_holds_out_all_that_a_smaller_did(tmp_path: Path) -> None:
    def heldout(share: float) -> set[str]:
        out = tmp_path / str(share)
        records = ingested(source_of(tmp_path, ROWS, group="customer", holdout=share), out)
        return {record.group for record in records if record.split == "heldout"}

    assert heldout(0.2) < heldout(0.4) < heldout(0.8)


def test_a_generated_source_has_as_many_records_as_asked_and_the_same_every_time(tmp_path: Path) -> None:
    source = Source.model_validate({"role": "general", "generate": "skills", "records": 64, "seed": 3})
    one, again = (ingested(source, tmp_path / name) for name in ("one", "again"))
    assert len(one) == 64
    assert one == again
    assert {record.licence for record in one} == {"generated"}
    other = ingested(source.model_copy(update={"seed": 4}), tmp_path / "other")
    assert [record.record_id for record in other] != [record.record_id for record in one]
