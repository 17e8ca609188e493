"""Remember over a turn what the user said about himself, and answer in one word when he asks.

Nothing here can be known in advance: names, places and days are drawn anew for each conversation, so the only
way to the answer leads through the earlier turn. Easy instances make statements of different kinds, and the
kind of question finds the answer; hard ones make two or three statements of one kind, so the thing must match
too. Before it asks, the second turn may speak of something else. What was said in the first turn, in whatever
order, decides train or test: every question about the same statements is on one side.
"""

from random import Random
from typing import NamedTuple

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.skills.words import (
    ANIMALS,
    COLOURS,
    DAYS,
    FRUIT,
    JOBS,
    NAMES,
    NATURE,
    PLACES,
    THINGS,
)


class Kind(NamedTuple):
    """A statement about oneself, the questions that ask for its value, and the things it may be about."""

    statement: str
    questions: tuple[str, ...]
    values: tuple[str, ...]
    things: tuple[str, ...] = ()


NAME = Kind("My name is {value}.", ("What is my name?", "What am I called?", "Who am I?", "Tell me my name."), NAMES)
KINDS = (
    NAME,
    Kind("My colour is {value}.", ("What is my colour?", "Which colour did I choose?", "Name my colour."), COLOURS),
    Kind("I work as a {value}.", ("What is my job?", "What do I work as?", "Which job do I have?"), JOBS),
    Kind(
        "My favourite fruit is {value}.",
        ("What is my favourite fruit?", "Which fruit do I like best?", "What do I like to eat?"),
        FRUIT,
    ),
    Kind(
        "I keep a {thing} in the {value}.",
        ("Where do I keep my {thing}?", "In which place do I keep the {thing}?", "Where is it that I keep a {thing}?"),
        PLACES,
        THINGS,
    ),
    Kind(
        "I need a {thing} by {value}.",
        ("When do I need the {thing}?", "By which day do I need my {thing}?", "Until when can my {thing} wait?"),
        DAYS,
        THINGS,
    ),
    Kind(
        "I paid {value} coins for a {thing}.",
        ("How much did I pay for the {thing}?", "How many coins was my {thing}?", "What did the {thing} cost me?"),
        tuple(str(number) for number in range(2, 100)),
        THINGS,
    ),
    Kind(
        "My {thing} is called {value}.",
        ("What is my {thing} called?", "What is the name of my {thing}?", "How do I call my {thing}?"),
        NAMES,
        ANIMALS,
    ),
)

ASIDE = "The {animal} is near the {nature}. "


class Fact(NamedTuple):
    """One statement in parts."""

    kind: Kind
    thing: str
    value: str

    def fill(self, template: str) -> str:
        return template.format(thing=self.thing, value=self.value)


@register("skills", "memory")
def memory(rng: Random, split: Split) -> Draft:
    """One to three statements, and a turn later a question about one of them, after an aside one time in
    three.
    """
    facts = _facts(rng)
    statements = [fact.fill(fact.kind.statement) for fact in facts]
    names = [fact.value for fact in facts if fact.kind is NAME]
    noted = f"Noted, {names[0]}." if names else "I will remember that."
    aside = ASIDE.format(animal=rng.choice(ANIMALS), nature=rng.choice(NATURE)) if rng.random() < 1 / 3 else ""
    asked = rng.choice(facts)
    return Draft(
        aside + asked.fill(rng.choice(asked.kind.questions)),
        asked.value,
        content=" ".join(sorted(statements)),
        history=((" ".join(statements), noted),),
    )


def _facts(rng: Random) -> list[Fact]:
    """One to three facts of different kinds or, one time in three, of one kind about different things."""
    num_facts = rng.choice((1, 2, 2, 3, 3, 3))
    if rng.random() < 1 / 3:
        kind = rng.choice([kind for kind in KINDS if kind.things])
        things, values = rng.sample(kind.things, num_facts), rng.sample(kind.values, num_facts)
        return [Fact(kind, thing, value) for thing, value in zip(things, values, strict=True)]
    return [
        Fact(kind, rng.choice(kind.things or ("",)), rng.choice(kind.values)) for kind in rng.sample(KINDS, num_facts)
    ]
