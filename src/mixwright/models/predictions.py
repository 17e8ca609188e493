"""Logits where a token is learnt, and only there.

The output head is the widest matrix of a small model and its logits are the largest tensor of any: with a vocabulary
of 150,000 those of one row of 2,048 tokens fill 1.2 GB in fp32. In supervised fine-tuning three tokens in four are not
learnt, so the head is applied to the hidden states of the others alone. That is only right where the logits are the
head of the last hidden state and nothing else; models that scale or cap them fail a probe and take the whole path.

Shapes: R rows, L row length, N chosen places, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

PROBE_TOKENS = 11
LONGEST_EAGER_ROW = 512
MOST_LOGITS = 1 << 27  # of which the likeliest are looked for at once


def head_stands_alone(model: Any) -> bool:
    """Whether the model's logits are its output embedding applied to its last hidden state."""
    import torch

    head = model.get_output_embeddings()
    if head is None or model.base_model is model:
        return False
    generator = torch.Generator().manual_seed(0)
    size = model.get_input_embeddings().weight.shape[0]
    ids = torch.randint(size, (1, PROBE_TOKENS), generator=generator).to(model.device)
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            whole = model(input_ids=ids, use_cache=False).logits
            hidden = model.base_model(input_ids=ids, use_cache=False)[0]
            return hidden.shape[-1] == head.weight.shape[-1] and bool(torch.allclose(whole, head(hidden)))
    finally:
        model.train(training)


def chosen_logits(
    model: Any, inputs: Mapping[str, torch.Tensor], chosen: torch.Tensor, *, head_alone: bool
) -> torch.Tensor:
    """Logits (N, V) at the places of a bool mask (R, L - 1): what the model predicts to come after each of them."""
    if head_alone:
        hidden = model.base_model(**inputs, use_cache=False)[0]
        return model.get_output_embeddings()(hidden[:, :-1][chosen])  # type: ignore[no-any-return]
    return model(**inputs, use_cache=False).logits[:, :-1][chosen]  # type: ignore[no-any-return]


def likeliest(logits: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k most probable tokens of each row of logits (N, V), k < V.

    Returns their ids (N, k), most probable first, and log-probabilities (N, k + 1), the last of which is that of all
    other tokens together.
    """
    import torch

    log_probabilities = logits.float().log_softmax(-1)
    most, ids = log_probabilities.topk(k)
    return ids, torch.cat([most, others(log_probabilities, ids)], -1)


def likeliest_at(
    model: Any, inputs: Mapping[str, torch.Tensor], chosen: torch.Tensor, k: int, *, head_alone: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """The `likeliest` at the places of a bool mask (R, L - 1). Where the head stands alone, it is applied to a part of
    the places at a time, so that a wide vocabulary needs no more memory than a narrow one."""
    import torch

    if not head_alone:
        return likeliest(chosen_logits(model, inputs, chosen, head_alone=False), k)
    head = model.get_output_embeddings()
    hidden = model.base_model(**inputs, use_cache=False)[0][:, :-1][chosen]
    parts = [likeliest(head(part), k) for part in hidden.split(max(1, MOST_LOGITS // head.weight.shape[0]))]
    ids, log_probabilities = zip(*parts, strict=True)
    return torch.cat(ids), torch.cat(log_probabilities)


def others(logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """The logarithm of the sum of exp(logits (N, V)) over all tokens but those of `ids` (N, k): (N, 1)."""
    return logits.scatter(-1, ids, float("-inf")).logsumexp(-1, keepdim=True)


def choose_attention(model: Any, row_tokens: int) -> None:
    """Set the attention that trains fastest on short rows of a CPU: plain matrix products, not the fused kernel,
    whose backward pass on a CPU takes longer than the products that it saves."""
    if model.device.type == "cpu" and row_tokens <= LONGEST_EAGER_ROW:
        model.set_attn_implementation("eager")
