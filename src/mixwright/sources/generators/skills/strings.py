"""Small operations on a few words: swap, drop, replace, turn around, and the letters of a word.

A model never sees letters, only tokens, so it must remember how each word is spelt. The stock is the hundred
shared words, and every one of them is trained on in every operation; what is held out is the combination: the
set of words decides train or test, whatever is done to it. A list stands last after at most four other words,
or is closed in on both sides, so that no question is the beginning of a longer one.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.skills.words import PLAIN


class Operation(NamedTuple):
    """How to ask for it, what it makes of the words, and the words on which it is asked."""

    phrases: tuple[str, ...]
    answer: Callable[[list[str]], list[str]]
    stock: tuple[str, ...] = PLAIN


ON_LISTS = (
    Operation(
        ("Swap first and last: {words}", "Take {words} and swap the first and the last."),
        lambda words: [words[-1], *words[1:-1], words[0]],
    ),
    Operation(("Drop the first: {words}", "Take {words} and leave out the first."), lambda words: words[1:]),
    Operation(("Drop the last: {words}", "Take {words} and leave out the last."), lambda words: words[:-1]),
    Operation(("Say the last of {words}.", "In {words}, which is the last?"), lambda words: words[-1:]),
    Operation(("Say the second of {words}.", "In {words}, which is the second?"), lambda words: words[1:2]),
    Operation(("Turn around: {words}", "Take {words} and turn the order around."), lambda words: words[::-1]),
    Operation(("Keep every second word: {words}", "Every second of {words}."), lambda words: words[1::2]),
    Operation(("Double the last: {words}", "Take {words} and say the last twice."), lambda words: [*words, words[-1]]),
    Operation(
        ("Move first to end: {words}", "Take {words} and move the first to the end."),
        lambda words: [*words[1:], words[0]],
    ),
)
REPLACE_PHRASES = ("Replace {old} by {new}: {words}", "In {words}, write {new} instead of {old}.")

ON_LETTERS = (
    Operation(("First letters of {words}?", "How do {words} begin?"), lambda words: [word[0] for word in words]),
    Operation(("Last letters of {words}?", "How do {words} end?"), lambda words: [word[-1] for word in words]),
    Operation(("Spell {words}.", "Put dashes into {words}."), lambda words: ["-".join(word) for word in words]),
    Operation(
        ("How many letters have {words}?", "Count the letters of {words}."),
        lambda words: [str(len(word)) for word in words],
    ),
    Operation(
        ("Spell backwards: {words}", "Spell {words} from the end."),
        lambda words: ["-".join(reversed(word)) for word in words],
        stock=tuple(word for word in PLAIN if len(word) <= 5),
    ),
)


@register("skills", "strings")
def strings(rng: Random, split: Split) -> Draft:
    """A third each: an operation on two words, on three or four, and on the letters of two words."""
    kind = rng.randrange(3)
    if kind == 2:
        operation = rng.choice(ON_LETTERS)
        words = rng.sample(operation.stock, 2)
        return _draft(rng.choice(operation.phrases).format(words=" and ".join(words)), operation.answer(words), words)
    num_words = 2 if kind == 0 else rng.choice((3, 4))
    which = rng.randrange(len(ON_LISTS) + 1)
    if which == len(ON_LISTS):
        new, *words = rng.sample(PLAIN, num_words + 1)
        old = rng.choice(words)
        asked = rng.choice(REPLACE_PHRASES).format(old=old, new=new, words=", ".join(words))
        return _draft(asked, [new if word == old else word for word in words], [new, *words])
    operation = ON_LISTS[which]
    words = rng.sample(operation.stock, num_words)
    return _draft(rng.choice(operation.phrases).format(words=", ".join(words)), operation.answer(words), words)


def _draft(prompt: str, answer: list[str], words: list[str]) -> Draft:
    return Draft(prompt, " ".join(answer), "words " + " ".join(sorted(words)))
