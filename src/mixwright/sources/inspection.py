"""What a file or folder holds, found out before anything is asked of it: the form and why, the problems, the lengths.

Every row is read as a run would read it; only as many are kept as are shown or tried on a chat template. Where no form
fits and names tell what columns may mean, the rows are read so, for a person to look at and confirm.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json
from mixwright.ground.progress import progress
from mixwright.items.conversation import Message
from mixwright.recipe.data import Source
from mixwright.sources.files.data_file import DataFile, kind_of, label_of
from mixwright.sources.files.data_sets import commit_of
from mixwright.sources.files.data_sets import found as find_source
from mixwright.sources.forms.guesses import as_lines, deeper
from mixwright.sources.forms.reading import FormFault, RowReader, Sample, row_reader
from mixwright.sources.forms.turns import what_is_taught
from mixwright.sources.intake.records import DOCUMENT
from mixwright.sources.rows.formats.row import LEFT_OUT, Row, mending
from mixwright.sources.rows.readers import read_rows
from mixwright.sources.rows.selection import nothing_belongs

if TYPE_CHECKING:
    from mixwright.models.tokenizer import ChatTokenizer

SHOWN = 3
RENDERED = 200  # conversations that are tried on a chat template
NO_ROW = "no row can be read"
VALUE_SHOWN = 80  # characters of a value of the first row


@dataclass
class Inspection:
    """files: what was read. commit: of a data set of a hub. limit: of rows; None for all. form, why: None where no form
    fits or no row can be read, with the reason and what to write (`fix`). rows: all. malformed: how many of them are.
    left_out: how many the source's `where` leaves out, and why the first of them. empty: how many have a question or an
    answer without a word. noted: how many are read, but may have been meant otherwise, and the first of these. columns:
    of the first row; unused: those of them that are not read; first_row: their values, shortened. samples: the first of
    them, with where they come from; where no form fits, as the columns that may be meant (`guess`) make them. lengths:
    in characters, of every sample. problems: what to know before training on it. recipe: keys of a source that reads
    it; none where nothing is known to.
    """

    files: list[DataFile]
    commit: str | None = None
    limit: int | None = None
    form: str | None = None
    why: str = ""
    fix: str = ""
    rows: int = 0
    malformed: int = 0
    left_out: int = 0
    first_left_out: str = ""
    empty: int = 0
    noted: int = 0
    first_note: str = ""
    columns: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    first_row: dict[str, str] = field(default_factory=dict)
    samples: list[tuple[str, Sample]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    turns: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    guess: dict[str, Json] = field(default_factory=dict)
    recipe: dict[str, Json] = field(default_factory=dict)

    @property
    def examples(self) -> list[tuple[str, Sample]]:
        """The samples to show."""
        return self.samples[:SHOWN]

    def as_json(self) -> dict[str, Json]:
        """Everything but the samples' own text."""
        return {
            "files": [str(file) for file in self.files],
            "kinds": sorted({kind_of(file) or "" for file in self.files}),
            "commit": self.commit,
            "form": self.form,
            "why": self.why,
            "fix": self.fix,
            "columns": [*self.columns],
            "unused": [*self.unused],
            "first_row": self.first_row,
            "rows": self.rows,
            "limit": self.limit,
            "malformed": self.malformed,
            "left_out": self.left_out,
            "first_left_out": self.first_left_out,
            "empty": self.empty,
            "noted": self.noted,
            "first_note": self.first_note,
            "first_faults": [*self.faults],
            "turns": dict(self.turns),
            "characters": dict(quantiles(self.lengths)),
            "problems": [*self.problems],
            "recipe": self.recipe,
        }


def quantiles(lengths: Sequence[int]) -> dict[str, int]:
    """Shortest, middle, long and longest."""
    if not lengths:
        return {}
    points = {"min": 0.0, "median": 0.5, "p95": 0.95, "max": 1.0}
    return {name: int(np.quantile(lengths, point, method="higher")) for name, point in points.items()}


