"""What is a conversation, and what keeps a list of turns from being one, in words."""

from __future__ import annotations

from typing import Any

import pytest

from mixwright.items.conversation import conversation_fault, user_turns

USER = {"role": "user", "content": "Hello"}
ANSWER = {"role": "assistant", "content": "Good morning"}
SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "lookup", "arguments": {"id": 3}}}]}
RESULT = {"role": "tool", "content": "found"}


@pytest.mark.parametrize(
    "messages",
    [
        [USER, ANSWER],
        [SYSTEM, USER, ANSWER, USER, ANSWER],
        [USER],
        [USER, CALL, RESULT, RESULT, ANSWER],
        [{"role": "user", "content": ""}, ANSWER],
    ],
)
def test_turns_in_order_are_a_conversation(messages: list[dict[str, Any]]) -> None:
    assert conversation_fault(messages) is None


@pytest.mark.parametrize(
    ("messages", "fault"),
    [
        ([], "no messages"),
        ("Hello", "no messages"),
        ([USER, "Hello"], "message 2"),
        ([{"content": "Hello"}], "message 1 has no role"),
        ([{"role": "human", "content": "Hello"}], "unknown role 'human'"),
        ([{"role": "user", "content": ["Hello"]}], "content of message 1"),
        ([{"role": "user"}], "content of message 1"),
        ([USER, SYSTEM], "system turn"),
        ([USER, USER, ANSWER], "messages 1 and 2 are both from the user"),
        ([USER, ANSWER, ANSWER], "messages 2 and 3 are both from the assistant"),
    ],
)
def test_a_fault_names_the_message(messages: Any, fault: str) -> None:
    assert fault in str(conversation_fault(messages))


def test_the_users_turns_are_those_of_the_user() -> None:
    assert user_turns([SYSTEM, USER, CALL, RESULT, ANSWER, {"role": "user", "content": None}]) == ["Hello", ""]
