"""The data sets of a configuration on their way to sources: named, merged where two are one, refused together."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.recipe.data import Source
from mixwright.recipe.problems import as_problems

ALL_DOMAIN = "Every source has the role 'domain': say with --general which ones are there to keep abilities."
SPLIT = re.compile(r"([\w.-]+)(\[.*\])?")
SLICE = re.compile(r"\[(\d*)(%?):(\d*)(%?)\]")


class Reading(NamedTuple):
    """How a data set is read. keys: of the source. unread: columns that the other tool passes over, and that a source
    of this form reads where they are. suffix: of the name, where one data set becomes several sources."""

    keys: dict[str, Any]
    unread: tuple[str, ...] = ()
    suffix: str = ""


class Listed(NamedTuple):
    """One entry of a configuration. source: what it is read from. times: how often each of its rows is drawn in an
    epoch. cut: the slice of its rows, as `[:10%]`. most: rows at most. exactly: rows, whatever it has. part: of a data
    set that became several sources."""

    source: str
    times: Fraction = Fraction(1)
    cut: str = ""
    most: int | None = None
    exactly: int | None = None
    part: Fraction = Fraction(1)

    def drawn(self, rows: int) -> Fraction:
        """The rows drawn in an epoch of so many."""
        rows = _cut(self.cut, rows)
        rows = rows if self.most is None else min(rows, self.most)
        return self.times * (rows if self.exactly is None else self.exactly)


class Gathering:
    """What is gathered of a configuration. without: names of data sets to leave out. sources: name -> keys.
    unread: name -> columns. names: of all that were listed. notes: what differs, for people."""

    def __init__(self, file: Path, without: Collection[str] = ()) -> None:
        self.file = file
        self.sources: dict[str, dict[str, Any]] = {}
        self.listed: list[Listed] = []
        self.unread: dict[str, tuple[str, ...]] = {}
        self.notes: list[str] = []
        self._sources_of: dict[str, list[str]] = {}
        self._without = dict.fromkeys(without)
        self.names: list[str] = []
        self._refused: list[InputError] = []

    def name(self, text: str) -> str:
        """A name for the next data set, out of its path or id."""
        self.names.append(name_of(text, self.names))
        return self.names[-1]

    def is_left_out(self, name: str) -> bool:
        return name in self._without

    @contextlib.contextmanager
    def entry(self, name: str) -> Iterator[None]:
        """What is wrong with a data set is kept, so that all such are told together."""
        try:
            yield
        except InputError as error:
            fix = f"{error.fix} Or leave it out: --without {name}." if error.fix else f"Leave it out: --without {name}."
            message = error.message if name in (error.where or "") else f"'{name}': {error.message}"
            self._refused.append(InputError(message, where=error.where, fix=fix))

    def add(self, name: str, origin: dict[str, Any], readings: Collection[Reading], listed: Listed) -> None:
        """A data set with its source, or its sources. The same data set read in the same way is one source.

        Raises InputError for what is no source.
        """
        for reading in readings:
            keys = {"role": "domain", **origin, **reading.keys}
            same = next((known for known, other in self.sources.items() if other == keys), None)
            if same is not None:
                self.notes.append(f"'{name}' is '{same}' once more: it is one source with both shares.")
            source = same or f"{name}{reading.suffix}"
            try:
                Source.model_validate(keys)
            except ValidationError as error:
                problem = as_problems(error)[0]
                raise InputError(problem.message, where=str(self.file), fix=problem.fix) from None
            self.sources[source] = keys
            self._sources_of.setdefault(name, []).append(source)
            self.unread[source] = reading.unread
            self.listed.append(listed._replace(source=source, part=Fraction(1, len(readings))))

    def finish(self, general: Collection[str]) -> None:
        """Give the named sources the role `general`. Raises InputError for all data sets refused, for unknown names,
        and where nothing is left."""
        for name in self._without:
            if name not in self.names:
                fix = did_you_mean(name, self.names)
                raise InputError(f"no data set of {self.file.name} is called '{name}'", where="--without", fix=fix)
        if len(self._refused) == 1:
            raise self._refused[0]
        if self._refused:
            listed = "\n  ".join(f"{one.where}: {one.message} - {one.fix}" for one in self._refused)
            message = f"{len(self._refused)} data sets cannot be imported"
            raise InputError(message, where=str(self.file), fix=listed)
        if self._without:
            self.notes.append(f"Left out, as --without says: {', '.join(self._without)}.")
        if not self.sources:
            raise InputError("no data set is left", where="--without", fix="Leave fewer out.")
        give_role([one for name in general for one in self._sources_of.get(name, [name])], self.sources, self.file)
        if not general:
            self.notes.append(ALL_DOMAIN)


def give_role(general: Collection[str], sources: dict[str, dict[str, Any]], file: Path) -> None:
    """Give the named sources the role `general`. Raises InputError for an unknown name."""
    for name in general:
        if name not in sources:
            fix = did_you_mean(name, sources)
            raise InputError(f"no data set of {file.name} is called '{name}'", where="--general", fix=fix)
        sources[name]["role"] = "general"


def columns_of(parts: Mapping[str, str]) -> dict[str, Any]:
    """The key `columns` of a source, for the parts that have another name in the file; empty ones are not there."""
    named = {part: column for part, column in parts.items() if column not in ("", part)}
    return {"columns": named} if named else {}


def name_of(text: str, taken: Collection[str] = ()) -> str:
    """A name for a source or recipe out of a path or id, different from those taken."""
    stem = re.sub(r"(\.(jsonl?|csv|parquet|gz|zst|txt|ya?ml))+$", "", text.rstrip("/").rpartition("/")[2])
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or "data"
    name = name if name[0].isalpha() else f"data-{name}"
    numbered = (f"{name}-{number}" for number in range(2, 10_000))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def split_of(text: str, where: str) -> tuple[str, str]:
    """The split of a data set, and the slice of its rows: `train[:10%]`. Raises InputError for several splits."""
    found = SPLIT.fullmatch(text)
    if found is None:
        fix = "Write one entry for each split, with its name."
        raise InputError(f"the split '{text}' is not one split", where=where, fix=fix)
    return found[1], found[2] or ""


def _cut(cut: str, rows: int) -> int:
    """How many of the rows a slice holds; all, where it is none that is understood."""
    found = SLICE.fullmatch(cut)
    if found is None:
        return rows
    first, last = (
        rows * int(number) // 100 if percent else int(number) if number else default
        for number, percent, default in ((found[1], found[2], 0), (found[3], found[4], rows))
    )
    return max(0, min(last, rows) - min(first, rows))
