"""Records of a blend in packed or padded rows against each record alone: the losses and gradients that a test compares
and `benchmarks/blend/parity.py` prints.

Rows are made by the mixer and the assembler from token stores. A record alone is one call of the model on its tokens,
without mask or positions, so that transformers makes both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from made_sources import make_plan, write_store
from torch.nn.functional import cross_entropy

from mixwright.blend.batches import Assembler
from mixwright.blend.mixer import Mixer
from mixwright.models.packing import packed_inputs, plain_inputs
from mixwright.models.predictions import chosen_logits, head_stands_alone

VOCABULARY = 300
LAST = VOCABULARY - 1  # a token that only ends records, and is not learnt
ROW = 24
WINDOW = 6  # of the models that have one
TOLERANCE = 1e-4  # of `Apart`; fp32 rounding is some 1e-6

_WIDE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 64,
}
_MIXED = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": WINDOW}
_EXPERTS = {"num_experts_per_tok": 2, "output_router_logits": False, "sliding_window": None}
_SMALL = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2}
_DELTA_NET = {f"linear_{name}": size for name, size in [("num_value_heads", 2), ("num_key_heads", 2)]}
_DELTA_NET |= {"linear_key_head_dim": 8, "linear_value_head_dim": 8}

PACKED: dict[str, dict[str, Any]] = {
    "llama": _WIDE,
    "qwen3": _WIDE,
    "gemma3_text": _WIDE | _MIXED | {"query_pre_attn_scalar": 16},
    "gpt2": {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64}
    | {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
    "phi": _SMALL | {"intermediate_size": 64, "num_attention_heads": 2, "max_position_embeddings": 64},
    "mistral": _WIDE | {"sliding_window": WINDOW},
    "mixtral": _WIDE | _EXPERTS | {"num_local_experts": 4},
}
REFUSED: dict[str, dict[str, Any]] = {
    "mamba": _SMALL | {"state_size": 4},
    "rwkv": _SMALL | {"context_length": 64, "attention_hidden_size": 32},
    "qwen3_next": _WIDE
    | _DELTA_NET
    | {"layer_types": ["linear_attention", "full_attention"], "num_experts": 4, "num_experts_per_tok": 2}
    | {"moe_intermediate_size": 32, "shared_expert_intermediate_size": 32, "output_router_logits": False},
}
WINDOWED = ("gemma3_text", "mistral")


class Record(NamedTuple):
    """Tokens, and which of them are learnt; never the first."""

    ids: list[int]
    learnt: list[bool]


class Rows(NamedTuple):
    """A batch as arrays (R, L), of which a test may change one. ids, segment, position: int64; loss: bool."""

    ids: Any
    segment: Any
    position: Any
    loss: Any


class Blended(NamedTuple):
    """Batches, and the records in them in the order of rows."""

    batches: list[Rows]
    records: list[Record]


class Learnt(NamedTuple):
    """losses: of every learnt token, float64 (N,), row by row. gradients: of their sum."""

    losses: torch.Tensor
    gradients: dict[str, torch.Tensor]


class Apart(NamedTuple):
    """loss: most that the loss of a token differs. gradient: most that a parameter's differs, as a part of its largest
    element or of 1, whichever is more."""

    loss: float
    gradient: float


def build(architecture: str, attention: str = "eager", device: str = "cpu") -> Any:
    """A model with random weights in fp32, ready to learn, without dropout."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    settings = {"bos_token_id": None, "eos_token_id": None, "initializer_range": 0.2}
    config = AutoConfig.for_model(architecture, **(settings | (PACKED | REFUSED)[architecture]))
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation=attention)
    return model.to(device).train()


