"""AdamW, or Muon for the hidden matrices with AdamW for everything else.

Muon (Jordan et al. 2024) orthogonalises the update of a weight matrix; its rate is scaled so that an update has the
size AdamW's would have (Liu et al. 2025, "Muon is scalable"), and one learning rate serves both. Embeddings, the output
head and vectors are no linear maps between hidden states and stay with AdamW. The factors of an adapter are maps, but
to orthogonalise the update of each says little about that of their product: a recipe that asks for both is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixwright.recipe.training import Train

if TYPE_CHECKING:
    import torch

BETAS = (0.9, 0.95)
MOMENTUM = 0.95


def build_optimizers(model: Any, settings: Train) -> list[torch.optim.Optimizer]:
    """The optimizers that together own every trainable parameter. Weight decay spares vectors."""
    import torch

    ends = {id(model.get_input_embeddings().weight)}
    if model.get_output_embeddings() is not None:
        ends.add(id(model.get_output_embeddings().weight))
    hidden: list[torch.nn.Parameter] = []
    matrices: list[torch.nn.Parameter] = []
    vectors: list[torch.nn.Parameter] = []
    for parameter in model.parameters():
        if not parameter.requires_grad:
            continue
        if parameter.ndim == 2 and id(parameter) not in ends and settings.optimizer == "muon":
            hidden.append(parameter)
        else:
            (matrices if parameter.ndim >= 2 else vectors).append(parameter)
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW([group for group in groups if group["params"]], lr=settings.learning_rate, betas=BETAS)
    ]
    if hidden:
        optimizers.append(
            torch.optim.Muon(
                hidden,
                lr=settings.learning_rate,
                momentum=MOMENTUM,
                weight_decay=settings.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    return optimizers


def named_state(model: Any, optimizers: list[torch.optim.Optimizer]) -> dict[str, torch.Tensor]:
    """Every state tensor of the optimizers as `parameter/key`."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {
        f"{names[id(parameter)]}/{key}": value
        for optimizer in optimizers
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
    }


def restore_state(model: Any, optimizers: list[torch.optim.Optimizer], state: dict[str, torch.Tensor]) -> None:
    """Put back what `named_state` gave."""
    parameters = dict(model.named_parameters())
    owner = {id(p): o for o in optimizers for group in o.param_groups for p in group["params"]}
    for name, value in state.items():
        parameter_name, _, key = name.rpartition("/")
        parameter = parameters[parameter_name]
        owner[id(parameter)].state[parameter][key] = value.to(parameter.device) if value.ndim else value
