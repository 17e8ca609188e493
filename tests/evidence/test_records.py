"""Item-level results from anywhere: the documented form, the logs of three harnesses, and what is refused."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mixwright.evidence.importers import read_records
from mixwright.evidence.records import Record, write_records
from mixwright.ground.errors import InputError
from mixwright.recipe.contract_file import SuiteOf

Row = dict[str, Any]


def jsonl(file: Path, rows: list[Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def only(file: Path, suites: dict[str, SuiteOf] | None = None) -> Record:
    (record,) = read_records(file, suites).rows.values()
    return record


def test_the_least_that_a_record_needs(tmp_path: Path) -> None:
    record = only(jsonl(tmp_path / "r.jsonl", [{"item_id": 7, "score": True}]))
    assert (record.suite, record.ability, record.item_id, record.cluster) == ("items", "items", "7", "7")
    assert (record.score, record.parsed, record.human, record.facts) == (1.0, 1.0, None, (None,) * 4)


def test_a_full_record_survives_both_forms(tmp_path: Path) -> None:
    row = {
        "item_id": "a",
        "suite": "law",
        "ability": "torts",
        "cluster": "case 3",
        "score": 0.25,
        "parsed": False,
        "human": 0.5,
        "prompt": "Who owes what?",
        "decoding": {"temperature": 0},
        "build": {"vllm": "0.9"},
        "scorer": "f1@2",
        "response": "Nobody.",
        "note": "left alone",
    }
    first = read_records(jsonl(tmp_path / "r.jsonl", [row]))
    for name in ("again.jsonl", "again.parquet"):
        write_records(first, tmp_path / name)
        assert read_records(tmp_path / name).rows == first.rows
    (record,) = first.rows.values()
    assert record.facts[1:] == ('{"temperature":0}', '{"vllm":"0.9"}', "f1@2")
    with pytest.raises(InputError, match=r"jsonl or \.parquet"):
        write_records(first, tmp_path / "r.csv")


def test_repeats_are_averaged_and_must_be_of_the_same_item(tmp_path: Path) -> None:
    rows = [{"item_id": "a", "score": score, "repeat": n, "build": "b"} for n, score in enumerate((1, 0, 0.5))]
    assert only(jsonl(tmp_path / "r.jsonl", rows)).score == pytest.approx(0.5)
    with pytest.raises(InputError, match="not of the same item"):
        read_records(jsonl(tmp_path / "r.jsonl", [*rows[:2], rows[2] | {"build": "c"}]))
    missing = [*rows[:2], rows[2] | {"score": None}]
    assert only(jsonl(tmp_path / "r.jsonl", missing)).score is None


@pytest.mark.parametrize(
    ("rows", "words", "place"),
    [
        ([], "empty", "r.jsonl"),
        ([{"item_id": "a", "score": 1}, {"item_id": "a", "score": 0}], "stands here twice", ":2"),
        ([{"item_id": "a", "score": float("nan")}], "'score' is nan", ":1"),
        ([{"item_id": "a", "score": 55}], "'score' is 55", ":1"),
        ([{"item_id": "a", "score": "yes"}], "'score' is 'yes'", ":1"),
        ([{"item_id": "a"}], "no 'score'", ":1"),
        ([{"item_id": "a", "score": 1}, {"score": 1}], "no 'item_id'", ":2"),
        ([{"item_id": "a", "score": 1}, [1, 2]], "found list", ":2"),
        ([{"question": "?"}], "no item-level results", ":1"),
    ],
)
def test_what_is_no_record_is_refused_with_its_line(tmp_path: Path, rows: list[Any], words: str, place: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_records(jsonl(tmp_path / "r.jsonl", rows))
    assert place in str(caught.value.where)


def test_broken_files_are_refused(tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_text('{"item_id": "a", "score": 1}\n{"item_id": "b", "sco')
    with pytest.raises(InputError, match="no JSON") as caught:
        read_records(cut)
    assert str(caught.value.where).endswith("cut.jsonl:2")
    for name, words in (("no.parquet", "no Parquet"), ("no.eval", "no finished Inspect"), ("no.json", "no JSON")):
        (tmp_path / name).write_bytes(b"\x00garbage")
        with pytest.raises(InputError, match=words):
            read_records(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        read_records(tmp_path / "absent.jsonl")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no logs that are known"):
        read_records(tmp_path / "empty")


def lm_eval_folder(folder: Path, **changes: Any) -> Path:
    """As lm_eval 0.4.13 writes it, cut down to what is read."""
    date = "2026-11-20T10-11-12.345678"
    sample = {
        "doc_id": 3,
        "doc": {"question": "2 + 2?", "passage": {"id": 9}},
        "target": "4",
        "arguments": {"gen_args_0": {"arg_0": "Q: 2 + 2?"}},
        "resps": [["4"]],
        "filtered_resps": ["4"],
        "filter": "strict-match",
        "metrics": ["exact_match"],
        "doc_hash": "d" * 64,
        "prompt_hash": "p" * 64,
        "target_hash": "t" * 64,
        "exact_match": 1.0,
    }
    other = sample | {"filter": "flexible-extract", "exact_match": 0.0}
    invalid = sample | {"doc_id": 4, "filtered_resps": ["[invalid]"], "exact_match": 0.0}
    jsonl(folder / "model" / f"samples_gsm8k_{date}.jsonl", [sample | changes, other, invalid])
    about = {
        "configs": {"gsm8k": {"generation_kwargs": {"do_sample": False}}},
        "versions": {"gsm8k": 3.0},
        "n-shot": {"gsm8k": 5},
        "config": {"model": "hf", "batch_size": "8"},
        "lm_eval_version": "0.4.13",
    }
    (folder / "model" / f"results_{date}.json").write_text(json.dumps(about))
    jsonl(folder / "model" / "samples_gsm8k_2026-11-19T10-11-12.345678.jsonl", [sample | {"exact_match": 0.0}])
    return folder


def test_an_lm_eval_folder_is_read_with_its_settings_the_last_run_of_each_task(tmp_path: Path) -> None:
    found = read_records(lm_eval_folder(tmp_path))
    assert found.form == "lm-eval log"
    first, second = found.rows.values()
    assert (first.suite, first.score, first.parsed, first.response) == ("gsm8k", 1.0, 1.0, "4")
    assert (second.score, second.parsed) == (0.0, 0.0)
    assert first.facts[0] == "p" * 64
    assert first.facts[1] == '{"do_sample":false}'
    assert '"lm_eval_version":"0.4.13"' in str(first.facts[2])
    assert first.facts[3] == "exact_match,strict-match@3.0"


def test_filter_cluster_and_metric_of_a_suite_can_be_chosen(tmp_path: Path) -> None:
    folder = lm_eval_folder(tmp_path)
    suites = {"gsm8k": SuiteOf(filter="flexible-extract", cluster="doc.passage.id")}
    (record,) = read_records(folder, suites).rows.values()
    assert (record.score, record.cluster) == (0.0, "9")
    with pytest.raises(InputError, match="no answer went through the filter 'strict'"):
        read_records(folder, {"gsm8k": SuiteOf(filter="strict")})
    with pytest.raises(InputError, match="no metric 'f2'"):
        read_records(folder, {"gsm8k": SuiteOf(metric="f2")})
    with pytest.raises(InputError, match=r"no 'doc.pasage.id'"):
        read_records(folder, {"gsm8k": SuiteOf(cluster="doc.pasage.id")})


def test_several_metrics_of_unknown_rank_must_be_chosen_between(tmp_path: Path) -> None:
    folder = lm_eval_folder(tmp_path, metrics=["bleu", "chrf"], bleu=0.5, chrf=0.25)
    with pytest.raises(InputError, match="not clear which metric"):
        read_records(folder)


def inspect_log(**changes: Any) -> dict[str, Any]:
    """As inspect_ai 0.3.285 writes it, cut down to what is read."""
    samples = [
        {
            "id": 1,
            "epoch": epoch,
            "input": [{"role": "user", "content": "Is it safe?", "id": f"random{epoch}"}],
            "target": "no",
            "metadata": {"topic": "tools"},
            "output": {"completion": "No."},
            "scores": {"match": {"value": value, "answer": "No."}},
        }
        for epoch, value in ((1, "C"), (2, "I"))
    ]
    unscored = samples[0] | {"id": 2, "scores": {"match": {"value": float("nan"), "answer": None}}}
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "task": "safety",
            "task_version": 4,
            "model": "hf/local",
            "model_generate_config": {"temperature": 0.0, "max_connections": 10},
            "packages": {"inspect_ai": "0.3.285"},
        },
        "samples": [*samples, unscored],
    } | changes


def test_an_inspect_log_is_read_from_both_of_its_forms(tmp_path: Path) -> None:
    log = inspect_log()
    (tmp_path / "log.json").write_text(json.dumps(log))
    with zipfile.ZipFile(tmp_path / "log.eval", "w") as archive:
        archive.writestr("header.json", json.dumps({key: log[key] for key in log if key != "samples"}))
        for number, sample in enumerate(log["samples"]):
            archive.writestr(f"samples/{number}.json", json.dumps(sample))
    suites = {"safety": SuiteOf(ability="metadata.topic")}
    plain, zipped = (read_records(tmp_path / name, suites) for name in ("log.json", "log.eval"))
    assert plain.rows == zipped.rows
    first, second = plain.rows.values()
    assert (first.suite, first.ability, first.item_id, first.score) == ("safety", "tools", "1", 0.5)
    assert (second.score, second.parsed) == (None, 0.0)
    assert first.facts[1] == '{"temperature":0.0}'
    assert first.facts[3] == "match@4"


def zstandard_zip(file: Path, members: dict[str, bytes]) -> None:
    """A zip file whose members are compressed as Inspect does it, which Python's own module cannot write."""
    body, directory = b"", b""
    for name, plain in members.items():
        packed = pa.compress(plain, codec="zstd", asbytes=True)
        about = struct.pack("<HHHHHIIIHH", 63, 0, 93, 0, 33, zlib.crc32(plain), len(packed), len(plain), len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 63) + about
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name.encode()
        body += b"PK\x03\x04" + about + name.encode() + packed
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(members), len(members), len(directory), len(body), 0)
    file.write_bytes(body + directory + end)


