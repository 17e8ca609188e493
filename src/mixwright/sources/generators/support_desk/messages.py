"""Customer messages from parts: a greeting, a request, perhaps a condition, a closing.

A request is an opening and a wording of the intent; a condition is a sentence after it. Wordings of request
and condition come from the lists of the side asked for, so a test message is put in words that training never
has. Item, order number and days are slots on top: they vary the text without making it a new template.
"""

from random import Random
from typing import NamedTuple

from mixwright.sources.generators.interface import Split
from mixwright.sources.generators.support_desk.conditions import CONDITIONS
from mixwright.sources.generators.support_desk.phrases import CLOSINGS, GREETINGS, ITEMS, OPENINGS, WEAR
from mixwright.sources.generators.support_desk.requests import REQUESTS
from mixwright.sources.generators.support_desk.rules import HARMLESS_CONDITIONS, conditions_for


class Message(NamedTuple):
    """A message with what it means. `template`: request and condition before the slots are filled. `wording`: the
    request's alone."""

    text: str
    template: str
    wording: str
    intent: str
    condition: str


def plain_message(rng: Random, split: Split) -> Message:
    """A message without a condition; all intents are equally likely."""
    return _message(rng, split, rng.choice(tuple(REQUESTS)), "")


def conditional_message(rng: Random, split: Split) -> Message:
    """A message with one condition, four times in five one that matters for its intent."""
    intent = rng.choice(tuple(REQUESTS))
    matters = rng.random() < 0.8
    condition = rng.choice(conditions_for(intent) if matters else HARMLESS_CONDITIONS)
    return _message(rng, split, intent, condition)


def _message(rng: Random, split: Split, intent: str, condition: str) -> Message:
    request = rng.choice(REQUESTS[intent][split])
    asked = rng.choice(OPENINGS[request.kind]).replace("{request}", request.text)
    said = rng.choice(CONDITIONS[condition][split]) if condition else ""
    # Greeting and closing are courtesy: they vary the text, while request and condition make the template.
    template = " ".join(part for part in (asked, said) if part)
    slots = {
        "item": rng.choice(ITEMS),
        "wear": rng.choice(WEAR),
        "order": f"B{rng.randrange(1000, 10000)}",
        "few": str(rng.randrange(2, 30)),
        "many": str(rng.randrange(31, 100)),
    }
    parts = (rng.choice(GREETINGS[split]), template, rng.choice(CLOSINGS[split]))
    text = " ".join(_capitalised(part.format(**slots)) for part in parts if part)
    return Message(text.lower() if rng.random() < 0.2 else text, template, request.text, intent, condition)


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]
