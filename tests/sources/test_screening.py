"""Replay that a model wrote itself: what is kept of it, and going on where a run was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_models import save_chain

from mixwright.ground.errors import InputError
from mixwright.ground.executor import InProcess
from mixwright.recipe.data import Replay, Source
from mixwright.sources.replay import drawing as module
from mixwright.sources.replay.replayed import Replayed
from mixwright.sources.replay.screening import check_languages, repetition, screened


def said(question: str, answer: str) -> Replayed:
    return Replayed([{"role": "user", "content": question}, {"role": "assistant", "content": answer}])


def rules(conversations: list[Replayed], **settings: Any) -> list[str]:
    found = list(screened(conversations, Replay.model_validate(settings)))
    assert len(found) == len(conversations)
    return [conversation.rule if conversation.fault else "" for conversation in found]


def test_a_turn_that_repeats_itself_goes() -> None:
    loop = "and so on and on " * 10
    assert rules([said("Tell me.", loop), said(loop, "No."), said("Tell me.", "Once.")]) == ["repetition"] * 2 + [""]
    assert repetition(loop) > 0.5
    assert repetition("one two three four five six seven eight nine ten") == 0
    assert rules([said("Tell me.", loop)], max_repetition=1) == [""]


def test_a_short_answer_goes() -> None:
    assert rules([said("Why?", "So."), said("Why?", "Because.")], min_answer_characters=4) == ["length", ""]


@pytest.mark.parametrize("answer", ["I'm sorry, but no.", "I cannot help with that.", "I can't.", "As an AI, I ..."])
def test_refusals_stay_in_balance(answer: str) -> None:
    refused, answered = said("Do it.", answer), said("2 + 2?", "4")
    assert rules([refused, refused, answered, answered, answered, answered, answered, answered, refused]) == [
        "",
        "refusals",
        *[""] * 7,
    ]
    assert rules([refused] * 3, max_refusals=1) == [""] * 3


def test_a_language_that_cannot_be_told_is_refused_before_anything_is_written() -> None:
    check_languages(Replay(languages=("en", "de")), "sources.own.replay")
    with pytest.raises(InputError, match="'english' cannot be told"):
        check_languages(Replay(languages=("en", "english")), "sources.own.replay")


def test_other_languages_go_where_the_recipe_names_one() -> None:
    pytest.importorskip("py3langid")
    german = said("Wie gebe ich das Zelt zurück, das ich gekauft habe?", "Schicken Sie es bitte an unser Lager zurück.")
    english = said("How do I return the tent that I bought?", "Please send it back to our warehouse.")
    assert rules([german, english], languages=["en"]) == ["language", ""]
    assert rules([german, english]) == ["", ""]


def test_what_was_faulty_before_stays_faulty() -> None:
    assert rules([Replayed([], "the user's turn 1 is empty")]) == ["malformed"]


def test_a_killed_draw_goes_on_with_the_same_conversations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 5)
    asked, answered, end = "<|user|>", "<|assistant|>", "<|end|>"
    words = {"a": {"b": 0.5, "c": 0.3, end: 0.2}, "b": {"a": 1.0}, "c": {"a": 0.5, end: 0.5}}
    chain = words | {asked: {"a": 1.0}, answered: {"c": 1.0}, end: {asked: 0.5, end: 0.5}}
    model = save_chain(tmp_path, chain)
    source = Source(role="general", generate="self", records=20)

    def drawn(finished: Path | None) -> list[Replayed]:
        where: dict[str, Any] = {"device": "cpu", "precision": "fp32", "threads": 1}
        return list(module.replay(source, model, InProcess(), finished=finished, **where))

    whole = drawn(None)
    assert drawn(tmp_path / "chunks") == whole
    files = sorted((tmp_path / "chunks").iterdir())
    assert len(files) == 4
    files[2].unlink()  # as if it had been killed there
    kept = {file: file.stat().st_mtime_ns for file in files if file.exists()}
    assert drawn(tmp_path / "chunks") == whole
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
