"""An exported mix holds every record of the plan, whole and in the order of training, or it is not there at all."""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_sources import UNITS, Lengths, make_plan, plans, sources, write_store

from mixwright.blend import export
from mixwright.blend.export import export_megatron, export_parquet
from mixwright.blend.mixer import Mixer, MixPlan
from mixwright.ground.artefacts import write_json
from mixwright.ground.errors import InputError
from mixwright.tokens.store import TokenStore

both = pytest.mark.parametrize("write", [export_parquet, export_megatron])
PLAN = make_plan({"desk": 1, "skills": 2}, budget_tokens=2000)


class Segment(NamedTuple):
    source: str
    record: int
    tokens: list[int]
    loss: list[int]


class Row(NamedTuple):
    step: int
    row: int
    segments: list[Segment]


def rows_of(plan: MixPlan, stores: dict[str, TokenStore]) -> Iterator[Row]:
    """What the mixer gives, row by row, with the tokens as the stores have them."""
    mixer = Mixer(plan, stores)
    for batch in mixer:
        for row in range(batch.num_rows):
            segments = []
            for piece in np.flatnonzero(batch.row == row):
                name, record = mixer.names[batch.source[piece]], int(batch.record[piece])
                tokens, loss = stores[name].record(record)
                segments.append(Segment(name, record, tokens.tolist(), loss.tolist()))
            yield Row(mixer.state.step, row, segments)


def made_stores(folder: Path, found: dict[str, Lengths]) -> dict[str, TokenStore]:
    """Stores of any tokens with the given lengths, of which the last so many are learnt."""
    rng = np.random.default_rng(len(found))
    return {
        name: write_store(
            folder / name,
            [
                (rng.integers(0, 1 << 16, length).tolist(), [place >= length - learnt for place in range(length)])
                for length, learnt in zip(lengths.tokens, lengths.supervised.tolist(), strict=True)
            ],
        )
        for name, lengths in found.items()
    }