def inspect(source: Source, where: str, *, limit: int | None = None) -> Inspection:
    """Read a source and say what it is. where: what is inspected, for messages. limit: of rows; all when None.

    Raises InputError for files that are not there or cannot be read at all; that no form fits is a finding.
    """
    try:
        (files, notes), commit = find_source(source, where), commit_of(source, where)
    except InputError as error:
        error.where = _without_key(error.where or where, where)
        raise
    found = _read(source, files, where, limit, may_guess=True)
    if found.guess:
        plain = source.model_dump(exclude_defaults=True)
        meant = _read(Source.model_validate({**plain, **found.guess}), files, where, limit, may_guess=False)
        if meant.form is not None:
            meant.form, meant.why, meant.fix, meant.guess = None, found.why, found.fix, found.guess
            found = meant
        else:
            found = _read(source, files, where, limit, may_guess=False)
    found.commit = commit
    found.problems = [*notes, *found.problems]
    return found


def rendering_problems(found: Inspection, tokenizer: ChatTokenizer, model: str) -> list[str]:
    """How many of the first samples the chat template of a model refuses, if any."""
    samples = [(place, sample) for place, sample in found.samples if sample.messages]
    if not samples:
        return []
    tools = [json.loads(sample.tools) if sample.tools else None for _, sample in samples]
    encoded = tokenizer.encode([sample.messages for _, sample in samples], loss="assistant", tools=tools)
    places = [place for place, _ in samples]
    refused = [(place, fault) for place, fault in zip(places, encoded, strict=True) if isinstance(fault, ValueError)]
    if not refused:
        return []
    tried = f"the {len(samples):,} rows" if len(samples) == len(found.lengths) else f"the first {len(samples):,} rows"
    (place, fault), *_ = refused
    return [f"{len(refused):,} of {tried} do not go into the chat template of {model}: {fault} (the first: {place})"]


def _without_key(place: str, where: str) -> str:
    """The place of an error as a person has named it: what is inspected is no recipe."""
    key = place.removeprefix(f"{where}.") if place.startswith(f"{where}.") else ""
    return place if not key else where if key in ("path", "hub") else f"{where} ({key})"


def _read(source: Source, files: list[DataFile], where: str, limit: int | None, *, may_guess: bool) -> Inspection:
    """All rows, or the first of them where no form fits and there is a guess to read them by instead."""
    found = Inspection(files, limit=limit, recipe=_recipe(source))
    reader: RowReader | None = None
    seen: set[int] = set()
    columns: Counter[frozenset[str]] = Counter()
    with progress("inspect", limit) as advance:
        for file, row in itertools.islice(_rows(files, source), limit):
            found.rows += 1
            advance(1, "")
            place = f"{label_of(file)}:{row.place}"
            if row.note:
                found.noted += 1
                found.first_note = found.first_note or f"{place}: {row.note}"
            if row.rule == LEFT_OUT:
                found.left_out += 1
                found.first_left_out = found.first_left_out or f"{place}: {row.fault}"
                continue
            if row.value is None:
                _malformed(found, place, row.fault or "")
                continue
            columns[frozenset(map(str, row.value))] += 1
            try:
                if reader is None and not found.fix:
                    reader = _decided(found, source, row)
                    if may_guess and found.guess:
                        return found
                if reader is not None:
                    _count(found, reader.read(row.value), place, seen)
            except (ValueError, TypeError) as error:
                _malformed(found, place, str(error))
    if found.rows == 0:
        raise InputError("there are no rows in it", where=where, fix="Name a file with rows.")
    if found.left_out and not columns:
        raise nothing_belongs(source.where or {}, found.left_out, found.first_left_out, where)
    _conclude(found, columns, len(found.lengths) - found.empty - len(seen))
    return found


def _decided(found: Inspection, source: Source, row: Row) -> RowReader | None:
    """How the rows are read, by this one of them; None, with the fault, where no form fits. Raises ValueError where
    this row cannot tell."""
    assert row.value is not None
    found.columns = [str(column) for column in row.value]
    found.first_row = {str(column): _shortened(value) for column, value in row.value.items()}
    try:
        reader = row_reader(source, row.value)
    except FormFault as fault:
        found.why, found.fix = str(fault), fault.fix
        found.guess = fault.guess or _inside(source, row)
        if not fault.guess and found.guess:
            found.fix = f"Its rows may lie deeper: say {as_lines(found.guess)}."
        return None
    found.form, found.why = reader.form, reader.why
    found.unused = [column for column in found.columns if column not in reader.columns]
    return reader


