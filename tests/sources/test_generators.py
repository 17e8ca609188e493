"""Promises of the generated data sets: reproducible, leak-free between train and test, and right."""

import json
import re
from itertools import islice
from random import Random

import pytest

from mixwright.sources.generators import Draft, Example, abilities_of, generate, normalised, register
from mixwright.sources.generators.interface import split_of
from mixwright.sources.generators.skills.knowledge import FACTS, RELATIONS
from mixwright.sources.generators.skills.safety import REFUSAL, TWINS

GENERATORS = ("skills", "support_desk", "sessions")
ABILITIES = [(name, ability) for name in GENERATORS for ability in abilities_of(name)]
each_ability = pytest.mark.parametrize(("name", "ability"), ABILITIES)


def examples(name: str, ability: str, *, split="train", seed=11, num=300) -> list[Example]:
    return list(generate(name, seed=seed, num_records=num, split=split, abilities=[ability]))


def prompt(example: Example) -> str:
    return example.messages[-2]["content"]


def answer(example: Example) -> str:
    return example.messages[-1]["content"]


def whole_prompt(example: Example) -> str:
    return normalised(" ".join(message["content"] for message in example.messages[:-1]))


@each_ability
def test_same_arguments_give_the_same_examples_and_another_seed_others(name, ability):
    assert examples(name, ability) == examples(name, ability)
    assert examples(name, ability) != examples(name, ability, seed=12)


@pytest.mark.parametrize("name", GENERATORS)
def test_global_random_state_is_neither_used_nor_touched(name):
    import random

    random.seed(1)
    state = random.getstate()
    first = list(generate(name, seed=3, num_records=40, split="train"))
    assert random.getstate() == state
    random.seed(2)
    assert list(generate(name, seed=3, num_records=40, split="train")) == first


@pytest.mark.parametrize("name", GENERATORS)
def test_train_and_test_share_no_prompt_whatever_the_seeds(name):
    num = 1200 * len(abilities_of(name))
    train = {whole_prompt(example) for example in generate(name, seed=1, num_records=num, split="train")}
    test = {whole_prompt(example) for example in generate(name, seed=2, num_records=num, split="test")}
    assert train
    assert test
    assert not train & test


@each_ability
def test_train_and_test_share_no_group_except_remembered_facts(name, ability):
    groups = [{example.group for example in examples(name, ability, split=split)} for split in ("train", "test")]
    assert bool(groups[0] & groups[1]) == (ability in ("facts", "two_requests"))  # the second may ask for a fact


@pytest.mark.parametrize("name", GENERATORS)
def test_abilities_come_in_equal_numbers_by_round_robin(name):
    known = abilities_of(name)
    produced = [example.ability for example in generate(name, seed=5, num_records=3 * len(known), split="test")]
    assert produced == list(known) * 3


@pytest.mark.parametrize("name", GENERATORS)
def test_choosing_some_abilities_or_more_records_changes_no_example(name):
    known = abilities_of(name)
    everything = list(generate(name, seed=5, num_records=20 * len(known), split="train"))
    for ability in known:
        alone = examples(name, ability, seed=5, num=30)
        assert alone[:20] == [example for example in everything if example.ability == ability]


