"""Gold answers of the skills, worked out a second time from nothing but the prompt."""

import re
from calendar import day_name, month_name

from mixwright.items.leaks import leaked_item, protect
from mixwright.sources.generators import abilities_of, generate
from mixwright.sources.generators.skills.reasoning import OPPOSITES
from mixwright.sources.generators.skills.words import PLAIN

LISTS = {
    "Swap first and last:|swap the first and the last": lambda words: [words[-1], *words[1:-1], words[0]],
    "Drop the first:|leave out the first": lambda words: words[1:],
    "Drop the last:|leave out the last": lambda words: words[:-1],
    "Say the last of|which is the last": lambda words: words[-1:],
    "second of|which is the second": lambda words: words[1:2],
    "Turn around:|turn the order around": lambda words: list(reversed(words)),
    "Double the last:|say the last twice": lambda words: words + words[-1:],
    "Move first to end:|move the first to the end": lambda words: words[1:] + words[:1],
    r"First letters|begin\?": lambda words: [word[:1] for word in words],
    r"Last letters|end\?": lambda words: [word[-1:] for word in words],
    "How many letters|Count the letters": lambda words: [str(len(word)) for word in words],
    "backwards|from the end": lambda words: ["-".join(word[::-1]) for word in words],
    "Spell|dashes": lambda words: ["-".join(word) for word in words],
}


def asked_and_told(ability, num=600):
    """(prompt, gold answer) pairs of both sides."""
    for split in ("train", "test"):
        for example in generate("skills", seed=7, num_records=num, split=split, abilities=[ability]):
            yield example.messages[-2]["content"], example.messages[-1]["content"]


def test_differences_are_right_and_often_borrow():
    borrows = 0
    for asked, told in asked_and_told("subtraction"):
        small, large = sorted(map(int, re.findall(r"\d+", asked)))
        assert int(told) == large - small
        assert re.search(rf"{small} (from|away from) {large}\b|{large} (-|minus|and) {small}\b", asked)
        borrows += large % 10 < small % 10
    assert borrows > 600


def test_the_compared_item_that_is_named_is_the_one_asked_for():
    order = {name: position for names in (day_name, month_name) for position, name in enumerate(names)}
    for asked, told in asked_and_told("comparing"):
        if beside := re.search(r"(before|after) (\d+)", asked):
            assert int(told) == int(beside[2]) + (1 if beside[1] == "after" else -1)
            continue
        items = re.split(r", | or ", re.search(r"((\w+, )?\w+ or \w+)\?", asked)[1])
        ranked = sorted(items, key=lambda item: (int(item) if item.isdigit() else order.get(item, 0), item))
        degree, superlative = re.search(r"\b(small|large|earli|late)(?:er|r|(est|st))\b", asked.lower()).groups()
        assert told == ranked[0 if degree in ("small", "earli") else -1]
        assert bool(superlative) == (len(items) == 3)


def test_operations_on_words_do_what_they_say():
    for asked, told in asked_and_told("strings"):
        listed = re.sub(r"Replace .*:|, write .*", "", asked)
        words = [word for word in re.findall(r"\w+", listed) if word in PLAIN]
        if replaced := re.search(r"Replace (\w+) by (\w+):", asked) or re.search(r"instead of (\w+)", asked):
            old, new = replaced[1], replaced[2] if "by" in asked.split() else re.search(r"write (\w+)", asked)[1]
            expected = [new if word == old else word for word in words]
        elif "very second" in asked:
            expected = words[1::2]
        else:
            expected = next(work for phrase, work in LISTS.items() if re.search(phrase, asked))(words)
        assert told == " ".join(expected), asked


def test_reasoned_answers_follow_from_the_facts():
    opposite = dict(OPPOSITES) | {less: more for more, less in OPPOSITES}
    for asked, told in asked_and_told("reasoning"):
        *facts, question = re.split(r"(?<=\.) ", asked)
        text = " ".join(facts)
        about = re.search(r"(\w+)(?: have)?\?", question)[1]
        if about in opposite:
            implied = {(more, degree) for more, degree, _ in re.findall(r"(\w+) is (\w+) than (\w+)", text)}
            implied |= {(less, opposite[degree]) for _, degree, less in re.findall(r"(\w+) is (\w+) than (\w+)", text)}
            assert [person for person, degree in implied if degree == about] == [told]
        elif "have" in question:
            job = re.search(rf"{about} is an? (\w+)", text)[1]
            assert re.search(rf"Every {job} has an? {told}\.", text)
        elif " or " in text:
            places = set(re.search(rf"The {about} is in the (\w+) or the (\w+)", text).groups())
            assert places - set(re.findall(rf"The {about} is not in the (\w+)", text)) == {told}
        else:
            container = re.search(rf"The {about} is in the (\w+)", text)[1]
            assert f"The {container} is in the {told}." in text


def test_no_training_conversation_holds_a_test_question_of_these_abilities():
    mine = ["subtraction", "comparing", "strings", "reasoning"]
    tests = list(generate("skills", seed=1, num_records=4000, split="test", abilities=mine))
    protected = protect((str(number), example.messages[:-1]) for number, example in enumerate(tests))
    num_records = 500 * len(abilities_of("skills"))
    for example in generate("skills", seed=2, num_records=num_records, split="train"):
        assert leaked_item(example.messages, protected) is None


def test_what_goes_with_a_word_stands_beside_it_in_the_list():
    for example in generate("skills", seed=5, num_records=500, split="train", abilities=["lookup"]):
        asked, answer = example.messages[0]["content"], example.messages[1]["content"]
        pairs = dict(
            re.findall(r"(\w+)(?: = |: | )(\w+)(?=[,;.]| \||$)", re.sub(r"Look up \w+: |In this .*\? ", "", asked))
        )
        key = re.search(r"goes with (\w+)|Find (\w+)|Look up (\w+)|belongs to (\w+)", asked)
        assert key
        assert pairs[next(filter(None, key.groups()))] == answer
