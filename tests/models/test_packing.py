"""Packing: a record in a row with others has the logits and gradients it has alone, or the architecture is refused."""

from __future__ import annotations

from typing import Any

import packing_parity
import pytest
import torch
from tiny_models import ARCHITECTURES, build_model

from mixwright.ground.errors import InputError
from mixwright.models.packing import block_mask, check_packing, packed_inputs, plain_inputs

VOCABULARY = 300
LENGTHS = ((7, 20, 5), (32,), (3, 3, 3, 3))  # records in each row
ROW = 36


def rows() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """ids, segment, position: int64 (3, 36), padded on the right."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(VOCABULARY, (len(LENGTHS), ROW), generator=generator)
    segment = torch.full_like(ids, -1)
    position = torch.zeros_like(ids)
    for row, lengths in enumerate(LENGTHS):
        start = 0
        for number, length in enumerate(lengths):
            segment[row, start : start + length] = number
            position[row, start : start + length] = torch.arange(length)
            start += length
    return ids, segment, position


def logits_of(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    logits: torch.Tensor = model(**inputs, use_cache=False).logits
    return logits


def alone(model: Any, ids: torch.Tensor, segment: torch.Tensor, row: int, number: int) -> torch.Tensor:
    return logits_of(model, {"input_ids": ids[row, segment[row] == number][None]})[0]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_packed_records_have_the_logits_they_have_alone(architecture: str, attention: str) -> None:
    model = build_model(architecture, vocabulary=VOCABULARY)
    model.set_attn_implementation(attention)
    ids, segment, position = rows()
    with torch.no_grad():
        together = logits_of(model, packed_inputs(model, ids, segment, position))
        assert torch.isfinite(together).all()
        for row, lengths in enumerate(LENGTHS):
            for number in range(len(lengths)):
                here = together[row, segment[row] == number]
                torch.testing.assert_close(here, alone(model, ids, segment, row, number), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_packed_records_have_the_gradient_they_have_alone(architecture: str) -> None:
    model = build_model(architecture, vocabulary=VOCABULARY)
    ids, segment, position = rows()
    logits_of(model, packed_inputs(model, ids, segment, position))[segment >= 0].logsumexp(-1).sum().backward()
    together = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    for row, lengths in enumerate(LENGTHS):
        for number in range(len(lengths)):
            alone(model, ids, segment, row, number).logsumexp(-1).sum().backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(together[name], parameter.grad, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_padded_records_have_the_logits_they_have_alone(architecture: str) -> None:
    model = build_model(architecture, vocabulary=VOCABULARY)
    ids, segment, _ = rows()
    first = torch.where(segment == 0, 0, -1)  # one record to a row
    with torch.no_grad():
        together = logits_of(model, plain_inputs(ids, first))
        for row in range(len(LENGTHS)):
            here = together[row, first[row] == 0]
            torch.testing.assert_close(here, alone(model, ids, first, row, 0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_architecture_with_a_block_mask_is_accepted_and_left_as_it_was(architecture: str) -> None:
    model = build_model(architecture, vocabulary=VOCABULARY)
    model.train()
    check_packing(model, 64)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_state_space_model_is_refused_with_the_way_out() -> None:
    with pytest.raises(InputError) as caught:
        check_packing(build_model("mamba", vocabulary=VOCABULARY), 64)
    assert caught.value.where == "blend.packing"
    assert "packing: false" in str(caught.value.fix)


def test_layers_that_mix_along_the_row_whatever_the_mask_says_are_refused() -> None:
    """LFM 2 takes the block mask for its attention, but its short convolutions run across records."""
    with pytest.raises(InputError, match="layers of the type conv"):
        check_packing(build_model("lfm2", vocabulary=VOCABULARY), 64)


def test_what_the_configuration_does_not_tell_the_probe_finds() -> None:
    """RWKV takes a mask and does not use it."""
    with pytest.raises(InputError, match="see each other"):
        check_packing(packing_parity.build("rwkv"), 64)


@pytest.mark.parametrize("attention", ["flex_attention", "flash_attention_2", "flash_attention_3"])
def test_attention_that_takes_no_dense_mask_is_refused_before_it_is_called(attention: str) -> None:
    """flex_attention ends the process on a CPU when it is given one; flash attention has no place for it."""
    model = build_model("llama", vocabulary=VOCABULARY)
    model.config._attn_implementation = attention
    with pytest.raises(InputError, match=f"{attention} takes no dense mask") as caught:
        check_packing(model, 64)
    assert "packing: false" in str(caught.value.fix)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_window_is_a_token_and_those_before_it_in_its_own_record(attention: str) -> None:
    """Layers of one type take one mask, layers of several types one for each."""
    segment = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 1, -1]])
    whole = {0: "0", 1: "01", 2: "012", 3: "0123", 4: "4", 5: "45", 6: "456", 7: "4567", 8: "8"}
    near = whole | {3: "123", 7: "567"}

    def shown(mask: torch.Tensor) -> dict[int, str]:
        seen = mask[0, 0] if mask.dtype == torch.bool else mask[0, 0] == 0
        return {i: "".join(str(j) for j in row.nonzero().flatten().tolist()) for i, row in enumerate(seen)}

    mistral, gemma = packing_parity.build("mistral", attention), packing_parity.build("gemma3_text", attention)
    for model in (mistral, gemma):
        model.config.sliding_window = 3
    assert shown(block_mask(mistral, segment)) == near
    masks = block_mask(gemma, segment)
    assert {kind: shown(mask) for kind, mask in masks.items()} == {"full_attention": whole, "sliding_attention": near}
    for model in (mistral, gemma):
        model.config.sliding_window = 9
        assert shown(block_mask(model, segment)) == whole


def test_a_window_that_the_architecture_does_not_keep_to_is_refused() -> None:
    model = build_model("llama", vocabulary=VOCABULARY)
    model.config.sliding_window = 32
    check_packing(model, 32)
    with pytest.raises(InputError, match="see each other"):
        check_packing(model, 64)
