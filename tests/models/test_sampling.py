"""Sampling: tokens come as often as they are probable, and an answer ends where it is to end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from tiny_models import save_chain, save_model

from mixwright.models.handle import ModelHandle, Written

CHAIN = {"a": {"b": 0.5, "c": 0.3, "d": 0.2}, "b": {"a": 0.7, "</s>": 0.3}, "c": {"c": 1.0}, "d": {"<s>": 1.0}}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> ModelHandle:
    return ModelHandle(save_chain(tmp_path_factory.mktemp("chain"), CHAIN), device="cpu")


def drawn(
    handle: ModelHandle,
    prompts: list[list[int]],
    *,
    limit: int = 1,
    temperature: float = 1.0,
    ends: tuple[str, ...] = (),
    seed: int = 0,
    batch_size: int = 256,
) -> list[Written]:
    stops = frozenset(handle.tokenizer.inner.convert_tokens_to_ids(list(ends)))
    return handle.sample(
        prompts, max_new_tokens=limit, temperature=temperature, ends=stops, seed=seed, batch_size=batch_size
    )


def ids(handle: ModelHandle, *tokens: str) -> list[int]:
    return list(handle.tokenizer.inner.convert_tokens_to_ids(list(tokens)))


@pytest.mark.parametrize(("temperature", "power"), [(1.0, 1.0), (2.0, 0.5), (0.5, 2.0)])
def test_tokens_come_as_often_as_they_are_probable(chain: ModelHandle, temperature: float, power: float) -> None:
    num = 3000
    found = Counter(written.ids[0] for written in drawn(chain, [ids(chain, "a")] * num, temperature=temperature))
    weights = {ids(chain, token)[0]: p**power for token, p in CHAIN["a"].items()}
    expected = {token: num * weight / sum(weights.values()) for token, weight in weights.items()}
    assert found.keys() <= expected.keys()
    chi_square = sum((found[token] - mean) ** 2 / mean for token, mean in expected.items())
    assert chi_square < 13.8  # one in a thousand, with two degrees of freedom


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_at_a_temperature_near_zero_the_likeliest_is_written(tmp_path: Path, architecture: str) -> None:
    handle = ModelHandle(save_model(tmp_path, architecture), device="cpu")
    generator = torch.Generator().manual_seed(3)
    prompts = [torch.randint(10, 2000, (length,), generator=generator).tolist() for length in (1, 4, 4, 11)]
    greedy = handle.generate(prompts, max_new_tokens=[8] * 4, batch_size=3, label="")
    sampled = drawn(handle, prompts, limit=8, temperature=1e-4, ends=("<|im_end|>",), batch_size=3)
    for answer, written in zip(greedy, sampled, strict=True):
        assert handle.tokenizer.inner.decode(written.ids, skip_special_tokens=True) == answer.text
        assert (written.end is not None, len(written.ids)) == (answer.finished, answer.num_tokens)


def test_a_text_ends_with_the_first_end_or_at_the_limit(chain: ModelHandle) -> None:
    found = drawn(chain, [ids(chain, "a")] * 300, limit=6, ends=("</s>", "<s>"))
    ends = dict(zip(("</s>", "<s>"), ids(chain, "</s>", "<s>"), strict=True))
    assert {written.end for written in found} == {*ends.values(), None}
    for written in found:
        assert not set(written.ids) & set(ends.values())
        assert len(written.ids) <= 6
        assert (written.end is None) == (len(written.ids) == 6)
        if written.end == ends["<s>"]:
            assert written.ids[-1:] == ids(chain, "d")


def test_an_end_that_is_not_asked_for_is_a_token_like_any_other(chain: ModelHandle) -> None:
    (written,) = drawn(chain, [ids(chain, "d")], limit=1)
    assert written == Written(ids(chain, "<s>"), None)


def test_the_seed_alone_decides_what_is_drawn(chain: ModelHandle) -> None:
    prompts = [ids(chain, "a")] * 40
    assert drawn(chain, prompts, limit=5, seed=1) == drawn(chain, prompts, limit=5, seed=1)
    assert drawn(chain, prompts, limit=5, seed=1) != drawn(chain, prompts, limit=5, seed=2)
    halves = drawn(chain, prompts, limit=5, batch_size=20)
    assert halves[:20] != halves[20:], "every batch has numbers of its own"


def test_nothing_asked_is_nothing_drawn(chain: ModelHandle) -> None:
    assert drawn(chain, []) == []
