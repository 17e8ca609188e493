"""Generation and log-probabilities: what the model says does not depend on the company in which it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import ARCHITECTURES, save_model

from mixwright.ground.errors import InputError
from mixwright.models.handle import Generation, ModelHandle, load_model

LENGTHS = (1, 2, 5, 5, 9, 17, 30)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def handle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelHandle:
    return ModelHandle(save_model(tmp_path_factory.mktemp("model"), request.param), device="cpu")


def prompts() -> list[list[int]]:
    generator = torch.Generator().manual_seed(2)
    return [torch.randint(10, 2000, (length,), generator=generator).tolist() for length in LENGTHS]


def answers(
    handle: ModelHandle, asked: list[list[int]], limits: list[int] | None = None, batch_size: int = 4
) -> list[Generation]:
    return handle.generate(asked, max_new_tokens=limits or [12] * len(asked), batch_size=batch_size, label="test")


def test_a_batch_answers_as_each_prompt_alone(handle: ModelHandle) -> None:
    alone = [answers(handle, [prompt])[0] for prompt in prompts()]
    assert answers(handle, prompts()) == alone
    assert answers(handle, prompts(), batch_size=100) == alone


def test_answers_are_those_of_transformers(handle: ModelHandle) -> None:
    for prompt, answer in zip(prompts(), answers(handle, prompts()), strict=True):
        ids = torch.tensor([prompt])
        theirs = handle.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=12
        )[0, len(prompt) :].tolist()
        ended = theirs[-1] == handle.tokenizer.inner.eos_token_id
        assert answer.text == handle.tokenizer.inner.decode(theirs, skip_special_tokens=True)
        assert answer.finished == ended
        assert answer.num_tokens == len(theirs) - ended


def test_the_order_of_the_prompts_does_not_matter(handle: ModelHandle) -> None:
    turned = answers(handle, prompts()[::-1], batch_size=3)
    assert turned[::-1] == answers(handle, prompts(), batch_size=3)


def test_every_prompt_has_its_own_limit(handle: ModelHandle) -> None:
    limits = [1, 12, 3, 7, 1, 12, 5]
    short = answers(handle, prompts(), limits)
    long = answers(handle, prompts())
    for limit, cut, whole in zip(limits, short, long, strict=True):
        assert cut.num_tokens <= limit
        assert whole.text.startswith(cut.text.removesuffix("\ufffd"))
        assert cut.finished == (whole.finished and whole.num_tokens < limit)


def test_log_probabilities_are_those_of_one_plain_forward_pass(handle: ModelHandle) -> None:
    sequences = [prompt for prompt in prompts() if len(prompt) > 1]
    found = handle.log_probabilities(sequences, batch_size=3)
    for sequence, logps in zip(sequences, found, strict=True):
        ids = torch.tensor([sequence])
        with torch.no_grad():
            plain = handle.model(input_ids=ids).logits[0].log_softmax(-1)
        expected = plain[:-1].gather(-1, ids[0, 1:, None])[:, 0]
        torch.testing.assert_close(logps, expected, rtol=1e-4, atol=1e-4)


def test_a_single_token_has_no_log_probability(handle: ModelHandle) -> None:
    assert [len(logps) for logps in handle.log_probabilities([[5], [5, 6]])] == [0, 1]


def test_an_answer_that_ends_is_finished_and_one_that_is_cut_off_is_not(tmp_path: Path) -> None:
    handle = ModelHandle(save_model(tmp_path, "llama"), device="cpu")
    prompt = prompts()[4]
    first = handle.model(input_ids=torch.tensor([prompt])).logits[0, -1].argmax()
    cut = answers(handle, [prompt], [3])[0]
    assert (cut.finished, cut.num_tokens) == (False, 3)
    handle.model.generation_config.eos_token_id = [int(first), 1]
    handle.model.save_pretrained(tmp_path)
    ended = answers(ModelHandle(tmp_path, device="cpu"), [prompt], [3])[0]
    assert ended == Generation("", True, 0)


def test_a_model_that_never_ends_itself_is_still_told_when_to_stop(tmp_path: Path) -> None:
    handle = ModelHandle(save_model(tmp_path, "gpt2"), device="cpu")
    assert all(answer.num_tokens <= 12 for answer in answers(handle, prompts()))


def test_weights_that_lack_a_tensor_are_refused(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    lost = next(name for name in weights if "down_proj" in name)
    save_file({name: tensor for name, tensor in weights.items() if name != lost}, folder / "model.safetensors")
    with pytest.raises(InputError, match="lack 1 tensors"):
        load_model(folder, "cpu")


def test_a_model_whose_layers_carry_a_state_is_asked_one_prompt_at_a_time(tmp_path: Path) -> None:
    """LFM 2 mixes along the row by convolution: padding in a batch would change its answers."""
    handle = ModelHandle(save_model(tmp_path, "lfm2"), device="cpu")
    answers = handle.generate(prompts(), max_new_tokens=[6] * len(LENGTHS), batch_size=4, label="")
    for prompt, answer in zip(prompts(), answers, strict=True):
        written = handle.model.generate(torch.tensor([prompt]), max_new_tokens=6, do_sample=False)[0, len(prompt) :]
        assert answer.text == handle.tokenizer.inner.decode(written, skip_special_tokens=True)


def test_a_model_without_a_key_value_cache_is_refused(tmp_path: Path) -> None:
    handle = ModelHandle(save_model(tmp_path, "mamba"), device="cpu")
    with pytest.raises(InputError, match="no key-value cache"):
        handle.generate([[1, 2, 3]], max_new_tokens=[4], batch_size=1, label="")
