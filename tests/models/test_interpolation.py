"""A model between the base and what training has made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from tiny_models import build_model, save_model, save_tokenizer

from mixwright.models.handle import ModelHandle
from mixwright.models.interpolation import interpolate

Ends = tuple[Path, Path]


def saved(folder: Path, dtype: torch.dtype, seed: int) -> Path:
    tokenizer = save_tokenizer(folder)
    build_model("llama", vocabulary=len(tokenizer), seed=seed).to(dtype).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=[torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def ends(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    """A base and a tuned model."""
    folder = tmp_path_factory.mktemp("ends")
    return saved(folder / "base", request.param, 0), saved(folder / "tuned", request.param, 1)


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(folder / "model.safetensors"))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(weight=st.floats(0.01, 1))
def test_every_tensor_lies_that_part_of_the_way(ends: Ends, tmp_path: Path, weight: float) -> None:
    base, tuned = map(tensors, ends)
    interpolate(*ends, weight, tmp_path / "model")
    found = tensors(tmp_path / "model")
    assert found.keys() == base.keys()
    for name, tensor in found.items():
        start, end = base[name].float(), tuned[name].float()
        exact = start.double() + weight * (end.double() - start.double())
        assert tensor.dtype == base[name].dtype
        assert torch.equal(tensor, torch.lerp(start, end, weight).to(tensor.dtype)), "computed in fp32, rounded once"
        torch.testing.assert_close(torch.lerp(start, end, weight).double(), exact, rtol=1e-5, atol=1e-7)


def test_the_whole_way_is_the_tuned_model_to_the_bit(ends: Ends, tmp_path: Path) -> None:
    interpolate(*ends, 1.0, tmp_path / "model")
    tuned, found = tensors(ends[1]), tensors(tmp_path / "model")
    assert all(torch.equal(found[name], tensor) for name, tensor in tuned.items())


def test_the_folder_opens_in_plain_transformers_and_answers_as_the_handle_does(ends: Ends, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    interpolate(*ends, 0.5, tmp_path / "model")
    model: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(tmp_path / "model")
    handle = ModelHandle(tmp_path / "model", device="cpu")
    messages = [{"role": "user", "content": "Hello"}]
    prompt = handle.tokenizer.prompt_ids(messages)
    assert tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"] == prompt
    written = model.generate(torch.tensor([prompt]), max_new_tokens=6, do_sample=False)[0, len(prompt) :]
    (answer,) = handle.generate([prompt], max_new_tokens=[6], batch_size=1, label="")
    assert tokenizer.decode(written, skip_special_tokens=True) == answer.text


def test_tied_weights_stay_tied(tmp_path: Path) -> None:
    base, tuned = (save_model(tmp_path / f"gpt2-{seed}", "gpt2", seed=seed) for seed in (0, 1))
    interpolate(base, tuned, 0.25, tmp_path / "model")
    model = ModelHandle(tmp_path / "model", device="cpu").model
    assert tensors(tmp_path / "model").keys() == tensors(base).keys()
    assert model.lm_head.weight.data_ptr() == model.transformer.wte.weight.data_ptr()
