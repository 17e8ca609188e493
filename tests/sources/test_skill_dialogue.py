"""The gold answers of reading, memory and tool choice, derived a second time from nothing but the prompt; and no
skill's training data gives a test prompt away.
"""

import re
from collections import Counter

import pytest

from mixwright.items.leaks import leaked_item, protect
from mixwright.sources.generators import Example, abilities_of, generate
from mixwright.sources.generators.interface import split_of
from mixwright.sources.generators.skills.knowledge import FACTS
from mixwright.sources.generators.skills.tools import TOOLS
from mixwright.sources.generators.skills.words import NAMES, THINGS

PASSAGE = re.compile(r"(\w+) (keeps|sold|bought) the (\w+) (?:in the|on|for) (\w+) \[([A-Z])\]")
VERB = {"Where": "keeps", "In": "keeps", "When": "sold", "On": "sold", "How": "bought"}


def examples(ability: str, *, split="train", seed=21, num=600) -> list[Example]:
    return list(generate("skills", seed=seed, num_records=num, split=split, abilities=[ability]))


def texts(example: Example) -> list[str]:
    return [message["content"] for message in example.messages]


def reading(example: Example) -> tuple[list[tuple[str, ...]], str, str]:
    """The passages as (mark, person, verb, thing, detail), the question and the answer."""
    prompt, answer = texts(example)
    *passages, question = prompt.split("\n")
    read = [PASSAGE.fullmatch(passage).groups() for passage in passages]
    return [(mark, *words) for *words, mark in read], question, answer


def expected(passages: list[tuple[str, ...]], question: str) -> str:
    """The detail and mark of the one passage with the person, thing and verb of the question."""
    person = next(word for word in re.findall(r"\w+", question) if word in NAMES)
    thing = next(word for word in re.findall(r"\w+", question) if word in THINGS)
    verb = VERB.get(question.split()[0])
    fitting = [passage for passage in passages if passage[1] == person and passage[3] == thing]
    if not fitting:
        return "not in the passages"
    ((mark, _, found_verb, _, detail),) = fitting
    assert verb in (None, found_verb)
    return f"{detail} [{mark}]" if verb else f"[{mark}]"


def shares_a_name(passages: list[tuple[str, ...]]) -> bool:
    return any(len({passage[part] for passage in passages}) < len(passages) for part in (1, 3))


@pytest.mark.parametrize("ability", ["extract", "abstain"])
def test_the_answer_is_the_detail_of_the_passage_with_that_person_and_thing_or_that_there_is_none(ability):
    for example in examples(ability):
        passages, question, answer = reading(example)
        assert answer == expected(passages, question)
        assert len({passage[0] for passage in passages}) == len(passages)
        assert len({passage[4] for passage in passages}) == len(passages) <= 4


def test_half_of_the_extracts_have_four_passages_and_a_third_a_distractor():
    drawn = [reading(example)[0] for example in examples("extract")]
    assert sum(len(passages) == 4 for passages in drawn) > len(drawn) / 2
    assert sum(map(shares_a_name, drawn)) > len(drawn) / 3
    assert {len(passages) for passages in drawn} == {1, 2, 3, 4}


def test_a_third_of_the_abstentions_would_be_wrong_and_half_of_the_others_have_a_near_miss():
    answers, near = Counter(), 0
    for example in examples("abstain"):
        passages, question, answer = reading(example)
        answers[answer == "not in the passages"] += 1
        words = set(re.findall(r"\w+", question))
        near += answer == "not in the passages" and any({*passage[1:2], passage[3]} & words for passage in passages)
    assert 0.6 < answers[True] / answers.total() < 0.73
    assert 0.4 < near / answers[True] < 0.6


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_set_of_passages_is_on_one_side_for_both_reading_abilities(split):
    for example in examples("extract", split=split) + examples("abstain", split=split):
        passages = [line[: -len(" [K]")] for line in texts(example)[0].split("\n")[:-1]]
        assert split_of(" ".join(sorted(passages))) == split


