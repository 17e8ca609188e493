"""The loss mask covers exactly what the assistant has to write, closing token included, whatever the chat template."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_models import CHATML, DEFAULT_SYSTEM, DROPS_THOUGHTS, LLAMA_2, NANO, save_tokenizer

from mixwright.items.conversation import Message
from mixwright.models.tokenizer import ChatTokenizer, Encoded

unhurried = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])

# template -> what stands around an answer in the learnt text
CLOSINGS = {CHATML: ("", "<|im_end|>"), DEFAULT_SYSTEM: ("", "<|im_end|>"), LLAMA_2: (" ", " </s>")}
NAMES = {CHATML: "chatml", DEFAULT_SYSTEM: "default-system", LLAMA_2: "llama-2"}
every_template = pytest.mark.parametrize("template", CLOSINGS, ids=NAMES.values())

SYSTEM: Message = {"role": "system", "content": "Be brief."}


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ChatTokenizer]:
    made = {}
    for template in (*CLOSINGS, DROPS_THOUGHTS):
        folder = tmp_path_factory.mktemp("tokenizer")
        save_tokenizer(folder, template)
        made[template] = ChatTokenizer(folder)
    return made


def conversation(*turns: str, system: bool = False) -> list[Message]:
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": text} for i, text in enumerate(turns)]
    return [SYSTEM, *messages] if system else messages


def encoded(tokenizer: ChatTokenizer, messages: list[Message], loss: str = "assistant") -> Encoded:
    (result,) = tokenizer.encode([messages], loss=loss)
    assert isinstance(result, Encoded), result
    return result


def learnt_texts(tokenizer: ChatTokenizer, result: Encoded) -> list[str]:
    """The text of every run of learnt tokens. Decoding strips the first blank, so a marker is put before it."""
    end = tokenizer.inner.eos_token_id
    runs = groupby(zip(result.ids.tolist(), result.loss.tolist(), strict=True), key=lambda pair: pair[1])
    texts = [tokenizer.inner.decode([end, *(token for token, _ in run)]) for learnt, run in runs if learnt]
    return [text.removeprefix(tokenizer.inner.eos_token) for text in texts]


@every_template
@pytest.mark.parametrize("system", [False, True])
def test_every_answer_is_learnt_with_its_closing_token_and_nothing_else(
    tokenizers: dict[str, ChatTokenizer], template: str, system: bool
) -> None:
    opening, closing = CLOSINGS[template]
    messages = conversation("Hello", "Good morning", "2 + 2?", "It is 4.", "Thanks", "Bye", system=system)
    result = encoded(tokenizers[template], messages)
    assert learnt_texts(tokenizers[template], result) == [
        f"{opening}{answer}{closing}" for answer in ("Good morning", "It is 4.", "Bye")
    ]


letters = st.characters(codec="utf-8", exclude_characters="<>[]|", exclude_categories=["Cc", "Cs", "Cn", "Co"])
answers = st.text(letters, min_size=1, max_size=30).filter(lambda text: text == text.strip())


@every_template
@unhurried
@given(turns=st.lists(answers, min_size=2, max_size=6).filter(lambda turns: len(turns) % 2 == 0))
def test_any_texts_are_masked_to_the_letter(
    tokenizers: dict[str, ChatTokenizer], template: str, turns: list[str]
) -> None:
    opening, closing = CLOSINGS[template]
    tokenizer = tokenizers[template]
    result = encoded(tokenizer, conversation(*turns))
    learnt = "".join(learnt_texts(tokenizer, result))
    assert learnt == "".join(f"{opening}{answer}{closing}" for answer in turns[1::2])


@every_template
@unhurried
@given(pairs=st.lists(st.tuples(answers, answers, st.booleans()), min_size=1, max_size=3))
def test_answers_of_weight_zero_stand_in_the_text_and_are_not_learnt(
    tokenizers: dict[str, ChatTokenizer], template: str, pairs: list[tuple[str, str, bool]]
) -> None:
    opening, closing = CLOSINGS[template]
    tokenizer = tokenizers[template]
    plain = conversation(*(text for asked, answer, _ in pairs for text in (asked, answer)))
    weighed = [dict(message) for message in plain]
    for message, (_, _, is_learnt) in zip(weighed[1::2], pairs, strict=True):
        message |= {} if is_learnt else {"weight": 0}
    result, whole = encoded(tokenizer, weighed), encoded(tokenizer, weighed, loss="all")
    learnt = "".join(learnt_texts(tokenizer, result))
    assert learnt == "".join(f"{opening}{answer}{closing}" for _, answer, is_learnt in pairs if is_learnt)
    assert result.ids.tolist() == encoded(tokenizer, plain).ids.tolist()
    left_out = encoded(tokenizer, plain).loss & ~result.loss
    assert whole.loss[1:].tolist() == (~left_out[1:]).tolist() + [True] * (len(whole.ids) - len(result.ids))


@every_template
def test_what_is_not_learnt_is_what_the_model_is_given_when_it_answers(
    tokenizers: dict[str, ChatTokenizer], template: str
) -> None:
    tokenizer = tokenizers[template]
    messages = conversation("2 + 2?", "It is 4.", system=True)
    result = encoded(tokenizer, messages)
    assert result.ids[~result.loss][: result.loss.argmax()].tolist() == tokenizer.prompt_ids(messages[:-1])


def test_a_template_that_rewrites_earlier_turns_is_refused_where_it_does_so(
    tokenizers: dict[str, ChatTokenizer],
) -> None:
    thinking = conversation("2 + 2?", "<think>even</think>4", "3 + 3?", "<think>even</think>6")
    plain = conversation("2 + 2?", "4", "3 + 3?", "6")
    once = conversation("2 + 2?", "<think>even</think>4")
    refused, accepted, single = tokenizers[DROPS_THOUGHTS].encode([thinking, plain, once], loss="assistant")
    assert isinstance(refused, ValueError)
    assert "rewrites" in str(refused)
    assert isinstance(accepted, Encoded)
    assert isinstance(single, Encoded)
    assert learnt_texts(tokenizers[DROPS_THOUGHTS], single) == ["<think>even</think>4<|im_end|>"]


def test_a_conversation_that_the_template_refuses_does_not_disturb_the_others() -> None:
    tokenizer = ChatTokenizer(NANO)
    good = conversation("Hello", "Good morning")
    first, bad, last = tokenizer.encode([good, [*good, {"role": "tool", "content": "x"}], good], loss="assistant")
    assert isinstance(bad, ValueError)
    assert isinstance(first, Encoded)
    assert isinstance(last, Encoded)
    assert first.ids.tolist() == last.ids.tolist()
    with pytest.raises(ValueError, match="template"):
        tokenizer.prompt_ids([{"role": "tool", "content": "x"}])


def test_everything_but_the_first_token_is_learnt_when_the_source_says_all(
    tokenizers: dict[str, ChatTokenizer],
) -> None:
    result = encoded(tokenizers[CHATML], conversation("Hello", "Good morning", system=True), loss="all")
    assert not result.loss[0]
    assert result.loss[1:].all()


@pytest.mark.parametrize(("template", "added"), [(CHATML, 0), (LLAMA_2, 1)], ids=["chatml", "llama-2"])
def test_a_text_of_which_all_is_learnt_ends_once_with_the_end_token(
    tokenizers: dict[str, ChatTokenizer], template: str, added: int
) -> None:
    tokenizer = tokenizers[template]
    messages = conversation("Hello", "Good morning", "And?", "Bye")
    learnt, plain = encoded(tokenizer, messages, loss="all"), encoded(tokenizer, messages)
    end = tokenizer.inner.eos_token_id
    assert learnt.ids.tolist() == plain.ids.tolist() + [end] * added
    assert learnt.loss[learnt.ids == end].all()
    assert end in learnt.ids[-2:]


def test_the_embedded_model_learns_its_answers_with_their_closing_token() -> None:
    tokenizer = ChatTokenizer(NANO)
    result = encoded(tokenizer, conversation("Hello", "Good morning", "And?", "Bye"))
    assert learnt_texts(tokenizer, result) == [" Good morning<|end|>", " Bye<|end|>"]
    assert tokenizer.pad_id != tokenizer.inner.eos_token_id


@unhurried
@given(st.lists(st.lists(answers, min_size=2, max_size=2), min_size=1, max_size=5))
def test_a_conversation_has_the_same_tokens_alone_and_in_a_batch(
    tokenizers: dict[str, ChatTokenizer], texts: list[list[str]]
) -> None:
    conversations = [conversation(*turns) for turns in texts]
    batch = tokenizers[CHATML].encode(conversations, loss="assistant")
    for together, messages in zip(batch, conversations, strict=True):
        assert isinstance(together, Encoded)
        alone = encoded(tokenizers[CHATML], messages)
        assert together.ids.tolist() == alone.ids.tolist()
        assert together.loss.tolist() == alone.loss.tolist()


def test_the_closing_token_is_the_templates_not_the_tokenizers(tmp_path: Path) -> None:
    """ChatML closes a turn with one token where the tokenizer's end token may be another."""
    tokenizer = save_tokenizer(tmp_path, CHATML)
    tokenizer.eos_token = "</s>"
    tokenizer.save_pretrained(tmp_path)
    chat = ChatTokenizer(tmp_path)
    assert chat.inner.eos_token == "</s>"
    assert chat.inner.convert_ids_to_tokens(chat.closing_id) == "<|im_end|>"
