"""Conversations that are one text, as HH-RLHF has them: paragraphs that begin with `Human:` and `Assistant:`.

The marks are no escape from the text: a turn that quotes one at the beginning of a paragraph would be cut there.
"""

from __future__ import annotations

import re

from mixwright.items.conversation import Message

TURN = re.compile(r"(?:\A|\n\n)(Human|Assistant):[ \t]?")
ROLES = {"Human": "user", "Assistant": "assistant"}


def is_transcript(text: object) -> bool:
    """Whether it begins as one."""
    return isinstance(text, str) and text.lstrip().startswith("Human:")


def turns_of_transcript(text: str) -> list[Message]:
    """The turns, without the blanks around them. Raises ValueError for a text that is no transcript."""
    if not is_transcript(text):
        raise ValueError("the answers are texts without their prompt, and do not begin with 'Human:'")
    pieces = TURN.split(text.lstrip())[1:]
    return [
        {"role": ROLES[name], "content": said.strip()} for name, said in zip(pieces[::2], pieces[1::2], strict=True)
    ]
