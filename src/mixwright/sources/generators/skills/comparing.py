"""Which of two or three comes first or last: numbers by size, days in the week, months in the year, words in
the alphabet; and the neighbours of a number.

Sorting in its smallest form, with an answer of one word. Easy instances hold two items from anywhere on the
scale; hard ones hold two or three that stand close together (41 and 47, plum and purple), so that the first
digit or letter often decides nothing. The scale and the unordered set of items decide train or test: neither
another order nor the opposite question is ever trained on.
"""

from random import Random
from typing import NamedTuple

from mixwright.sources.generators.interface import Draft, Scorer, Split, register
from mixwright.sources.generators.skills.words import DAYS, PLAIN, listed

MONTHS = listed("January February March April May June July August September October November December")


class Scale(NamedTuple):
    """Items in order, and how to ask for the first or the last of some: `degrees` has for each of these two
    the word for two items and the word for three.
    """

    name: str
    items: tuple[str, ...]
    degrees: tuple[tuple[str, str], tuple[str, str]]
    phrases: tuple[str, ...]
    scorer: Scorer = "exact"


TIME = (("earlier", "earliest"), ("later", "latest"))
NUMBERS = Scale(
    "number",
    tuple(str(number) for number in range(100)),
    (("smaller", "smallest"), ("larger", "largest")),
    ("Which number is the {degree}: {items}?", "Which is {degree}: {items}?", "The {degree} number: {items}?"),
    "numeric",
)
WORDS = Scale(
    "word",
    tuple(sorted(PLAIN)),
    TIME,
    ("Which word is {degree} in the alphabet: {items}?", "{degree} in the dictionary: {items}?"),
)
WEEK = Scale(
    "day",
    DAYS,
    TIME,
    ("Which day of the week is the {degree}: {items}?", "{degree} in the week: {items}?", "The {degree} day: {items}?"),
)
YEAR = Scale(
    "month",
    MONTHS,
    TIME,
    (
        "Which month of the year is the {degree}: {items}?",
        "{degree} in the year: {items}?",
        "The {degree} month: {items}?",
    ),
)
SCALES = (NUMBERS, NUMBERS, WORDS, WORDS, WEEK, YEAR)
CLOSE = 12

NEIGHBOURS = {"just before": -1, "right before": -1, "just after": 1, "right after": 1}
NEIGHBOUR_PHRASES = ("Which number comes {side} {number}?", "The number {side} {number}?")


@register("skills", "comparing")
def comparing(rng: Random, split: Split) -> Draft:
    """Two or three items of a scale, or (one instance in ten) a number whose neighbour is asked for."""
    if rng.random() < 0.1:
        return _neighbour(rng)
    scale = rng.choice(SCALES)
    easy = rng.random() < 1 / 3
    start = 0 if easy else rng.randrange(max(1, len(scale.items) - CLOSE + 1))
    stock = scale.items if easy else scale.items[start : start + CLOSE]
    chosen = rng.sample(stock, 2 if easy else rng.choice((2, 3)))
    ordered = sorted(chosen, key=scale.items.index)
    last = rng.random() < 0.5
    asked = rng.choice(scale.phrases).format(
        degree=scale.degrees[last][len(chosen) - 2], items=f"{', '.join(chosen[:-1])} or {chosen[-1]}"
    )
    content = f"{scale.name} {' '.join(ordered)}"
    return Draft(asked[0].upper() + asked[1:], ordered[-last], content, scorer=scale.scorer)


def _neighbour(rng: Random) -> Draft:
    side, step = rng.choice(tuple(NEIGHBOURS.items()))
    number = rng.randrange(1, 100)
    prompt = rng.choice(NEIGHBOUR_PHRASES).format(side=side, number=number)
    return Draft(prompt, str(number + step), f"{number} and {number + step}", scorer="numeric")
