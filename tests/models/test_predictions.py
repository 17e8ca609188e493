"""The head is applied where a token is learnt; models whose logits are more than their head take the whole path."""

from __future__ import annotations

import pytest
import torch
from tiny_models import ARCHITECTURES, build_model

from mixwright.models.predictions import choose_attention, chosen_logits, head_stands_alone

VOCABULARY = 300


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, "mamba"])
def test_logits_and_gradients_are_those_of_the_whole_model(architecture: str) -> None:
    ids = torch.randint(VOCABULARY, (3, 20), generator=torch.Generator().manual_seed(2))
    chosen = torch.rand(3, 19, generator=torch.Generator().manual_seed(3)) < 0.3
    found = []
    for head_alone in (True, False):
        model = build_model(architecture, vocabulary=VOCABULARY)
        assert head_stands_alone(model)
        logits = chosen_logits(model, {"input_ids": ids}, chosen, head_alone=head_alone)
        assert logits.shape == (int(chosen.sum()), VOCABULARY)
        logits.logsumexp(-1).sum().backward()
        found.append((logits, {name: p.grad for name, p in model.named_parameters() if p.grad is not None}))
    torch.testing.assert_close(found[0][0], found[1][0])
    torch.testing.assert_close(found[0][1], found[1][1])


@pytest.mark.parametrize("architecture", ["gemma2", "granite"])
def test_a_model_that_scales_or_caps_its_logits_takes_the_whole_path(architecture: str) -> None:
    model = build_model(architecture, vocabulary=VOCABULARY)
    model.train()
    assert not head_stands_alone(model)
    assert model.training


def test_short_rows_on_a_cpu_use_plain_attention_and_long_ones_the_fused_kernel() -> None:
    model = build_model("llama", vocabulary=VOCABULARY)
    choose_attention(model, 4096)
    assert model.config._attn_implementation == "sdpa"
    choose_attention(model, 256)
    assert model.config._attn_implementation == "eager"
