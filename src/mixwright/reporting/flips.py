"""Flipped items: what the base got right and the candidate wrong, and the reverse.

Averages persuade, examples convince: a reviewer reads the items behind a difference. The page shows at
most `MOST_SHOWN` per arm, taken in turn from every ability so that no large suite crowds out a small
one; counts are always complete. An item counts as right from a score of one half.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mixwright.reporting.contents import Answer, Arm, ItemKey, RunContents
from mixwright.reporting.wording import shortened, visible

MOST_SHOWN = 200
FEWEST_GAINED = 60
LONGEST_TEXT = 1500
RIGHT_FROM = 0.5


class ShownAnswer(NamedTuple):
    """An answer as the page prints it."""

    text: str
    parsed: bool
    score: float

    @property
    def brief(self) -> str:
        """The beginning of the answer on one line, in quotes."""
        line = " ".join(self.text[:400].split())
        return f"“{line[:60]}…”" if len(line) > 60 else f"“{line}”" if line else "(empty)"


@dataclass(frozen=True)
class Flip:
    """One item on which base and candidate differ; `direction` is `lost` or `gained`."""

    direction: str
    key: ItemKey
    ability: str
    headline: str
    prompt: tuple[tuple[str, str], ...]
    target: str | None
    base: ShownAnswer
    candidate: ShownAnswer


class FlipCount(NamedTuple):
    """How many items of one ability flipped."""

    ability: str
    num_items: int
    num_lost: int
    num_gained: int


@dataclass(frozen=True)
class ArmFlips:
    """The flips of one arm: complete counts, and the items shown (lost first)."""

    arm: str
    counts: tuple[FlipCount, ...]
    shown: tuple[Flip, ...]
    num_lost: int
    num_gained: int

    @property
    def num_hidden(self) -> int:
        return self.num_lost + self.num_gained - len(self.shown)


def flips_of(run: RunContents, arm: Arm, base: Arm, most: int = MOST_SHOWN) -> ArmFlips:
    """Compare `arm` with `base` item by item over the items both answered."""
    lost: list[ItemKey] = []
    gained: list[ItemKey] = []
    totals: dict[str, list[int]] = {}
    for key in sorted(arm.answers.keys() & base.answers.keys()):
        was_right, is_right = _is_right(base.answers[key]), _is_right(arm.answers[key])
        count = totals.setdefault(_ability(arm.answers[key]), [0, 0, 0])
        count[0] += 1
        if was_right and not is_right:
            lost.append(key)
            count[1] += 1
        elif is_right and not was_right:
            gained.append(key)
            count[2] += 1
    num_lost_shown = min(len(lost), max(most - FEWEST_GAINED, most - len(gained)))
    shown_lost = _in_turn(lost, arm)[:num_lost_shown]
    shown_gained = _in_turn(gained, arm)[: most - num_lost_shown]
    return ArmFlips(
        arm=arm.name,
        counts=tuple(FlipCount(ability, *counts) for ability, counts in sorted(totals.items())),
        shown=tuple(
            _flip(run, direction, key, base, arm)
            for direction, keys in (("lost", shown_lost), ("gained", shown_gained))
            for key in keys
        ),
        num_lost=len(lost),
        num_gained=len(gained),
    )


def _is_right(answer: Answer) -> bool:
    return answer.score >= RIGHT_FROM


def _ability(answer: Answer) -> str:
    suite = answer.key.suite
    return suite if answer.ability in ("", suite) else f"{suite}/{answer.ability}"


def _in_turn(keys: Sequence[ItemKey], arm: Arm) -> list[ItemKey]:
    """`keys` with their abilities taking turns: the first of each ability, then the second of each, ..."""
    seen: dict[str, int] = {}
    turns = []
    for key in keys:
        ability = _ability(arm.answers[key])
        seen[ability] = seen.get(ability, 0) + 1
        turns.append((seen[ability], ability, key))
    return [key for _, _, key in sorted(turns)]


def _flip(run: RunContents, direction: str, key: ItemKey, base: Arm, arm: Arm) -> Flip:
    item = run.items.get(key)
    prompt = tuple((visible(role), _shown(content)) for role, content in item.prompt) if item else ()
    return Flip(
        direction=direction,
        key=key,
        ability=_ability(arm.answers[key]),
        headline=" ".join(prompt[-1][1].split())[:220] if prompt else f"item {key.item_id}",
        prompt=prompt,
        target=_shown(item.target) if item else None,
        base=_shown_answer(base.answers[key]),
        candidate=_shown_answer(arm.answers[key]),
    )


def _shown_answer(answer: Answer) -> ShownAnswer:
    return ShownAnswer(_shown(answer.response), answer.parsed, answer.score)


def _shown(text: str) -> str:
    return visible(shortened(text, LONGEST_TEXT))
