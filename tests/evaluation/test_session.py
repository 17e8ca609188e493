"""A session: one conversation, the same requests for every model, each answer standing in it when the next is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_models import NANO, save_model

from mixwright.evaluation.session import default_requests, hold_session
from mixwright.ground.artefacts import read_json
from mixwright.items.suite import Item
from mixwright.models.handle import ModelHandle

REQUESTS = ("Repeat: tin fox", "What is 2 + 3?", "Repeat: red hat")


def held(out: Path, model: Path, requests: tuple[str, ...] = REQUESTS, max_new_tokens: int = 12) -> list[Any]:
    hold_session("blend", model, requests, device="cpu", precision="fp32", max_new_tokens=max_new_tokens, out=out)
    turns: list[Any] = read_json(out / "session.json")["turns"]
    return turns


def test_every_request_is_asked_behind_the_answers_before_it(tmp_path: Path) -> None:
    turns = held(tmp_path, NANO)
    assert [turn["request"] for turn in turns] == list(REQUESTS)
    handle = ModelHandle(NANO, device="cpu")
    messages = []
    for turn in turns:
        messages.append({"role": "user", "content": turn["request"]})
        prompt = handle.tokenizer.prompt_ids(messages)
        (answer,) = handle.generate([prompt], max_new_tokens=[12], batch_size=1, label="")
        assert (turn["response"], turn["finished"]) == (answer.text, answer.finished)
        messages.append({"role": "assistant", "content": answer.text or " "})


def test_a_request_that_has_no_room_left_stays_without_an_answer(tmp_path: Path) -> None:
    """A tiny model that never ends its turn, with a context of 256 tokens."""
    turns = held(tmp_path, save_model(tmp_path / "model"), REQUESTS * 2, max_new_tokens=60)
    answered = [bool(turn["response"]) for turn in turns]
    assert answered[0]
    assert answered == sorted(answered, reverse=True)
    assert turns[-1] == {"request": REQUESTS[-1], "response": "", "finished": False}


def item(suite: str, *turns: str) -> Item:
    prompt = tuple({"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(turns))
    return Item(suite, "a", turns[0], prompt, "x", "exact", {}, 8)


ROLES = {"desk": "domain", "skills": "general"}
DESK = [item("desk", "Where is it?"), item("desk", "Hello", "Yes?", "And now?"), item("desk", "Send it back!")]


def test_what_is_asked_unless_said_changes_from_the_domain_and_back() -> None:
    skills = [item("skills", "Add 2 and 3"), item("skills", "Sort: b, a")]
    assert default_requests([*skills, *DESK], ROLES) == ("Where is it?", "Add 2 and 3", "Send it back!")


@pytest.mark.parametrize("items", [[], DESK, [item("skills", "Hello", "Yes?", "Add 2 and 3"), *DESK]])
def test_without_a_domain_and_a_general_request_nothing_is_asked(items: list[Item]) -> None:
    assert default_requests(items, ROLES) == ()
