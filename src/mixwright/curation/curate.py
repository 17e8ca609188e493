"""The curation stage: every source's records in, one corpus out, every dropped row with its reason.

Filters and leak checks look at one record and run on the executor, batch by batch; de-duplication needs them all and
runs here, by name with domain sources first, so that of two equal rows the domain keeps its own.
Memory: one 16-byte key and the place of its first holder for each kept record, plus a batch per worker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mixwright.curation.filters import FILTERS
from mixwright.ground.artefacts import read_json, write_json
from mixwright.ground.errors import InputError
from mixwright.ground.executor import Executor
from mixwright.ground.hashing import Json, text_digest
from mixwright.ground.progress import progress
from mixwright.items.leaks import Protected, leaked_item
from mixwright.recipe.data import Curate
from mixwright.sources.forms.turns import what_is_taught
from mixwright.sources.intake.records import Dropped, Record, RecordWriter, read_record_batches


class Finding(NamedTuple):
    """What one record's own look found. key: what makes two records duplicates. rule: empty when it may stay."""

    key: bytes
    rule: str = ""
    reason: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class _Examination:
    """A batch with everything its examination needs: plain data, so that it can travel to another process."""

    records: list[Record]
    limits: Curate
    protected: Protected


def curate(
    sources: Mapping[str, Path], suites: Sequence[Path], settings: Curate, executor: Executor, out: Path
) -> Mapping[str, Json]:
    """Write `<source>.parquet` for each source, `dropped.parquet` and `attrition.json`. Returns counts.

    sources: folders written by `ingest`, domain sources first. suites: folders written by `write_suite`.
    Raises InputError when a source is emptied, or when a row leaks and the recipe says `decontaminate: refuse`.
    """
    protected = _all_protected(suites)
    seen: dict[bytes, str] = {}
    attrition: dict[str, Json] = {}
    with RecordWriter(out / "dropped.parquet", Dropped) as dropped:
        for name, folder in sources.items():
            counts = read_json(folder / "counts.json")
            reasons: Counter[str] = Counter()
            first_dropped = ""
            with ExitStack() as stack:
                kept = stack.enter_context(RecordWriter(out / f"{name}.parquet", Record))
                advance = stack.enter_context(progress(f"curate {name}", counts["rows_kept"]))
                for record, finding in _examined(folder / "records.parquet", settings, protected, executor):
                    advance(1, "")
                    if record.split == "heldout":
                        continue
                    finding = _against_seen(record, finding, seen, settings)
                    if not finding.rule:
                        kept.write(record)
                        continue
                    if finding.rule == "leak" and settings.decontaminate == "refuse":
                        raise _leak(name, record, finding)
                    reasons[finding.rule] += 1
                    first_dropped = first_dropped or f"{record.origin}: {finding.reason}"
                    dropped.write(
                        Dropped(
                            record.record_id,
                            name,
                            record.origin,
                            finding.rule,
                            finding.reason,
                            finding.evidence,
                            record.messages or record.text,
                        )
                    )
            reasons.update(counts["dropped"])
            balance = {
                "rows_in": counts["rows_in"],
                "rows_kept": kept.count,
                "rows_heldout": counts["rows_heldout"],
                "dropped": dict(sorted(reasons.items())),
            }
            assert balance["rows_in"] == kept.count + counts["rows_heldout"] + reasons.total(), balance
            if kept.count == 0:
                raise _emptied(name, balance, first_dropped)
            attrition[name] = balance
    write_json(out / "attrition.json", {"sources": attrition})
    return {"sources": attrition, "rows_dropped": dropped.count}


def _all_protected(suites: Sequence[Path]) -> Protected:
    protected: Protected = {}
    for folder in suites:
        for head, entries in read_json(folder / "protected.json").items():
            protected.setdefault(head, []).extend(entries)
    return protected


def _examined(
    path: Path, settings: Curate, protected: Protected, executor: Executor
) -> Iterator[tuple[Record, Finding]]:
    tasks = (_Examination(batch, settings, protected) for batch in read_record_batches(path))
    for records, findings in executor.map(examine, tasks):
        yield from zip(records, findings, strict=True)


def examine(task: _Examination) -> tuple[list[Record], list[Finding]]:
    """What each record's own content says: its duplicate key, and the first rule that drops it."""
    return task.records, [_examine(record, task) for record in task.records]


def _examine(record: Record, task: _Examination) -> Finding:
    messages = record.turns()
    key = bytes.fromhex(text_digest(what_is_taught(messages, record.tools)))
    for rule in FILTERS:
        reason = rule(messages, task.limits.filters)
        if reason:
            return Finding(key, rule.__name__, reason)
    item = leaked_item(messages, task.protected)
    if item:
        return Finding(key, "leak", "holds an evaluation item verbatim", item)
    return Finding(key)


def _against_seen(record: Record, finding: Finding, seen: dict[bytes, str], settings: Curate) -> Finding:
    if finding.rule or not settings.dedup.exact:
        return finding
    if finding.key in seen:
        return Finding(finding.key, "duplicate", "the same conversation stands earlier", seen[finding.key])
    seen[finding.key] = f"{record.source}/{record.origin}"
    return finding


def _leak(name: str, record: Record, finding: Finding) -> InputError:
    return InputError(
        f"the row {record.origin} holds the evaluation item {finding.evidence} verbatim",
        where=f"sources.{name}",
        fix="Remove it from the source, or set curate.decontaminate: all_suites to drop and count such rows.",
    )


def _emptied(name: str, balance: Mapping[str, Json], first_dropped: str) -> InputError:
    dropped = balance["dropped"]
    assert isinstance(dropped, dict)
    reasons = ", ".join(f"{rule} {count}" for rule, count in dropped.items())
    if not first_dropped:
        message = f"no row of {balance['rows_in']} is left to train on ({balance['rows_heldout']} are held out)"
        return InputError(message, where=f"sources.{name}", fix=f"Lower sources.{name}.holdout.")
    return InputError(
        f"no row of {balance['rows_in']} is left after curation ({reasons}; the first, {first_dropped})",
        where=f"sources.{name}",
        fix="Loosen curate.filters, or remove the source and its share.",
    )
