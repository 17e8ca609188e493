"""Item-level logs of other harnesses, as records: lm-evaluation-harness, Inspect, NeMo Evaluator.

What a file is follows from its content, is said to the user, and is never guessed where it is not clear. The forms were
taken from lm_eval 0.4.13 (`samples_<task>_<date>.jsonl` beside `results_<date>.json`), inspect_ai 0.3.285 (`.eval`, a
zip of JSON files, and `.json`) and NeMo Evaluator's documented `results.jsonl` beside `eval-*.json`.

Trade-off: harnesses record less than we ask for. What one does not tell stays unrecorded, and the certificate says so.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mixwright.evidence.records import Records, Row, json_lines, make_records, parquet_rows
from mixwright.ground.errors import InputError, did_you_mean
from mixwright.ground.hashing import canonical_json, text_digest
from mixwright.recipe.contract_file import SuiteOf

Suites = Mapping[str, SuiteOf]
Rows = Iterator[tuple[str, Row]]

FORMS = "a .jsonl or .parquet file with item_id and score, or the logs of lm-eval, Inspect or NeMo Evaluator"
METRICS = ("exact_match", "acc", "prompt_level_strict_acc", "pass@1", "f1", "score")
"""Of several metrics of a task, the first of these is taken unless the contract file names one."""


def read_records(path: Path, suites: Suites | None = None) -> Records:
    """Records from a file or a folder of logs. suites: metric, ability and cluster of each, where it must be said.

    Raises InputError with file and line for whatever cannot be understood.
    """
    suites = suites or {}
    if path.is_dir():
        return _folder(path, suites)
    if not path.exists():
        raise InputError("there is no such file", where=str(path), fix=f"Give {FORMS}.")
    if path.suffix == ".parquet":
        return make_records(path, "records", parquet_rows(path))
    if path.suffix in (".eval", ".json"):
        return make_records(path, "Inspect log", _inspect(path, suites))
    place, first = next(json_lines(path), (str(path), None))
    if first is None:
        raise InputError("the file is empty", where=str(path), fix=f"Give {FORMS}.")
    keys = first.keys() if isinstance(first, dict) else ()
    if "item_id" in keys:
        return make_records(path, "records", json_lines(path))
    if {"problem_idx", "reward"} <= set(keys):
        return make_records(path, "NeMo Evaluator results", _nemo(path, suites))
    if {"doc_id", "filtered_resps"} <= set(keys):
        return make_records(path, "lm-eval log", _lm_eval(path, suites))
    raise InputError("these are no item-level results", where=place, fix=f"Give {FORMS}.")


def _folder(folder: Path, suites: Suites) -> Records:
    forms: dict[str, list[Path]] = {
        "lm-eval log": _newest(sorted(folder.rglob("samples_*.jsonl"))),
        "NeMo Evaluator results": sorted(folder.rglob("results.jsonl")),
        "Inspect log": sorted(folder.rglob("*.eval")),
    }
    found = {form: files for form, files in forms.items() if files}
    if len(found) != 1:
        what = f"logs of {' and of '.join(found)}" if found else "no logs that are known"
        raise InputError(f"the folder holds {what}", where=str(folder), fix=f"Give {FORMS}.")
    ((form, files),) = found.items()
    read = {"lm-eval log": _lm_eval, "NeMo Evaluator results": _nemo, "Inspect log": _inspect}[form]
    return make_records(folder, form, (row for file in files for row in read(file, suites)))


def _newest(files: Sequence[Path]) -> list[Path]:
    """Of several runs of a task in one folder the last: file names end in a date that sorts."""
    latest: dict[tuple[Path, str], Path] = {}
    for file in files:
        match = SAMPLES.fullmatch(file.name)
        if match:
            latest[file.parent, match["task"]] = file
    return list(latest.values())


SAMPLES = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d{2}-\d{2}T[\d.:-]+)\.jsonl")


def _lm_eval(file: Path, suites: Suites) -> Rows:
    match = SAMPLES.fullmatch(file.name)
    task = match["task"] if match else file.stem.removeprefix("samples_")
    about = _lm_eval_results(file, match["date"]) if match else {}
    config = about.get("configs", {}).get(task, {})
    wanted = suites.get(task, SuiteOf())
    chosen: tuple[str, str] | None = None
    filters: set[str] = set()
    for place, row in json_lines(file):
        filters.add(str(row.get("filter")))
        scored = [name for name in row.get("metrics", []) if isinstance(row.get(name), bool | int | float)]
        if chosen is None:
            chosen = _metric(scored, wanted.metric, place), wanted.filter or str(row.get("filter"))
        if row.get("filter") != chosen[1]:
            continue
        answer = _first(row["filtered_resps"])
        yield (
            place,
            {
                "item_id": f"{row['doc_id']}-{str(row.get('doc_hash', ''))[:16]}",
                "suite": task,
                "ability": _looked_up(wanted.ability, row, place),
                "cluster": _looked_up(wanted.cluster, row, place),
                "score": _number(row.get(chosen[0])),
                "parsed": answer != "[invalid]",
                "prompt_sha": row.get("prompt_hash"),
                "decoding": config.get("generation_kwargs"),
                "build": _lm_eval_build(about, task) if about else None,
                "scorer": f"{chosen[0]},{chosen[1]}@{about.get('versions', {}).get(task)}",
                "response": answer if isinstance(answer, str) else None,
            },
        )
    if wanted.filter is not None and wanted.filter not in filters:
        fix = did_you_mean(wanted.filter, filters)
        raise InputError(f"no answer went through the filter '{wanted.filter}'", where=str(file), fix=fix)


def _lm_eval_results(samples: Path, date: str) -> dict[str, Any]:
    file = samples.with_name(f"results_{date}.json")
    return _json(file.read_bytes(), str(file)) if file.is_file() else {}


def _lm_eval_build(about: Mapping[str, Any], task: str) -> dict[str, Any]:
    config = about.get("config", {})
    names = ("model", "model_dtype", "batch_size", "device", "limit", "random_seed", "fewshot_seed")
    return {
        **{name: config.get(name) for name in names},
        **{name: about.get(name) for name in ("lm_eval_version", "transformers_version", "max_length")},
        "task_hash": about.get("task_hashes", {}).get(task),
        "num_fewshot": about.get("n-shot", {}).get(task),
    }


def _inspect(file: Path, suites: Suites) -> Rows:
    header, samples = _inspect_parts(file)
    about = header["eval"]
    task = str(about["task"])
    wanted = suites.get(task, SuiteOf())
    settings = {k: v for k, v in (about.get("model_generate_config") or {}).items() if k not in NOT_DECODING}
    build = {"packages": about.get("packages"), "service": str(about.get("model", "")).split("/")[0]}
    chosen: str | None = None
    for place, sample in samples:
        scores = sample.get("scores") or {}
        if chosen is None and scores:
            chosen = _metric([*scores], wanted.metric, place)
        given = scores.get(chosen, {}) if chosen else {}
        score = _number(LETTERS.get(str(given.get("value")), given.get("value")))
        yield (
            place,
            {
                "item_id": str(sample["id"]),
                "suite": task,
                "ability": _looked_up(wanted.ability, sample, place),
                "cluster": _looked_up(wanted.cluster, sample, place),
                "repeat": int(sample.get("epoch", 1)) - 1,
                "score": score,
                "parsed": score is not None and given.get("value") != "N",
                "prompt_sha": text_digest(_inspect_prompt(sample["input"])),
                "decoding": settings,
                "build": build,
                "scorer": f"{chosen}@{about.get('task_version', 0)}" if chosen else None,
                "response": (sample.get("output") or {}).get("completion"),
            },
        )


LETTERS: dict[str, Any] = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "True": 1.0, "False": 0.0}  # Inspect's own values
NOT_DECODING = (
    "max_connections",
    "max_retries",
    "timeout",
    "attempt_timeout",
    "batch",
    "cache",
    "adaptive_connections",
)


def _inspect_prompt(given: Any) -> str:
    if isinstance(given, str):
        return given
    return canonical_json([{"role": turn.get("role"), "content": turn.get("content")} for turn in given])


def _inspect_parts(file: Path) -> tuple[dict[str, Any], Iterator[tuple[str, dict[str, Any]]]]:
    if file.suffix == ".json":
        log = _json(file.read_bytes(), str(file))
        samples = ((f"{file}, sample {n}", sample) for n, sample in enumerate(log.get("samples") or [], start=1))
        return _inspect_header(log, file), samples
    try:
        archive = zipfile.ZipFile(file)
        names = sorted(name for name in archive.namelist() if name.startswith("samples/"))
        archive.getinfo("header.json")
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        fix = "A run that was cut off has no header: let Inspect finish it with 'inspect eval-retry'."
        raise InputError(f"this is no finished Inspect log ({error})", where=str(file), fix=fix) from None
    header = _json(_member(archive, "header.json"), f"{file} (header.json)")
    parts = ((f"{file} ({name})", _json(_member(archive, name), f"{file} ({name})")) for name in names)
    return _inspect_header(header, file), parts


ZSTANDARD = 93  # a compression of zip files that Python's own module reads from 3.14 on
LOCAL_HEADER = struct.Struct("<26x2H")  # before a member's data: the lengths of its name and of what is extra


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member of a zip file, Zstandard included. Raises InputError for one that is damaged."""
    try:
        about = archive.getinfo(name)
        return _unpacked(archive, about) if about.compress_type == ZSTANDARD else archive.read(name)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, zlib.error, struct.error) as error:
        where = f"{archive.filename} ({name})"
        raise InputError(f"the log is damaged ({error})", where=where, fix="Copy it again.") from None


