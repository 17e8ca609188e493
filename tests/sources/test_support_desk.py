"""Promises of the support desk: test asks in wordings that training never has, and every answer follows the rules.

Messages are read back here by searching them for every known wording, so that nothing is believed of the
generator but its lists.
"""

import re
from functools import cache
from typing import NamedTuple

import pytest

from mixwright.sources.generators import Example, generate, normalised
from mixwright.sources.generators.support_desk.conditions import CONDITIONS
from mixwright.sources.generators.support_desk.phrases import ITEMS, OPENINGS
from mixwright.sources.generators.support_desk.requests import REQUESTS
from mixwright.sources.generators.support_desk.rules import (
    HARMLESS_CONDITIONS,
    RULES,
    USUAL_ACTION,
    action_for,
    conditions_for,
)
from mixwright.sources.generators.support_desk.wordings import wordings

NUM_RECORDS = 5000
each_split = pytest.mark.parametrize("split", ["train", "test"])


class Wording(NamedTuple):
    """A known wording as `canonical` text, and the intent or condition that it expresses."""

    text: str
    meaning: str
    split: str


class Reading(NamedTuple):
    """A generated example with every known wording that occurs in its message."""

    example: Example
    requests: list[Wording]
    conditions: list[Wording]

    @property
    def answer(self) -> str:
        return self.example.messages[-1]["content"]

    @property
    def intent(self) -> str:
        return longest(self.requests).meaning

    @property
    def condition(self) -> str:
        return longest(self.conditions).meaning if self.conditions else ""


def canonical(text: str) -> str:
    """Words between spaces, with every slot, filled or not, as the name of its kind."""
    words = f" {normalised(text)} ".replace(" wear ", " item ")
    for item in ITEMS:
        words = words.replace(f" {item} ", " item ")
    words = re.sub(r" b\d{4}(?= )", " order", words)
    return re.sub(r" (\d{1,2})(?= )", lambda number: " many" if int(number[1]) > 30 else " few", words)


REQUEST_WORDINGS = [
    Wording(canonical(request.text), intent, split)
    for intent, sides in REQUESTS.items()
    for split, requests in sides.items()
    for request in requests
]
CONDITION_WORDINGS = [
    Wording(canonical(text), condition, split)
    for condition, sides in CONDITIONS.items()
    for split, texts in sides.items()
    for text in texts
]


def longest(found: list[Wording]) -> Wording:
    return max(found, key=lambda wording: len(wording.text))


@cache
def readings(split: str) -> list[Reading]:
    read = []
    for example in generate("support_desk", seed=7, num_records=NUM_RECORDS, split=split):
        message = canonical(example.messages[0]["content"])
        requests = [wording for wording in REQUEST_WORDINGS if wording.text in message]
        conditions = [wording for wording in CONDITION_WORDINGS if wording.text in message]
        read.append(Reading(example, requests, conditions))
    return read


def test_every_intent_and_condition_has_enough_wordings_on_both_sides():
    for sides in (*REQUESTS.values(), *CONDITIONS.values()):
        assert len(set(sides["train"])) == len(sides["train"]) >= 5
        assert len(set(sides["test"])) == len(sides["test"]) >= 3


@pytest.mark.parametrize("known", [REQUEST_WORDINGS, CONDITION_WORDINGS])
def test_no_wording_is_listed_twice_or_means_two_things(known):
    texts = [wording.text for wording in known]
    assert sorted(set(texts)) == sorted(texts)


@each_split
def test_no_message_holds_a_wording_of_the_other_side(split):
    for reading in readings(split):
        assert {wording.split for wording in reading.requests} == {split}, reading
        assert {wording.split for wording in reading.conditions} <= {split}, reading


@each_split
def test_every_wording_is_in_use(split):
    used = {wording for reading in readings(split) for wording in reading.requests + reading.conditions}
    assert used == {wording for wording in REQUEST_WORDINGS + CONDITION_WORDINGS if wording.split == split}


@each_split
def test_every_answer_follows_by_the_rules_from_the_wordings_in_the_message(split):
    for reading in readings(split):
        ruled = [
            rule.action for rule in RULES if rule.condition == reading.condition and reading.intent in rule.intents
        ]
        action = ruled[0] if ruled else USUAL_ACTION[reading.intent]
        assert reading.answer == f"{reading.intent} -> {action}".replace("_", " "), reading


@each_split
def test_only_policy_messages_hold_a_condition(split):
    for reading in readings(split):
        assert bool(reading.conditions) == (reading.example.ability == "policy"), reading


@each_split
def test_every_intent_and_every_rule_occurs(split):
    assert {reading.intent for reading in readings(split)} == set(USUAL_ACTION)
    applied = {
        rule.condition
        for reading in readings(split)
        for rule in RULES
        if rule.condition == reading.condition and reading.intent in rule.intents
    }
    assert applied == {rule.condition for rule in RULES}


@pytest.mark.parametrize(("split", "fewest"), [("train", 1200), ("test", 300)])
def test_groups_are_the_wordings_of_the_request_and_many(split, fewest):
    assert len({reading.example.group for reading in readings(split)}) >= fewest


def test_the_harmless_condition_changes_nothing_but_is_worded_like_one_that_does():
    assert not {rule.condition for rule in RULES} & set(HARMLESS_CONDITIONS)
    for split in ("train", "test"):
        few, many = (set(CONDITIONS[name][split]) for name in ("under_30_days", "over_30_days"))
        assert len({text.replace("{few}", "{many}") for text in few} & many) >= 3


def test_rules_are_consistent_and_enough_to_matter():
    assert len(USUAL_ACTION) >= 20
    assert len(RULES) >= 12
    assert set(REQUESTS) == set(USUAL_ACTION)
    assert {rule.condition for rule in RULES} | set(HARMLESS_CONDITIONS) == set(CONDITIONS)
    for rule in RULES:
        assert rule.intents <= set(USUAL_ACTION)
        assert all(action_for(intent, rule.condition) == rule.action for intent in rule.intents)
    assert all(conditions_for(intent) for intent in USUAL_ACTION)


def test_every_kind_of_request_has_openings():
    kinds = {request.kind for sides in REQUESTS.values() for side in sides.values() for request in side}
    assert kinds == set(OPENINGS)


def test_brief_notation_stands_for_every_choice_in_order():
    assert wordings("a (b / c) d | e | (f / g) (h / i)") == ("a b d", "a c d", "e", "f h", "f i", "g h", "g i")
