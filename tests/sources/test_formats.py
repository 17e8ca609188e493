"""Every form of file: its rows come back, and what is wrong with one has its place and hides no other."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixwright.ground.errors import InputError
from mixwright.recipe.data import Rows, Source
from mixwright.sources.files import find_files
from mixwright.sources.formats import lines
from mixwright.sources.formats.nested import rows_at, where_rows_lie
from mixwright.sources.formats.row import Row
from mixwright.sources.ingest import ingest
from mixwright.sources.readers import read_rows
from mixwright.sources.records import Dropped, read_records

ROWS: list[dict[str, Any]] = [{"a": "x", "n": {"k": 1}}, {"a": "ü", "n": {"k": 2}}]


def rows_of(path: Path, content: bytes, **about: Any) -> list[Row]:
    path.write_bytes(content)
    return list(read_rows(path, Rows(**about)))


def zstd(content: bytes) -> bytes:
    return pa.compress(content, codec="zstd", asbytes=True)


def as_arrow(rows: list[dict[str, Any]], *, stream: bool) -> bytes:
    buffer = io.BytesIO()
    table = pa.Table.from_pylist(rows)
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue()


def as_feather(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pyarrow.feather.write_feather(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.jsonl", LINES),
        ("x.ndjson.zst", zstd(LINES)),
        ("x.json", json.dumps(ROWS).encode()),
        ("x.json", json.dumps({"version": 1, "data": ROWS}).encode()),
        ("x.json", LINES),
        ("x.json.gz", gzip.compress(json.dumps(ROWS, indent=2).encode())),
        ("x.arrow", as_arrow(ROWS, stream=False)),
        ("x.arrow", as_arrow(ROWS, stream=True)),
        ("x.feather", as_feather(ROWS)),
    ],
)
def test_the_rows_of_every_form_come_back(tmp_path: Path, name: str, content: bytes) -> None:
    found = rows_of(tmp_path / name, content)
    assert [{key: row.value[key] for key in ("a", "n")} for row in found if row.value] == ROWS
    assert [row.line for row in found] == [1, 2]


def test_tabs_separate_the_columns_of_a_tsv(tmp_path: Path) -> None:
    assert rows_of(tmp_path / "x.tsv", b"a\tb\n1,5\t2\n")[0].value == {"a": "1,5", "b": "2"}


def test_a_text_is_one_document_or_one_a_line(tmp_path: Path) -> None:
    content = "\ufeffFirst.\n\nSecond: ü\n".encode()
    whole = rows_of(tmp_path / "x.md", content)
    assert [row.value for row in whole] == [{"text": "First.\n\nSecond: ü", "path": "x.md"}]
    by_line = rows_of(tmp_path / "x.txt", content, documents="line")
    assert [(row.line, row.value and row.value["text"]) for row in by_line] == [(1, "First."), (3, "Second: ü")]


def test_null_keys_that_typed_columns_add_are_dropped_inside_a_row(tmp_path: Path) -> None:
    rows = [{"m": [{"role": "user", "name": None}, {"role": "tool", "name": "t"}], "x": None}]
    assert rows_of(tmp_path / "x.arrow", as_arrow(rows, stream=True))[0].value == {
        "m": [{"role": "user"}, {"role": "tool", "name": "t"}],
        "x": None,
    }


def test_rows_inside_nested_json_have_what_stands_around_them(tmp_path: Path) -> None:
    paragraphs = [{"context": "C", "qas": [{"q": 1, "title": "own"}, {"q": 2}]}]
    nested = {"data": [{"title": "T", "paragraphs": paragraphs}]}
    found = rows_of(tmp_path / "x.json", json.dumps(nested).encode(), rows="data.*.paragraphs.*.qas.*")
    assert [row.value for row in found] == [
        {"title": "own", "context": "C", "q": 1},
        {"title": "T", "context": "C", "q": 2},
    ]
    assert found[1].place == "2/data.0.paragraphs.0.qas.1"
    line = rows_of(tmp_path / "x.jsonl", b'{"id": 7, "turns": ["a", "b"]}\n', rows="turns.*")
    assert [row.value for row in line] == [{"id": 7, "value": "a"}, {"id": 7, "value": "b"}]


def test_a_path_that_leads_nowhere_is_a_fault_of_its_row(tmp_path: Path) -> None:
    (found,) = rows_of(tmp_path / "x.jsonl", b'{"id": 7}\n', rows="turns.*")
    assert found.value is None
    assert "'turns'" in str(found.fault)


json_values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(json_values)
def test_every_json_value_has_rows_somewhere(value: Any) -> None:
    for _, row in rows_at(value, where_rows_lie(value)):
        assert isinstance(row, dict)


def test_integers_beyond_64_bits_stay_what_they_are(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path / "x.jsonl", b'{"n": 123456789012345678901234567890}')
    assert row.value == {"n": 123456789012345678901234567890}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.json", b'[{"a": 1}, {"a": ]', "not valid JSON"),
        ("x.json", b'[{"a": "\xff"}]', "not UTF-8"),
        ("x.jsonl.zst", zstd(LINES * 5000)[:80], "zst"),
        ("x.jsonl.gz", b"no gzip at all", "gzip"),
        ("x.arrow", b"ARROW1 no", "Arrow"),
        ("x.tsv", b"a,b\n1,2\n", "separated"),
    ],
)
def test_damage_that_hides_the_rest_of_a_file_is_an_error(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        rows_of(tmp_path / name, content)


def test_a_number_that_json_does_not_know_is_a_fault_of_its_row(tmp_path: Path) -> None:
    found = rows_of(tmp_path / "x.json", b'[{"a": 1}, {"a": {"b": [NaN]}}, {"a": -Infinity}]')
    assert [row.fault is None for row in found] == [True, False, False]


def test_a_line_without_end_is_a_fault_and_what_follows_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 1000)
    found = rows_of(tmp_path / "x.jsonl", b'{"a": 1}\n{"a": "' + b"x" * 3_000_000 + b'"}\n{"a": 3}\n')
    assert [(row.line, row.value) for row in found] == [(1, {"a": 1}), (2, None), (3, {"a": 3})]
    assert "3,000,010 bytes" in str(found[1].fault)


def test_quarantine_keeps_file_and_line_of_everything_that_cannot_be_read(tmp_path: Path) -> None:
    bad = [
        b'{"prompt": "?"}',
        b'{"messages": []}',
        b'{"prompt": "?", "completion": null}',
        b"\xff",
        b'{"a": NaN}',
        b"[]",
    ]
    good = b'{"prompt": "?", "completion": "!"}'
    (tmp_path / "x.jsonl").write_bytes(b"\n".join([good, *bad, good]))
    source = Source(role="domain", path=str(tmp_path / "x.jsonl"), malformed="drop")
    counts = ingest("x", source, tmp_path)
    assert counts["rows_in"] == len(bad) + 2
    assert [record.origin for record in read_records(tmp_path / "records.parquet")] == ["x.jsonl:1", "x.jsonl:8"]
    import pyarrow.parquet as pq

    dropped = [Dropped(**row) for row in pq.read_table(tmp_path / "dropped.parquet").to_pylist()]
    assert [row.origin for row in dropped] == [f"x.jsonl:{line}" for line in range(2, 8)]
    assert all(row.reason for row in dropped)


def test_a_folder_is_all_files_of_its_one_kind(tmp_path: Path) -> None:
    for name in ("a/2.jsonl", "a/1.jsonl", "b/3.jsonl.gz", ".hidden/4.jsonl", "state.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    folder = str(tmp_path)
    assert [file.name for file in find_files(folder, "x")] == ["1.jsonl", "2.jsonl", "3.jsonl.gz"]
    (tmp_path / "notes.md").touch()
    with pytest.raises(InputError, match="several kinds"):
        find_files(folder, "x")


MEASURE = """
import resource, sys
from pathlib import Path
from mixwright.sources.readers import read_rows
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(1 for _ in read_rows(Path(sys.argv[1])))
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b'{"text": "%s"}\n' % (b"word " * 200) * 1000)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True, env=os.environ
    )
    count, grown_mib = map(int, done.stdout.split())
    assert count == 100_000
    assert grown_mib < 60 < path.stat().st_size >> 20
