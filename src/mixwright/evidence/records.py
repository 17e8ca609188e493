"""Item-level results of any origin: what a model answered to each item, and how that was scored.

The documented form is a JSONL or Parquet file with a row per item (and repeat). `item_id` and `score` are needed; the
rest says what must be equal for two rows to be compared, which items hang together, and what people said:

| column | meaning | when absent |
|---|---|---|
| `item_id` | the same for the same question | |
| `score` | 0 to 1; null is a verdict that is missing, and counts against the candidate | |
| `suite`, `ability` | what was measured | `items`, the suite |
| `cluster` | items of one passage, customer, document hang together | each item by itself |
| `parsed` | whether an answer of the asked form was found | true |
| `human` | what people said, 0 to 1, for a random part of the items | nobody looked |
| `prompt_sha` or `prompt`, `decoding`, `build`, `scorer` | must be equal in both files | not checked, and said so |
| `repeat`, `response` | repeats are averaged; the response is shown where an item flips | |

Anything else in a row is left alone. Logs of other harnesses are read by `importers`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json, canonical_json, text_digest

FACTS = ("prompt_sha", "decoding", "build", "scorer")
"""What must be equal for two records of an item to be compared."""


class Record(NamedTuple):
    """One item. score, human: 0 to 1, None where missing. parsed: 0 to 1. facts: `FACTS`, None where not recorded."""

    suite: str
    ability: str
    item_id: str
    cluster: str
    score: float | None
    parsed: float
    human: float | None
    response: str | None
    facts: tuple[str | None, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.suite, self.item_id


@dataclass(frozen=True)
class Records:
    """Records by (suite, item), one for each. origin: the file or folder. form: what it was read as."""

    origin: Path
    form: str
    rows: Mapping[tuple[str, str], Record]


Row = Mapping[str, Any]


def make_records(origin: Path, form: str, rows: Iterable[tuple[str, Row]]) -> Records:
    """Check and collect rows in the documented form. rows: with their place (`file:line`).

    Raises InputError with the place for what is no record, and for an item that stands there twice.
    """
    found: dict[tuple[str, str], dict[int, Record]] = {}
    for place, row in rows:
        record = _record(row, place)
        repeats = found.setdefault(record.key, {})
        repeat = row.get("repeat") or 0
        if repeat in repeats:
            fix = "Give each run of an item its own 'repeat', or leave one of the rows out."
            raise InputError(f"the item {record.item_id} stands here twice", where=place, fix=fix)
        if any(_of_item(other) != _of_item(record) for other in repeats.values()):
            fix = "Repeats of an item share its ability, cluster, prompt, decoding, build and scorer."
            raise InputError(f"the repeats of item {record.item_id} are not of the same item", where=place, fix=fix)
        repeats[repeat] = record
    if not found:
        raise InputError("there are no records", where=str(origin), fix="Give a file with a row for each item.")
    return Records(origin, form, {key: _averaged([*repeats.values()]) for key, repeats in found.items()})


def _of_item(record: Record) -> tuple[object, ...]:
    return record.ability, record.cluster, record.facts


def _averaged(repeats: Sequence[Record]) -> Record:
    if len(repeats) == 1:
        return repeats[0]
    scores, human = [r.score for r in repeats if r.score is not None], [r.human for r in repeats if r.human is not None]
    return repeats[0]._replace(
        score=fmean(scores) if len(scores) == len(repeats) else None,
        parsed=fmean(record.parsed for record in repeats),
        human=fmean(human) if human else None,
    )


def _record(row: Any, place: str) -> Record:
    if not isinstance(row, Mapping):
        raise InputError(f"a record is an object with columns, found {type(row).__name__}", where=place)
    for name in ("item_id", "score"):
        if name not in row or (name == "item_id" and row[name] in (None, "")):
            known = ", ".join(sorted(map(str, row))[:12])
            raise InputError(f"the record has no '{name}'", where=place, fix=f"It has: {known}.")
    suite = str(row.get("suite") or "items")
    item_id = str(row["item_id"])
    prompt = row.get("prompt_sha")
    if prompt is None and row.get("prompt") is not None:
        prompt = text_digest(_text(row["prompt"]))
    parsed = _score(row.get("parsed", True), "parsed", place)
    cluster = row.get("cluster")
    facts = (prompt, *(row.get(name) for name in FACTS[1:]))
    return Record(
        suite=suite,
        ability=str(row.get("ability") or suite),
        item_id=item_id,
        cluster=item_id if cluster is None else str(cluster),
        score=_score(row["score"], "score", place),
        parsed=1.0 if parsed is None else parsed,
        human=_score(row.get("human"), "human", place),
        response=None if row.get("response") is None else _text(row["response"]),
        facts=tuple(None if fact is None else _text(fact) for fact in facts),
    )


def _score(value: Any, name: str, place: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool | int | float) and math.isfinite(value) and 0 <= value <= 1:
        return float(value)
    fix = "Scores run from 0 to 1; null says that a verdict is missing."
    raise InputError(f"'{name}' is {value!r}", where=place, fix=fix)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else canonical_json(value)


def json_lines(file: Path) -> Iterator[tuple[str, Any]]:
    """The lines of a JSONL file with their places. Raises InputError for a line that is no JSON."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield f"{file}:{number}", json.loads(line)
                except (ValueError, RecursionError) as error:
                    fix = "Each line is one JSON object; a file cut off in the middle must be copied again."
                    raise InputError(f"the line is no JSON ({error})", where=f"{file}:{number}", fix=fix) from None


def parquet_rows(file: Path) -> Iterator[tuple[str, Row]]:
    """The rows of a Parquet file with their places. Raises InputError where it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        first = str(error).splitlines()[0]
        raise InputError(f"this is no Parquet file ({first})", where=str(file), fix="Write it again.") from None
    wanted = {"item_id", "suite", "ability", "cluster", "score", "parsed", "human", "prompt", "repeat", "response"}
    columns = [name for name in table.column_names if name in wanted | {*FACTS}]
    for number, row in enumerate(table.select(columns).to_pylist(), start=1):
        yield f"{file}, row {number}", row


def records_about(records: Records) -> dict[str, Json]:
    """What records hold, for people and for `--json`."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records.rows.values():
        groups.setdefault((record.suite, record.ability), []).append(record)
    facts = [record.facts for record in records.rows.values()]
    return {
        "form": records.form,
        "num_items": len(records.rows),
        "recorded": [name for i, name in enumerate(FACTS) if all(fact[i] is not None for fact in facts)],
        "abilities": [
            {
                "suite": suite,
                "ability": ability,
                "num_items": len(some),
                "num_clusters": len({record.cluster for record in some}),
                "score": fmean(record.score or 0.0 for record in some),
                "parse_rate": fmean(record.parsed for record in some),
                "num_missing": sum(record.score is None for record in some),
                "num_human": sum(record.human is not None for record in some),
            }
            for (suite, ability), some in sorted(groups.items())
        ],
    }


def write_records(records: Records, file: Path) -> None:
    """Write records in the documented form, `.jsonl` or `.parquet`. Raises InputError for another ending."""
    rows = [
        {
            **{name: value for name, value in record._asdict().items() if name != "facts"},
            **dict(zip(FACTS, record.facts, strict=True)),
        }
        for record in records.rows.values()
    ]
    if file.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), file, compression="zstd")
    elif file.suffix == ".jsonl":
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        file.write_text("".join(lines), encoding="utf-8")
    else:
        raise InputError("records are written as .jsonl or .parquet", where=str(file), fix="Choose one of these.")
