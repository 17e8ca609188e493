"""Rows become records: the first decides the form, and one that does not fit it is dropped or ends the run.

Held-out groups are marked here, by a hash of source and group, so that the split stays the same whatever is added to
the recipe, and suites can be made of them before anything is curated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import derive_seed
from mixwright.recipe.data import Source
from mixwright.sources.files.data_file import label_of
from mixwright.sources.forms.reading import FormFault, row_reader
from mixwright.sources.forms.templates import text_at
from mixwright.sources.intake.parts import Part
from mixwright.sources.intake.records import BatchWriter, Dropped, Record, sample_record
from mixwright.sources.rows.formats.row import MALFORMED, NOT_UTF8, Row

STEP = 64  # rows from one telling of the progress to the next
NOT_THE_FORM = (ValueError, TypeError)  # of a row; TypeError: a Parquet value that JSON does not know


class Intake:
    """Makes records of the rows of a source. first: a row that decides the form; else the first that is read does."""

    def __init__(self, name: str, source: Source, first: Mapping[str, Any] | None = None) -> None:
        self._name, self._source = name, source
        self._reader = None if first is None else row_reader(source, first)

    def read(self, file: Part, rows: Iterable[Row]) -> Iterator[Record | Dropped]:
        name, source = self._name, self._source
        for row in rows:
            origin = f"{label_of(file)}:{row.place}"
            fault, text, rule = row.fault, row.raw, row.rule
            if row.value is not None:
                try:
                    self.decide(row.value, file)
                    yield self._record(row.value, origin)
                    continue
                except NOT_THE_FORM as error:
                    fault, text, rule = str(error), str(row.value)[:500], MALFORMED
            assert fault is not None
            if rule == MALFORMED and source.malformed == "refuse":
                leave = f"set sources.{name}.malformed: drop to leave such rows out and count them"
                raise InputError(
                    f"malformed row: {fault}",
                    where=f"{file}:{row.place} (sources.{name})",
                    fix=f"{'Save the file as UTF-8' if NOT_UTF8 in fault else 'Mend the row'}, or {leave}.",
                )
            yield Dropped("", name, origin, rule, fault, "", text)

    def decide(self, row: Mapping[str, Any], file: Part) -> None:
        """Decide by this row how all are read, unless that is decided. Raises InputError when no form fits."""
        if self._reader is not None:
            return
        try:
            self._reader = row_reader(self._source, row)
        except FormFault as error:
            where = f"sources.{self._name}.{error.key}" if error.key else f"sources.{self._name}"
            raise InputError(f"{error} ({label_of(file)})", where=where, fix=error.fix) from None

    def _record(self, row: Mapping[str, Any], origin: str) -> Record:
        assert self._reader is not None
        name, source = self._name, self._source
        sample = self._reader.read(row)
        group = text_at(source.group, row) if source.group else None
        record = sample_record(sample, source=name, origin=origin, licence=source.licence, group=group, split="train")
        return record._replace(split=split_of(name, source, record.group)) if source.holdout else record


def split_of(name: str, source: Source, group: str) -> str:
    """The side of a group: `train`, or `heldout`."""
    if source.holdout and derive_seed("holdout", name, group) / 2**63 < source.holdout:
        return "heldout"
    return "train"


@dataclass
class Tally:
    """What became of rows, besides what is written of them. rules: by which rows were dropped. first_dropped: where and
    why the first of them was."""

    heldout: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    first_dropped: str = ""

    def add(self, other: Tally) -> None:
        self.heldout += other.heldout
        self.rules += other.rules
        self.first_dropped = self.first_dropped or other.first_dropped


def write_all(
    rows: Iterable[Record | Dropped], records: BatchWriter, dropped: BatchWriter, advance: Callable[[int, str], None]
) -> Tally:
    """Write each row where it belongs. advance: told of rows and a note, now and then."""
    tally = Tally()
    number = 0
    for number, row in enumerate(rows, 1):
        if isinstance(row, Record):
            records.write(row)
            tally.heldout += row.split == "heldout"
        else:
            dropped.write(row)
            tally.rules[row.rule] += 1
            tally.first_dropped = tally.first_dropped or f"{row.origin}: {row.reason}"
        if not number % STEP:
            advance(STEP, "")
    advance(number % STEP, "")
    return tally
