"""Has a training row seen an evaluation item? Verbatim matching on normalised words, by hash alone.

What is compared is what the user said, lower-case (after NFKC), letters and digits only. A row leaks when a run of its
user turns, joined, equals an item's joined turns - or when an item of at least `MIN_WORDS` words stands anywhere inside
one of its turns, the answers included. Shorter items are too common to be looked for inside other texts
("what is my balance"), so for them only equality counts. Templates that all rows share cannot raise an alarm, because
an item must occur whole.

The protected set is hashes, so that the curation of training data needs no sight of the evaluation data. An item is
found by the hash of its first `MIN_WORDS` words and then confirmed by the hash of all of them: one dictionary look-up
per word of the row.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from mixwright.ground.hashing import text_digest
from mixwright.items.conversation import Message, user_turns

MIN_WORDS = 8
# scripts written without blanks: each character is a word
UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"
WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")

Protected: TypeAlias = dict[
    str, list[tuple[int, str, str]]
]  # hash of the head -> [number of words, hash of all, item id]


def words_of(text: str) -> list[str]:
    """Normalised words: what makes two prompts the same."""
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def protect(items: Iterable[tuple[str, Sequence[Message]]]) -> Protected:
    """The protected set of (item id, prompt) pairs."""
    protected: Protected = {}
    for item_id, prompt in items:
        words = words_of(" ".join(user_turns(prompt)))
        if words:
            head = text_digest(" ".join(words[:MIN_WORDS]))
            protected.setdefault(head, []).append((len(words), text_digest(" ".join(words)), item_id))
    return protected


def leaked_item(messages: Sequence[Message], protected: Protected) -> str | None:
    """The id of an item that this training conversation contains, or None."""
    if not protected:
        return None
    turns = user_turns(messages)
    for first in range(len(turns)):
        for last in range(first + 1, len(turns) + 1):
            found = _at(words_of(" ".join(turns[first:last])), 0, protected, whole=True)
            if found:
                return found
    for message in messages:
        words = words_of(str(message.get("content") or ""))
        for start in range(len(words) - MIN_WORDS + 1):
            found = _at(words, start, protected, whole=False)
            if found:
                return found
    return None


def _at(words: list[str], start: int, protected: Protected, *, whole: bool) -> str | None:
    head = text_digest(" ".join(words[start : start + MIN_WORDS])) if words else ""
    for length, value, item_id in protected.get(head, ()):
        end = start + length
        fits = end == len(words) if whole else length >= MIN_WORDS and end <= len(words)
        if fits and text_digest(" ".join(words[start:end])) == value:
            return item_id
    return None
