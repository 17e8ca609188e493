"""LoRA: train a low-rank correction of every linear layer in place of its weights (Hu et al. 2021, arXiv:2106.09685).

A layer W becomes W + (alpha / rank) B A, where A is random, B starts at zero and W is frozen; the output head gets no
adapter. What that saves is memory for gradients and moments, and it moves the model less. What it cannot do is give a
token the base hardly knows a meaning: of the demonstration's desk, whose words and form are new to the base, rank 16
learns 12 points, and 72 when the embeddings are trained as well. So by default they are: the input embeddings and,
where it is a matrix of its own, the output head. A tie between the two stays a tie, because they are trained in place.

PEFT changes the layers inside the model, which stays the object it was. The result is written twice: merged, as a
plain model, and as adapters in PEFT's own format. Experts kept as one three-dimensional tensor are no linear layers to
PEFT: of a mixture of experts only the rest is adapted.
"""

from __future__ import annotations

import copy
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import derive_seed
from mixwright.recipe.training import Train

if TYPE_CHECKING:
    import torch

NAME = "default"  # PEFT's name for the only adapter
PREFIX = "base_model.model."  # what PEFT puts before the names of the model's own tensors


def add_adapters(model: Any, settings: Train) -> Any:
    """Freeze a model and put adapters into it, in place. Returns PEFT's tuner, which can save them and take them out.

    Raises InputError for an architecture without linear layers, or one that PEFT does not take.
    """
    import torch
    from peft import LoraConfig, LoraModel, TaskType

    lora = settings.lora
    config = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        target_modules="all-linear",
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
    )
    try:
        with torch.random.fork_rng(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PEFT tells what it sets right: GPT-2's transposed layers, absent experts
            torch.manual_seed(derive_seed(settings.seed, "lora"))
            tuner = LoraModel(model, config, NAME)
    except (ValueError, TypeError, NotImplementedError, AttributeError) as error:
        fix = "Set train.method: full, or choose another base model."
        raise InputError(f"this architecture takes no adapters ({error})", where="train.method", fix=fix) from None
    if lora.embeddings:
        for module in _ends(model).values():
            module.requires_grad_(True)
    return tuner


def save_adapters(tuner: Any, settings: Train, folder: Path) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`, which `PeftModel.from_pretrained(base, folder)`
    loads. Tensors are fp32; where the base lies is not written, since that is a matter of one machine.

    Of tied embeddings both ends are written: PEFT ties them again where it knows the names, and is right where not.
    """
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    ends = _ends(tuner.model) if settings.lora.embeddings else {}
    tensors = get_peft_model_state_dict(tuner.model, save_embedding_layers=False) | {
        f"{name}.{key}": tensor for name, module in ends.items() for key, tensor in module.state_dict().items()
    }
    config = copy.copy(tuner.peft_config[NAME])
    config.base_model_name_or_path = None
    config.inference_mode = True
    config.target_modules = sorted(config.target_modules)  # a set has another order in each process
    config.modules_to_save = sorted(ends) or None
    config.ensure_weight_tying = len({id(module.weight) for module in ends.values()}) < len(ends)
    shutil.rmtree(folder, ignore_errors=True)
    config.save_pretrained(folder)
    save_file(
        {f"{PREFIX}{name}": tensor.detach().cpu().clone() for name, tensor in tensors.items()},
        folder / "adapter_model.safetensors",
        metadata={"format": "pt"},
    )


def merge_adapters(tuner: Any) -> None:
    """Add the adapters to the weights and take them out of the model, in place: a plain model again."""
    tuner.merge_and_unload()


def _ends(model: Any) -> dict[str, torch.nn.Module]:
    """Input embeddings and output head by name: two names, whether or not they share a weight."""
    ends = [model.get_input_embeddings(), model.get_output_embeddings()]
    return {name: module for name, module in model.named_modules() if any(module is end for end in ends)}
