"""Checkpoints: whole or absent, exact, and free of pickle.

Everything a continued run needs to be the undisturbed one: trained weights and optimizer state in fp32 safetensors;
step, mixer state and running sums as JSON. Frozen weights come from the base again. A checkpoint is written beside,
flushed and renamed; the one before it is removed only then, so a kill at any moment leaves a good one. Random numbers
need no saving: they are seeded from the step.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixwright.ground.artefacts import write_json
from mixwright.training.optimizers import named_state, restore_state

if TYPE_CHECKING:
    import torch

PREFIX = "step-"
CHECKPOINT = "checkpoint"  # folder of the last one, in the artefact of a training that keeps it


def save_checkpoint(folder: Path, model: Any, optimizers: list[torch.optim.Optimizer], state: dict[str, Any]) -> None:
    """Write a checkpoint of `state["step"]` and remove older ones."""
    from safetensors.torch import save_file

    folder.mkdir(exist_ok=True)
    final = folder / f"{PREFIX}{state['step']:09d}"
    beside = folder / f"writing-{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    weights = {name: parameter.detach().contiguous() for name, parameter in _trained(model)}
    save_file(weights, beside / "weights.safetensors")
    save_file(
        {k: v.contiguous() for k, v in named_state(model, optimizers).items()},
        beside / "optimizer.safetensors",
    )
    for path in beside.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    write_json(beside / "state.json", state)
    shutil.rmtree(final, ignore_errors=True)  # a torn one: a whole one would have been resumed behind this step
    beside.rename(final)
    for path in folder.iterdir():
        if path != final:
            shutil.rmtree(path, ignore_errors=True)


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint in a folder of checkpoints, None where there is none."""
    found = sorted(folder.glob(f"{PREFIX}*"), reverse=True) if folder.is_dir() else []
    return next((path for path in found if (path / "state.json").is_file()), None)


def load_checkpoint(folder: Path, model: Any, optimizers: list[torch.optim.Optimizer]) -> dict[str, Any] | None:
    """Restore the newest whole checkpoint into model and optimizers and return its state, or None."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    for path in sorted(folder.glob(f"{PREFIX}*"), reverse=True) if folder.is_dir() else ():
        try:
            state: dict[str, Any] = json.loads((path / "state.json").read_text())
            weights = load_file(path / "weights.safetensors")
            moments = load_file(path / "optimizer.safetensors")
        except (OSError, ValueError, SafetensorError):
            continue  # torn by a power cut: an older one serves, or the start
        with torch.no_grad():
            for name, parameter in _trained(model):
                parameter.copy_(weights[name])
        restore_state(model, optimizers, moments)
        return state
    return None


def _trained(model: Any) -> list[tuple[str, torch.nn.Parameter]]:
    return [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
