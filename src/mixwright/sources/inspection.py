"""What a file or folder holds, found out before anything is asked of it: the form and why, the problems, the lengths.

Every row is read as a run would read it; only as many are kept as are shown.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json
from mixwright.ground.progress import progress
from mixwright.recipe.data import Source
from mixwright.sources.data_sets import files_of
from mixwright.sources.files import DataFile, kind_of
from mixwright.sources.forms import FormFault, RowReader, Sample, row_reader
from mixwright.sources.readers import read_rows

SHOWN = 3
LIKELY = {  # usual names of columns, by the part that they play
    "prompt": ("prompt", "question", "query", "instruction", "input", "inputs", "problem", "text", "utterance"),
    "completion": ("completion", "answer", "response", "output", "target", "targets", "label", "category", "intent"),
}


@dataclass
class Inspection:
    """files: what was read. form, why: None where no form fits, with the fault. rows: all, and how many of them are
    malformed. columns: of the first row. examples: the first samples, with where they come from;
    where no form fits, as the columns that may be meant would make them. lengths: in
    characters, of every sample. problems: what to know before training on it. recipe: keys of a source that reads it.
    """

    files: list[DataFile]
    form: str | None = None
    why: str = ""
    fix: str = ""
    rows: int = 0
    malformed: int = 0
    columns: list[str] = field(default_factory=list)
    examples: list[tuple[str, Sample]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    turns: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    recipe: dict[str, Json] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        """Everything but the samples' own text."""
        return {
            "files": [str(file) for file in self.files],
            "kinds": sorted({kind_of(file) or "" for file in self.files}),
            "form": self.form,
            "why": self.why,
            "fix": self.fix,
            "columns": [*self.columns],
            "rows": self.rows,
            "malformed": self.malformed,
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
    """Read a source and say what it is. limit: of rows; all when None.

    Raises InputError for files that are not there or cannot be read at all; that no form fits is a finding.
    """
    found = Inspection(files_of(source, where))
    found.recipe = _recipe(source)
    reader: RowReader | None = None
    seen: set[int] = set()
    columns: Counter[tuple[str, ...]] = Counter()
    with progress("inspect", limit) as advance:
        for file, row in itertools.islice(_rows(found.files, source), limit):
            found.rows += 1
            advance(1, "")
            place = f"{file.name}:{row.place}"
            if row.value is None:
                _malformed(found, place, row.fault or "")
                continue
            columns[tuple(row.value)] += 1
            if reader is None and found.form is None and not found.fix:
                found.columns = [str(column) for column in row.value]
                try:
                    reader = row_reader(source, row.value)
                    found.form, found.why = reader.form, reader.why
                except FormFault as fault:
                    found.why, found.fix = str(fault), fault.fix
                    guess = _guess(found.columns, source)
                    found.recipe |= guess
                    reader = row_reader(source.model_copy(update=guess), row.value) if guess else None
            if reader is None:
                continue
            try:
                sample = reader.read(row.value)
            except (ValueError, TypeError) as error:
                _malformed(found, place, str(error))
                continue
            _count(found, sample, place, seen)
    if found.rows == 0:
        raise InputError("there are no rows in it", where=where, fix="Name a file with rows.")
    _add_problems(found, columns, found.rows - found.malformed - len(seen))
    return found


def _rows(files: Sequence[DataFile], source: Source) -> Any:
    for file in files:
        for row in read_rows(file, source):
            yield file, row


def _malformed(found: Inspection, place: str, fault: str) -> None:
    found.malformed += 1
    if len(found.faults) < SHOWN:
        found.faults.append(f"{place}: {fault}")


def _count(found: Inspection, sample: Sample, place: str, seen: set[int]) -> None:
    if len(found.examples) < SHOWN:
        found.examples.append((place, sample))
    said = [sample.text] if sample.text else [str(message.get("content") or "") for message in sample.messages]
    found.lengths.append(sum(map(len, said)))
    seen.add(hash(tuple(said)))
    for message in sample.messages:
        found.turns[message["role"]] += 1
        found.turns["calls of tools"] += len(message.get("tool_calls", ()))
        found.turns["with reasoning"] += "reasoning_content" in message
    found.turns["with definitions of tools"] += bool(sample.tools)
    found.turns["with a rejected answer"] += bool(sample.rejected)


def _add_problems(found: Inspection, columns: Counter[tuple[str, ...]], repeated: int) -> None:
    found.turns = +found.turns
    if found.malformed:
        found.problems.append(f"{found.malformed:,} of {found.rows:,} rows are malformed; a run refuses the first")
        found.recipe["malformed"] = "drop"
    if repeated > 0 and found.form is not None:
        found.problems.append(f"{repeated:,} rows repeat another; curation keeps one of each")
    if len(columns) > 1:
        (usual, _), *others = columns.most_common()
        extra = sorted({column for other, _ in others for column in {*other} ^ {*usual}})
        rows = sum(count for _, count in others)
        found.problems.append(f"{rows:,} rows have other columns than the rest ({', '.join(map(str, extra[:6]))})")
    if found.turns["with a rejected answer"]:
        found.problems.append("rejected answers are kept, but only the chosen ones are learnt")
    is_plain = kind_of(found.files[0]) == ".txt" and found.recipe.get("documents") != "line"
    if found.form == "text" and is_plain and len(found.lengths) == len(found.files):
        found.problems.append("each file is one document; 'documents: line' makes each of its lines one")


def _recipe(source: Source) -> dict[str, Json]:
    plain: dict[str, Json] = source.model_dump(mode="json", exclude_defaults=True)
    return {"role": plain.pop("role"), **plain}


def _guess(columns: Sequence[str], source: Source) -> dict[str, Json]:
    """Columns that may be meant, where no form fits: for the person to confirm."""
    if source.columns or source.format != "auto":
        return {}
    by_name = {column.lower(): column for column in columns}
    guess = {part: next((by_name[name] for name in names if name in by_name), None) for part, names in LIKELY.items()}
    return {"columns": {**guess}} if all(guess.values()) else {}