# The words of a question that say what is asked for, and the statement that holds it ({} is the thing).
STATEMENTS = {
    r"my name\b|am I": r"My name is (\w+)\.",
    r"colour": r"My colour is (\w+)\.",
    r"job|work": r"I work as a (\w+)\.",
    r"fruit|like to eat": r"My favourite fruit is (\w+)\.",
    r"[Ww]here|place": r"I keep a {} in the (\w+)\.",
    r"need|wait": r"I need a {} by (\w+)\.",
    r"much|many|cost": r"I paid (\d+) coins for a {}\.",
    r"my \w+ called|the name of|call my": r"My {} is called (\w+)\.",
}


def test_a_remembered_word_is_the_one_stated_in_the_first_turn():
    asides = 0
    for example in examples("memory"):
        told, noted, asked, answer = texts(example)
        question = asked.split(". ")[-1]
        asides += question != asked
        patterns = [pattern for words, pattern in STATEMENTS.items() if re.search(words, question)]
        thing = next(iter(re.findall(r"(?:my|the|a) (\w+)(?=$|\?| called| cost| wait)", question)), "")
        found = [value for pattern in patterns for value in re.findall(pattern.format(thing), told)]
        assert found == [answer], question
        name = re.search(r"My name is (\w+)", told)
        assert noted == (f"Noted, {name[1]}." if name else "I will remember that.")
        assert split_of(" ".join(sorted(re.findall(r"\S[^.]*\.", told)))) == "train"
    assert 0.2 < asides / 600 < 0.45


def test_the_tool_called_is_listed_and_made_for_the_request_and_none_means_that_no_listed_one_is():
    made_for = [
        (tool, value, request.format(value=value))
        for tool in TOOLS
        for value in tool.values
        for request in tool.requests
    ]
    tool_of = {request: (tool, value) for tool, value, request in made_for}
    assert len(tool_of) == len(made_for)
    kinds = Counter()
    for example in examples("tools"):
        *first, last, answer = texts(example)
        asked, system = (first[0] + "\nRequest: " + last, True) if first else (last, False)
        line, request = asked.split("\nRequest: ")
        offered = re.findall(r"(\w+)\((\w+)\)", line)
        tool, value = tool_of[request]
        listed = (tool.name, tool.argument) in offered
        assert answer == (f"{tool.name}({tool.argument}={value})" if listed else "none")
        assert len(set(offered)) == len(offered) in (2, 3, 4)
        kinds.update(none=not listed, system=system)
    assert 0.2 < kinds["none"] / 600 < 0.3
    assert 0.15 < kinds["system"] / 600 < 0.25


def test_no_request_stands_inside_another_one():
    plain = {request.format(value="X") for tool in TOOLS for request in tool.requests}
    assert not [(one, other) for one in plain for other in plain if one != other and one.rstrip("?.") in other]


def test_dialogues_are_short_and_know_nothing_of_the_closed_knowledge():
    lands = set(FACTS) | {facts[0] for facts in FACTS.values()}
    for ability in ("memory", "tools", "extract", "abstain"):
        for example in examples(ability):
            whole = " ".join(texts(example))
            assert len(whole.split()) <= 60
            assert not any(land in whole for land in lands)


def test_no_training_conversation_contains_a_test_prompt_of_any_skill():
    known = abilities_of("skills")
    test = generate("skills", seed=31, num_records=300 * len(known), split="test")
    protected = protect((f"{example.ability} {number}", example.messages[:-1]) for number, example in enumerate(test))
    leaks = Counter()
    for example in generate("skills", seed=32, num_records=600 * len(known), split="train"):
        item = leaked_item(example.messages, protected)
        if item:
            leaks[f"{item.split()[0]} in {example.ability}"] += 1
    assert leaks == {}
