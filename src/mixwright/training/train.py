"""Supervised fine-tuning: a base model and the batches of a blend, to a model folder.

One loop, one process. Weights and optimizer state stay fp32; the forward pass runs in bf16 where the device multiplies
it natively. The loss of a step is the mean over its supervised tokens, however the rows are split into micro-batches.
Every random number is seeded from the step, the batch is a function of the mixer's state, and both are in the
checkpoint: killed anywhere and resumed, the run ends with the same weights, bit for bit, on one kind of CPU.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mixwright.blend.ahead import batches_ahead
from mixwright.blend.batches import Assembler, Batch
from mixwright.blend.mixer import Mixer, MixerState, MixPlan
from mixwright.ground.artefacts import SCRATCH
from mixwright.ground.errors import BrokenRun
from mixwright.ground.hashing import Json, derive_seed
from mixwright.ground.progress import progress
from mixwright.models.device import autocast
from mixwright.models.handle import load_model
from mixwright.models.packing import check_packing, packed_inputs, plain_inputs
from mixwright.models.predictions import choose_attention, chosen_logits, head_stands_alone
from mixwright.models.saving import save_model
from mixwright.models.tokenizer import ChatTokenizer
from mixwright.recipe.training import Train
from mixwright.tokens.store import TokenStore
from mixwright.tokens.teacher import Teacher
from mixwright.training.adapters import add_adapters, merge_adapters, save_adapters
from mixwright.training.checkpoint import CHECKPOINT, load_checkpoint, save_checkpoint
from mixwright.training.divergence import towards_base
from mixwright.training.metrics import Metrics
from mixwright.training.optimizers import build_optimizers
from mixwright.training.schedule import learning_rate

if TYPE_CHECKING:
    import torch


class Taught(NamedTuple):
    """A source whose tokens are learnt from what the base expects there. weight: of the divergence from it, 0 to 1."""

    teacher: Teacher
    weight: float


def train(
    arm: str,
    base: Path,
    plan: MixPlan,
    stores: Mapping[str, TokenStore],
    realised: Mapping[str, Any],
    settings: Train,
    *,
    device: str,
    precision: str,
    out: Path,
    taught: Mapping[str, Taught] | None = None,
    continued: Path | None = None,
) -> Mapping[str, Json]:
    """Train one arm and write `model/`, `metrics.jsonl` and `timing.jsonl` to `out`, resuming what lies there.
    With `method: lora` also `adapter/`.

    realised: the blend stage's `realised.json`; what entered the model is counted here anew and must equal it.
    taught: by source, where the loss has a KL term.
    continued: folder of the checkpoint from which `plan.start` goes on. With `keep_checkpoint` also `checkpoint/`.
    Raises InputError for an architecture that cannot be packed or adapted, BrokenRun when the loss is no longer finite.
    """
    import torch

    torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
    model = load_model(base, device)
    tuner = add_adapters(model, settings) if settings.method == "lora" else None
    model.train()
    choose_attention(model, plan.row_tokens)
    head_alone = head_stands_alone(model)
    if plan.packing:
        check_packing(model, plan.row_tokens)
    optimizers = build_optimizers(model, settings)
    num_steps = int(realised["num_steps"])
    state = load_checkpoint(out / SCRATCH, model, optimizers)
    if state is None and continued is not None and load_checkpoint(continued, model, optimizers) is None:
        raise BrokenRun(
            "the checkpoint to go on from is damaged", where=str(continued), fix="Remove it, and try again."
        )
    mixer = Mixer(plan, stores, MixerState(**state["mixer"]) if state else None)
    taught = taught or {}
    teachers = {name: source.teacher for name, source in taught.items()}
    kl_weights = np.array([taught[name].weight if name in taught else 0.0 for name in mixer.names], np.float32)
    forward = _Forward(plan.packing, head_alone, kl_weights, device, precision)
    assembler = Assembler(stores, mixer.names, pad_id=ChatTokenizer(base).pad_id, teachers=teachers)
    metrics = Metrics(out, mixer.names, num_steps, state)
    entered = np.asarray(state["entered"] if state else [0] * len(mixer.names))
    place = mixer.state
    saved = time.monotonic()
    with (
        progress(f"train {arm}", num_steps, done=place.step) as advance,
        closing(batches_ahead(mixer, assembler)) as batches,
    ):
        for batch, after in batches:
            step, place = place.step, after
            torch.manual_seed(derive_seed(settings.seed, "step", step))
            rate = learning_rate(
                step,
                num_steps,
                peak=settings.learning_rate,
                schedule=settings.schedule,
                warmup=settings.warmup,
                cooldown=settings.cooldown,
            )
            losses, divergences = _step(model, optimizers, batch, settings, rate, forward)
            entered += np.bincount(batch.source[batch.source >= 0], minlength=len(mixer.names))
            if not np.isfinite(losses).all():
                raise BrokenRun(
                    f"the loss is no longer finite at step {place.step} of arm '{arm}'",
                    where="train.learning_rate",
                    fix=f"Lower it (now {settings.learning_rate:g}), or set train.precision: fp32.",
                )
            sources = batch.source[batch.loss]
            taught_sources = sources[kl_weights[sources] > 0]
            metrics.add(place.step, losses, sources, divergences, taught_sources, batch.num_tokens, rate)
            advance(1, "" if math.isnan(metrics.loss) else f"loss {metrics.loss:.3f}")
            if time.monotonic() - saved >= settings.checkpoint_seconds and place.step < num_steps:
                save_checkpoint(out / SCRATCH, model, optimizers, _state(place, entered, metrics))
                saved = time.monotonic()
    totals = {name: int(count) for name, count in zip(mixer.names, entered, strict=True)}
    assert totals == realised["totals"]["tokens"], (totals, realised["totals"]["tokens"])
    assert place.step == num_steps, (place.step, num_steps)
    if settings.keep_checkpoint:
        save_checkpoint(out / CHECKPOINT, model, optimizers, _state(place, entered, metrics))
    if tuner is not None:
        save_adapters(tuner, settings, out / "adapter")
        merge_adapters(tuner)
    save_model(model, base, out / "model")
    return {"steps": place.step, "tokens": sum(totals.values())}


class _Forward(NamedTuple):
    """How a batch goes through the model. head_alone: see `models.predictions`. kl_weights: of each source, 0 where its
    loss has no KL term (S,)."""

    packing: bool
    head_alone: bool
    kl_weights: npt.NDArray[np.float32]
    device: str
    precision: str


def _state(place: MixerState, entered: npt.NDArray[np.int64], metrics: Metrics) -> dict[str, Any]:
    return {"step": place.step, "mixer": place.as_json(), "entered": entered.tolist(), **metrics.state()}


def _step(
    model: Any,
    optimizers: list[torch.optim.Optimizer],
    batch: Batch,
    settings: Train,
    rate: float,
    forward: _Forward,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """One optimizer step. Returns the cross-entropy of the batch's supervised tokens, in row order, and the divergences
    of those taught."""
    import torch
    from torch.nn.functional import cross_entropy

    num_rows = len(batch.ids)
    size = settings.micro_batch_rows or num_rows
    losses, divergences = [np.zeros(0)], [np.zeros(0)]
    for start in range(0, num_rows, size):
        rows = slice(start, start + size)
        ids, segment, position, mask = (
            torch.from_numpy(np.ascontiguousarray(array[rows])).to(forward.device)
            for array in (batch.ids.astype(np.int64), batch.segment, batch.position, batch.loss)
        )
        if not bool(mask.any()):
            continue
        inputs = packed_inputs(model, ids, segment, position) if forward.packing else plain_inputs(ids, segment)
        learnt = mask[:, 1:]  # the first token of a record is never learnt, so no prediction crosses records
        with autocast(forward.device, forward.precision):
            logits = chosen_logits(model, inputs, learnt, head_alone=forward.head_alone)
        each = cross_entropy(logits.float(), ids[:, 1:][learnt], reduction="none")
        losses.append(each.detach().double().cpu().numpy())
        if batch.taught is not None:
            weight = torch.from_numpy(forward.kl_weights[batch.source[rows][batch.loss[rows]]]).to(forward.device)
            expected = (torch.from_numpy(column).to(forward.device) for column in batch.taught.of_rows(rows))
            each, found = towards_base(each, logits, weight, *expected)
            divergences.append(found.detach().double().cpu().numpy())
        torch.autograd.backward(each.sum() / batch.num_supervised)
    torch.nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return np.concatenate(losses), np.concatenate(divergences)
