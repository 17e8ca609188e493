"""The KL divergence of the model from its base at a token, from the base's k most probable tokens.

The base's distribution is known as the probabilities of k tokens and of all others together; the model's is summed in
the same way. That divergence of k + 1 classes is at most the divergence of the whole vocabulary (Cover and Thomas
2006, theorem 2.7.1, the log-sum inequality), and is 0 where the model still is its base. No mass is lost, as it is
where the k probabilities are made to sum to 1: a model that moves what it has to say out of the k would not be held.

Shapes: T tokens, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixwright.models.predictions import others

if TYPE_CHECKING:
    import torch


def divergence(logits: torch.Tensor, ids: torch.Tensor, log_probabilities: torch.Tensor) -> torch.Tensor:
    """KL(base || model) in nats for each token: float (T,).

    logits: of the model, float (T, V). ids: int64 (T, k). log_probabilities: of the base for these and, last, for all
    other tokens together, (T, k + 1), which need sum to 1 only about.
    """
    import torch

    base = log_probabilities.float().log_softmax(-1)
    model = torch.cat([logits.gather(-1, ids), others(logits, ids)], -1) - logits.logsumexp(-1, keepdim=True)
    return (base.exp() * (base - model)).sum(-1)


def towards_base(
    losses: torch.Tensor, logits: torch.Tensor, weight: torch.Tensor, ids: torch.Tensor, log_probabilities: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The losses (N,) of learnt tokens, in which the divergence stands for `weight` (N,) parts of each; and the
    divergences of the T tokens of which the weight is not 0.

    logits: (N, V). ids and log_probabilities: of these T tokens, in their order, as for `divergence`.
    """
    import torch

    taught = weight > 0
    found = divergence(logits[taught].float(), ids, log_probabilities)
    return losses.masked_scatter(taught, torch.lerp(losses[taught], found, weight[taught])), found
