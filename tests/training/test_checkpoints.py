"""Checkpoints: weights and optimizer state come back bit for bit, and a torn one is never used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import build_model

from mixwright.recipe.training import Train
from mixwright.training.checkpoint import load_checkpoint, save_checkpoint
from mixwright.training.optimizers import build_optimizers, named_state

both_optimizers = pytest.mark.parametrize("optimizer", ["adamw", "muon"])


class Trainee:
    """A model with its optimizers, a few steps into its training."""

    def __init__(self, optimizer: str, num_steps: int = 3, seed: int = 0) -> None:
        self.model = build_model("llama", vocabulary=50, seed=seed)
        settings = Train(optimizer=optimizer, learning_rate=0.01, weight_decay=0.1)  # type: ignore[arg-type]
        self.optimizers = build_optimizers(self.model, settings)
        for step in range(num_steps):
            self.step(step)

    def step(self, number: int) -> None:
        ids = torch.randint(50, (2, 9), generator=torch.Generator().manual_seed(number))
        self.model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def save(self, folder: Path, step: int, **state: Any) -> None:
        save_checkpoint(folder, self.model, self.optimizers, {"step": step, **state})

    def load(self, folder: Path) -> dict[str, Any] | None:
        return load_checkpoint(folder, self.model, self.optimizers)

    def everything(self) -> dict[str, torch.Tensor]:
        return dict(self.model.named_parameters()) | named_state(self.model, self.optimizers)

    def equals(self, other: Trainee) -> bool:
        mine, theirs = self.everything(), other.everything()
        return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


@both_optimizers
def test_a_checkpoint_brings_back_weights_and_state_bit_for_bit(tmp_path: Path, optimizer: str) -> None:
    saved = Trainee(optimizer)
    saved.save(tmp_path / "c", 3, mixer={"taken": {"desk": 7}}, seconds=1.5)
    restored = Trainee(optimizer, num_steps=0, seed=9)
    state = restored.load(tmp_path / "c")
    assert state == {"step": 3, "mixer": {"taken": {"desk": 7}}, "seconds": 1.5}
    assert restored.equals(saved)


@both_optimizers
def test_training_goes_on_from_a_checkpoint_as_if_nothing_had_happened(tmp_path: Path, optimizer: str) -> None:
    undisturbed = Trainee(optimizer, num_steps=6)
    Trainee(optimizer, num_steps=3).save(tmp_path / "c", 3)
    resumed = Trainee(optimizer, num_steps=0, seed=9)
    resumed.load(tmp_path / "c")
    for step in (3, 4, 5):
        resumed.step(step)
    assert resumed.equals(undisturbed)


@both_optimizers
def test_every_trainable_parameter_has_exactly_one_optimizer(optimizer: str) -> None:
    trainee = Trainee(optimizer, num_steps=1)
    owned = [id(p) for o in trainee.optimizers for group in o.param_groups for p in group["params"]]
    assert sorted(owned) == sorted(id(p) for p in trainee.model.parameters())
    touched = {name.rpartition("/")[0] for name in named_state(trainee.model, trainee.optimizers)}
    assert touched == {name for name, _ in trainee.model.named_parameters()}


def test_muon_takes_the_hidden_matrices_and_leaves_embeddings_head_and_vectors_to_adamw() -> None:
    trainee = Trainee("muon", num_steps=1)
    momenta = {name for name in named_state(trainee.model, trainee.optimizers) if name.endswith("momentum_buffer")}
    assert momenta
    assert all("layers." in name and "norm" not in name for name in momenta)


def test_weight_decay_spares_vectors() -> None:
    groups = [group for optimizer in Trainee("adamw", 0).optimizers for group in optimizer.param_groups]
    assert {group["weight_decay"] for group in groups for p in group["params"] if p.ndim < 2} == {0.0}
    assert {group["weight_decay"] for group in groups for p in group["params"] if p.ndim >= 2} == {0.1}


def test_only_the_newest_checkpoint_is_kept_and_taken(tmp_path: Path) -> None:
    trainee = Trainee("adamw", num_steps=1)
    trainee.save(tmp_path / "c", 9)
    trainee.step(1)
    trainee.save(tmp_path / "c", 10)
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["step-000000010"]
    restored = Trainee("adamw", num_steps=0)
    assert (restored.load(tmp_path / "c") or {})["step"] == 10
    assert restored.equals(trainee)


def test_there_is_nothing_to_restore_where_no_checkpoint_was_written(tmp_path: Path) -> None:
    assert Trainee("adamw", 0).load(tmp_path / "none") is None
    (tmp_path / "empty").mkdir()
    assert Trainee("adamw", 0).load(tmp_path / "empty") is None


@pytest.mark.parametrize("torn", ["unfinished", "weights.safetensors", "optimizer.safetensors", "state.json"])
def test_a_torn_checkpoint_is_ignored_and_the_one_before_it_is_taken(tmp_path: Path, torn: str) -> None:
    folder = tmp_path / "c"
    good = Trainee("adamw")
    good.save(folder, 3)
    later = Trainee("adamw", num_steps=5)
    later.save(tmp_path / "later", 5)
    newest = (tmp_path / "later" / "step-000000005").rename(folder / "step-000000005")
    if torn == "unfinished":
        (newest / "state.json").unlink()
        newest.rename(folder / "writing-4711")  # killed while it was written
    else:
        (newest / torn).write_bytes((newest / torn).read_bytes()[:5])  # the power was cut
    restored = Trainee("adamw", num_steps=0, seed=9)
    assert (restored.load(folder) or {})["step"] == 3
    assert restored.equals(good)
    later.save(folder, 5)
    assert [path.name for path in folder.iterdir()] == ["step-000000005"]


def test_a_checkpoint_holds_no_pickle(tmp_path: Path) -> None:
    Trainee("muon").save(tmp_path / "c", 3)
    names = {path.name for path in (tmp_path / "c" / "step-000000003").iterdir()}
    assert names == {"weights.safetensors", "optimizer.safetensors", "state.json"}
    assert json.loads((tmp_path / "c" / "step-000000003" / "state.json").read_text()) == {"step": 3}
