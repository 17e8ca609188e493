"""What a model has written itself, and how it was drawn."""

from __future__ import annotations

from typing import NamedTuple

from mixwright.items.conversation import Message
from mixwright.models.tokenizer import ChatTokenizer

BATCH_SIZE = 256  # sequences drawn together


class Draw(NamedTuple):
    """num: of conversations or documents that are begun. turns: the most questions in a conversation. max_new_tokens:
    of a turn, or of a document."""

    seed: int
    num: int
    temperature: float
    turns: int
    max_new_tokens: int


class Replayed(NamedTuple):
    """One conversation, up to its last complete answer; or a document. fault: why it is not kept, empty when it is.
    rule: what found that. text: of a document, empty for a conversation. whole: the document was ended by its writer,
    not by the limit."""

    messages: list[Message]
    fault: str = ""
    rule: str = "malformed"
    text: str = ""
    whole: bool = True


def spelled(tokenizer: ChatTokenizer, text: str) -> str:
    """What is wrong with a text in which a special token is spelled letter by letter: it would be the token where the
    text is read. Empty when there is none."""
    return "" if tokenizer.special_ids.isdisjoint(tokenizer.ids(text)) else "spells a special token"
