"""One source read: every row becomes a record, or a dropped row with its reason.

Held-out groups are marked here, by a hash of source and group, so that the split stays the same whatever is added to
the recipe, and suites can be made of them before anything is curated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mixwright.ground.artefacts import write_json
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json, derive_seed, ordered_json
from mixwright.ground.progress import progress
from mixwright.recipe.data import SELF, Replay, Source
from mixwright.sources.data_sets import files_of
from mixwright.sources.files import DataFile
from mixwright.sources.forms import FormFault, RowReader, row_reader
from mixwright.sources.generators import generate
from mixwright.sources.readers import read_rows
from mixwright.sources.records import Dropped, Record, RecordWriter, conversation_record, sample_record
from mixwright.sources.replayed import Replayed
from mixwright.sources.screening import screened
from mixwright.sources.templates import text_at


def ingest(
    name: str, source: Source, out: Path, *, replay: Iterable[Replayed] = (), licence: str = "unknown"
) -> Mapping[str, Json]:
    """Write `records.parquet`, `dropped.parquet` and `counts.json` of one source. Returns the counts.

    replay: the conversations of a source `generate: self`. licence: of the model that wrote them.
    Raises InputError for a file that cannot be read, a form that does not fit, an empty source, and - unless the recipe
    says `malformed: drop` - the first malformed row, with file and line.
    """
    if source.generate == SELF:
        rows: Iterable[Record | Dropped] = _replayed(name, source, replay, licence)
    else:
        rows = _generated(name, source) if source.generate else _from_files(name, source)
    with (
        RecordWriter(out / "records.parquet", Record) as records,
        RecordWriter(out / "dropped.parquet", Dropped) as dropped,
        progress(f"read {name}", source.records) as advance,
    ):
        heldout = 0
        first_fault = ""
        rules: Counter[str] = Counter()
        for row in rows:
            if isinstance(row, Dropped):
                dropped.write(row)
                rules[row.rule] += 1
                first_fault = first_fault or f"{row.origin}: {row.reason}"
            else:
                records.write(row)
                heldout += row.split == "heldout"
            advance(1, "")
    counts: dict[str, Json] = {
        "rows_in": records.count + dropped.count,
        "rows_kept": records.count,
        "rows_dropped": dropped.count,
        "rows_heldout": heldout,
        "dropped": dict(sorted(rules.items())),
    }
    if records.count == 0:
        raise _without_rows(name, source, dropped.count, first_fault)
    write_json(out / "counts.json", counts)
    return counts


def _without_rows(name: str, source: Source, num_malformed: int, first_fault: str) -> InputError:
    if num_malformed:
        message = f"all {num_malformed} rows are malformed (the first: {first_fault})"
        return InputError(
            message, where=f"sources.{name}", fix="Mend the rows, or say with 'columns' how to read them."
        )
    files = ", ".join(file.name for file in files_of(source, f"sources.{name}")[:4])
    fix = "Name a file with rows, or remove the source and its share."
    return InputError(f"the source has no rows ({files} is empty)", where=f"sources.{name}", fix=fix)


def _generated(name: str, source: Source) -> Iterator[Record]:
    assert source.generate is not None
    assert source.records is not None
    examples = generate(
        source.generate,
        seed=source.seed,
        num_records=source.records,
        split="train",
        abilities=source.abilities,
    )
    licence = source.licence if source.licence != "unknown" else "generated"
    for number, example in enumerate(examples, 1):
        messages = example.messages
        if source.system is not None and messages[0]["role"] != "system":
            messages = [{"role": "system", "content": source.system}, *messages]
        yield conversation_record(
            messages,
            source=name,
            origin=f"{source.generate}:{number}",
            licence=licence,
            group=example.group,
            split=_split(name, source, example.group),
        )


def _replayed(name: str, source: Source, replay: Iterable[Replayed], licence: str) -> Iterator[Record | Dropped]:
    for number, conversation in enumerate(screened(replay, source.replay or Replay()), 1):
        origin = f"{SELF}:{number}"
        if conversation.fault:
            text = ordered_json(conversation.messages) if conversation.messages else ""
            yield Dropped("", name, origin, conversation.rule, conversation.fault, "", text)
            continue
        messages = conversation.messages
        if source.system is not None and messages[0]["role"] != "system":
            messages = [{"role": "system", "content": source.system}, *messages]
        record = conversation_record(
            messages,
            source=name,
            origin=origin,
            licence=source.licence if source.licence != "unknown" else licence,
            group=None,
            split="train",
        )
        yield record._replace(split=_split(name, source, record.group))


def _from_files(name: str, source: Source) -> Iterator[Record | Dropped]:
    reader: RowReader | None = None
    for file in files_of(source, f"sources.{name}"):
        for row in read_rows(file, source):
            origin = f"{file.name}:{row.place}"
            fault, text = row.fault, row.raw
            if row.value is not None:
                try:
                    if reader is None:
                        reader = _reader(name, source, row.value, file)
                    sample = reader.read(row.value)
                    group = text_at(source.group, row.value) if source.group else None
                    record = sample_record(
                        sample,
                        source=name,
                        origin=origin,
                        licence=source.licence,
                        group=group,
                        split="train",
                    )
                    yield record._replace(split=_split(name, source, record.group))
                    continue
                except (ValueError, TypeError) as error:  # TypeError: a Parquet value that JSON does not know
                    fault, text = str(error), str(row.value)[:500]
            assert fault is not None
            if source.malformed == "refuse":
                raise InputError(
                    f"malformed row: {fault}",
                    where=f"{file}:{row.place} (sources.{name})",
                    fix=f"Mend the row, or set sources.{name}.malformed: drop to leave such rows out and count them.",
                )
            yield Dropped("", name, origin, "malformed", fault, "", text)


def _reader(name: str, source: Source, row: Mapping[str, Any], file: DataFile) -> RowReader:
    try:
        return row_reader(source, row)
    except FormFault as error:
        where = f"sources.{name}.{error.key}" if error.key else f"sources.{name}"
        raise InputError(f"{error} ({file.name})", where=where, fix=error.fix) from None


def _split(name: str, source: Source, group: str) -> str:
    if source.holdout and derive_seed("holdout", name, group) / 2**63 < source.holdout:
        return "heldout"
    return "train"
