"""The same words in the form that was asked for: bullets, upper case, JSON, one word, joined, numbered.

Instruction following in its barest form: the content is given, only the form is at stake, and one wrong sign
is a miss. The order may come as a system message, so that the base has met one. The first two words decide
train or test, so that no tested list is the beginning of a longer one that is trained on.
"""

import json
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.skills.words import ANIMALS, COLOURS, FRUIT, NAMES


class Form(NamedTuple):
    """How to ask for a form, and how to write it."""

    orders: tuple[str, ...]
    write: Callable[[list[str]], str]


FORMS = (
    Form(
        ("Write the words as bullets.", "Make a bullet list.", "One bullet for each word."),
        lambda words: "\n".join(f"- {word}" for word in words),
    ),
    Form(
        ("Write the words in upper case.", "Use capital letters only.", "Shout the words."),
        lambda words: " ".join(words).upper(),
    ),
    Form(
        ("Answer with the first word only.", "Only the first word.", "Keep one word, the first."),
        lambda words: words[0],
    ),
    Form(
        ("Join the words with dashes.", "Put a dash between the words."),
        lambda words: " - ".join(words),
    ),
    Form(
        ("Make a numbered list.", "Number the words."),
        lambda words: "\n".join(f"{number}. {word}" for number, word in enumerate(words, start=1)),
    ),
    Form(
        ("Write the words in brackets.", "Put brackets around each word."),
        lambda words: " ".join(f"( {word} )" for word in words),
    ),
)

RECORD_ORDERS = ("Answer as JSON.", "Write a JSON object.", "Use JSON with the keys name, pet and colour.")


@register("skills", "format")
def formatted(rng: Random, split: Split) -> Draft:
    """Two to four words in one of six forms, or (one instance in five) a record of three fields as JSON."""
    if rng.random() < 0.2:
        name, pet, colour = rng.choice(NAMES), rng.choice(ANIMALS), rng.choice(COLOURS)
        record = json.dumps({"name": name, "pet": pet, "colour": colour})
        return _draft(rng, rng.choice(RECORD_ORDERS), f"{name} has a {pet}, colour {colour}", record)
    form = rng.choice(FORMS)
    words = rng.sample(FRUIT + ANIMALS + COLOURS, rng.choice((2, 3, 3, 4)))
    return _draft(rng, rng.choice(form.orders), " ".join(words), form.write(words))


def _draft(rng: Random, order: str, words: str, answer: str) -> Draft:
    content = "form " + " ".join(sorted(words.split()[:2]))
    group = f"form {words}"
    if rng.random() < 0.2:
        return Draft(words, answer, content, group, scorer="format", system=order)
    return Draft(f"{order}\n{words}", answer, content, group, scorer="format")
