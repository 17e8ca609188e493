"""Has a training row seen an evaluation item? Equality for short items, containment for long ones, by hash alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixwright.items.conversation import Message
from mixwright.items.leaks import MIN_WORDS, leaked_item, protect

SHORT = "What is my balance?"
LONG = "My parcel left Turin nine days ago and the tracking page has not moved since"


def asked(*turns: str, answer: str = "Yes.") -> list[Message]:
    """A conversation with these user turns."""
    messages: list[Message] = []
    for turn in turns:
        messages += [{"role": "user", "content": turn}, {"role": "assistant", "content": answer}]
    return messages


PROTECTED = protect(
    [("short", asked(SHORT)[:1]), ("long", asked(LONG)[:1]), ("two turns", asked("Good morning.", "Cancel it")[:3])]
)


def test_a_row_that_asks_the_same_is_a_leak() -> None:
    assert leaked_item(asked(SHORT), PROTECTED) == "short"
    assert leaked_item(asked(LONG), PROTECTED) == "long"


@pytest.mark.parametrize("same", ["what is my balance", "WHAT IS MY BALANCE!!", " What\nis -- my   'balance' "])
def test_case_punctuation_and_blanks_hide_nothing(same: str) -> None:
    assert leaked_item(asked(same), PROTECTED) == "short"


def test_a_short_item_inside_a_longer_text_is_no_leak() -> None:
    assert leaked_item(asked("Before I go: what is my balance? And my limit?"), PROTECTED) is None


def test_a_long_item_inside_any_turn_is_a_leak() -> None:
    assert leaked_item(asked(f"Hello, I am Ann. {LONG.upper()}! Please help"), PROTECTED) == "long"
    assert leaked_item(asked("Repeat it", answer=f"You wrote: {LONG}."), PROTECTED) == "long"
    assert leaked_item([{"role": "system", "content": f"Example: {LONG}"}, *asked("Go on")], PROTECTED) == "long"


def test_a_part_of_a_long_item_is_no_leak() -> None:
    assert leaked_item(asked(LONG.rsplit(" ", 1)[0]), PROTECTED) is None


def test_a_short_item_counts_in_any_user_turn_but_not_as_an_answer() -> None:
    assert leaked_item(asked("Hello", SHORT), PROTECTED) == "short"
    assert leaked_item(asked("Say it", answer=SHORT), PROTECTED) is None


def test_an_item_of_several_turns_is_found_in_a_row_that_has_them_all() -> None:
    assert leaked_item(asked("Good morning.", "Cancel it"), PROTECTED) == "two turns"
    assert leaked_item(asked("Good morning.", "Cancel that"), PROTECTED) is None


def test_boilerplate_shared_by_all_rows_raises_no_alarm() -> None:
    template = "Classify the following customer message into exactly one of the known intents. Message: {}"
    protected = protect((f"item{i}", asked(template.format(f"my card number {i} is lost"))[:1]) for i in range(50))
    rows = [asked(template.format(f"the cash machine kept card {i}")) for i in range(50)]
    assert [leaked_item(row, protected) for row in rows] == [None] * 50
    assert leaked_item(asked(template.format("My card, number 7, is lost")), protected) == "item7"


def test_items_with_the_same_beginning_are_told_apart() -> None:
    beginning = "one two three four five six seven eight"
    protected = protect([("a", asked(f"{beginning} nine")[:1]), ("b", asked(f"{beginning} ten eleven")[:1])])
    assert leaked_item(asked(f"so: {beginning} ten eleven twelve"), protected) == "b"
    assert leaked_item(asked(f"so: {beginning} twelve"), protected) is None


def test_the_protected_set_shows_no_text_and_survives_json() -> None:
    text = json.dumps(PROTECTED)
    assert "parcel" not in text.casefold()
    assert leaked_item(asked(LONG), json.loads(text)) == "long"


words = st.lists(st.sampled_from(["ab", "cd", "ef", "gh", "ij", "kl", "mn", "op", "qr", "st"]), min_size=1, max_size=14)


@given(words, words, words)
def test_the_rule_is_equality_or_for_eight_words_and_more_containment(
    item: list[str], before: list[str], after: list[str]
) -> None:
    protected = protect([("item", asked(" ".join(item))[:1])])
    row = [*before, *item, *after]
    inside = any(row[i : i + len(item)] == item for i in range(len(row) - len(item) + 1))
    assert inside
    assert (leaked_item(asked(" ".join(row)), protected) == "item") == (len(item) >= MIN_WORDS)
    assert leaked_item(asked(" ".join(item)), protected) == "item"


def test_an_item_without_words_and_an_empty_set_protect_nothing() -> None:
    assert protect([("empty", asked("?!")[:1])]) == {}
    assert leaked_item(asked("?!"), PROTECTED) is None
    assert leaked_item(asked(SHORT), {}) is None


def test_an_item_of_several_turns_is_found_inside_a_conversation_that_goes_on() -> None:
    grown = asked("Hello", "Good morning.", "Cancel it", "And the refund?")
    assert leaked_item(grown, PROTECTED) == "two turns"


def test_scripts_without_blanks_are_compared_by_characters() -> None:
    question = "我的信用卡昨天在超市被拒绝了怎么办"
    protected = protect([("card", asked(question)[:1])])
    assert leaked_item(asked(f"你好，{question}？谢谢"), protected) == "card"
    assert leaked_item(asked("我的信用卡昨天在超市丢了怎么办"), protected) is None


def test_the_unicode_form_of_a_text_hides_nothing() -> None:
    composed, decomposed = "o\u00f9 est ma carte ?", "ou\u0300 est ma carte ?"
    assert leaked_item(asked(decomposed), protect([("carte", asked(composed)[:1])])) == "carte"