def _unpacked(archive: zipfile.ZipFile, about: zipfile.ZipInfo) -> bytes:
    import pyarrow as pa

    with Path(str(archive.filename)).open("rb") as file:
        file.seek(about.header_offset)
        file.seek(sum(LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))), os.SEEK_CUR)
        packed = file.read(about.compress_size)
    plain: bytes = pa.decompress(packed, decompressed_size=about.file_size, codec="zstd", asbytes=True)
    if zlib.crc32(plain) != about.CRC:
        raise zipfile.BadZipFile("its checksum does not fit")
    return plain


def _inspect_header(header: dict[str, Any], file: Path) -> dict[str, Any]:
    if "eval" not in header or "task" not in header["eval"]:
        raise InputError("this is no Inspect log", where=str(file), fix=f"Give {FORMS}.")
    if header.get("status") not in (None, "success"):
        fix = "Let it finish: what is missing may be what went wrong."
        raise InputError(f"the evaluation ended as '{header['status']}'", where=str(file), fix=fix)
    return header


def _nemo(file: Path, suites: Suites) -> Rows:
    bundles = sorted(file.parent.glob("eval-*.json"))
    about = _json(bundles[-1].read_bytes(), str(bundles[-1])) if bundles else {}
    task = str(about.get("benchmark", {}).get("name") or file.parent.name or "items")
    wanted = suites.get(task, SuiteOf())
    config = about.get("config", {})
    decoding = {name: config.get(name) for name in ("temperature", "top_p", "max_tokens", "seed", "system_prompt")}
    for place, row in json_lines(file):
        if not {"problem_idx", "reward"} <= row.keys():
            raise InputError("the row has no problem_idx or no reward", where=place)
        category = (row.get("metadata") or {}).get("category") or (row.get("scoring_details") or {}).get("category")
        yield (
            place,
            {
                "item_id": str(row["problem_idx"]),
                "suite": task,
                "ability": _looked_up(wanted.ability, row, place) or category,
                "cluster": _looked_up(wanted.cluster, row, place),
                "repeat": row.get("repeat", 0),
                "score": _number(row["reward"]),
                "parsed": row.get("extracted_answer", "") is not None,
                "prompt": row.get("prompt"),
                "decoding": decoding if config else None,
                "build": about.get("sdk_version"),
                "scorer": f"reward@{about['sdk_version']}" if "sdk_version" in about else None,
                "response": row.get("model_response"),
            },
        )


