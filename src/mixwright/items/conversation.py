"""A conversation: the one form in which training rows and evaluation prompts travel.

It is kept as canonical JSON text, not as typed columns: typed readers add null keys to nested tool arguments and so
change the text a model is trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

Message: TypeAlias = dict[str, Any]  # at least {"role": str, "content": str}

ROLES = ("system", "user", "assistant", "tool")


def conversation_fault(messages: Any) -> str | None:
    """What keeps `messages` from being a conversation, in words, or None."""
    if not isinstance(messages, list) or not messages:
        return "no messages"
    for i, message in enumerate(messages):
        if not isinstance(message, dict) or "role" not in message:
            return f"message {i + 1} has no role"
        role, content = message["role"], message.get("content")
        if role not in ROLES:
            return f"message {i + 1} has the unknown role {role!r} (known: {', '.join(ROLES)})"
        if content is None and message.get("tool_calls"):
            continue
        if not isinstance(content, str):
            found = "null" if content is None else f"a {type(content).__name__}"
            return f"the content of message {i + 1} is {found}, not text"
        if role == "system" and i > 0:
            return f"message {i + 1} is a system turn, which may only stand first"
        if i and role == messages[i - 1]["role"] and role in ("user", "assistant"):
            return f"messages {i} and {i + 1} are both from the {role}"
    return None


def user_turns(messages: Sequence[Message]) -> list[str]:
    """The texts of the user's turns."""
    return [str(message.get("content") or "") for message in messages if message["role"] == "user"]
