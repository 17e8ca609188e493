"""Several records in one row, none of which sees another: the block mask, and the probe that proves it.

transformers detects packed rows from position ids in some configurations and silently does not in others (a cache, an
all-ones mask). So the mask is always explicit here, and before training a probe compares the logits of two records in
one row with those of each alone. An architecture that mixes along the row whatever the mask says (linear attention,
state space) fails the probe and is refused for packing.

Shapes: R rows, L row length, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixwright.ground.errors import InputError

if TYPE_CHECKING:
    import torch

PROBE_LENGTHS = (7, 9)
PROBE_TOLERANCE = 1e-3  # fp32 logits of order 1 to 10: rounding is 1e-5, one leaked token is far above


def packed_inputs(
    model: Any, ids: torch.Tensor, segment: torch.Tensor, position: torch.Tensor
) -> dict[str, torch.Tensor]:
    """What the model is called with for rows of several records. ids, segment, position: int64 (R, L); segment -1 is
    padding."""
    return {"input_ids": ids, "attention_mask": block_mask(model, segment), "position_ids": position}


def plain_inputs(ids: torch.Tensor, segment: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the model is called with for rows that hold one record each, padded on the right."""
    return {"input_ids": ids, "attention_mask": (segment >= 0).long()}


def block_mask(model: Any, segment: torch.Tensor) -> torch.Tensor:
    """(R, 1, L, L): token i sees token j when both are of one record and j is not after i; padding sees itself."""
    import torch

    length = segment.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=segment.device).tril()
    same = (segment[:, :, None] == segment[:, None, :]) & (segment >= 0)[:, :, None]
    own = torch.eye(length, dtype=torch.bool, device=segment.device)
    return as_mask(model, (same & causal) | own)


def as_mask(model: Any, seen: torch.Tensor) -> torch.Tensor:
    """(R, 1, L, L) from a bool (R, L, L): boolean for sdpa, additive in the model's dtype for every other attention."""
    import torch

    seen = seen[:, None]
    if getattr(model.config, "_attn_implementation", None) == "sdpa":
        return seen
    blocked = torch.zeros(seen.shape, dtype=model.dtype, device=seen.device)
    return blocked.masked_fill(~seen, torch.finfo(model.dtype).min)


def check_packing(model: Any, row_tokens: int) -> None:
    """Raise InputError when records packed in one row would see each other, or lose sight of themselves."""
    import torch

    where, fix = "blend.packing", "Set blend.packing: false; records are then padded, one to a row."
    window = getattr(model.config.get_text_config(), "sliding_window", None)
    if window and window < row_tokens:
        raise InputError(
            f"the model attends over {window} tokens, fewer than a row of {row_tokens}", where=where, fix=fix
        )
    generator = torch.Generator().manual_seed(0)
    size = model.get_input_embeddings().weight.shape[0]
    records = [torch.randint(size, (1, length), generator=generator).to(model.device) for length in PROBE_LENGTHS]
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            alone = torch.cat([model(input_ids=ids, use_cache=False).logits for ids in records], dim=1)
            segment = torch.cat([torch.full_like(ids, i) for i, ids in enumerate(records)], dim=1)
            position = torch.cat([torch.arange(ids.shape[1], device=ids.device)[None] for ids in records], dim=1)
            inputs = packed_inputs(model, torch.cat(records, dim=1), segment, position)
            together = model(**inputs, use_cache=False).logits
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"this architecture takes no block mask ({error})", where=where, fix=fix) from None
    finally:
        model.train(training)
    apart = float((alone - together).abs().max())
    if not apart < PROBE_TOLERANCE * max(1.0, float(alone.abs().max())):
        raise InputError(
            f"this architecture lets packed records see each other (logits differ by {apart:.2g})",
            where=where,
            fix=fix,
        )
