"""Replay that the base writes itself: well-formed conversations, drawn again from the seed, none lost silently."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from tiny_models import CHATML, DEFAULT_SYSTEM, LLAMA_2, NANO, NANO_TEMPLATE, save_chain, save_tokenizer

import mixwright.sources.replay.drawing as module
from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError
from mixwright.ground.executor import InProcess
from mixwright.models.tokenizer import ChatTokenizer
from mixwright.recipe.data import Source
from mixwright.recipe.problems import as_problems
from mixwright.sources.intake.ingest import ingest
from mixwright.sources.intake.records import read_records
from mixwright.sources.replay.conversations import Frame, frame_of
from mixwright.sources.replay.drawing import replay
from mixwright.sources.replay.replayed import Replayed
from mixwright.tokens.store import TokenStore
from mixwright.tokens.tokenize import tokenize

ASKED, ANSWERED, END = "<|user|>", "<|assistant|>", "<|end|>"


def source_of(**about: Any) -> Source:
    return Source.model_validate({"role": "general", "generate": "self", "records": 40, **about})


def drawn(model: Path, records: int, seed: int = 0, **settings: Any) -> list[Replayed]:
    about = {"records": records, "seed": seed, "replay": settings}
    return list(replay(source_of(**about), model, InProcess(), device="cpu", precision="fp32", threads=1))


def frame(folder: Path, template: str) -> tuple[str, ...]:
    save_tokenizer(folder, template)
    tokenizer = ChatTokenizer(folder)
    return tuple(tokenizer.inner.decode(ids) for ids in frame_of(tokenizer))


SYSTEM = "<|im_start|>system\nYou are helpful.<|im_end|>\n"
CHATML_FRAME = (
    "<|im_start|>user\n",
    "<|im_end|>\n<|im_start|>assistant\n",
    "<|im_end|>\n<|im_start|>user\n",
)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (CHATML, CHATML_FRAME),
        (DEFAULT_SYSTEM, (SYSTEM + CHATML_FRAME[0], *CHATML_FRAME[1:])),
        (LLAMA_2, ("<s>[INST]", "[/INST]", "</s><s>[INST]")),
        (NANO_TEMPLATE, (ASKED, END + ANSWERED, END + ASKED)),
    ],
    ids=["chatml", "default-system", "llama-2", "nano"],
)
def test_a_frame_is_what_the_template_writes_around_the_words(
    tmp_path: Path, template: str, expected: tuple[str, ...]
) -> None:
    assert frame(tmp_path, template) == expected


def test_where_no_token_says_that_a_user_speaks_again_one_exchange_is_drawn(tmp_path: Path) -> None:
    plain = "{% for m in messages %}{{ m['content'] }}</s>{% endfor %}"
    assert frame(tmp_path / "a", "<s>" + plain) == Frame("<s>", "</s>", "")  # type: ignore[arg-type]


@pytest.mark.parametrize("between", ["\\nAnswer: ", " [/ASK] "])
def test_a_template_that_closes_a_users_turn_with_words_is_refused(tmp_path: Path, between: str) -> None:
    template = (
        "{% for m in messages %}{% if m['role'] == 'user' %}<s>{{ m['content'] + '" + between + "' }}"
        "{% else %}{{ m['content'] }}</s>{% endif %}{% endfor %}"
    )
    save_tokenizer(tmp_path, template)
    with pytest.raises(InputError, match="where a user's turn ends") as caught:
        frame_of(ChatTokenizer(tmp_path))
    assert caught.value.where == "base.model"


def test_every_conversation_is_well_formed(tmp_path: Path) -> None:
    """Turns that go wrong in every way, with probabilities."""
    chain = {
        ASKED: {"a": 0.8, END: 0.1, ANSWERED: 0.1},
        "a": {END: 0.8, "a": 0.2},
        ANSWERED: {"b": 0.9, END: 0.1},
        "b": {END: 0.8, "b": 0.1, ASKED: 0.1},
        END: {ASKED: 0.7, END: 0.3},
    }
    found = drawn(save_chain(tmp_path, chain), records=300, turns=3, max_new_tokens=4)
    lengths = Counter(len(messages) for messages, *_ in found)
    assert lengths.keys() == {0, 2, 4, 6}
    for messages, fault, *_ in found:
        assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2)
        assert all(set(message["content"]) == {"ab"[n % 2]} for n, message in enumerate(messages))
        assert bool(fault) == (not messages)
    faults = " ".join(entry.fault for entry in found)
    for words in ("user's turn 1 is empty", "is not closed as", "is longer than", "assistant's turn 1 is empty"):
        assert words in faults


def test_an_added_token_that_is_a_word_may_stand_in_a_turn(tmp_path: Path) -> None:
    chain = {ASKED: {"a": 1.0}, "a": {END: 1.0}, ANSWERED: {"[9]": 1.0}, "[9]": {END: 1.0}, END: {END: 1.0}}
    found = drawn(save_chain(tmp_path, chain, words=["[9]"]), records=5)
    assert [[message["content"] for message in messages] for messages, *_ in found] == [["a", "[9]"]] * 5


def test_a_special_token_spelled_out_is_a_fault(tmp_path: Path) -> None:
    """As text it would be read as what closes the turn."""
    spelling = {"<": {"|": 1.0}, "e": {"n": 1.0}, "n": {"d": 1.0}, "d": {"|": 1.0}, "|": {"e": 0.5, ">": 0.5}}
    chain = {**spelling, ASKED: {"a": 1.0}, "a": {END: 1.0}, ANSWERED: {"<": 1.0}, ">": {END: 1.0}, END: {END: 1.0}}
    found = drawn(save_chain(tmp_path, chain), records=60)
    sound = {messages[1]["content"] for messages, *_ in found if messages}
    assert "<|>" in sound
    assert all("<|end|>" not in text for text in sound)
    assert any(entry.fault.endswith("spells a special token: '<|end|>'") for entry in found)


def test_a_faulty_later_turn_keeps_the_exchange_before_it(tmp_path: Path) -> None:
    """The first turns are sound, and the users always speak again; but some questions are never closed."""
    chain = {ASKED: {"a": 0.5, "c": 0.5}, "a": {END: 1.0}, "c": {"c": 1.0}, ANSWERED: {"b": 1.0}, "b": {END: 1.0}}
    found = drawn(save_chain(tmp_path, chain | {END: {ASKED: 1.0}}), records=60, turns=2, max_new_tokens=3)
    lengths = Counter(len(messages) for messages, *_ in found)
    assert lengths.keys() == {0, 2, 4}
    kept = next(conversation for conversation in found if len(conversation.messages) == 2)
    assert kept == Replayed([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])


def test_whether_a_further_question_follows_the_model_decides(tmp_path: Path) -> None:
    chain = {ASKED: {"a": 1.0}, "a": {END: 1.0}, ANSWERED: {"b": 1.0}, "b": {END: 1.0}}
    model = save_chain(tmp_path, chain | {END: {ASKED: 0.75, "x": 0.25}})
    lengths = Counter(len(messages) // 2 for messages, *_ in drawn(model, records=400, turns=3))
    assert lengths[1] == pytest.approx(100, abs=35)
    assert lengths[2] == pytest.approx(75, abs=32)
    assert lengths[3] == pytest.approx(225, abs=40)


def test_a_conversation_ends_before_the_context_does(tmp_path: Path) -> None:
    chain = {ASKED: {"a": 1.0}, "a": {END: 1.0}, ANSWERED: {"b": 1.0}, "b": {END: 1.0}, END: {ASKED: 1.0}}
    model = save_chain(tmp_path, chain)  # 256 positions, six tokens to an exchange
    (conversation,) = drawn(model, records=1, turns=100, max_new_tokens=100)
    assert 2 * 25 <= len(conversation.messages) <= 2 * 27
    (nothing,) = drawn(model, records=1, max_new_tokens=300)
    assert "exceed the model's 256" in nothing.fault


TEXT_END = "<|im_end|>"  # of the tokenizer, which has no token of its own to begin a text with


def test_documents_begin_with_the_start_token_and_end_where_the_model_ends_them(tmp_path: Path) -> None:
    chain = {TEXT_END: {"a": 0.9, TEXT_END: 0.1}, "a": {"a": 0.7, TEXT_END: 0.2, ASKED: 0.1}}
    found = drawn(save_chain(tmp_path, chain), records=400, opening="start", max_new_tokens=6)
    assert all(not entry.messages for entry in found)
    sound = [entry for entry in found if not entry.fault]
    assert all(set(entry.text) == {"a"} for entry in sound)
    assert {entry.whole for entry in sound if len(entry.text) < 6} == {True}
    assert {len(entry.text) for entry in sound if not entry.whole} == {6}
    faults = Counter(entry.fault for entry in found if entry.fault)
    assert set(faults) == {"the document is empty", f"the document breaks off with {ASKED}, which ends none"}
    assert faults["the document is empty"] == pytest.approx(40, abs=20)


def test_a_document_ends_before_the_context_does(tmp_path: Path) -> None:
    model = save_chain(tmp_path, {TEXT_END: {"a": 1.0}, "a": {"a": 1.0}})  # 256 positions
    (document,) = drawn(model, records=1, opening="start", max_new_tokens=1000)
    assert (len(document.text), document.whole, document.fault) == (255, False, "")


def test_documents_are_learnt_to_the_end_only_where_they_have_one(tmp_path: Path) -> None:
    rows = [Replayed([], text="ab ab", whole=True), Replayed([], text="ab ab ab", whole=False), Replayed([], "empty")]
    ingest("own", source_of(replay={"opening": "start"}), tmp_path, replay=rows, licence="mit")
    records = list(read_records(tmp_path / "records.parquet"))
    assert [(record.kind, record.text, record.origin) for record in records] == [
        ("document", "ab ab", "self:1"),
        ("excerpt", "ab ab ab", "self:2"),
    ]
    (tmp_path / "tokens").mkdir()
    about = {"loss": "assistant", "longer": "auto", "max_tokens": 64, "out": tmp_path / "tokens"}
    tokenize("own", tmp_path / "records.parquet", ChatTokenizer(NANO), {}, **about)
    store, end = TokenStore(tmp_path / "tokens"), ChatTokenizer(NANO).inner.eos_token_id
    assert [int(store.record(i)[0][-1]) == end for i in range(2)] == [True, False]
    assert [int(store.record(i)[1].sum()) == len(store.record(i)[0]) - 1 for i in range(2)] == [True, True]


def test_settings_of_turns_do_not_apply_to_documents() -> None:
    with pytest.raises(ValidationError) as caught:
        source_of(replay={"opening": "start", "turns": 2})
    (problem,) = as_problems(caught.value)
    assert (problem.path, problem.message) == (("replay", "turns"), "documents have no turns")


def test_the_seed_decides_what_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 10)
    words = {"a": {"b": 0.5, "c": 0.3, END: 0.2}, "b": {"a": 1.0}, "c": {"a": 0.5, END: 0.5}}
    model = save_chain(tmp_path, words | {ASKED: {"a": 1.0}, ANSWERED: {"c": 1.0}, END: {ASKED: 0.5, END: 0.5}})
    about = {"records": 25, "seed": 3}
    here = drawn(model, **about)
    assert len(here) == 25
    assert len({str(conversation.messages) for conversation in here}) > 20
    assert drawn(model, **about) == here
    assert drawn(model, **about | {"seed": 4}) != here
    assert drawn(model, **about | {"records": 10}) == here[:10], "more records change none of the earlier chunks"


def test_the_embedded_model_asks_and_answers_what_it_was_taught() -> None:
    found = drawn(NANO, records=12, seed=1)
    assert sum(len(messages) >= 2 for messages, *_ in found) >= 10


def test_what_was_drawn_is_a_source_with_the_licence_of_the_model_and_its_drops_are_counted(tmp_path: Path) -> None:
    exchange = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Yes?"}]
    rows = [Replayed(exchange, ""), Replayed([], "the user's turn 1 is empty: ''"), Replayed(exchange * 2, "")]
    ingest("own", source_of(), tmp_path, replay=rows, licence="apache-2.0")
    records = list(read_records(tmp_path / "records.parquet"))
    assert [(record.origin, record.licence, record.split) for record in records] == [
        ("self:1", "apache-2.0", "train"),
        ("self:3", "apache-2.0", "train"),
    ]
    (dropped,) = pq.read_table(tmp_path / "dropped.parquet").to_pylist()
    assert (dropped["origin"], dropped["rule"], dropped["reason"]) == ("self:2", "malformed", rows[1].fault)
    assert read_json(tmp_path / "counts.json") == {
        "rows_in": 3,
        "rows_kept": 2,
        "rows_dropped": 1,
        "rows_heldout": 0,
        "dropped": {"malformed": 1},
    }
    (tmp_path / "said").mkdir()
    ingest("own", source_of(licence="MIT", system="Be brief."), tmp_path / "said", replay=rows, licence="apache-2.0")
    assert {record.licence for record in read_records(tmp_path / "said" / "records.parquet")} == {"MIT"}
    assert all("Be brief." in record.messages for record in read_records(tmp_path / "said" / "records.parquet"))


def test_a_base_that_writes_nothing_sound_is_refused_with_its_first_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        ingest("own", source_of(), tmp_path, replay=[Replayed([], "the user's turn 1 is empty: ''")])
    assert caught.value.where == "sources.own"
    assert "the user's turn 1 is empty" in str(caught.value)
