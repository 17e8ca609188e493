"""Open general data by name: which data sets teach which skill, under what terms, and how their rows are read.

`entries.csv` holds one line for each configuration and split, and for each part of one that is read for itself. Its
facts were read in public copies of the data sets' cards on the day in `verified`; where that is empty they are from
memory. Names of parts in a `where` are as public code and logs have them where the note says so. Nothing in it is
legal advice.

terms   commercial      the publisher grants commercial use, and no narrower part is known
        partly          some rows are non-commercial, unlicensed, gated, or by a model whose terms bind its output
        unknown         no licence, or sources that disagree
        non_commercial
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.recipe.data import Source

BALANCED = "balanced"
COMMERCIAL = "commercial"


class Entry(NamedTuple):
    """A split of an open data set. splits: all to learn from, the first of which is taken. kb_per_row: thousands of
    bytes, 0 where unknown. reads: keys of a source, as YAML, that read it. readable: whether our forms do at all.
    default: whether `balanced` takes it. nova: the names that Nova Forge has for such data."""

    id: str
    config: str
    splits: tuple[str, ...]
    skill: str
    nova: tuple[str, ...]
    rows: int
    kb_per_row: float
    licence: str
    terms: str
    revision: str
    columns: str
    language: str
    reads: str
    readable: bool
    default: bool
    verified: str
    note: str

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "splits": [*self.splits], "nova": [*self.nova]}

    def source(self, role: str = "general") -> dict[str, Any]:
        """The keys of a source that reads it."""
        keys = {
            "role": role,
            "skill": self.skill,
            "hub": self.id,
            "revision": self.revision or None,
            "config": self.config or None,
            "split": self.splits[0] if self.splits else None,
            "licence": self.licence,
            **(yaml.safe_load(self.reads) or {}),
        }
        return {key: value for key, value in keys.items() if value is not None}

    @property
    def may_be_taken(self) -> bool:
        """Whether a name stands for it without further leave: commercial use was read, not remembered."""
        return self.readable and self.terms == COMMERCIAL and bool(self.verified)


@cache
def entries() -> tuple[Entry, ...]:
    """The whole catalogue."""
    text = files(__package__).joinpath("entries.csv").read_text(encoding="utf-8")
    return tuple(
        Entry(
            id=row["id"],
            config=row["config"],
            splits=tuple(row["split"].split()),
            skill=row["skill"],
            nova=tuple(row["nova"].split()),
            rows=int(row["rows"] or 0),
            kb_per_row=float(row["kb_per_row"] or 0),
            licence=row["licence"],
            terms=row["terms"],
            revision=row["revision"],
            columns=row["columns"],
            language=row["language"],
            reads=row["reads"],
            readable=row["readable"] == "yes",
            default=row["default"] == "yes",
            verified=row["verified"],
            note=row["note"],
        )
        for row in csv.DictReader(io.StringIO(text))
    )


def skills() -> tuple[str, ...]:
    """Every skill of the catalogue, in its order."""
    return tuple(dict.fromkeys(entry.skill for entry in entries()))


def named(word: str, where: str) -> list[Entry]:
    """What a name stands for: `balanced`, or a skill's entries that may be taken without leave.

    Raises InputError for a name that is neither, and for a skill that has none.
    """
    if word == BALANCED:
        return [entry for entry in entries() if entry.default]
    if word not in skills():
        fix = did_you_mean(word, (BALANCED, *skills()))
        raise InputError(f"the catalogue has no '{word}'", where=where, fix=fix)
    found = [entry for entry in entries() if entry.skill == word and entry.may_be_taken]
    if not found:
        fix = f"See mixwright catalogue --skill {word}, and name one with 'hub' and 'allow'."
        raise InputError(f"no data set for '{word}' may be taken without looking at its terms", where=where, fix=fix)
    return [entry for entry in found if entry.default] or found[:2]


def sources_named(name: str, source: Source) -> dict[str, tuple[dict[str, Any], int]]:
    """The explicit sources that a source `catalogue: word` stands for, each with the number by which its share is
    divided.

    Every skill has the same part, and within it every data set. What else the source says holds for all of them.
    """
    assert source.catalogue is not None
    kept = source.model_dump(mode="json", exclude_defaults=True, exclude={"catalogue", "allow", "role"})
    chosen = named(source.catalogue, f"sources.{name}.catalogue")
    of_skill = {skill: [entry for entry in chosen if entry.skill == skill] for skill in {e.skill: 0 for e in chosen}}
    found: dict[str, tuple[dict[str, Any], int]] = {}
    for skill, members in of_skill.items():
        for number, entry in enumerate(members, 1):
            label = f"{name}-{skill}" if len(members) == 1 else f"{name}-{skill}-{number}"
            found[label] = ({**entry.source(source.role), **kept}, len(of_skill) * len(members))
    return found


def check_terms(name: str, source: Source) -> None:
    """Raise InputError for a data set whose terms, as the catalogue has them, the recipe does not allow."""
    fitting = list(_entries_of(source))
    for entry in fitting:
        if entry.terms != COMMERCIAL and entry.terms not in source.allow:
            note = f": {entry.note}" if entry.note else ""
            fix = f"Take another (mixwright catalogue --skill {entry.skill}), or set allow: [{entry.terms}]."
            message = f"the terms of {entry.id} are '{entry.terms}' ({entry.licence}{note})"
            raise InputError(message, where=f"sources.{name}.hub", fix=fix)


def _entries_of(source: Source) -> Iterator[Entry]:
    """The entries of a source's data set: those of its configuration and split, or all where none fits."""
    same = [entry for entry in entries() if entry.id == source.hub]
    exact = [e for e in same if e.config == (source.config or "") and (source.split or "train") in e.splits]
    return iter(exact or same)
