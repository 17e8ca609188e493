"""A conversation that a model wrote itself."""

from __future__ import annotations

from typing import NamedTuple

from mixwright.items.conversation import Message


class Replayed(NamedTuple):
    """One conversation, up to its last complete answer. fault: why it is not kept, empty when it is. rule: what found
    that."""

    messages: list[Message]
    fault: str = ""
    rule: str = "malformed"
