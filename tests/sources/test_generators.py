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
from mixwright.sources.generators.support_desk.phrases import CONDITIONS, REQUESTS
from mixwright.sources.generators.support_desk.rules import RULES, USUAL_ACTION, action_for, conditions_for

ABILITIES = [(name, ability) for name in ("skills", "support_desk") for ability in abilities_of(name)]
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


@pytest.mark.parametrize("name", ["skills", "support_desk"])
def test_global_random_state_is_neither_used_nor_touched(name):
    import random

    random.seed(1)
    state = random.getstate()
    first = list(generate(name, seed=3, num_records=40, split="train"))
    assert random.getstate() == state
    random.seed(2)
    assert list(generate(name, seed=3, num_records=40, split="train")) == first


@pytest.mark.parametrize("name", ["skills", "support_desk"])
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
    assert bool(groups[0] & groups[1]) == (ability == "facts")


@pytest.mark.parametrize("name", ["skills", "support_desk"])
def test_abilities_come_in_equal_numbers_by_round_robin(name):
    known = abilities_of(name)
    produced = [example.ability for example in generate(name, seed=5, num_records=3 * len(known), split="test")]
    assert produced == list(known) * 3


@pytest.mark.parametrize("name", ["skills", "support_desk"])
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
        assert roles in (["user", "assistant"], ["system", "user", "assistant"])
        for message in example.messages:
            assert set(message) == {"role", "content"}
            assert message["content"] == message["content"].strip() != ""
            assert "{" not in message["content"] or ability == "format"
        assert example.scorer in ("exact", "numeric", "choice", "format")
        assert example.group.startswith(f"{ability}:")


@each_ability
def test_a_question_never_has_two_answers(name, ability):
    answers: dict[str, str] = {}
    for example in examples(name, ability, num=1500):
        asked = "\n".join(message["content"] for message in example.messages[:-1])
        assert answers.setdefault(asked, answer(example)) == answer(example)


# The smallest share of unique prompts among 2,000: closed sets (facts, twins, pairs of operands) repeat.
SMALLEST_UNIQUE_SHARE = {"addition": 0.8, "facts": 0.5, "refusal": 0.6}


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
        found, number = re.fullmatch(r"(?:(\w+) )?\[(\d)\]", answer(example)).groups()
        if found:
            assert found in passages[int(number) - 1].rstrip(".").split()
            assert found not in re.findall(r"\w+", question)
        asked = set(re.findall(r"\w+", question))
        matches = [len(asked & set(re.findall(r"\w+", passage))) for passage in passages]
        assert matches.count(max(matches)) == 1
        assert matches.index(max(matches)) == int(number) - 1


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


def test_the_support_desk_answers_in_one_strict_line_by_its_rules():
    actions = set(USUAL_ACTION.values()) | {rule.action for rule in RULES}
    for ability in abilities_of("support_desk"):
        intents = set()
        for example in examples("support_desk", ability, num=600):
            found = re.fullmatch(r"intent=(\w+); action=(\w+)", answer(example))
            assert found[2] in actions
            assert ability == "policy" or found[2] == USUAL_ACTION[found[1]]
            intents.add(found[1])
        assert intents == set(USUAL_ACTION) == set(REQUESTS)


def test_rules_are_consistent_and_enough_to_matter():
    assert len(USUAL_ACTION) >= 20
    assert len(RULES) >= 12
    assert {rule.condition for rule in RULES} < set(CONDITIONS)
    for rule in RULES:
        assert rule.intents <= set(USUAL_ACTION)
        assert all(action_for(intent, rule.condition) == rule.action for intent in rule.intents)
    assert all(conditions_for(intent) for intent in USUAL_ACTION)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "nothing"}, "skills, support_desk"),
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