def _metric(names: Sequence[str], wanted: str | None, place: str) -> str:
    if wanted is not None:
        if wanted not in names:
            raise InputError(f"there is no metric '{wanted}'", where=place, fix=did_you_mean(wanted, names))
        return wanted
    for name in METRICS:
        if name in names:
            return name
    if len(names) == 1:
        return names[0]
    fix = f"Name one in the contract file: suites: {{...: {{metric: {names[0] if names else 'acc'}}}}}."
    raise InputError(
        f"it is not clear which metric counts: {', '.join(names) or 'there is none'}", where=place, fix=fix
    )


def _looked_up(path: str | None, row: Mapping[str, Any], place: str) -> str | None:
    """The value at `doc.passage.id`."""
    if path is None:
        return None
    value: Any = row
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            known = ", ".join(sorted(map(str, value))[:12]) if isinstance(value, Mapping) else "nothing"
            raise InputError(f"there is no '{path}' in the log", where=place, fix=f"At '{part}' there is: {known}.")
        value = value[part]
    return value if isinstance(value, str) else canonical_json(value)


def _number(value: Any) -> Any:
    """A score; what a harness writes for "no verdict" (NaN) is one that is missing."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _first(answers: Any) -> Any:
    while isinstance(answers, list) and answers:
        answers = answers[0]
    return answers


def _json(text: bytes, place: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is no JSON ({error})", where=place, fix=f"Give {FORMS}.") from None
    if not isinstance(value, dict):
        raise InputError("this is no log", where=place, fix=f"Give {FORMS}.")
    return value
