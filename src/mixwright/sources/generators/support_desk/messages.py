"""Customer messages from parts: a greeting, a request, perhaps a condition, a closing.

A request is an opening and a core, both chosen from the intent's own lists, so an intent is recognised by
words that occur in several phrasings, and an unseen pairing is still understandable. Item, order number and
days are slots on top: they vary the text without making it a new template.
"""

from random import Random
from typing import NamedTuple

from mixwright.sources.generators.support_desk.phrases import (
    CLOSINGS,
    CONDITIONS,
    GREETINGS,
    ITEMS,
    OPENINGS,
    REQUESTS,
)
from mixwright.sources.generators.support_desk.rules import HARMLESS_CONDITIONS, conditions_for


class Message(NamedTuple):
    """A message with what it means; `template` is its wording before the slots are filled."""

    text: str
    template: str
    intent: str
    condition: str


def plain_message(rng: Random) -> Message:
    """A message without a condition; all intents are equally likely."""
    return _message(rng, rng.choice(tuple(REQUESTS)), "")


def conditional_message(rng: Random) -> Message:
    """A message with one condition, four times in five one that matters for its intent."""
    intent = rng.choice(tuple(REQUESTS))
    matters = rng.random() < 0.8
    condition = rng.choice(conditions_for(intent) if matters else HARMLESS_CONDITIONS)
    return _message(rng, intent, condition)


def _message(rng: Random, intent: str, condition: str) -> Message:
    request = rng.choice(REQUESTS[intent])
    opening = rng.choice(OPENINGS[request.kind])
    said = rng.choice(CONDITIONS[condition]) if condition else ""
    # Greeting and closing are courtesy: they vary the text, while request and condition make the template.
    template = " ".join(part for part in (opening.replace("{request}", request.text), said) if part)
    whole = " ".join(part for part in (rng.choice(GREETINGS), template, rng.choice(CLOSINGS)) if part)
    slots = {
        "item": rng.choice(ITEMS),
        "order": f"B{rng.randrange(1000, 10000)}",
        "few": str(rng.randrange(2, 30)),
        "many": str(rng.randrange(31, 100)),
    }
    text = whole.format(**slots)
    return Message(text.lower() if rng.random() < 0.2 else text, template, intent, condition)
