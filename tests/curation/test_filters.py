"""Each filter: the row it drops with its reason, and the row next to it that it keeps."""

from __future__ import annotations

import pytest

from mixwright.curation.filters import FILTERS, Filter, broken_text, empty_turn, repetitive, short_answer, too_long
from mixwright.items.conversation import Message
from mixwright.recipe.data import Filters

LIMITS = Filters(min_answer_characters=3, max_characters=400, max_repetition=0.5, max_replacement=0.01)
PROSE = " ".join(f"word{number}" for number in range(45))


def conversation(user: str = "A question", answer: str = "An answer") -> list[Message]:
    return [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]


DROPPED: list[tuple[Filter, list[Message], str]] = [
    (empty_turn, conversation(user=" \n"), "empty"),
    (short_answer, conversation(answer=" no "), "2 characters"),
    (too_long, conversation(user="x" * 395), "404 characters"),
    (broken_text, conversation(answer="caf\ufffd and more"), "broken"),
    (broken_text, conversation(user="a\x00b"), "broken"),
    (repetitive, conversation(answer="over and over again " * 12), "repeats"),
]
KEPT: list[tuple[Filter, list[Message]]] = [
    (empty_turn, conversation(user="?")),
    (short_answer, conversation(answer="yes")),
    (too_long, conversation(user="x" * 391)),
    (broken_text, conversation(answer="Ünïcödé, 日本語, 👩‍👩‍👧, tabs\tand\nlines\r\n")),
    (broken_text, conversation(answer="x" * 300 + "\ufffd")),
    (repetitive, conversation(answer=PROSE)),
    (repetitive, conversation(answer="over and over again " * 9)),  # fewer than 40 words: a list, a code
]


@pytest.mark.parametrize(("rule", "messages", "reason"), DROPPED)
def test_a_row_outside_the_limits_is_dropped_with_its_reason(
    rule: Filter, messages: list[Message], reason: str
) -> None:
    assert reason in str(rule(messages, LIMITS))


@pytest.mark.parametrize(("rule", "messages"), KEPT)
def test_a_row_at_the_limit_is_kept(rule: Filter, messages: list[Message]) -> None:
    assert rule(messages, LIMITS) is None


def test_every_turn_counts() -> None:
    first_good = [*conversation(), *conversation(user="", answer="x")]
    assert empty_turn(first_good, LIMITS)
    assert short_answer(first_good, LIMITS)


def test_a_call_of_a_tool_is_no_short_answer() -> None:
    call: Message = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "look_up"}}]}
    messages = [*conversation()[:1], call, {"role": "tool", "content": "42"}, conversation()[1]]
    assert [rule(messages, LIMITS) for rule in FILTERS] == [None] * len(FILTERS)


def test_the_default_limits_keep_ordinary_rows() -> None:
    assert [rule(conversation(answer=PROSE), Filters()) for rule in FILTERS] == [None] * len(FILTERS)
