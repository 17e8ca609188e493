"""Readers: what was written comes back, in every format, compressed or not; what is wrong has a line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
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
from mixwright.recipe.data import Source
from mixwright.sources.files.data_file import label_of
from mixwright.sources.files.data_sets import files_of, found
from mixwright.sources.files.finding import find_files
from mixwright.sources.rows.formats import delimited
from mixwright.sources.rows.readers import read_rows

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


@pytest.mark.parametrize(
    ("broken", "late"),
    [
        ('"broken,a', 'x,"late quote"'),  # the next quote opens a cell
        ('"broken,a', "x,plain"),  # there is no other
        ('"broken,a', 'x,"two\nlines"'),
        ('"broken,a', "x,late" + '"'),  # the next quote closes the cell, and with it a record of one field
        ('a,"broken', "x,y"),
    ],
)
def test_a_quote_that_is_never_closed_costs_its_own_line(tmp_path: Path, broken: str, late: str) -> None:
    path = tmp_path / "data.csv"
    rows = "".join(f"{number},row\n" for number in range(500))
    path.write_text(f"a,b\n{rows}{broken}\n{rows}{late}\n{rows}")
    found = list(read_rows(path))
    assert [row.line for row in found if row.fault] == [502]
    assert sum(row.value == {"a": "7", "b": "row"} for row in found) == 3
    assert len(found) == 1502
    assert "never be closed" in str(found[500].fault)
    assert found[500].raw.startswith(broken)


plain = st.text(st.sampled_from("abü "), min_size=1, max_size=5)
cell = st.lists(plain, min_size=1, max_size=3).map("\n".join)
plain_rows = st.lists(st.fixed_dictionaries({"text": cell, "label": cell}), min_size=1, max_size=8)


@unhurried
@given(plain_rows, plain_rows, st.sampled_from(['"open,a', 'a,"open', '"open']))
def test_whatever_stands_around_an_open_quote_is_read(before: Rows, after: Rows, broken: str) -> None:
    head = as_csv(before)
    content = head + f"{broken}\r\n".encode() + as_csv([*before, *after]).removeprefix(head)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        path.write_bytes(content)
        rows = list(read_rows(path))
    assert [row.value for row in rows if row.value is not None] == [*before, *after]
    assert [row.line for row in rows if row.fault] == [content[: content.index(broken.encode())].count(b"\n") + 1]


def test_a_record_of_many_lines_with_other_fields_is_one_fault_that_names_them(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('a,b\n"one\ntwo\nthree",x,y\n5,6\n')
    rows = list(read_rows(path))
    assert [(row.line, row.value) for row in rows] == [(2, None), (5, {"a": "5", "b": "6"})]
    assert "lines 2 to 4" in str(rows[0].fault)


def test_a_record_whose_lines_look_like_rows_is_read_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    lines = "\n".join(f"{number},row" for number in range(20))
    path.write_text(f'a,b\n"{lines}",late\n"{"word " * 9}{"and so on" + chr(10)}",x\n')
    first, second = read_rows(path)
    assert first.value == {"a": lines, "b": "late"}
    assert "lines 2 to 21 are one record, and look like many" in first.note
    assert not second.note


@pytest.mark.parametrize("long", ["x" * 3000, '"' + "x\n" * 3000, '"' + "x" * 900 + "\n" + "y" * 900])
def test_neither_a_line_nor_a_record_of_a_csv_is_longer_than_a_row_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: str
) -> None:
    monkeypatch.setattr(delimited, "LONGEST_LINE", 1000)
    monkeypatch.setattr(delimited, "LOOKED_AFTER", 2)
    path = tmp_path / "data.csv"
    path.write_text(f"a,b\n1,2\n{long}\n5,6\n")
    rows = list(read_rows(path))
    assert (rows[0].value, rows[-1].value) == ({"a": "1", "b": "2"}, {"a": "5", "b": "6"})
    assert rows[1].line == 3
    assert all(row.value is None for row in rows[1:-1])
    assert rows[-1].line == path.read_text().count("\n")


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
        return [Path(str(file)).relative_to(tmp_path).as_posix() for file in files]

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


def made(folder: Path, *names: str) -> Path:
    """A folder with empty files of these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def notes(path: Path | str) -> list[str]:
    return found(Source(role="domain", path=str(path)), "sources.x").notes


def test_a_suffix_is_known_in_any_case_and_through_any_compression(tmp_path: Path) -> None:
    names = ("1.jsonl", "2.jsonl.bz2", "3.JSONL", "4.jsonl.xz", "5.JsonL.GZ", "6.jsonl.zst", "7.ndjson")
    made(tmp_path, *names)
    assert [file.name for file in find_files(str(tmp_path), "x")] == [*names]
    assert [file.name for file in find_files(str(tmp_path / "3.JSONL"), "x")] == ["3.JSONL"]