def test_an_inspect_log_in_zstandard_is_read_and_a_damaged_one_refused(tmp_path: Path) -> None:
    log = inspect_log()
    header = json.dumps({key: log[key] for key in log if key != "samples"}).encode()
    samples = {f"samples/{n}.json": json.dumps(sample).encode() for n, sample in enumerate(log["samples"])}
    zstandard_zip(tmp_path / "log.eval", {"header.json": header, **samples})
    (tmp_path / "log.json").write_text(json.dumps(log))
    assert read_records(tmp_path / "log.eval").rows == read_records(tmp_path / "log.json").rows
    damaged = bytearray((tmp_path / "log.eval").read_bytes())
    damaged[damaged.index(b"samples/1.json") + 40] ^= 255
    (tmp_path / "log.eval").write_bytes(damaged)
    with pytest.raises(InputError, match="the log is damaged"):
        read_records(tmp_path / "log.eval")


def test_an_inspect_run_that_did_not_finish_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(json.dumps(inspect_log(status="error")))
    with pytest.raises(InputError, match="ended as 'error'"):
        read_records(tmp_path / "log.json")


def test_nemo_results_are_read_with_their_bundle(tmp_path: Path) -> None:
    rows = [
        {"problem_idx": 0, "repeat": n, "reward": reward, "prompt": "?", "metadata": {"category": "algebra"}}
        for n, reward in enumerate((1.0, 0.0))
    ]
    jsonl(tmp_path / "math" / "results.jsonl", rows)
    about = {"benchmark": {"name": "math500"}, "config": {"temperature": 0.0}, "sdk_version": "0.4.0"}
    (tmp_path / "math" / "eval-1.json").write_text(json.dumps(about))
    (record,) = read_records(tmp_path).rows.values()
    assert (record.suite, record.ability, record.score) == ("math500", "algebra", 0.5)
    assert record.facts[2:] == ("0.4.0", "reward@0.4.0")
    assert '"temperature":0.0' in str(record.facts[1])
