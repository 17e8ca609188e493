"""Options of one prompt in one row: each has the log-probability that it has alone, whatever stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import ARCHITECTURES, CHATML, DROPS_THOUGHTS, LLAMA_2, save_model, save_tokenizer

from mixwright.items.conversation import Message
from mixwright.models import options as options_module
from mixwright.models.handle import ModelHandle
from mixwright.models.options import merge, option_log_probabilities
from mixwright.models.tokenizer import Answer, ChatTokenizer, Encoded

TEXTS = ["blue", "blue sky", "blue sky at night", "dark", "dark blue", "7", "blueish", "the blue"]
QUESTIONS = ["Which one?", "What do you see when you look up at night, and why is it so?", "Sort: c a b"]
GLUED = "{% for m in messages %}{{ m['content'] }}{% if m['role'] == 'assistant' %}<|im_end|>{% endif %}{% endfor %}"


def user(text: str) -> list[Message]:
    return [{"role": "user", "content": text}]


def questions(handle: ModelHandle, texts: Sequence[str] = TEXTS) -> list[list[Answer]]:
    """Several prompts with their options, no two of like size."""
    return [handle.tokenizer.answers(user(text), texts[n:]) for n, text in enumerate(QUESTIONS)]


def weighed(handle: ModelHandle, asked: Sequence[Sequence[Answer]], batch_size: int = 8) -> list[list[float]]:
    return option_log_probabilities(handle, asked, batch_size=batch_size, label="test")


def recomputed(handle: ModelHandle, asked: Sequence[Sequence[Answer]]) -> list[list[float]]:
    """One plain forward pass for every option."""

    def alone(option: Answer) -> float:
        ids = torch.tensor([option.prompt + option.ids])
        with torch.no_grad():
            logps = handle.model(input_ids=ids).logits[0].log_softmax(-1)
        places = range(len(option.prompt) - 1, ids.shape[1] - 1)
        return sum(float(logps[place, token]) for place, token in zip(places, option.ids, strict=True))

    return [[alone(option) for option in options] for options in asked]


def close(found: list[list[float]], expected: list[list[float]]) -> bool:
    return len(found) == len(expected) and all(
        one == pytest.approx(other, abs=1e-4) for one, other in zip(found, expected, strict=True)
    )


class Rows:
    """The shapes of the rows that a model is given from now on."""

    def __init__(self, model: Any) -> None:
        self.shapes: list[tuple[int, ...]] = []
        model.base_model.register_forward_pre_hook(self._note, with_kwargs=True)

    def _note(self, module: Any, positional: Any, named: dict[str, Any]) -> None:
        self.shapes.append(tuple(named["input_ids"].shape))


@pytest.fixture(scope="module", params=ARCHITECTURES)
def handle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelHandle:
    return ModelHandle(save_model(tmp_path_factory.mktemp("model"), request.param), device="cpu")


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_options_in_one_row_have_the_log_probability_they_have_alone(handle: ModelHandle, attention: str) -> None:
    handle.model.set_attn_implementation(attention)
    asked = questions(handle)
    assert close(weighed(handle, asked), recomputed(handle, asked))


def test_options_that_begin_others_or_stop_within_them_are_computed_too(handle: ModelHandle) -> None:
    """Without a closing token an option may be the beginning of another."""
    ids = ([5], [5, 6], [5, 6, 7], [5, 9], [8], [6, 5, 6, 7], [5, 6, 7, 5, 6, 7])
    asked = [[Answer([11, 12, 13], list(answer)) for answer in ids], [Answer([4], list(answer)) for answer in ids]]
    assert close(weighed(handle, asked), recomputed(handle, asked))


def test_a_row_may_be_longer_than_the_context_as_long_as_no_option_reaches_so_far(handle: ModelHandle) -> None:
    draw = torch.Generator().manual_seed(0)
    answers = torch.randint(10, 2000, (40, 9), generator=draw).tolist()
    asked = [[Answer(list(range(10, 20)), answer) for answer in answers]]
    assert len(merge(asked[0]).ids) > 256
    assert close(weighed(handle, asked), recomputed(handle, asked))


def test_neither_batch_size_nor_order_nor_memory_matters(handle: ModelHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = questions(handle)
    whole = weighed(handle, asked)
    assert close(weighed(handle, asked, batch_size=1), whole)
    assert close(weighed(handle, asked[::-1])[::-1], whole)
    for most in (1, 1 << 40):
        monkeypatch.setitem(options_module.MOST_ELEMENTS, "cpu", most)
        assert close(weighed(handle, asked), whole)


def test_a_prompt_and_what_options_share_are_computed_once(tmp_path: Path) -> None:
    handle = ModelHandle(save_model(tmp_path), device="cpu")
    (options,) = questions(handle)[:1]
    inner = {(*option.ids[:length],) for option in options for length in range(1, len(option.ids))}
    rows = Rows(handle.model)
    weighed(handle, [options])
    assert rows.shapes[-1] == (1, len(options[0].prompt) + len(inner) + 1)


answer_ids = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=8)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), answer_ids)
def test_every_option_is_a_path_of_the_tree_and_no_place_is_wasted(prompt: list[int], answers: list[list[int]]) -> None:
    tree = merge([Answer(prompt, answer) for answer in answers])
    for answer, path in zip(answers, tree.paths, strict=True):
        assert path[0] == len(prompt) - 1
        assert [tree.ids[place] for place in path[1:]] == answer[:-1]
        assert [tree.parents[place] for place in path[1:]] == path[:-1]
    assert tree.ids[: len(prompt)] == prompt
    assert tree.parents[: len(prompt)] == list(range(-1, len(prompt) - 1))
    prefixes = {tuple(answer[:length]) for answer in answers for length in range(1, len(answer))}
    assert len(tree.ids) == len(prompt) + len(prefixes)


@pytest.mark.parametrize("architecture", ["mamba", "lfm2"])
def test_models_that_mix_along_the_row_weigh_options_one_by_one(tmp_path: Path, architecture: str) -> None:
    handle = ModelHandle(save_model(tmp_path, architecture), device="cpu")
    asked = questions(handle)
    assert close(weighed(handle, asked), recomputed(handle, asked))


def test_a_model_that_does_not_keep_to_its_window_weighs_one_by_one(tmp_path: Path) -> None:
    """Llama has no window: what its configuration says and what it does differ, and the probe finds it."""
    handle = ModelHandle(save_model(tmp_path, "llama"), device="cpu")
    asked = questions(handle)
    handle.model.config.sliding_window = max(len(option.prompt + option.ids) for option in asked[1]) - 1
    rows = Rows(handle.model)
    assert close(weighed(handle, asked), recomputed(handle, asked))
    assert (len(TEXTS), max(len(option.prompt + option.ids) for option in asked[0])) in rows.shapes


def test_prompts_that_the_tokenizer_merges_with_an_option_are_weighed_one_by_one(tmp_path: Path) -> None:
    handle = ModelHandle(save_model(tmp_path, template=GLUED), device="cpu")
    asked = [
        handle.tokenizer.answers(user("is th"), ["ere", "7"]),
        handle.tokenizer.answers(user("a b"), [" c", " d e"]),
    ]
    merged, apart = asked
    assert merged[0].prompt != merged[1].prompt
    assert apart[0].prompt == apart[1].prompt
    assert close(weighed(handle, asked), recomputed(handle, asked))


def test_nothing_asked_is_nothing_found(handle: ModelHandle) -> None:
    assert weighed(handle, []) == []


@pytest.mark.parametrize("template", [CHATML, LLAMA_2], ids=["chatml", "llama-2"])
def test_an_answer_is_what_training_learns_of_it_closing_token_included(tmp_path: Path, template: str) -> None:
    save_tokenizer(tmp_path, template)
    tokenizer = ChatTokenizer(tmp_path)
    answers = tokenizer.answers(user("Which one?"), TEXTS)
    for text, answer in zip(TEXTS, answers, strict=True):
        (whole,) = tokenizer.encode([[*user("Which one?"), {"role": "assistant", "content": text}]], loss="assistant")
        assert isinstance(whole, Encoded)
        assert answer.ids == whole.ids[whole.loss].tolist()
        assert answer.prompt == tokenizer.prompt_ids(user("Which one?"))
    assert len({answer.ids[-1] for answer in answers}) == 1


def test_answers_within_the_prompt_are_part_of_the_prompt(tmp_path: Path) -> None:
    """Also where the template rewrites them, as long as it does so before the answer is given."""
    save_tokenizer(tmp_path, DROPS_THOUGHTS)
    tokenizer = ChatTokenizer(tmp_path)
    prompt = [*user("2 + 2?"), {"role": "assistant", "content": "<think>even</think>4"}, *user("3 + 3?")]
    five, six = tokenizer.answers(prompt, ["5", "6"])
    assert five.prompt == six.prompt == tokenizer.prompt_ids(prompt)
    assert tokenizer.inner.decode(six.ids) == "6<|im_end|>"


def test_a_template_that_rewrites_the_prompt_once_it_is_answered_is_refused(tmp_path: Path) -> None:
    save_tokenizer(tmp_path, "{{ messages | length }}" + CHATML)
    with pytest.raises(ValueError, match="rewrites"):
        ChatTokenizer(tmp_path).answers(user("Which one?"), ["a", "b"])