def made_records(seed: int = 0) -> dict[str, list[Record]]:
    """Two sources; records of one token, as long as a row, and between."""
    draw = np.random.default_rng(seed)
    records: dict[str, list[Record]] = {}
    for name, longest in (("short", 7), ("long", ROW)):
        lengths = [1, longest, *draw.integers(1, longest + 1, 10).tolist()]
        records[name] = []
        for length in lengths:
            ids = draw.integers(LAST, size=length).tolist()
            learnt = [False, *(draw.random(length - 1) < 0.6).tolist()]
            if not learnt[-1]:
                ids[-1] = LAST
            records[name].append(Record(ids, learnt))
    return records


def blended(folder: Path, *, packing: bool) -> Blended:
    """Batches of a blend of the made records."""
    records = made_records()
    stores = {name: write_store(folder / name, found) for name, found in records.items()}
    plan = make_plan({"short": 2, "long": 3}, row_tokens=ROW, packing=packing, budget_tokens=16 * ROW)
    mixer = Mixer(plan, stores)
    assembler = Assembler(stores, mixer.names, pad_id=0)
    batches, order = [], []
    for planned in mixer:
        batch = assembler.tensors(planned, range(planned.num_rows))
        batches.append(Rows(batch.ids.astype(np.int64), batch.segment, batch.position, batch.loss))
        pieces = np.argsort(planned.row, kind="stable")
        order += [records[mixer.names[planned.source[piece]]][planned.record[piece]] for piece in pieces]
    return Blended(batches, order)


def merged(batches: Sequence[Rows]) -> list[Rows]:
    """The same rows, each as if it held one record: what a plain causal mask shows."""
    return [batch._replace(segment=np.minimum(batch.segment, 0)) for batch in batches]


def learn_packed(model: Any, batches: Sequence[Rows]) -> Learnt:
    calls = (_tensors(batch, model.device) for batch in batches)
    return learn(
        model, ((packed_inputs(model, ids, segment, position), loss) for ids, segment, position, loss in calls)
    )


def learn_padded(model: Any, batches: Sequence[Rows]) -> Learnt:
    calls = (_tensors(batch, model.device) for batch in batches)
    return learn(model, ((plain_inputs(ids, segment), loss) for ids, segment, _, loss in calls))


def _tensors(batch: Rows, device: torch.device) -> list[torch.Tensor]:
    """ids, segment, position, loss of a batch."""
    return [torch.from_numpy(array).to(device) for array in batch]


def learn(model: Any, calls: Iterator[tuple[dict[str, Any], torch.Tensor]]) -> Learnt:
    """As training learns: the head on learnt places alone. calls: what the model is called with, and the loss mask."""
    model.zero_grad()
    head_alone = head_stands_alone(model)
    losses = []
    for inputs, loss in calls:
        chosen = loss[:, 1:]
        logits = chosen_logits(model, inputs, chosen, head_alone=head_alone)
        losses.append(cross_entropy(logits, inputs["input_ids"][:, 1:][chosen], reduction="none"))
        losses[-1].sum().backward()
    return _learnt(model, losses)


def learn_alone(model: Any, records: Sequence[Record]) -> Learnt:
    """One record a call, unpadded."""
    model.zero_grad()
    losses = []
    for record in records:
        ids, learnt = (torch.tensor(values, device=model.device) for values in record)
        logits = model(input_ids=ids[None], use_cache=False).logits[0, :-1]
        losses.append(cross_entropy(logits[learnt[1:]], ids[1:][learnt[1:]], reduction="none"))
        losses[-1].sum().backward()
    return _learnt(model, losses)


def _learnt(model: Any, losses: Sequence[torch.Tensor]) -> Learnt:
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return Learnt(torch.cat(losses).detach().double().cpu(), gradients)


def apart(found: Learnt, expected: Learnt) -> Apart:
    """How far apart two ways to learn the same tokens are."""
    assert found.losses.shape == expected.losses.shape
    assert found.gradients.keys() == expected.gradients.keys()
    parts = [
        float((found.gradients[name] - gradient).abs().max()) / max(1.0, float(gradient.abs().max()))
        for name, gradient in expected.gradients.items()
    ]
    return Apart(float((found.losses - expected.losses).abs().max()), max(parts))
