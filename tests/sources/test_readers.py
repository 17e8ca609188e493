"""Readers: what was written comes back, in every format, compressed or not; what is wrong has a line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixwright.ground.errors import InputError
from mixwright.sources.files import find_files
from mixwright.sources.readers import read_rows

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
Rows = list[dict[str, Any]]

letters = st.characters(codec="utf-8")
nasty = st.text(letters | st.sampled_from(list("\",\n\r\t;'\\\u2028\u0085\ufeff👩é{}")))
text_rows = st.lists(st.fixed_dictionaries({"text": nasty, "label": nasty}), min_size=1, max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | nasty,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(nasty, inner, max_size=3),
    max_leaves=6,
)
json_rows = st.lists(st.dictionaries(nasty, json_values, max_size=4), min_size=1, max_size=8)


def as_jsonl(rows: Rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_csv(rows: Rows) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def as_parquet(rows: Rows) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def read_back(name: str, content: bytes) -> Rows:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        rows = list(read_rows(path))
    assert [row.fault for row in rows] == [None] * len(rows)
    return [row.value for row in rows if row.value is not None]


@pytest.mark.parametrize("write", [as_jsonl, as_csv, as_parquet])
@unhurried
@given(rows=text_rows)
def test_texts_come_back_as_they_were_written(write: Callable[[Rows], bytes], rows: Rows) -> None:
    kind = write.__name__.removeprefix("as_")
    content = write(rows)
    assert read_back(f"data.{kind}", content) == rows
    if kind != "parquet":
        assert read_back(f"data.{kind}.gz", gzip.compress(content)) == rows


@unhurried
@given(json_rows)
def test_nested_json_comes_back_from_jsonl(rows: Rows) -> None:
    assert read_back("data.jsonl", as_jsonl(rows)) == rows


@given(text_rows)
def test_every_row_of_a_csv_knows_its_line(rows: Rows) -> None:
    content = as_csv(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        path.write_bytes(content)
        lines = [row.line for row in read_rows(path)]
    assert lines[0] == 2
    assert lines == sorted(set(lines))


def test_every_row_of_a_jsonl_file_knows_its_line_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"a": 1}\n\n  \n{"a": 2}\r\n{"a": 3}')
    assert [(row.line, row.value) for row in read_rows(path)] == [(1, {"a": 1}), (4, {"a": 2}), (5, {"a": 3})]


@pytest.mark.parametrize("name", ["data.jsonl", "data.csv"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(name: str) -> None:
    content = as_jsonl([{"a": "x"}]) if name.endswith("jsonl") else as_csv([{"a": "x"}])
    assert read_back(name, b"\xef\xbb\xbf" + content) == [{"a": "x"}]


@pytest.mark.parametrize(
    "bad", [b'{"a": 1', b"[1]", b"3", b'{"a": NaN}', b'{"a": "\xff"}', b'{"a": "\\ud800"}', b"{" * 9999]
)
def test_a_bad_line_of_jsonl_is_a_fault_with_its_place_and_hides_no_other(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"a": 1}\n' + bad + b'\n{"a": 3}\n')
    rows = list(read_rows(path))
    assert [row.line for row in rows] == [1, 2, 3]
    assert [row.value for row in rows] == [{"a": 1}, None, {"a": 3}]
    assert rows[1].fault


@pytest.mark.parametrize("bad", [b"one", b"one,two,three", b'one,"two"x', b"one,\xff"])
def test_a_bad_line_of_csv_is_a_fault_with_its_place_and_hides_no_other(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"a,b\n1,2\n" + bad + b"\n5,6\n")
    rows = list(read_rows(path))
    assert [row.line for row in rows] == [2, 3, 4]
    assert [row.value for row in rows] == [{"a": "1", "b": "2"}, None, {"a": "5", "b": "6"}]
    assert rows[1].fault


@pytest.mark.parametrize("name", ["data.jsonl.gz", "data.csv.gz"])
def test_a_torn_gzip_file_is_an_error_and_not_a_short_source(tmp_path: Path, name: str) -> None:
    rows = [{"a": f"row {number}"} for number in range(1000)]
    content = gzip.compress(as_jsonl(rows) if "jsonl" in name else as_csv(rows))
    path = tmp_path / name
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="gzip"):
        list(read_rows(path))


def test_a_file_that_is_no_parquet_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(InputError, match="Parquet"):
        list(read_rows(path))


def test_files_are_found_by_name_and_pattern_always_in_the_same_order(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "c.csv", "deep/d.jsonl.gz", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def found(*patterns: str) -> list[str]:
        files = find_files([str(tmp_path / pattern) for pattern in patterns], "sources.x.path")
        return [file.relative_to(tmp_path).as_posix() for file in files]

    assert found("*.jsonl") == ["a.jsonl", "b.jsonl"]
    assert found("c.csv", "*.jsonl") == ["c.csv", "a.jsonl", "b.jsonl"]
    assert found("**/*.jsonl*") == ["a.jsonl", "b.jsonl", "deep/d.jsonl.gz"]
    assert found("a.jsonl", "*.jsonl") == ["a.jsonl", "b.jsonl"]  # named twice, read once


@pytest.mark.parametrize("pattern", ["none.jsonl", "*.parquet", ".", "notes.doc", "x.parquet.gz"])
def test_a_path_that_leads_to_nothing_readable_is_refused_at_its_place(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "notes.doc").touch()
    (tmp_path / "x.parquet.gz").touch()
    with pytest.raises(InputError) as caught:
        find_files(str(tmp_path / pattern), "sources.x.path")
    assert caught.value.where == "sources.x.path"
