"""Several records in one row, none of which sees another: the block mask, and the probe that proves it.

transformers detects packed rows from position ids in some configurations and silently does not in others (a cache, an
all-ones mask). So the mask is always explicit here, windows included, and before training a probe compares two records
in one row with each of them alone. What the mask cannot keep apart is refused for packing: layers that mix along the
row whatever the mask says (linear attention, state space), and attention that takes no dense mask (flash, flex).

Shapes: R rows, L row length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixwright.ground.errors import InputError

if TYPE_CHECKING:
    import torch

ATTENTION = ("eager", "sdpa")  # those that take a dense mask, and learn on every device
LAYERS = {"full_attention", "sliding_attention"}  # those that see what the mask shows them and nothing else
PROBE_LENGTHS = (7, 9)
PROBE_TOLERANCE = 1e-3  # fp32 states of order 1 to 10: rounding is 1e-5, one leaked token is far above


def packed_inputs(model: Any, ids: torch.Tensor, segment: torch.Tensor, position: torch.Tensor) -> dict[str, Any]:
    """What the model is called with for rows of several records. ids, segment, position: int64 (R, L); segment -1 is
    padding."""
    return {"input_ids": ids, "attention_mask": block_mask(model, segment), "position_ids": position}


def plain_inputs(ids: torch.Tensor, segment: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the model is called with for rows that hold one record each, padded on the right."""
    return {"input_ids": ids, "attention_mask": (segment >= 0).long()}


def block_mask(model: Any, segment: torch.Tensor) -> Any:
    """As `as_mask`: token i sees token j when both are of one record and j is not after i; padding sees itself."""
    import torch

    length = segment.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=segment.device).tril()
    same = (segment[:, :, None] == segment[:, None, :]) & (segment >= 0)[:, :, None]
    own = torch.eye(length, dtype=torch.bool, device=segment.device)
    return as_mask(model, (same & causal) | own)


def as_mask(model: Any, seen: torch.Tensor) -> Any:
    """The model's mask (R, 1, L, L) from a bool (R, L, L): which tokens of its record, or of its branch of a tree, each
    token follows, itself included. {type of layer: mask} where only some layers see no more than a window of those.

    A window of W is a token and the W - 1 before it, by position in the record and not by place in the row.
    """
    types, window = _layers(model)
    if "sliding_attention" not in types or window is None:
        return _coded(model, seen)
    position = seen.sum(-1) - 1
    if int(position.max()) < window:  # nothing reaches further
        return _coded(model, seen)
    near = _coded(model, seen & (position[:, :, None] - position[:, None, :] < window))
    return {"full_attention": _coded(model, seen), "sliding_attention": near} if "full_attention" in types else near


def _coded(model: Any, seen: torch.Tensor) -> torch.Tensor:
    """(R, 1, L, L): boolean for sdpa, additive in the model's dtype for every other attention."""
    import torch

    seen = seen[:, None]
    if getattr(model.config, "_attn_implementation", None) == "sdpa":
        return seen
    blocked = torch.zeros(seen.shape, dtype=model.dtype, device=seen.device)
    return blocked.masked_fill(~seen, torch.finfo(model.dtype).min)


def _layers(model: Any) -> tuple[set[str], int | None]:
    """The types of a model's layers and its window, read as transformers reads them (`create_masks_for_generate`)."""
    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None)
    types = getattr(config, "layer_types", None) or ["full_attention" if window is None else "sliding_attention"]
    return set(types), window


def check_packing(model: Any, row_tokens: int) -> None:
    """Raise InputError when records packed in one row would see each other, or lose sight of themselves."""
    import torch

    where, fix = "blend.packing", "Set blend.packing: false; records are then padded, one to a row."
    attention = getattr(model.config, "_attn_implementation", None)
    if attention is not None and attention not in ATTENTION:
        raise InputError(f"{attention} takes no dense mask; {' and '.join(ATTENTION)} do", where=where, fix=fix)
    types, window = _layers(model)
    if unknown := sorted(types - LAYERS):
        message = f"no mask is known to keep records apart in layers of the type {', '.join(unknown)}"
        raise InputError(message, where=where, fix=fix)
    first, second = PROBE_LENGTHS
    if window is not None and window < row_tokens:
        second = max(second, min(2 * window, row_tokens))  # half of its tokens cannot see the first
    generator = torch.Generator().manual_seed(0)
    size = model.get_input_embeddings().weight.shape[0]
    records = [torch.randint(size, (1, length), generator=generator).to(model.device) for length in (first, second)]
    training = model.training
    model.eval()
    try:  # last hidden states, not logits: those of a long row fill the memory of a small machine
        with torch.no_grad():
            alone = torch.cat([model.base_model(input_ids=ids, use_cache=False)[0] for ids in records], dim=1)
            segment = torch.cat([torch.full_like(ids, i) for i, ids in enumerate(records)], dim=1)
            position = torch.cat([torch.arange(ids.shape[1], device=ids.device)[None] for ids in records], dim=1)
            inputs = packed_inputs(model, torch.cat(records, dim=1), segment, position)
            together = model.base_model(**inputs, use_cache=False)[0]
    except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"this architecture takes no block mask ({error})", where=where, fix=fix) from None
    finally:
        model.train(training)
    apart = float((alone - together).abs().max())
    if not apart < PROBE_TOLERANCE * max(1.0, float(alone.abs().max())):
        raise InputError(
            f"this architecture lets packed records see each other (states differ by {apart:.2g})",
            where=where,
            fix=fix,
        )
