"""Sanity filters: small pure functions, each with a name and a reason a person can argue with.

A filter looks at one conversation and returns why it should be dropped, or None. Thresholds are the recipe's
(`curate.filters`); the defaults only catch rows that no one would train on.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeAlias

from mixwright.items.conversation import Message
from mixwright.recipe.data import Filters
from mixwright.sources.intake.records import DOCUMENT

Filter: TypeAlias = Callable[[Sequence[Message], Filters], str | None]

REPETITION_WORDS = 4  # length of the word n-grams of the repetition filter
REPETITION_MIN_WORDS = 40  # shorter answers (lists, codes) repeat themselves legitimately


def _contents(messages: Sequence[Message], role: str | None = None) -> list[str]:
    return [
        str(message.get("content") or "")
        for message in messages
        if (role is None or message["role"] == role) and not message.get("tool_calls")
    ]


def is_document(messages: Sequence[Message]) -> bool:
    return bool(messages[0]["role"] == DOCUMENT)


def empty_turn(messages: Sequence[Message], limits: Filters) -> str | None:
    """A user turn without a word teaches the model to answer nothing."""
    empty = any(not text.strip() for text in _contents(messages, "user"))
    return "a user turn is empty" if empty else None


def short_answer(messages: Sequence[Message], limits: Filters) -> str | None:
    """An answer shorter than the recipe allows."""
    shortest = min(
        (len(text.strip()) for text in _contents(messages, "assistant")), default=limits.min_answer_characters
    )
    if shortest < limits.min_answer_characters:
        return f"an answer has {shortest} characters, fewer than {limits.min_answer_characters}"
    return None


def too_long(messages: Sequence[Message], limits: Filters) -> str | None:
    """Whole dumps pasted into one row of a conversation; a document may be a book."""
    length = 0 if is_document(messages) else sum(map(len, _contents(messages)))
    return f"{length} characters, more than {limits.max_characters}" if length > limits.max_characters else None


def broken_text(messages: Sequence[Message], limits: Filters) -> str | None:
    """Replacement and control characters: text that went through a wrong decoding."""
    text = "".join(_contents(messages))
    if text.isprintable() and "\ufffd" not in text:
        return None
    bad = sum(
        letter == "\ufffd" or (unicodedata.category(letter) == "Cc" and letter not in "\n\r\t") for letter in text
    )
    share = bad / len(text)
    return f"{share:.1%} of the characters are broken" if share > limits.max_replacement else None


def repetitive(messages: Sequence[Message], limits: Filters) -> str | None:
    """Share of an answer's word 4-grams that occur before (Gopher's rule, Rae et al. 2021, on n-grams)."""
    for text in _contents(messages, DOCUMENT if is_document(messages) else "assistant"):
        words = text.split()
        if len(words) < REPETITION_MIN_WORDS:
            continue
        grams = [tuple(words[i : i + REPETITION_WORDS]) for i in range(len(words) - REPETITION_WORDS + 1)]
        share = 1 - len(set(grams)) / len(grams)
        if share > limits.max_repetition:
            return f"{share:.0%} of an answer repeats itself"
    return None


FILTERS: tuple[Filter, ...] = (empty_turn, short_answer, too_long, broken_text, repetitive)
