"""One step of reasoning from what is said: an inverse relation, a rule, a thing within a thing, one of two.

Unlike reading, the answer is not in the sentence that the question points to; it follows from it. Every kind
draws two puzzles: easy instances show the first alone, hard ones mix in the facts of the second, which has
nothing to do with the question. The puzzle that is asked about decides train or test, whatever stands beside
it, and its twins (the opposite question, the other way round) share its group.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.skills.words import ANIMALS, JOBS, NAMES, PLACES, listed

OPPOSITES = (
    ("taller", "shorter"),
    ("older", "younger"),
    ("faster", "slower"),
    ("stronger", "weaker"),
    ("richer", "poorer"),
    ("louder", "quieter"),
)
SMALL_THINGS = listed("key book coin ring knife letter bell candle hammer ticket clock mirror")
CONTAINERS = listed("basket box bag bottle cup wallet")


class Puzzle(NamedTuple):
    """Facts, a question that they answer, and what it is about."""

    facts: list[str]
    question: str
    answer: str
    content: str


def _inverse(rng: Random) -> list[Puzzle]:
    """Two relations between the same two people; the question turns one around, or does not."""
    people, puzzles = rng.sample(NAMES, 2), []
    for opposites in rng.sample(OPPOSITES, 2):
        (more, less), (first, second) = rng.sample(opposites, 2), rng.sample(people, 2)
        asked, answer = rng.choice(((more, first), (less, second), (less, second)))
        question = rng.choice(("Who is {asked}?", "Which of them is {asked}?")).format(asked=asked)
        content = f"{opposites[0]} {min(people)} {max(people)}"
        puzzles.append(Puzzle([f"{first} is {more} than {second}."], question, answer, content))
    return puzzles


def _rule(rng: Random) -> list[Puzzle]:
    """Two jobs with an animal each, and a person of each job."""
    return [
        Puzzle(
            [f"Every {job} has {_a(animal)}.", f"{name} is {_a(job)}."],
            rng.choice(("What does {name} have?", "Which animal does {name} have?")).format(name=name),
            animal,
            f"{job} {animal} {name}",
        )
        for job, animal, name in zip(rng.sample(JOBS, 2), rng.sample(ANIMALS, 2), rng.sample(NAMES, 2), strict=True)
    ]


def _within(rng: Random) -> list[Puzzle]:
    """Two things in containers, and the places of these."""
    return [
        Puzzle(
            [f"The {thing} is in the {container}.", f"The {container} is in the {place}."],
            rng.choice(("In which place is the {thing}?", "Which place holds the {thing}?")).format(thing=thing),
            place,
            f"{thing} {container} {place}",
        )
        for thing, container, place in zip(
            rng.sample(SMALL_THINGS, 2), rng.sample(CONTAINERS, 2), rng.sample(PLACES, 2), strict=True
        )
    ]


def _either(rng: Random) -> list[Puzzle]:
    """Two things, each in one of two places, of which one is ruled out."""
    places, puzzles = rng.sample(PLACES, 4), []
    for thing, pair in zip(rng.sample(SMALL_THINGS, 2), (places[:2], places[2:]), strict=True):
        empty, answer = rng.sample(pair, 2)
        facts = [f"The {thing} is in the {pair[0]} or the {pair[1]}.", f"The {thing} is not in the {empty}."]
        question = rng.choice(("Where is the {thing}?", "Where do I find the {thing}?")).format(thing=thing)
        puzzles.append(Puzzle(facts, question, answer, f"{thing} {min(pair)} {max(pair)}"))
    return puzzles


KINDS: tuple[Callable[[Random], list[Puzzle]], ...] = (_inverse, _rule, _within, _either)


@register("skills", "reasoning")
def reasoning(rng: Random, split: Split) -> Draft:
    """One puzzle of one of four kinds; one instance in three is without distracting facts."""
    puzzle, other = rng.choice(KINDS)(rng)
    facts = puzzle.facts + (other.facts if rng.random() < 2 / 3 else [])
    rng.shuffle(facts)
    return Draft(" ".join((*facts, puzzle.question)), puzzle.answer, puzzle.content)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
