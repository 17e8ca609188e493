"""Shares of records, and how long an epoch is, as the tools have them that mix by rows.

Data sets that stand one behind the other have shares by their rows, and an epoch is all of them; data sets that take
turns have the shares given, and an epoch lasts until the first of them is exhausted, or the last. Here a run is as long
as it passes over the domain sources: that number is worked out from the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from mixwright.ground.errors import InputError
from mixwright.recipe.data import Source
from mixwright.sources.files.data_file import label_of
from mixwright.sources.files.data_sets import files_of
from mixwright.sources.imports.gathered import Gathering, Listed
from mixwright.sources.rows.formats.row import MALFORMED
from mixwright.sources.rows.readers import read_rows

IN_TURNS = ("role", "content", "from", "value")  # names of keys in turns among those of columns
UNDER, OVER = "under", "over"  # an epoch of turns ends with the first data set that is exhausted, or with the last


class Mixed(NamedTuple):
    """shares: by source, they sum to 1. records: drawn in an epoch, and passes: over the domain sources in it; None
    where they cannot be known from here."""

    shares: dict[str, Fraction]
    records: Fraction | None
    passes: Fraction | None


def mixed(gathering: Gathering, turns: str = "", probabilities: Sequence[Fraction] = ()) -> Mixed:
    """The shares of what was gathered; sources of which no row is drawn are taken out of it. turns: `under` or `over`,
    where data sets take turns; then with probabilities, one for each that is listed, or all alike.

    Raises InputError when there are no rows at all.
    """
    num_notes = len(gathering.notes)
    counts = _counted(gathering)
    seen = gathering.notes[num_notes:]
    weights = probabilities or [Fraction(1)] * len(gathering.listed)
    kept = [
        (one, weight, drawn)
        for one, weight in zip(gathering.listed, weights, strict=True)
        if (drawn := _drawn(one, counts[one.source].rows)) != 0
    ]
    for name in [name for name in gathering.sources if name not in {one.source for one, *_ in kept}]:
        del gathering.sources[name]
        gathering.notes.append(f"'{name}' has no rows, and is left out.")
    if not kept:
        fix = " ".join(["Check the files that it names.", *seen])
        raise InputError("no data set has any rows", where=str(gathering.file), fix=fix)
    known = [drawn for *_, drawn in kept if drawn is not None]
    records = None
    if turns:
        parts = [weight for _, weight, _ in kept]
        if len(known) == len(kept):
            until = [drawn * sum(parts) / part for drawn, part in zip(known, parts, strict=True)]
            records = min(until) if turns == UNDER else max(until)
    elif len(known) == len(kept):
        records, parts = sum(known, Fraction(0)), known
    else:
        parts = [one.times * one.part for one, *_ in kept]
        unknown = dict.fromkeys(one.source for one, _, drawn in kept if drawn is None)
        listed = ", ".join(f"{name} ({counts[name].why})" for name in unknown)
        gathering.notes.append(
            f"Rows cannot be counted from here of {listed}. So all shares are equal, where there they are by rows: "
            "write them in that proportion."
        )
    shares: dict[str, Fraction] = {}
    for (one, *_), part in zip(kept, parts, strict=True):
        shares[one.source] = shares.get(one.source, Fraction(0)) + part / sum(parts)
    return Mixed(shares, records, _passes(gathering, shares, counts, records))


class Counted(NamedTuple):
    """rows: that belong to a source; None where they are not at hand, and then why."""

    rows: int | None
    why: str = ""


def _passes(
    gathering: Gathering, shares: dict[str, Fraction], counts: dict[str, Counted], records: Fraction | None
) -> Fraction | None:
    domain = [name for name, keys in gathering.sources.items() if keys["role"] == "domain"]
    rows = [count for name in domain if (count := counts[name].rows) is not None]
    if records is None or not domain or len(rows) < len(domain):
        return None
    return sum((shares[name] for name in domain), Fraction(0)) * records / sum(rows)


def _drawn(one: Listed, rows: int | None) -> Fraction | None:
    if rows is None and one.exactly is None:
        return None
    return one.drawn(rows or 0)


def _counted(gathering: Gathering) -> dict[str, Counted]:
    """The rows of each source; what is seen on the way is noted."""
    counts: dict[str, Counted] = {}
    unseen: dict[str, list[str]] = {}
    for name, keys in gathering.sources.items():
        unread = gathering.unread[name]
        try:
            rows, present = _rows(name, keys, unread, gathering.notes)
        except InputError as error:
            counts[name] = Counted(None, error.message)
            if unread:
                unseen.setdefault(" or ".join(unread), []).append(name)
            continue
        counts[name] = Counted(rows)
        if present:
            gathering.notes.append(
                f"'{name}' has columns {', '.join(present)}, which are read here and not there: rename or remove them."
            )
    for columns, names in unseen.items():
        gathering.notes.append(
            f"Where they have columns {columns}, these are read here and not there: {', '.join(names)}."
        )
    return counts


def _rows(name: str, keys: dict[str, object], unread: tuple[str, ...], notes: list[str]) -> tuple[int, list[str]]:
    if "path" not in keys:
        raise InputError("a data set of the hub")
    source = Source.model_validate(keys)
    count, faults, first = 0, 0, ""
    present: set[str] = set()
    missed: Counter[str] = Counter()
    named = {column.partition(".")[0] for part, column in (source.columns or {}).items() if part not in IN_TURNS}
    for file in files_of(source, name):
        for row in read_rows(file, source):
            if row.value is not None:
                count += 1
                missed.update(column for column in named if column not in row.value)
                present.update(column for column in unread if row.value.get(column) not in (None, "", []))
            elif row.rule == MALFORMED:
                faults += 1
                first = first or f"{label_of(file)}:{row.place}, {row.fault}"
    if faults:
        notes.append(f"'{name}': {faults} rows cannot be read as they stand (the first: {first}).")
    notes += [
        f"'{name}': {rows} rows have no column '{column}', and are malformed here: give them one, if it is empty."
        for column, rows in missed.items()
    ]
    return count, sorted(present)