def test_what_a_folder_leaves_out_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path, "1.jsonl", "2.xlsx", "LICENSE", ".hidden", "state.json")
    source = Source(role="domain", path=str(tmp_path))
    for _ in range(2):
        files_of(source, "sources.x")
    told = capsys.readouterr().err
    assert told == f"sources.x: {tmp_path} is read without files of other kinds: 2.xlsx, LICENSE\n"
    assert notes(made(tmp_path / "whole", "1.jsonl", "deep/2.jsonl")) == []


def test_a_text_about_the_data_is_none_beside_it(tmp_path: Path) -> None:
    made(tmp_path, "rows.csv.gz", "README.md", "deep/SOURCE.md", "LICENSE_DATA.txt")
    assert [label_of(file) for file in find_files(str(tmp_path), "x")] == ["rows.csv.gz"]
    assert notes(tmp_path) == [
        f"{tmp_path} is read without files of other kinds: LICENSE_DATA.txt, README.md, deep/SOURCE.md"
    ]
    made(tmp_path / "lines", "README.md", "rows.txt")
    assert [file.name for file in find_files(str(tmp_path / "lines"), "x")] == ["rows.txt"]
    made(tmp_path / "parallel", "CHAPTER.md", "source.txt")
    with pytest.raises(InputError, match="several kinds"):
        find_files(str(tmp_path / "parallel"), "x")
    for prose in (("README.md", "chapter.md"), ("README.md", "SOURCE.md")):
        made(tmp_path / prose[1], *prose)
        assert [file.name for file in find_files(str(tmp_path / prose[1]), "x")] == [*prose]


def test_a_pattern_that_passes_over_the_same_data_in_another_spelling_says_so(tmp_path: Path) -> None:
    made(tmp_path, "1.jsonl", "2.JSONL", "3.jsonl.gz", "4.csv")
    (note,) = notes(tmp_path / "*.jsonl")
    assert note.endswith("passes over 2.JSONL, 3.jsonl.gz")
    patterns = tuple(str(tmp_path / name) for name in ("*.jsonl", "*.JSONL", "*.jsonl.gz"))
    assert found(Source(role="domain", path=patterns), "x").notes == []


def test_a_folder_of_several_splits_is_read_whole_and_says_so(tmp_path: Path) -> None:
    made(tmp_path, "dataset_dict.json", "train/data.arrow", "train/state.json", "test/data.arrow")
    assert [label_of(file) for file in find_files(str(tmp_path), "x")] == ["test/data.arrow", "train/data.arrow"]
    (note,) = notes(tmp_path)
    assert "(test, train)" in note
    assert f"'hub: {tmp_path}' with 'split'" in note
    assert notes(tmp_path / "train") == []


def test_parts_that_are_not_there_are_told(tmp_path: Path) -> None:
    made(tmp_path, *(f"rows-{number:05}-of-00005.jsonl" for number in (0, 3)))
    (note,) = notes(tmp_path)
    assert "2 of the 5 parts rows-*-of-00005.jsonl" in note


@pytest.mark.parametrize(
    ("names", "patterns"),
    [
        (("a.csv.gz", "b.csv.gz", "notes.md"), ["**/*.csv.gz"]),
        (("a.csv", "Readme.md"), ["**/*.csv"]),
        (("a.CSV", "b.csv.gz", "c.md", "d.md", "e.md"), ["**/*.CSV", "**/*.csv.gz"]),
        (("a.csv", "b.jsonl"), ["**/*.jsonl", "**/*.csv"]),
        (("a.txt", "b.md", "c.md"), ["**/*.md"]),
    ],
)
def test_a_folder_of_several_kinds_is_refused_with_patterns_that_match(
    tmp_path: Path, names: tuple[str, ...], patterns: list[str]
) -> None:
    made(tmp_path / "a [1]", *names)
    with pytest.raises(InputError, match="several kinds") as caught:
        find_files(str(tmp_path / "a [1]"), "x")
    said = re.findall(r"/\*\*/[^\s,\]]*", str(caught.value.fix))
    assert said == [f"/{pattern}" for pattern in patterns]
    assert all(find_files(str(tmp_path / "a [[]1]") + pattern, "x") for pattern in said)


@pytest.mark.parametrize(
    "named", ["", "*/part-0.jsonl", "**/*.jsonl", ("a/part-0.jsonl", "b/part-0.jsonl"), ("a", "b")]
)
def test_files_of_one_name_have_labels_that_tell_them_apart(tmp_path: Path, named: str | tuple[str, ...]) -> None:
    made(tmp_path, "a/part-0.jsonl", "b/part-0.jsonl")
    files = find_files([f"{tmp_path}/{one}" for one in ([named] if isinstance(named, str) else named)], "x")
    assert [label_of(file) for file in files] == ["a/part-0.jsonl", "b/part-0.jsonl"]


def test_a_name_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jsonl")).touch()
    for path in (tmp_path, tmp_path / "*.jsonl", tmp_path / "caf\udce9.jsonl"):
        with pytest.raises(InputError, match="not UTF-8") as caught:
            find_files(str(path), "sources.x.path")
        assert str(caught.value).encode()
