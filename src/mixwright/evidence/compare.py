"""Two models side by side: which items flipped, which abilities moved, and what became unreadable.

Answers that could not be parsed are counted apart from wrong ones: a model that has been captured by another format has
not lost what it knew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mixwright.evidence.differences import strata_difference
from mixwright.evidence.pairing import pair
from mixwright.evidence.records import Record, Records
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json


@dataclass(frozen=True)
class Flip:
    """An item whose score changed. how: `lost`, `unreadable` (lost because it no longer parses) or `won`."""

    how: str
    suite: str
    ability: str
    item_id: str
    before: float | None
    after: float | None
    response_before: str | None
    response_after: str | None


@dataclass(frozen=True)
class AbilityChange:
    """One ability: scores and parse rates from 0 to 1; low, high are one-sided bounds of the difference, None where
    all items belong to one cluster."""

    suite: str
    ability: str
    before: float
    after: float
    difference: float
    low: float | None
    high: float | None
    parse_before: float
    parse_after: float
    num_items: int
    flips: dict[str, int]


@dataclass(frozen=True)
class Comparison:
    """flips: what was lost first. unrecorded: facts that neither file tells, so that they could not be compared."""

    abilities: Sequence[AbilityChange]
    flips: Sequence[Flip]
    num_items: int
    unrecorded: tuple[str, ...]

    @property
    def flip_rate(self) -> float:
        return len(self.flips) / self.num_items

    def as_json(self) -> dict[str, Json]:
        return {
            "num_items": self.num_items,
            "flip_rate": self.flip_rate,
            "unrecorded": list(self.unrecorded),
            "abilities": [asdict(ability) for ability in self.abilities],
            "flips": [asdict(flip) for flip in self.flips],
        }


def compare(candidate: Records, base: Records, *, confidence: float = 0.95, ignore: Sequence[str] = ()) -> Comparison:
    """Compare the records of two models. Raises InputError for what must not be compared."""
    paired = pair(candidate, base, ignore=ignore)
    flips = [
        _flip(base.rows[key], record)
        for key, record in sorted(candidate.rows.items())
        if record.score != base.rows[key].score
    ]
    flips.sort(key=lambda flip: (ORDER.index(flip.how), flip.suite, flip.ability, flip.item_id))
    counts = Counter((flip.suite, flip.ability, flip.how) for flip in flips)
    abilities = []
    for (suite, ability), pairs in sorted(paired.strata.items()):
        low = high = None
        try:
            found = strata_difference([(suite, ability)], "score", paired.strata, confidence)
            low, high = found.low, found.high
        except InputError:
            pass  # items of one cluster: a mean, but no interval
        before, after = (float(arm["score"].mean()) for arm in (pairs.base, pairs.candidate))
        parsed: list[Any] = [float(arm["parse_rate"].mean()) for arm in (pairs.base, pairs.candidate)]
        ways = {how: counts[suite, ability, how] for how in ORDER}
        size = len(pairs.clusters)
        abilities.append(
            AbilityChange(suite, ability, before, after, after - before, low, high, parsed[0], parsed[1], size, ways)
        )
    abilities.sort(key=lambda change: change.difference)
    return Comparison(abilities, flips, len(base.rows), paired.unrecorded)


ORDER = ("lost", "unreadable", "won")


def _flip(old: Record, new: Record) -> Flip:
    lost = (new.score or 0.0) < (1.0 if old.score is None else old.score)
    how = "won" if not lost else "unreadable" if new.parsed < old.parsed else "lost"
    return Flip(how, old.suite, old.ability, old.item_id, old.score, new.score, old.response, new.response)
