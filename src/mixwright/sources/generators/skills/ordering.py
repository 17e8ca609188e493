"""Put words in alphabetical order, or numbers in rising or falling order.

The unordered set of items decides train or test: no shuffle of a test list is ever trained on, in any
direction.
"""

from random import Random

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.skills.words import ANIMALS, COLOURS, FRUIT

WORD_PHRASES = (
    "Sort these words from a to z: {items}",
    "Put in alphabetical order: {items}",
    "List in dictionary order: {items}",
)
RISING_PHRASES = ("Sort from small to large: {items}", "Put the smallest number first: {items}")
FALLING_PHRASES = ("Sort from large to small: {items}", "Put the largest number first: {items}")


@register("skills", "sorting")
def sorting(rng: Random, split: Split) -> Draft:
    """Two to five words (half of the instances), or two to five different numbers of two digits."""
    num_items = rng.choice((2, 3, 3, 4, 4, 5))
    if rng.random() < 0.5:
        words = rng.sample(FRUIT + ANIMALS + COLOURS, num_items)
        return _draft(rng.choice(WORD_PHRASES), words, sorted(words))
    numbers = rng.sample(range(10, 100), num_items)
    falling = rng.random() < 0.5
    ordered = sorted(numbers, reverse=falling)
    return _draft(rng.choice(FALLING_PHRASES if falling else RISING_PHRASES), numbers, ordered)


def _draft(phrase: str, items: list[str] | list[int], ordered: list[str] | list[int]) -> Draft:
    return Draft(phrase.format(items=_listed(items)), _listed(ordered), "set " + " ".join(map(str, sorted(items))))


def _listed(items: list[str] | list[int]) -> str:
    return ", ".join(map(str, items))
