"""One source read: every row becomes a record, or a dropped row with its reason.

Rows come from files, from a generator, or from the base model that writes its own replay. Where there are files enough
and several workers, these share them (`divided`); what is written is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mixwright.ground.artefacts import SCRATCH, write_json
from mixwright.ground.errors import InputError
from mixwright.ground.executor import Executor, InProcess
from mixwright.ground.hashing import Json, ordered_json
from mixwright.ground.progress import progress
from mixwright.recipe.data import SELF, Replay, Source
from mixwright.sources.files.data_file import DataFile
from mixwright.sources.files.data_sets import files_of
from mixwright.sources.forms.reading import Sample
from mixwright.sources.generators import generate
from mixwright.sources.intake.divided import write_divided
from mixwright.sources.intake.intake import Intake, Tally, split_of, write_all
from mixwright.sources.intake.parts import PIECE_BYTES, is_worthwhile, pieces_of
from mixwright.sources.intake.records import EXCERPT, Dropped, Record, RecordWriter, conversation_record, sample_record
from mixwright.sources.replay.replayed import Replayed
from mixwright.sources.replay.screening import screened
from mixwright.sources.rows.formats.row import LEFT_OUT, mending
from mixwright.sources.rows.readers import read_rows
from mixwright.sources.rows.selection import nothing_belongs


def ingest(
    name: str,
    source: Source,
    out: Path,
    *,
    replay: Iterable[Replayed] = (),
    licence: str = "unknown",
    executor: Executor | None = None,
    piece_bytes: int = PIECE_BYTES,
) -> Mapping[str, Json]:
    """Write `records.parquet`, `dropped.parquet` and `counts.json` of one source. Returns the counts.

    replay: the conversations of a source `generate: self`. licence: of the model that wrote them. executor: where it
    has several workers they share what is read, in pieces of about `piece_bytes`; the result is the same.
    Raises InputError for a file that cannot be read, a form that does not fit, an empty source, and - unless the recipe
    says `malformed: drop` - the first malformed row, with file and line.
    """
    files = files_of(source, f"sources.{name}") if source.is_read else []
    if source.generate == SELF:
        rows: Iterable[Record | Dropped] = _replayed(name, source, replay, licence)
    else:
        rows = _generated(name, source) if source.generate else _from_files(name, source, files)
    with (
        RecordWriter(out / "records.parquet", Record) as records,
        RecordWriter(out / "dropped.parquet", Dropped) as dropped,
        progress(f"read {name}", source.records) as advance,
    ):
        if executor is None or isinstance(executor, InProcess) or not is_worthwhile(files, source, piece_bytes):
            tally = write_all(rows, records, dropped, advance)
        else:
            pieces = pieces_of(files, source, piece_bytes)
            tally = write_divided(name, source, pieces, executor, out / SCRATCH, records, dropped, advance)
    counts: dict[str, Json] = {
        "rows_in": records.count + dropped.count,
        "rows_kept": records.count,
        "rows_dropped": dropped.count,
        "rows_heldout": tally.heldout,
        "dropped": dict(sorted(tally.rules.items())),
    }
    if records.count == 0:
        raise _without_rows(name, source, files, tally)
    write_json(out / "counts.json", counts)
    return counts


def _without_rows(name: str, source: Source, files: Sequence[DataFile], tally: Tally) -> InputError:
    num_left_out = tally.rules[LEFT_OUT]
    if num_left_out and num_left_out == tally.rules.total():
        return nothing_belongs(source.where or {}, num_left_out, tally.first_dropped, f"sources.{name}")
    if tally.rules:
        what = "malformed, or left out by 'where'" if num_left_out else "malformed"
        all_of_them, first = f"all {tally.rules.total()} rows are {what}", f"(the first: {tally.first_dropped})"
        fix = mending(tally.first_dropped)
        if source.generate == SELF:
            all_of_them = f"nothing of {tally.rules.total()} that the base wrote is kept"
            fix = "Loosen the source's 'replay', or use curated data."
        return InputError(f"{all_of_them} {first}", where=f"sources.{name}", fix=fix)
    listed = ", ".join(file.name for file in files[:4])
    fix = "Name a file with rows, or remove the source and its share."
    return InputError(f"the source has no rows ({listed} is empty)", where=f"sources.{name}", fix=fix)


def _from_files(name: str, source: Source, files: Sequence[DataFile]) -> Iterator[Record | Dropped]:
    intake = Intake(name, source)
    for file in files:
        yield from intake.read(file, read_rows(file, source))


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
            split=split_of(name, source, example.group),
        )


def _replayed(name: str, source: Source, replay: Iterable[Replayed], licence: str) -> Iterator[Record | Dropped]:
    for number, written in enumerate(screened(replay, source.replay or Replay()), 1):
        origin = f"{SELF}:{number}"
        if written.fault:
            text = ordered_json(written.messages) if written.messages else written.text
            yield Dropped("", name, origin, written.rule, written.fault, "", text)
            continue
        messages = written.messages
        if messages and source.system is not None and messages[0]["role"] != "system":
            messages = [{"role": "system", "content": source.system}, *messages]
        record = sample_record(
            Sample(messages, text=written.text),
            source=name,
            origin=origin,
            licence=source.licence if source.licence != "unknown" else licence,
            group=None,
            split="train",
        )
        kind = record.kind if written.whole else EXCERPT
        yield record._replace(kind=kind, split=split_of(name, source, record.group))