@pytest.fixture
def stores(tmp_path: Path) -> dict[str, TokenStore]:
    def records(lengths: list[int], base: int) -> list[tuple[list[int], list[bool]]]:
        return [
            ([base + 100 * number + place for place in range(length)], [place > length // 2 for place in range(length)])
            for number, length in enumerate(lengths)
        ]

    return {
        "desk": write_store(tmp_path / "desk", records([20, 33, 7], 1)),
        "skills": write_store(tmp_path / "skills", records([5, 64, 12, 9], 1001)),
    }


def check_parquet(out: Path, expected: list[Row], rows_per_file: int) -> None:
    parts = [pq.read_table(path) for path in sorted(out.iterdir())]
    files = range(0, len(expected), rows_per_file)
    assert [part.num_rows for part in parts] == [min(rows_per_file, len(expected) - first) for first in files]
    found = pa.concat_tables(parts).to_pylist()
    assert len(found) == len(expected)
    for line, (step, row, segments) in zip(found, expected, strict=True):
        assert (line["step"], line["row"]) == (step, row)
        assert line["sources"] == [segment.source for segment in segments]
        assert line["records"] == [segment.record for segment in segments]
        assert line["input_ids"] == [token for segment in segments for token in segment.tokens]
        assert line["labels"] == [
            token if learnt else -100
            for segment in segments
            for token, learnt in zip(segment.tokens, segment.loss, strict=True)
        ]
        assert line["position_ids"] == [place for segment in segments for place in range(len(segment.tokens))]
        assert line["segment_ids"] == [number for number, segment in enumerate(segments) for _ in segment.tokens]


def read_indexed(path: Path) -> tuple[str, list[list[int]]]:
    """The type and the sequences of an indexed dataset, from the description of its format alone.

    Little-endian, without gaps: 9 bytes of magic; version (u64); type (u8); number of sequences, of document bounds
    (u64); length of each sequence (i32); where it begins, in bytes (i64); document bounds (i64), the first 0, the last
    the number of sequences.
    """
    index, data = path.with_suffix(".idx").read_bytes(), path.with_suffix(".bin").read_bytes()
    magic, version, code, num, num_bounds = struct.unpack_from("<9sQBQQ", index)
    assert (magic, version) == (b"MMIDIDX\x00\x00", 1)
    place = 34
    lengths = struct.unpack_from(f"<{num}i", index, place)
    starts = struct.unpack_from(f"<{num}q", index, place := place + 4 * num)
    bounds = struct.unpack_from(f"<{num_bounds}q", index, place := place + 8 * num)
    assert len(index) == place + 8 * num_bounds
    assert bounds == tuple(range(num + 1))
    kind, width, letter = {1: ("uint8", 1, "B"), 4: ("int32", 4, "i"), 8: ("uint16", 2, "H")}[code]
    assert len(data) == sum(lengths) * width
    pairs = zip(starts, lengths, strict=True)
    return kind, [list(struct.unpack_from(f"<{length}{letter}", data, start)) for start, length in pairs]


def check_megatron(out: Path, expected: list[Row], dtype: str = "uint16") -> None:
    segments = [segment for row in expected for segment in row.segments]
    assert read_indexed(out / "mix") == (dtype, [segment.tokens for segment in segments])
    assert read_indexed(out / "loss") == ("uint8", [segment.loss for segment in segments])
    bounds = np.fromfile(out / "rows.bin", "<i8").reshape(-1, 2)
    assert bounds.tolist() == [[row.step, len(row.segments)] for row in expected]
    assert sorted(path.name for path in out.iterdir()) == [
        *("loss.bin", "loss.idx", "mix.bin", "mix.idx", "mix.json", "rows.bin")
    ]


@settings(deadline=None, max_examples=40)
@given(data=st.data(), chunk=st.sampled_from([1, 300, 1 << 20]), rows_per_file=st.sampled_from([1, 7, 1 << 16]))
def test_any_mix_is_exported_record_by_record(data: st.DataObject, chunk: int, rows_per_file: int) -> None:
    found = data.draw(sources(max_sources=4))
    plan = data.draw(plans(found))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "CHUNK", chunk)
        stores = made_stores(Path(folder), found)
        expected = list(rows_of(plan, stores))
        counts = export_parquet(plan, stores, Path(folder) / "parquet", rows_per_file=rows_per_file)
        assert export_megatron(plan, stores, Path(folder) / "megatron") == counts
        check_parquet(Path(folder) / "parquet", expected, rows_per_file)
        check_megatron(Path(folder) / "megatron", expected)


def test_counts_are_those_of_the_rows(stores: dict[str, TokenStore], tmp_path: Path) -> None:
    expected = list(rows_of(PLAN, stores))
    segments = [segment for row in expected for segment in row.segments]
    assert export_parquet(PLAN, stores, tmp_path / "out") == {
        "steps": expected[-1].step,
        "rows": len(expected),
        "tokens": sum(len(segment.tokens) for segment in segments),
        "supervised_tokens": sum(sum(segment.loss) for segment in segments),
        "records": len(segments),
    }


def test_columns_have_the_types_that_trainers_expect(stores: dict[str, TokenStore], tmp_path: Path) -> None:
    export_parquet(PLAN, stores, tmp_path / "out")
    schema = pq.read_schema(tmp_path / "out" / "part-00000.parquet")
    assert {name: str(schema.field(name).type) for name in schema.names} == {
        "step": "int64",
        "row": "int32",
        **dict.fromkeys(("input_ids", "labels", "position_ids", "segment_ids"), "list<element: int32>"),
        "sources": "list<element: string>",
        "records": "list<element: int64>",
    }


def test_wide_tokens_stay_what_they_are(stores: dict[str, TokenStore], tmp_path: Path) -> None:
    for name, store in stores.items():
        (store.tokens.astype(np.uint32) + 100_000).tofile(store.folder / "tokens.bin")
        write_json(store.folder / "store.json", {"dtype": "uint32", "supervised_tokens": store.num_supervised})
        stores[name] = TokenStore(store.folder)
    expected = list(rows_of(PLAN, stores))
    assert min(token for row in expected for segment in row.segments for token in segment.tokens) > 100_000
    export_megatron(PLAN, stores, tmp_path / "megatron")
    check_megatron(tmp_path / "megatron", expected, "int32")
    export_parquet(PLAN, stores, tmp_path / "parquet")
    check_parquet(tmp_path / "parquet", expected, 1 << 16)


def test_a_megatron_export_says_what_it_is(stores: dict[str, TokenStore], tmp_path: Path) -> None:
    counts = export_megatron(PLAN, stores, tmp_path / "out")
    about: dict[str, Any] = json.loads((tmp_path / "out" / "mix.json").read_text())
    assert {name: about[name] for name in counts} == counts
    assert (about["sequences"], about["unit"], about["dtype"]) == (counts["records"], "tokens", "uint16")
    assert {unit: sum(source[unit] for source in about["sources"].values()) for unit in UNITS}.items() <= counts.items()
    assert set(about["how_to_read"]) == {"order", "loss", "rows"}


@both
def test_what_exists_is_refused_and_left_alone(
    write: Callable[..., Any], stores: dict[str, TokenStore], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already") as raised:
        write(PLAN, stores, tmp_path / "out")
    assert raised.value.fix
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
    assert not (tmp_path / "out.partial").exists()


@both
def test_an_export_that_fails_leaves_nothing(write: Callable[..., Any], tmp_path: Path) -> None:
    stores = {"desk": write_store(tmp_path / "desk", [([1, 2, 3], [False, True, True]), ([4, 5], [False, False])])}
    plan = make_plan({"desk": 1}, unit="supervised_tokens", budget_tokens=2000)
    with pytest.raises(InputError, match="record 1 has no supervised tokens"):
        write(plan, stores, tmp_path / "new" / "out")
    assert list((tmp_path / "new").iterdir()) == []


@both
def test_an_export_that_is_killed_leaves_no_out_and_the_next_is_whole(
    write: Callable[..., Any], stores: dict[str, TokenStore], tmp_path: Path
) -> None:
    out, partial = tmp_path / "out", tmp_path / "out.partial"
    program = f"""
from pathlib import Path
from made_sources import make_plan
from mixwright.blend.export import {write.__name__}
from mixwright.tokens.store import TokenStore
stores = {{name: TokenStore(Path({str(tmp_path)!r}) / name) for name in ("desk", "skills")}}
{write.__name__}(make_plan({{"desk": 1, "skills": 2}}, budget_tokens=3 * 10**8), stores, Path({str(out)!r}))
"""
    process = subprocess.Popen([sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)})
    try:
        while process.poll() is None and not any(path.stat().st_size for path in partial.glob("*")):
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert partial.exists()
    assert not out.exists()
    write(PLAN, stores, out)
    assert not partial.exists()
    expected = list(rows_of(PLAN, stores))
    if write is export_parquet:
        check_parquet(out, expected, 1 << 16)
    else:
        check_megatron(out, expected)
