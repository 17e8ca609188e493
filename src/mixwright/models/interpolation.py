"""Part of the way from a base to a model trained from it: `base + weight * (tuned - base)`, tensor by tensor.

The cheapest remedy for forgetting, and so the baseline that a blend has to beat (Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models").
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mixwright.ground.hashing import Json
from mixwright.models.handle import load_model
from mixwright.models.saving import save_model


def interpolate(base: Path, tuned: Path, weight: float, out: Path) -> Mapping[str, Json]:
    """Write the model in the number format of the base. weight: 0 is the base, 1 the tuned model."""
    import torch

    model = load_model(base, "cpu")
    ends = dict(load_model(tuned, "cpu").named_parameters())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.lerp_(ends[name], weight)
    save_model(model, base, out)
    return {"weight": weight}