def _inside(source: Source, row: Row) -> dict[str, Json]:
    """`rows`, where a column of this row holds objects that have a form, or columns that may be meant."""
    around = f"{row.part.rpartition('.')[0]}.*".removeprefix(".") if row.part else ""
    for path, first in deeper(row.value or {}):
        rows = ".".join(filter(None, (source.rows or around, path)))
        try:
            row_reader(source, first)
        except FormFault as fault:
            if not fault.guess:
                continue
            return {"rows": rows, **fault.guess}
        except ValueError:
            continue
        return {"rows": rows}
    return {}


def _shortened(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}…"


def _rows(files: Sequence[DataFile], source: Source) -> Iterator[tuple[DataFile, Row]]:
    for file in files:
        for row in read_rows(file, source, closely=True):
            yield file, row


def _malformed(found: Inspection, place: str, fault: str) -> None:
    found.malformed += 1
    if len(found.faults) < SHOWN:
        found.faults.append(f"{place}: {fault}")


def _is_empty(messages: Sequence[Message]) -> bool:
    """Whether a question or an answer has no word in it."""
    spoken = [message for message in messages if message["role"] in ("user", "assistant")]
    return any(not message.get("tool_calls") and not str(message.get("content") or "").strip() for message in spoken)


def _count(found: Inspection, sample: Sample, place: str, seen: set[int]) -> None:
    """seen: what the samples before have taught, as curation tells equal ones; without those that it drops anyway."""
    messages = sample.messages or [{"role": DOCUMENT, "content": sample.text}]
    taught = hash(what_is_taught(messages, sample.tools))
    if _is_empty(messages):
        found.empty += 1
    else:
        seen.add(taught)
    if len(found.samples) < (RENDERED if sample.messages else SHOWN):
        found.samples.append((place, sample))
    found.lengths.append(sum(len(str(message.get("content") or "")) for message in messages))
    for message in sample.messages:
        found.turns[message["role"]] += 1
        found.turns["calls of tools"] += len(message.get("tool_calls", ()))
        found.turns["with reasoning"] += "reasoning_content" in message
        found.turns["answers not learnt"] += "weight" in message
    found.turns["with definitions of tools"] += bool(sample.tools)
    found.turns["with a rejected answer"] += bool(sample.rejected)


def _conclude(found: Inspection, columns: Counter[frozenset[str]], repeated: int) -> None:
    """Say what is to be known before training on it."""
    found.turns = +found.turns
    if found.faults and not found.lengths and not found.fix:
        found.why = f"it has the columns of {found.form}, but no row can be read" if found.form else NO_ROW
        found.form, found.fix = None, mending(found.faults[0])
    if found.form is None:
        found.recipe = {}
    if found.malformed:
        fate = "a run leaves them out" if found.recipe.get("malformed") == "drop" else "a run refuses the first"
        offer = "; 'malformed: drop' leaves such rows out" if found.lengths and fate.endswith("first") else ""
        found.problems.append(f"{found.malformed:,} of {found.rows:,} rows are malformed; {fate}{offer}")
    if found.noted:
        found.problems.append(f"{found.noted:,} rows may not say what was meant (the first, {found.first_note})")
    if found.empty:
        found.problems.append(f"{found.empty:,} rows have an empty question or answer; curation drops them")
    if repeated > 0:
        found.problems.append(f"{repeated:,} rows repeat another; curation keeps one of each")
    if len(columns) > 1:
        (usual, _), *others = columns.most_common()
        extra = sorted({column for other, _ in others for column in other ^ usual})
        rows = sum(count for _, count in others)
        found.problems.append(f"{rows:,} rows have other columns than the rest ({', '.join(extra[:6])})")
    if found.turns["with a rejected answer"]:
        found.problems.append("rejected answers are kept, but only the chosen ones are learnt")
    is_plain = kind_of(found.files[0]) == ".txt" and found.recipe.get("documents") != "line"
    if found.form == "text" and is_plain and len(found.lengths) == len(found.files):
        found.problems.append("each file is one document; 'documents: line' makes each of its lines one")


def _recipe(source: Source) -> dict[str, Json]:
    plain: Mapping[str, Json] = source.model_dump(mode="json", exclude_defaults=True)
    return {"role": plain["role"], **plain}
