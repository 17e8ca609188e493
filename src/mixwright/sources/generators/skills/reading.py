"""Answer from numbered passages, and name the passage: `barn [2]`, or the passage alone: `[2]`.

This is the skill behind grounded answers, and the slowest to be learnt: find the passage, take the detail,
then say where it stood. Easy instances have passages that share nothing, so one word of the question finds
the answer, or even the kind of question does. Hard ones hold a distractor that repeats the person with
another thing, or the thing with another person, so both must match. The set of passages decides train or test
and is the group: questions on one set stay together.
"""

from random import Random
from typing import NamedTuple

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.skills.words import DAYS, NAMES, PLACES, THINGS


class Relation(NamedTuple):
    """A passage with a person, a thing and a detail, and the questions that ask for one of them."""

    passage: str
    ask_detail: tuple[str, ...]
    ask_person: tuple[str, ...]
    details: tuple[str, ...]


RELATIONS = (
    Relation(
        "{person} keeps the {thing} in the {detail}.",
        ("Where does {person} keep the {thing}?", "In which place is the {thing} of {person}?"),
        ("Who keeps the {thing} in the {detail}?", "Whose {thing} is in the {detail}?"),
        PLACES,
    ),
    Relation(
        "{person} sold the {thing} on {detail}.",
        ("When did {person} sell the {thing}?", "On which day did {person} sell the {thing}?"),
        ("Who sold the {thing} on {detail}?", "Who sold a {thing} on {detail}?"),
        DAYS,
    ),
    Relation(
        "{person} paid {detail} coins for the {thing}.",
        ("How much did {person} pay for the {thing}?", "What did {person} pay for the {thing}?"),
        ("Who paid {detail} coins for the {thing}?", "Who bought the {thing} for {detail} coins?"),
        tuple(str(number) for number in range(2, 100)),
    ),
)


ASK_PASSAGE = (
    "Which passage is about {person} and the {thing}?",
    "Cite the passage on {person} and the {thing}.",
    "Find the {thing} of {person}.",
)


class Fact(NamedTuple):
    """One passage in parts."""

    relation: Relation
    person: str
    thing: str
    detail: str

    def fill(self, template: str) -> str:
        return template.format(person=self.person, thing=self.thing, detail=self.detail)


@register("skills", "extract")
def extract(rng: Random, split: Split) -> Draft:
    """One to four passages and a question about one of them; one instance in three is hard."""
    facts = _hard_facts(rng) if rng.random() < 1 / 3 else _easy_facts(rng)
    target = facts[0]
    rng.shuffle(facts)
    passages = [fact.fill(fact.relation.passage) for fact in facts]
    listed = "\n".join(f"[{number}] {passage}" for number, passage in enumerate(passages, start=1))
    citation = f"[{1 + facts.index(target)}]"
    questions, answer = rng.choice(
        (
            (target.relation.ask_detail, f"{target.detail} {citation}"),
            (target.relation.ask_person, f"{target.person} {citation}"),
            (ASK_PASSAGE, citation),
        )
    )
    prompt = f"{listed}\n{target.fill(rng.choice(questions))}"
    return Draft(prompt, answer, content=" ".join(sorted(passages)))


def _easy_facts(rng: Random) -> list[Fact]:
    """One to three passages of any relation without a shared name; the question is about the first."""
    num_passages = rng.randint(1, 3)
    people, things = rng.sample(NAMES, num_passages), rng.sample(THINGS, num_passages)
    relations = [rng.choice(RELATIONS) for _ in range(num_passages)]
    return [
        Fact(relation, person, thing, rng.choice(relation.details))
        for relation, person, thing in zip(relations, people, things, strict=True)
    ]


def _hard_facts(rng: Random) -> list[Fact]:
    """Two to four passages of one relation; the second has the person or the thing of the first."""
    num_passages = rng.randint(2, 4)
    relation = rng.choice(RELATIONS)
    people, things = rng.sample(NAMES, num_passages), rng.sample(THINGS, num_passages)
    shared = rng.choice((people, things))
    shared[1] = shared[0]
    details = rng.sample(relation.details, num_passages)
    return [
        Fact(relation, person, thing, detail) for person, thing, detail in zip(people, things, details, strict=True)
    ]
