"""LoRA: only adapters and embeddings are trained, resumed exactly, and written merged and by themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from tiny_models import ARCHITECTURES, build_model
from training_jobs import Job, checkpoints_of, interrupted_after, make_job
from transformers import AutoModelForCausalLM

from mixwright.ground.errors import InputError
from mixwright.models.predictions import head_stands_alone
from mixwright.recipe.training import Lora, Train
from mixwright.training.adapters import add_adapters, merge_adapters, save_adapters
from mixwright.training.checkpoint import load_checkpoint, save_checkpoint
from mixwright.training.optimizers import build_optimizers

TIED = {"llama": False, "gpt2": True, "qwen2": False, "qwen3": False}
every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)
both_choices = pytest.mark.parametrize("embeddings", [True, False], ids=["embeddings", "adapters-alone"])


def lora(**changes: Any) -> Train:
    return Train(method="lora", learning_rate=0.01, lora=Lora(**changes))


def lora_job(folder: Path, architecture: str = "llama", **changes: Any) -> Job:
    return make_job(folder, architecture).with_train(method="lora", lora=Lora(**changes))


def parameters(model: Any) -> dict[str, torch.Tensor]:
    """Copies by the base's own names; adapters by PEFT's."""
    return {name.replace(".base_layer", ""): p.detach().clone() for name, p in model.named_parameters()}


def ends(model: Any) -> set[str]:
    modules = [model.get_input_embeddings(), model.get_output_embeddings()]
    return {name for name, p in model.named_parameters() if any(p is module.weight for module in modules)}


def train_a_little(model: Any, settings: Train, first: int = 0, last: int = 3, optimizers: Any = None) -> Any:
    optimizers = optimizers or build_optimizers(model, settings)
    model.train()
    for number in range(first, last):
        torch.manual_seed(number)
        ids = torch.randint(50, (2, 9), generator=torch.Generator().manual_seed(number))
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    model.eval()
    return optimizers


def logits(model: Any) -> torch.Tensor:
    ids = torch.randint(50, (3, 11), generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        found: torch.Tensor = model.eval()(input_ids=ids, use_cache=False).logits
    return found


@every_architecture
@both_choices
def test_training_changes_adapters_and_embeddings_and_nothing_else(architecture: str, embeddings: bool) -> None:
    model = build_model(architecture, vocabulary=50)
    settings = lora(embeddings=embeddings)
    add_adapters(model, settings)
    before, expected = parameters(model), ends(model) if embeddings else set()
    train_a_little(model, settings)
    changed = {name for name, value in parameters(model).items() if not torch.equal(value, before[name])}
    assert {name for name in changed if "lora_" not in name} == expected
    assert {name for name in before if "lora_" in name} <= changed
    assert all(p.grad is None for p in model.parameters() if not p.requires_grad), "clipping would count it"


@every_architecture
def test_every_linear_layer_but_the_head_has_an_adapter_that_starts_at_nothing(architecture: str) -> None:
    model = build_model(architecture, vocabulary=50)
    plain, head = logits(model), model.get_output_embeddings()
    layers = {name for name, module in model.named_modules() if type(module).__name__ in ("Linear", "Conv1D")}
    add_adapters(model, lora(rank=4))
    adapted = {name.rpartition(".lora_A")[0] for name, _ in model.named_parameters() if ".lora_A." in name}
    assert layers - adapted == {"lm_head"}
    assert model.get_output_embeddings() is head
    assert {p.shape[0] for name, p in model.named_parameters() if ".lora_A." in name} == {4}
    assert torch.equal(logits(model), plain)


@every_architecture
def test_the_model_stays_the_causal_model_that_it_was(architecture: str) -> None:
    model = build_model(architecture, vocabulary=50)
    backbone = model.base_model
    tuner = add_adapters(model, lora())
    assert model.base_model is backbone
    assert head_stands_alone(model)
    merge_adapters(tuner)
    assert model.base_model is backbone
    assert parameters(model).keys() == parameters(build_model(architecture, vocabulary=50)).keys()


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, "gemma2"])
@both_choices
def test_the_merged_model_and_the_base_with_the_adapter_answer_alike(
    architecture: str, embeddings: bool, tmp_path: Path
) -> None:
    job = lora_job(tmp_path / "job", architecture, embeddings=embeddings)
    out = job.run(tmp_path / "out")
    base = AutoModelForCausalLM.from_pretrained(job.folder / "base")
    merged = AutoModelForCausalLM.from_pretrained(out / "model")
    plain = logits(base)
    adapted = PeftModel.from_pretrained(base, out / "adapter")
    torch.testing.assert_close(logits(merged), logits(adapted), rtol=1e-4, atol=1e-4)
    assert float((logits(merged) - plain).abs().max()) > 0.1
    with adapted.disable_adapter():
        assert torch.equal(logits(adapted), plain)


@every_architecture
@both_choices
def test_the_model_folder_is_like_that_of_full_training(architecture: str, embeddings: bool, tmp_path: Path) -> None:
    job = lora_job(tmp_path / "job", architecture, embeddings=embeddings)
    full, out = job.with_train(method="full").run(tmp_path / "full"), job.run(tmp_path / "out")
    assert {path.name for path in (out / "model").iterdir()} == {path.name for path in (full / "model").iterdir()}
    base, trained = (load_file(folder / "model.safetensors") for folder in (job.folder / "base", out / "model"))
    assert {name: (t.shape, t.dtype) for name, t in trained.items()} == {n: (t.shape, t.dtype) for n, t in base.items()}
    merged = AutoModelForCausalLM.from_pretrained(out / "model")
    assert (merged.get_input_embeddings().weight is merged.get_output_embeddings().weight) == TIED[architecture]
    frozen = [name for name in base if "norm" in name or "ln_" in name or "wpe" in name or name.endswith("bias")]
    if not embeddings:
        frozen += ends(merged) & base.keys()
    assert frozen
    assert all(torch.equal(trained[name], base[name]) for name in frozen)


def test_a_tie_stays_a_tie() -> None:
    model = build_model("gpt2", vocabulary=50)
    settings = lora()
    tuner = add_adapters(model, settings)
    embedding = model.get_input_embeddings().weight
    train_a_little(model, settings)
    merge_adapters(tuner)
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight is embedding


@every_architecture
def test_taking_the_adapters_out_unmerged_leaves_the_base(architecture: str) -> None:
    model = build_model(architecture, vocabulary=50)
    settings = lora(embeddings=False)
    before = parameters(model)
    tuner = add_adapters(model, settings)
    train_a_little(model, settings)
    tuner.unload()
    after = parameters(model)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_the_adapter_names_no_folder_of_this_machine_and_is_the_same_bytes_again(tmp_path: Path) -> None:
    job = lora_job(tmp_path / "job")
    one, other = job.run(tmp_path / "one") / "adapter", job.run(tmp_path / "other") / "adapter"
    config = json.loads((one / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] is None
    assert str(tmp_path) not in (one / "adapter_config.json").read_text()
    assert config["target_modules"] == sorted(config["target_modules"])
    assert (config["r"], config["lora_alpha"]) == (16, 32)
    names = {"adapter_config.json", "adapter_model.safetensors"}
    assert {path.name for path in one.iterdir()} == names
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def test_the_first_adapters_come_from_the_seed_and_leave_the_global_one_alone() -> None:
    def first(seed: int, global_seed: int) -> dict[str, torch.Tensor]:
        model = build_model("llama", vocabulary=50)
        torch.manual_seed(global_seed)
        expected = torch.rand(3, generator=torch.Generator().manual_seed(global_seed))
        add_adapters(model, Train(method="lora", seed=seed))
        assert torch.equal(torch.rand(3), expected)
        return {name: p for name, p in parameters(model).items() if ".lora_A." in name}

    one, same, other = first(1, 5), first(1, 6), first(2, 5)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_an_interrupted_training_ends_with_the_same_bytes(architecture: str, dropout: float, tmp_path: Path) -> None:
    job = lora_job(tmp_path / "job", architecture, dropout=dropout)
    whole, broken = job.run(tmp_path / "whole"), tmp_path / "broken"
    for num_steps in (2, 3):
        with interrupted_after(num_steps):
            job.run(broken)
    assert list(checkpoints_of(broken))
    job.run(broken)
    for file in ("model/model.safetensors", "adapter/adapter_model.safetensors", "metrics.jsonl"):
        assert (whole / file).read_bytes() == (broken / file).read_bytes(), file


def test_dropout_changes_what_is_learnt(tmp_path: Path) -> None:
    job = lora_job(tmp_path / "job")
    with_dropout = job.with_train(lora=Lora(dropout=0.3)).run(tmp_path / "dropout")
    losses = [
        [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]
        for out in (with_dropout, job.run(tmp_path / "none"))
    ]
    assert losses[0][0] == losses[1][0], "an adapter that starts at nothing drops nothing"
    assert losses[0][-1] != losses[1][-1]


@both_choices
def test_a_checkpoint_holds_what_is_trained_and_no_more(embeddings: bool, tmp_path: Path) -> None:
    settings = lora(embeddings=embeddings)
    model = build_model("llama", vocabulary=50)
    add_adapters(model, settings)
    optimizers = train_a_little(model, settings)
    save_checkpoint(tmp_path, model, optimizers, {"step": 3})
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert load_file(tmp_path / "step-000000003" / "weights.safetensors").keys() == trained

    again = build_model("llama", vocabulary=50)
    add_adapters(again, settings)
    restored = build_optimizers(again, settings)
    assert load_checkpoint(tmp_path, again, restored) == {"step": 3}
    train_a_little(model, settings, 3, 5, optimizers)
    train_a_little(again, settings, 3, 5, restored)
    here, there = parameters(model), parameters(again)
    assert all(torch.equal(here[name], there[name]) for name in here)


@both_choices
def test_the_loss_falls_on_what_is_learnt(embeddings: bool, tmp_path: Path) -> None:
    job = lora_job(tmp_path / "job", embeddings=embeddings)
    longer = job.with_blend(budget=job.blend.budget.model_copy(update={"tokens": 4000}))
    losses = [json.loads(line)["loss"] for line in (longer.run(tmp_path / "out") / "metrics.jsonl").open()]
    assert losses[-1] < 0.8 * losses[0]


def test_full_training_writes_no_adapter(tmp_path: Path) -> None:
    assert not (make_job(tmp_path / "job").run(tmp_path / "out") / "adapter").exists()


def test_a_second_writing_replaces_the_first(tmp_path: Path) -> None:
    tuner = add_adapters(build_model("llama", vocabulary=50), lora())
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "left-over").touch()
    save_adapters(tuner, lora(), tmp_path / "adapter")
    assert not (tmp_path / "adapter" / "left-over").exists()


def without_linear_layers() -> Any:
    model = build_model("llama", vocabulary=50)
    model.model.layers = torch.nn.ModuleList()
    return model


@pytest.mark.parametrize("make", [without_linear_layers, lambda: build_model("mamba", vocabulary=50)])
def test_an_architecture_without_a_place_for_adapters_is_refused_with_words(make: Any) -> None:
    with pytest.raises(InputError, match="adapters") as caught:
        add_adapters(make(), lora())
    assert caught.value.where == "train.method"
    assert "full" in str(caught.value.fix)
