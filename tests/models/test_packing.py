"""Packing: a record in a row with others has the logits and gradients it has alone, or the architecture is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_models import ARCHITECTURES, build_model

from mixwright.ground.errors import InputError
from mixwright.models.packing import check_packing, packed_inputs, plain_inputs

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
    with pytest.raises(InputError, match="see each other"):
        check_packing(build_model("lfm2", vocabulary=VOCABULARY), 64)


def test_a_window_shorter_than_a_row_is_refused() -> None:
    model = build_model("llama", vocabulary=VOCABULARY)
    model.config.sliding_window = 32
    check_packing(model, 32)
    with pytest.raises(InputError, match="32 tokens"):
        check_packing(model, 64)
