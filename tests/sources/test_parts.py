"""A source divided among workers: what one process writes, whatever the pieces and whoever reads them."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import ingest_work
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mixwright.ground.errors import InputError
from mixwright.ground.executor import Executor, LocalProcesses
from mixwright.recipe.data import Source
from mixwright.sources.intake import records
from mixwright.sources.intake.ingest import ingest
from mixwright.sources.intake.parts import FilePart, RowGroups, cut, pieces_of, row_groups
from mixwright.sources.intake.records import BATCH_ROWS, Record, RecordWriter, read_records, schema_of

Task = TypeVar("Task")
Result = TypeVar("Result")
PIECES = st.sampled_from([1, 7, 40, 150, 1000])  # bytes
UNDECIDED = b'{"messages": [{"role": "user", "content": [5]}]}'
MARK = b"\xef\xbb\xbf"


class Here:
    """Pieces one after the other in this process, as workers would take them."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        return map(function, tasks)

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Executor]:
    executor = LocalProcesses(2)
    yield executor
    executor.close()


def outcome(source: Source, executor: Executor | None = None, piece_bytes: int = 1) -> Any:
    """The files that are written, byte for byte, or the error in words."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        try:
            ingest("tickets", source, out, executor=executor, piece_bytes=piece_bytes)
        except InputError as error:
            assert {path.name for path in out.iterdir()} <= {"records.parquet", "dropped.parquet"}
            return error.as_json()
        assert len(list(out.iterdir())) == 3
        return {path.name: path.read_bytes() for path in out.iterdir()}


def written(rows: Iterable[object]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


turn_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.just("long " * 80)
good_rows = st.builds(
    lambda prompt, completion, customer: json.dumps(
        {"prompt": prompt, "completion": completion, "customer": customer}, ensure_ascii=False
    ).encode(),
    turn_texts,
    turn_texts,
    st.sampled_from(["a", "b", "c", "d"]),
)
bad_rows = st.sampled_from(
    [
        b"not json",
        b"[1, 2]",
        b"{}",
        b'{"prompt": "?", "customer": "a"}',
        b'{"prompt": NaN, "completion": "", "customer": "b"}',
        b'{"prompt": "\\ud800", "completion": "x"}',
        b'{"prompt": "\xff"}',
        MARK + b'{"prompt": "behind a mark", "completion": "x", "customer": "a"}',
        b'{"prompt": 18446744073709551616, "completion": "x", "customer": "a"}',
        UNDECIDED,
    ]
)
lines = st.lists(good_rows | good_rows | good_rows | bad_rows | st.sampled_from([b"", b" \t", b"\r"]), max_size=30)


@st.composite
def files_of_lines(draw: st.DrawFn) -> bytes:
    """JSON Lines as they come: other line ends, no last one, a byte order mark, blank and broken lines."""
    end = draw(st.sampled_from([b"\n", b"\n", b"\r\n"]))
    content = end.join(draw(lines)) + draw(st.sampled_from([b"", end]))
    return draw(st.sampled_from([b"", MARK])) + content


keys = st.fixed_dictionaries(
    {
        "malformed": st.sampled_from(["drop", "drop", "refuse"]),
        "holdout": st.sampled_from([0.0, 0.5]),
        "group": st.sampled_from([None, "customer"]),
        "where": st.sampled_from([None, None, {"customer": ["a", "b"]}, {"customer": "z"}]),
    }
)


def source_of(folder: Path, files: list[tuple[str, bytes]], about: dict[str, Any]) -> Source:
    for number, (suffix, content) in enumerate(files):
        packed = gzip.compress(content) if suffix.endswith(".gz") else content
        (folder / f"{number}{suffix}").write_bytes(packed)
    path = [str(folder / f"{number}{suffix}") for number, (suffix, _) in enumerate(files)]
    return Source.model_validate({"role": "domain", "path": path, **about})


AFTER_ONE = [(".jsonl", UNDECIDED + b"\n" + written([{"prompt": "?", "completion": "x", "customer": "a"}] * 9))]
DROP = {"malformed": "drop", "holdout": 0.5, "group": None, "where": None}
several = st.lists(
    st.tuples(st.sampled_from([".jsonl", ".jsonl", ".ndjson", ".jsonl.gz"]), files_of_lines()), min_size=1, max_size=3
)


@given(several, keys, PIECES)
@example(AFTER_ONE, DROP, 40)  # a row that no form can be decided by, before the one that decides
@settings(max_examples=100, deadline=None)
def test_lines_in_pieces_give_the_same_files_and_the_same_error(
    files: list[tuple[str, bytes]], about: dict[str, Any], piece_bytes: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = source_of(Path(folder), files, about)
        assert outcome(source, Here(), piece_bytes) == outcome(source)


@given(files=several, about=keys, piece_bytes=PIECES)
@settings(max_examples=20, deadline=None)
def test_two_workers_write_what_one_writes(
    two_workers: Executor, files: list[tuple[str, bytes]], about: dict[str, Any], piece_bytes: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = source_of(Path(folder), files, about)
        assert outcome(source, two_workers, piece_bytes) == outcome(source)


cells = st.fixed_dictionaries(
    {
        "prompt": st.none() | turn_texts,
        "completion": turn_texts,
        "customer": st.sampled_from(["a", "b", "c"]),
        "about": st.none() | st.fixed_dictionaries({"stars": st.none() | st.integers(0, 5), "note": st.none()}),
    }
)


@given(st.lists(cells, max_size=60), keys, st.integers(1, 9), st.sampled_from([1, 2_000, 5_000]))
@settings(max_examples=60, deadline=None)
def test_row_groups_in_pieces_give_the_same_files_and_the_same_error(
    rows: list[dict[str, Any]], about: dict[str, Any], group_rows: int, piece_bytes: int
) -> None:
    schema = pa.schema(
        {
            "prompt": pa.string(),
            "completion": pa.large_string(),
            "customer": pa.dictionary(pa.int32(), pa.string()),
            "about": pa.struct({"stars": pa.int64(), "note": pa.string()}),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(pa.Table.from_pylist(rows, schema), Path(folder) / "x.parquet", row_group_size=group_rows)
        source = Source.model_validate({"role": "domain", "path": f"{folder}/x.parquet", **about})
        assert outcome(source, Here(), piece_bytes) == outcome(source)


def test_a_damaged_row_group_is_told_as_it_is_of_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    rows = [{"prompt": f"{number} {random.Random(number).random()}", "completion": "x"} for number in range(300)]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=100, compression="zstd")
    start = pq.read_metadata(path).row_group(1).column(0).data_page_offset
    content = bytearray(path.read_bytes())
    content[start : start + 200] = b"\xff" * 200
    path.write_bytes(content)
    source = Source.model_validate({"role": "domain", "path": str(path)})
    found = outcome(source)
    assert found["error"].startswith("this is not a readable Parquet file")
    assert outcome(source, Here()) == found


@pytest.mark.parametrize(
    ("suffix", "content", "about"),
    [
        (".txt", "One text.\n\n \nAnother, über alles.\r\nThe last", {"documents": "line"}),
        (".csv", 'prompt,completion\n"two\nlines",x\n?,y\nthree,cells,z\n', {"malformed": "drop"}),
        (".json", json.dumps([{"prompt": "?", "completion": str(number)} for number in range(9)]), {}),
        (
            ".jsonl",
            written([{"rows": [{"prompt": "?", "completion": str(n)} for n in range(9)]}] * 4),
            {"rows": "rows.*"},
        ),
    ],
    ids=["lines of text", "csv", "json", "rows inside rows"],
)
def test_every_kind_of_file_may_be_divided(
    tmp_path: Path, two_workers: Executor, suffix: str, content: str | bytes, about: dict[str, Any]
) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    source = source_of(tmp_path, [(suffix, raw)] * 5, about)
    assert outcome(source, two_workers) == outcome(source)


def test_conversations_told_over_several_rows_are_never_cut(tmp_path: Path, two_workers: Executor) -> None:
    rows = []
    for tree in range(20):
        first = {"message_id": f"{tree}.0", "parent_id": None, "message_tree_id": tree, "role": "prompter", "text": "?"}
        rows += [first, {**first, "message_id": f"{tree}.1", "parent_id": f"{tree}.0", "role": "assistant"}]
    threads = {"id": "message_id", "parent": "parent_id", "tree": "message_tree_id", "role": "role", "text": "text"}
    about = {"threads": threads, "roles": {"prompter": "user"}}
    source = source_of(tmp_path, [(".jsonl", written(rows))] * 3, about)
    found = outcome(source)
    assert "records.parquet" in found, found
    assert outcome(source, two_workers) == found


@given(files_of_lines(), PIECES)
def test_parts_of_a_file_are_all_of_it_cut_where_lines_end(content: bytes, piece_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.jsonl"
        path.write_bytes(content)
        read = b""
        for part in cut(path, piece_bytes):
            assert part.begin == len(read)
            assert part.first_line == read.count(b"\n") + 1
            assert not read or read.endswith(b"\n")
            with part.open("rb") as file:
                read += file.read() if part.begin == 0 else file.read().removeprefix(b"\n")
        assert read == content


def test_pieces_are_of_about_the_size_asked_for_and_small_files_come_together(tmp_path: Path) -> None:
    line = written([{"prompt": "?", "completion": "x" * 60}])
    source = source_of(tmp_path, [(".jsonl", line * 1000), *[(".jsonl", line)] * 50], {})
    files = [Path(name) for name in source.path or ()]
    pieces = list(pieces_of(files, source, 10 * len(line)))
    sizes = [
        sum(part.end - part.begin for part in piece if isinstance(part, FilePart) and part.end) for piece in pieces
    ]
    assert sum(sizes) == 1050 * len(line)
    assert all(5 * len(line) <= size <= 15 * len(line) for size in sizes[:-1])


def test_row_groups_are_each_in_one_part(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"text": [str(number) for number in range(1000)]}), path, row_group_size=10)
    parts = [part for part in row_groups(path, 1000) if isinstance(part, RowGroups)]
    assert 2 < len(parts) < 100
    assert [part.begin for part in parts] == [0, *(part.end for part in parts[:-1])]
    assert [part.rows_before for part in parts] == [10 * part.begin for part in parts]
    assert parts[-1].end == 100


def test_what_cannot_be_read_is_told_in_its_turn(tmp_path: Path) -> None:
    """The second file vanishes while the first is read: its malformed row is still told before."""
    first = written([{"prompt": "?", "completion": "x"}] * 50) + b"not json\n"
    source = source_of(tmp_path, [(".jsonl", first), (".jsonl", first)], {})
    gone = tmp_path / "1.jsonl"

    class Vanishing(Here):
        def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
            gone.unlink(missing_ok=True)
            return map(function, list(tasks))

    assert outcome(source, Vanishing(), 100)["where"] == f"{tmp_path / '0.jsonl'}:51 (sources.tickets)"
    gone.write_bytes(first)
    (tmp_path / "0.jsonl").write_bytes(first.removesuffix(b"not json\n"))
    found = outcome(source, Vanishing(), 100)
    assert (found["where"], "cannot be read" in found["error"]) == (str(gone), True)


def test_a_small_source_starts_no_processes(tmp_path: Path) -> None:
    class Refusing(Here):
        def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
            raise AssertionError("this is not worth it")

    source = source_of(tmp_path, [(".jsonl", written([{"prompt": "?", "completion": "x"}] * 500))] * 3, {})
    ingest("tickets", source, tmp_path, executor=Refusing())
    assert len(list(read_records(tmp_path / "records.parquet"))) == 1500


def record(number: int) -> Record:
    text = "ü" * (number % 7) + "x" * (number % 5)
    return Record(str(number), "document", "s", f"x:{number}", "", "", str(number), "train", len(text), text=text)


@pytest.mark.parametrize("batch_bytes", [1, 500, 64 << 20])
def test_a_file_of_records_does_not_show_how_they_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_bytes: int
) -> None:
    monkeypatch.setattr(records, "BATCH_BYTES", batch_bytes)
    for sizes in ([], [1], [BATCH_ROWS], [BATCH_ROWS - 1, 2], [300, 5, 256, 1, 0, 3 * BATCH_ROWS, 7], [3] * 100):
        sizes = [min(size, batch_bytes) for size in sizes]
        made = [[record(1000 * number + row) for row in range(size)] for number, size in enumerate(sizes)]
        for name in ("rows", "batches", "both"):
            with RecordWriter(tmp_path / name, Record) as writer:
                for number, rows in enumerate(made):
                    if name == "rows" or (name == "both" and number % 2):
                        for row in rows:
                            writer.write(row)
                    else:
                        columns = [[row[place] for row in rows] for place in range(len(Record._fields))]
                        writer.write_batch(pa.record_batch(columns, schema=schema_of(Record)))
            assert writer.count == sum(sizes)
        assert list(read_records(tmp_path / "rows")) == [row for rows in made for row in rows]
        assert (
            (tmp_path / "rows").read_bytes() == (tmp_path / "batches").read_bytes() == (tmp_path / "both").read_bytes()
        )


def test_long_records_fill_a_batch_before_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BATCH_BYTES", 10_000)
    with RecordWriter(tmp_path / "x", Record) as writer:
        for number in range(100):
            writer.write(record(number)._replace(text="long " * 1000))
    groups = pq.read_metadata(tmp_path / "x")
    assert [groups.row_group(number).num_rows for number in range(groups.num_row_groups)] == [2] * 50


@pytest.mark.parametrize("killed", ["a worker", "all by Ctrl-C", "the one that writes"])
def test_what_is_killed_leaves_nothing_half_used(tmp_path: Path, killed: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(written({"prompt": f"Question {number}", "completion": "x" * 50} for number in range(20_000)))
    store = tmp_path / "store"
    command = [sys.executable, ingest_work.__file__, str(store), str(file)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert run.stdout is not None
    parent, *workers = map(int, run.stdout.readline().split())
    assert len(workers) == 2
    if killed == "a worker":
        os.kill(workers[0], signal.SIGKILL)
    elif killed == "all by Ctrl-C":
        os.killpg(parent, signal.SIGINT)
    else:
        os.kill(parent, signal.SIGKILL)
    _, said = run.communicate(timeout=60)
    assert run.returncode != 0
    assert ("worker process died" in said) == (killed == "a worker")
    assert not list(store.glob("read/*"))
    again, undivided = ingest_work.read(store, file), ingest_work.read(tmp_path / "other", file)
    assert again.digest == undivided.digest
    assert {path.name for path in again.path.iterdir()} == {path.name for path in undivided.path.iterdir()}
