"""Answer from marked passages and cite the one that holds the answer, `barn [K]`, or say that none does.

This is the skill behind grounded answers, and the slowest to be learnt: find the passage, take the detail,
then say where it stood. Each passage names person, thing and detail in this order and its mark last, and
each question ends on person and thing, so that reading on from the same pair is the answer; richer wording
would be livelier and, at this size of model, not learnt. The marks are letters drawn at random. Of the
numbers one to four a model names one that exists without reading, and gets no further: in 24 million tokens
the base did not learn to cite them, while random letters, of which it has to copy one before it can do
better than chance, were cited rightly after a quarter of a million. Easy instances have passages that share
nothing, so one name finds the answer. Hard ones hold one kind of passage and a distractor that repeats the
person with another thing, or the thing with another person. No detail occurs twice, so a right answer has
one right citation.

`abstain` is the same exercise with the passage that was asked for taken away. One in three of its instances
keeps it: to abstain always, or never, does not pay. The set of passages decides train or test in both
abilities and is the group, so questions on one set stay together.
"""

from random import Random
from string import ascii_uppercase
from typing import NamedTuple

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.skills.words import DAYS, NAMES, PLACES, THINGS


class Relation(NamedTuple):
    """A passage with a person, a thing and a detail, and the questions that ask for the detail."""

    passage: str
    questions: tuple[str, ...]
    details: tuple[str, ...]


RELATIONS = (
    Relation(
        "{person} keeps the {thing} in the {detail}",
        ("Where does {person} keep the {thing}?", "In which place does {person} keep the {thing}?"),
        PLACES,
    ),
    Relation(
        "{person} sold the {thing} on {detail}",
        ("When was it that {person} sold the {thing}?", "On which day was it that {person} sold the {thing}?"),
        DAYS,
    ),
    Relation(
        "{person} bought the {thing} for {detail}",
        ("How much did {person} pay for the {thing}?", "How many coins did {person} pay for the {thing}?"),
        tuple(str(number) for number in range(2, 100)),
    ),
)

ASK_PASSAGE = ("Which passage is about {person} and the {thing}?", "Cite the passage on {person} and the {thing}.")
NUM_PASSAGES = (1, 2, 3, 4, 4, 4, 4)
ABSTENTION = "not in the passages"


class Fact(NamedTuple):
    """One passage in parts."""

    relation: Relation
    person: str
    thing: str
    detail: str
    mark: str  # by which it is cited

    def fill(self, template: str) -> str:
        return template.format(person=self.person, thing=self.thing, detail=self.detail)


@register("skills", "extract")
def extract(rng: Random, split: Split) -> Draft:
    """One to four passages, most often four, and a question about one of them; in one instance
    of five the citation alone is wanted.
    """
    facts = _facts(rng, rng.choice(NUM_PASSAGES))
    wanted = facts[0]
    rng.shuffle(facts)
    if rng.random() < 0.2:
        return _draft(facts, wanted.fill(rng.choice(ASK_PASSAGE)), _citation(wanted))
    return _draft(facts, wanted.fill(rng.choice(wanted.relation.questions)), _grounded(wanted))


@register("skills", "abstain")
def abstain(rng: Random, split: Split) -> Draft:
    """One to four passages and a question that two times in three none of them answers."""
    num_passages = rng.choice((1, 2, 3, 4))
    answerable = rng.random() < 1 / 3
    facts = _facts(rng, num_passages + (not answerable))
    wanted = facts[0]
    shown = facts if answerable else facts[1:]
    rng.shuffle(shown)
    answer = _grounded(wanted) if answerable else ABSTENTION
    return _draft(shown, wanted.fill(rng.choice(wanted.relation.questions)), answer)


def _facts(rng: Random, num_facts: int) -> list[Fact]:
    """Facts of which the first is to be asked about. Half of the time they are hard: all of one relation, and
    the second has the person or the thing of the first.
    """
    relations = [rng.choice(RELATIONS) for _ in range(num_facts)]
    people, things = rng.sample(NAMES, num_facts), rng.sample(THINGS, num_facts)
    if num_facts > 1 and rng.random() < 0.5:
        relations = relations[:1] * num_facts
        shared = rng.choice((people, things))
        shared[1] = shared[0]
    details = {relation: iter(rng.sample(relation.details, num_facts)) for relation in RELATIONS}
    marks = rng.sample(ascii_uppercase, num_facts)
    return [
        Fact(relation, person, thing, next(details[relation]), mark)
        for relation, person, thing, mark in zip(relations, people, things, marks, strict=True)
    ]


def _draft(facts: list[Fact], question: str, answer: str) -> Draft:
    passages = [fact.fill(fact.relation.passage) for fact in facts]
    listed = "\n".join(f"{passage} [{fact.mark}]" for passage, fact in zip(passages, facts, strict=True))
    return Draft(f"{listed}\n{question}", answer, content=" ".join(sorted(passages)))


def _grounded(fact: Fact) -> str:
    return f"{fact.detail} {_citation(fact)}"


def _citation(fact: Fact) -> str:
    return f"[{fact.mark}]"
