"""Put words in alphabetical order, or numbers in rising or falling order.

The unordered set of items decides train or test: no shuffle of a test list is ever trained on, in any
direction. The question says how many they are, so that a short list is never the beginning of a longer one.
"""

from random import Random

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.skills.words import ANIMALS, COLOURS, FRUIT

WORD_PHRASES = (
    "Sort these {num} words from a to z: {items}",
    "Put {num} words in alphabetical order: {items}",
    "List {num} words in dictionary order: {items}",
)
RISING_PHRASES = ("Sort {num} numbers from small to large: {items}", "Put the smallest of {num} first: {items}")
FALLING_PHRASES = ("Sort {num} numbers from large to small: {items}", "Put the largest of {num} first: {items}")


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
    prompt = phrase.format(num=len(items), items=_listed(items))
    return Draft(prompt, _listed(ordered), "set " + " ".join(map(str, sorted(items))))


def _listed(items: list[str] | list[int]) -> str:
    return ", ".join(map(str, items))
