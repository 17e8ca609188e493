"""Every form of file: its rows come back, and what is wrong with one has its place and hides no other."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixwright.ground.errors import InputError
from mixwright.recipe.data import Rows, Source
from mixwright.sources.files.finding import find_files
from mixwright.sources.intake.ingest import ingest
from mixwright.sources.intake.records import Dropped, read_records
from mixwright.sources.rows.formats import lines
from mixwright.sources.rows.formats.json_rows import DEEPEST, jsonl_rows
from mixwright.sources.rows.formats.nested import rows_at, where_rows_lie
from mixwright.sources.rows.formats.row import Row
from mixwright.sources.rows.readers import read_rows

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
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.jsonl", LINES),
        ("x.ndjson.zst", zstd(LINES)),
        ("x.jsonl.bz2", bz2.compress(LINES)),
        ("x.jsonl.bz2", bz2.compress(LINES[:30]) + bz2.compress(LINES[30:])),
        ("X.JSONL.XZ", lzma.compress(LINES)),
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
def test_every_json_value_has_rows_somewhere_or_is_said_not_to_be_clear(value: Any) -> None:
    steps: tuple[str, ...] = ()
    with contextlib.suppress(InputError):
        steps = where_rows_lie(value)
    for _, row in rows_at(value, steps):
        assert isinstance(row, dict)


def test_rows_may_lie_under_any_name(tmp_path: Path) -> None:
    found = rows_of(tmp_path / "x.json", b'{"v1.0": [{"a": 1}, {"a": 2}]}')
    assert [row.value for row in found] == [{"a": 1}, {"a": 2}]


SOURCES = [{"url": "x"}, {"url": "y"}]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"prompt": "?", "completion": "!", "sources": SOURCES}, "prompt and completion"),
        ({"text": "A text.", "notes": SOURCES}, "text as a row has"),
        ({"instruction": ["a", "b"], "output": ["x", "y"]}, "holds columns"),
        ({"instruction": {"0": "a", "1": "b"}, "output": {"0": "x", "1": "y"}}, "holds columns"),
    ],
)
def test_an_object_that_may_be_one_row_or_many_is_not_guessed(tmp_path: Path, value: Any, words: str) -> None:
    content = json.dumps(value).encode()
    with pytest.raises(InputError, match=words):
        rows_of(tmp_path / "x.json", content)
    assert [row.value for row in rows_of(tmp_path / "x.json", content, rows="")] == [value]


def test_an_empty_json_file_is_called_empty(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the file is empty"):
        rows_of(tmp_path / "x.json", b" \n")


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
        ("x.jsonl.bz2", bz2.compress(LINES * 5000)[:-9], "bzip2 file is damaged"),
        ("x.jsonl.bz2", b"no bzip2 at all", "this is no bzip2 file"),
        ("x.jsonl.xz", lzma.compress(LINES * 5000)[:-9], "xz file is damaged"),
        ("x.jsonl.xz", b"no xz at all", "this is no xz file"),
        ("x.arrow", as_arrow(ROWS * 3, stream=True)[:-8], "not finished"),
        ("x.arrow", as_arrow(ROWS * 3, stream=True)[:-12], "Arrow"),
        ("x.csv", b'a,"b\n1,2\n', "header is not valid CSV"),
        ("x.json", b'[{"a": 1, "a": 2}]', "'a' stands twice"),
        ("x.json", b'{"data": [{"b": {"a" : 1, "a" : 2}}]}', "'a' stands twice"),
        ("x.arrow", b"ARROW1 no", "Arrow"),
        ("x.tsv", b"a,b\n1,2\n", "separated"),
    ],
)
def test_damage_that_hides_the_rest_of_a_file_is_an_error(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        rows_of(tmp_path / name, content)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.jsonl", gzip.compress(LINES), "a gzip file"),
        ("x.csv", zstd(LINES), "a zstd file"),
        ("x.txt", bz2.compress(LINES), "a bzip2 file"),
        ("x.json", lzma.compress(LINES), "an xz file"),
        ("x.jsonl.gz", gzip.compress(gzip.compress(LINES)), "a gzip file"),
        ("x.jsonl", as_arrow(ROWS, stream=False), "an Arrow file"),
        ("x.jsonl", as_arrow(ROWS, stream=True), "an Arrow file"),
        ("x.csv", b"PK\x03\x04\x14\0\0\0", "a zip archive or a spreadsheet"),
        ("x.txt", b"%PDF-1.7\n", "a PDF"),
        *((name, LFS, "Git LFS") for name in ("x.csv", "x.jsonl.gz", "x.json.zst", "x.parquet", "x.feather")),
        ("x.csv.gz", b"<!DOCTYPE html>\n<html>", "a web page"),
        ("x.parquet", b"<html>", "a web page"),
        *((f"x.jsonl.{packing}", LINES, "this is no") for packing in ("gz", "zst", "bz2", "xz")),
        ("x.jsonl.bz2", gzip.compress(LINES), "a gzip file"),
        ("x.parquet", as_arrow(ROWS, stream=False), "an Arrow file"),
        ("x.jsonl", b"<!DOCTYPE html>\n<html>", "a web page"),
        ("x.jsonl", json.dumps(ROWS).encode(), "one array"),
        ("x.jsonl", json.dumps(ROWS, indent=2).encode(), "one array"),
        ("x.jsonl", b'\xef\xbb\xbf[{"a": 1},\n{"a": 2}]', "one array"),
        *(
            (name, text.encode(encoding), "UTF-16")
            for encoding in ("utf-16", "utf-16-le", "utf-16-be")
            for name, text in {"x.csv": "a,b\n1,2\n", "x.txt": "A text.", "x.jsonl": '{"a": "ü"}\n'}.items()
        ),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_called_what_it_is(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        rows_of(tmp_path / name, content)


def test_parquet_under_the_name_of_text_is_called_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "x.jsonl")
    with pytest.raises(InputError, match="a Parquet file"):
        list(read_rows(tmp_path / "x.jsonl"))


def test_objects_over_many_lines_are_told_from_other_broken_json(tmp_path: Path) -> None:
    first, second, *_ = rows_of(tmp_path / "x.jsonl", json.dumps(ROWS[0], indent=2).encode())
    assert "one in each" in str(first.fault)
    assert "one in each" not in str(second.fault)


def test_lists_in_lines_are_faults_of_these_lines(tmp_path: Path) -> None:
    found = rows_of(tmp_path / "x.jsonl", b'[{"a": 1}]\n{"a": 2}\n[3]\n')
    assert [(row.value, row.fault) for row in found] == [
        (None, "a list, not an object"),
        ({"a": 2}, None),
        (None, "a list, not an object"),
    ]


@pytest.mark.parametrize("depth", [DEEPEST + 1, 990, 1010, 1023, 1100, 100_000])
def test_a_row_nested_too_deeply_is_a_fault_whatever_else_is_read(tmp_path: Path, depth: int) -> None:
    deep = b'{"a": ' + b"[" * depth + b"]" * depth + b"}"
    found = rows_of(tmp_path / "x.jsonl", deep + b'\n{"a": 2}\n')
    assert [row.value for row in found] == [None, {"a": 2}]
    assert "levels deep" in str(found[0].fault)
    if depth < 900:
        assert [row.value for row in rows_of(tmp_path / "x.json", b"[" + deep + b', {"a": 2}]')] == [None, {"a": 2}]


def test_a_row_as_deep_as_any_real_one_is_read(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path / "x.jsonl", b'{"a": ' + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1) + b"}")
    assert row.value is not None


names = st.sampled_from(["a", 'a"', "b:", "\\", '":'])
documents = st.recursive(
    st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", '":', '\\":', ": x", '{"a": 1}']),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(names, inner), max_size=4).map(tuple),
    max_leaves=8,
)


def written(value: Any) -> str:
    """JSON in which a tuple of pairs is an object, whether or not its names differ."""
    if isinstance(value, tuple):
        return "{" + ", ".join(f"{json.dumps(name)}: {written(entry)}" for name, entry in value) + "}"
    return "[" + ", ".join(map(written, value)) + "]" if isinstance(value, list) else json.dumps(value)


def has_name_twice(value: Any) -> bool:
    if isinstance(value, tuple):
        return len({name for name, _ in value}) < len(value) or any(has_name_twice(entry) for _, entry in value)
    return isinstance(value, list) and any(map(has_name_twice, value))


@given(st.lists(st.tuples(names, documents), max_size=4).map(tuple))
def test_a_name_that_stands_twice_in_an_object_is_found_where_one_looks_closely(value: Any) -> None:
    (row,) = jsonl_rows(io.BytesIO(written(value).encode()), "x", closely=True)
    assert row.value is not None
    assert ("stands twice" in row.note) == has_name_twice(value)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    cells = [pa.array(["?"]), pa.array(["first"]), pa.array(["second"])]
    outer = pa.Table.from_arrays(cells, names=["prompt", "completion", "completion"])
    inner = pa.ListArray.from_arrays([0, 1], pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]))
    for table, name in ((outer, "completion"), (pa.table({"turns": inner}), "a")):
        pq.write_table(table, tmp_path / "x.parquet")
        with pa.ipc.new_stream(str(tmp_path / "x.arrow"), table.schema) as writer:
            writer.write_table(table)
        for path in (tmp_path / "x.parquet", tmp_path / "x.arrow"):
            with pytest.raises(InputError, match=f"two columns are called '{name}'"):
                list(read_rows(path))


NOT_UTF8 = pa.StringArray.from_buffers(
    2, pa.py_buffer(bytes([0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0])), pa.py_buffer(b"a\xff")
)


@pytest.mark.parametrize(
    ("column", "num_good"),
    [
        (pa.array([0, 10**15], pa.timestamp("ms")), 1),
        (pa.array([0, 2**31 - 1], pa.int32()).cast(pa.date32()), 1),
        (NOT_UTF8, 1),
        (pa.array([0, 1], pa.timestamp("ms", tz="+25:00")), 0),
    ],
    ids=["a time far off", "a day far off", "no UTF-8", "a time zone that is none"],
)
def test_a_cell_that_cannot_be_read_is_a_fault_of_its_row(tmp_path: Path, column: Any, num_good: int) -> None:
    table = pa.table({"a": ["x", "y"], "t": column})
    pq.write_table(table, tmp_path / "x.parquet")
    with pa.ipc.new_file(str(tmp_path / "x.arrow"), table.schema) as writer:
        writer.write_table(table)
    for name in ("x.parquet", "x.arrow"):
        found = list(read_rows(tmp_path / name))
        assert [row.line for row in found] == [1, 2]
        assert [row.value is not None for row in found] == [number < num_good for number in range(2)]
        assert all("the column 't' cannot be read" in str(row.fault) for row in found[num_good:])


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
    dropped = [Dropped(**row) for row in pq.read_table(tmp_path / "dropped.parquet").to_pylist()]
    assert [row.origin for row in dropped] == [f"x.jsonl:{line}" for line in range(2, 8)]
    assert all(row.reason for row in dropped)


def test_a_folder_is_all_files_of_its_one_kind(tmp_path: Path) -> None:
    for name in ("a/2.jsonl", "a/1.jsonl", "b/3.NDJSON.gz", ".hidden/4.jsonl", "state.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    folder = str(tmp_path)
    assert [file.name for file in find_files(folder, "x")] == ["1.jsonl", "2.jsonl", "3.NDJSON.gz"]
    (tmp_path / "notes.md").touch()
    with pytest.raises(InputError, match="several kinds"):
        find_files(folder, "x")


MEASURE = """
import resource, sys
from pathlib import Path
from mixwright.sources.rows.readers import read_rows
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