@each_ability
def test_messages_are_a_well_formed_conversation_that_ends_with_the_answer(name, ability):
    for example in examples(name, ability):
        roles = [message["role"] for message in example.messages]
        turns = roles[1:] if roles[0] == "system" else roles
        assert turns == ["user", "assistant"] * (len(turns) // 2)
        assert len(turns) in ((4, 6, 8) if name == "sessions" else (2, 4))
        for message in example.messages:
            assert set(message) == {"role", "content"}
            assert message["content"] == message["content"].strip() != ""
            assert "{" not in message["content"] or ability in ("format", "two_requests")
        assert example.scorer in ("exact", "numeric", "choice", "format")
        assert example.group.startswith(f"{ability}:")


@each_ability
def test_a_question_never_has_two_answers(name, ability):
    answers: dict[str, str] = {}
    for example in examples(name, ability, num=1500):
        asked = "\n".join(message["content"] for message in example.messages[:-1])
        assert answers.setdefault(asked, answer(example)) == answer(example)


# The smallest share of unique prompts among 2,000: closed sets (facts, twins, pairs of operands) repeat.
SMALLEST_UNIQUE_SHARE = {"addition": 0.8, "subtraction": 0.8, "comparing": 0.85, "facts": 0.5, "refusal": 0.6}


@each_ability
def test_two_thousand_fresh_examples_are_mostly_unique(name, ability):
    drawn = {whole_prompt(example) for example in examples(name, ability, seed=99, num=2000)}
    assert len(drawn) >= SMALLEST_UNIQUE_SHARE.get(ability, 0.95) * 2000


def test_about_one_instance_in_five_is_a_test_instance():
    sides = [split_of(f"instance {number}") for number in range(5000)]
    assert 0.17 < sides.count("test") / len(sides) < 0.23


def test_letter_case_and_punctuation_do_not_change_the_side():
    assert all(split_of(f"Add {n}, please!") == split_of(f"add {n} please") for n in range(200))


def test_sums_are_right():
    for example in examples("skills", "addition"):
        assert sum(map(int, re.findall(r"\d+", prompt(example)))) == int(answer(example))


def test_sorted_items_are_the_items_in_order():
    for example in examples("skills", "sorting"):
        order, _, listed = prompt(example).partition(": ")
        given, found = listed.split(", "), answer(example).split(", ")
        if given[0].isdigit():
            given, found = [int(item) for item in given], [int(item) for item in found]
        assert found == sorted(given, reverse="large to small" in order or "largest" in order)


def test_every_fact_is_taught_and_answered_as_in_the_table():
    seen = set()
    for example in examples("skills", "facts", num=1500):
        land = next(land for land in FACTS if land in prompt(example))
        relation = next(relation for relation in RELATIONS if relation in prompt(example))
        assert answer(example) == FACTS[land][RELATIONS.index(relation)]
        seen.add((land, relation))
    assert len(seen) == len(FACTS) * len(RELATIONS)


def test_an_extract_is_in_the_passage_that_it_cites_and_no_other_passage_answers():
    for example in examples("skills", "extract"):
        *passages, question = prompt(example).split("\n")
        told = {passage[-2]: passage[:-4] for passage in passages if re.fullmatch(r".+ \[[A-Z]\]", passage)}
        assert len(told) == len(passages), "each passage has a mark, and a mark of its own"
        found, cited = re.fullmatch(r"(?:(\w+) )?\[([A-Z])\]", answer(example)).groups()
        if found:
            assert found in told[cited].split()
            assert found not in re.findall(r"\w+", question)
        asked = set(re.findall(r"\w+", question))
        matches = {mark: len(asked & set(re.findall(r"\w+", passage))) for mark, passage in told.items()}
        best = max(matches.values())
        assert [mark for mark, num in matches.items() if num == best] == [cited]


def test_json_answers_parse_and_every_format_keeps_the_words():
    for example in examples("skills", "format"):
        text = answer(example)
        words = set(json.loads(text).values()) if text.startswith("{") else set(re.findall(r"[A-Za-z]+", text))
        assert {word.lower() for word in words} <= set(re.findall(r"\w+", prompt(example).lower()))


def test_a_repeated_list_is_the_list():
    for example in examples("skills", "repeat"):
        assert prompt(example).endswith(": " + answer(example))


def test_exactly_the_unsafe_twin_is_refused():
    requests = {(prompt(example), answer(example)) for example in examples("skills", "refusal")}
    for asked, told in requests:
        assert (told == REFUSAL) == any(unsafe in asked for _, unsafe in TWINS)
    assert 0.4 < sum(told == REFUSAL for _, told in requests) / len(requests) < 0.6


def test_english_answers_follow_from_the_sentence():
    for example in examples("skills", "english"):
        order, told = prompt(example), answer(example)
        if order.startswith(("How many", "Count")):
            sentence = re.split(r"there\? |words: ", order, maxsplit=1)[1]
            assert int(told) == len(sentence.split())
        elif order.startswith(("Which word comes after", "The word after")):
            after = re.match(r"(?:Which word comes after (\S+)\?|The word after (\S+) in:) ", order)
            assert f" {after[1] or after[2]} {told}" in order
        elif "first word" in order.lower():
            assert re.search(rf"(\?|:) {re.escape(told)} ", order)
        else:
            assert order.endswith(told)


def test_a_session_ends_with_a_request_that_is_judged_as_if_it_stood_alone():
    scorers = {}
    for ability in abilities_of("skills"):
        for example in examples("skills", ability, num=2000):
            scorers[prompt(example), answer(example)] = example.scorer
    sessions = examples("sessions", "two_requests", num=200)
    for example in sessions:
        assert len(example.messages) >= 4
        assert all(message["role"] != "system" for message in example.messages)
    known = [example for example in sessions if (prompt(example), answer(example)) in scorers]
    assert known, "some requests are drawn again"
    assert all(example.scorer == scorers[prompt(example), answer(example)] for example in known)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "nothing"}, "sessions, skills, support_desk"),
        ({"abilities": ["addition", "juggling"]}, "'juggling'.*addition"),
        ({"abilities": []}, "empty"),
        ({"abilities": ["facts", "facts"]}, "twice"),
        ({"split": "validation"}, "train or test"),
        ({"num_records": -1}, "negative"),
    ],
)
def test_a_wrong_argument_is_refused_at_once_with_what_exists(arguments, says):
    settings = {"name": "skills", "seed": 0, "num_records": 1, "split": "train"} | arguments
    with pytest.raises(ValueError, match=says):
        generate(settings.pop("name"), **settings)


def test_a_generator_of_ones_own_is_one_decorated_function():
    @register("test_own_generator", "echo")
    def echo(rng: Random, split: str) -> Draft:
        number = str(rng.randrange(10**6))
        return Draft(f"Say {number}", number, content=number)

    found = list(islice(generate("test_own_generator", seed=0, num_records=5, split="test"), 5))
    assert [prompt(example) for example in found] == [f"Say {answer(example)}" for example in found]
    with pytest.raises(ValueError, match="already has an ability"):
        register("test_own_generator", "echo")(echo)


def test_a_draft_of_material_listed_by_side_is_not_judged_by_its_content():
    listed = {"train": ("red", "green", "blue"), "test": ("black", "white", "grey")}

    @register("test_listed_generator", "colour")
    def colour(rng: Random, split: str) -> Draft:
        name = rng.choice(listed[split])
        return Draft(f"Say {name}", name, content=name, side=split)

    for split, names in listed.items():
        found = generate("test_listed_generator", seed=0, num_records=60, split=split)
        assert {answer(example) for example in found} == set(names)
