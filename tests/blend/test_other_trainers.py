"""The blend inside Hugging Face `Trainer` and TRL `SFTTrainer`: the rows of the mixer, and the loss of our own loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_sources import make_plan, write_store
from tiny_models import build_model, save_tokenizer
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerCallback, TrainingArguments

from mixwright.blend.batches import Assembler
from mixwright.blend.dataset import BlendCollator, BlendRows, BlendSampler, BlendTable
from mixwright.blend.mixer import Mixer
from mixwright.models.packing import packed_inputs
from mixwright.tokens.store import TokenStore

PLAN = make_plan({"desk": 1, "skills": 2}, rows_per_batch=4, budget_tokens=4 * 64 * 7)
PAD = 0


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TokenStore]:
    folder, random = tmp_path_factory.mktemp("stores"), np.random.default_rng(0)

    def records() -> list[tuple[list[int], list[bool]]]:
        lengths = random.integers(2, 60, 40)
        return [(random.integers(1, 2000, n).tolist(), [False, *[True] * (n - 1)]) for n in lengths]

    return {name: write_store(folder / name, records()) for name in ("desk", "skills")}


@pytest.fixture(scope="module")
def steps(stores: dict[str, TokenStore]) -> tuple[list[list[list[int]]], list[float]]:
    """What each step of our own loop gives the model, row by row, and the loss of a model that does not learn."""
    model = build_model("llama")
    assembler = Assembler(stores, PLAN.names, pad_id=PAD)
    seen, losses = [], []
    for planned in Mixer(PLAN, stores):
        batch = assembler.tensors(planned, range(PLAN.rows_per_batch))
        ids, segment, position = (
            torch.from_numpy(array) for array in (batch.ids.astype(np.int64), batch.segment, batch.position)
        )
        learnt = torch.from_numpy(batch.loss)[:, 1:]
        with torch.no_grad():
            logits = model(**packed_inputs(model, ids, segment, position)).logits[:, :-1]
        seen.append([row[held >= 0].tolist() for row, held in zip(ids, segment, strict=True)])
        losses.append(float(cross_entropy(logits[learnt], ids[:, 1:][learnt])))
    return seen, losses


class Watch(TrainerCallback):
    """Keeps what enters the model and the logged losses, and stops after a step if asked to."""

    def __init__(self, model: Any, stop_after: int | None = None) -> None:
        self.rows: list[list[list[int]]] = []
        self.losses: list[float] = []
        self._stop_after = stop_after
        model.register_forward_pre_hook(self._look, with_kwargs=True)

    def _look(self, _: Any, __: Any, inputs: dict[str, Any]) -> None:
        mask = inputs["attention_mask"]  # padding sees itself alone
        used = mask[:, 0].sum(-1) if mask.dtype == torch.bool else (mask[:, 0] == 0).sum(-1)
        first = torch.arange(mask.shape[-1]) - used + 1  # where the record of each token begins
        rows = []
        for ids, begins in zip(inputs["input_ids"], first, strict=True):
            end = len(ids)
            while end and ids[end - 1] == PAD and begins[end - 1] == end - 1:
                end -= 1
            rows.append(ids[:end].tolist())
        self.rows.append(rows)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if "loss" in (logs or {}):
            self.losses.append(float(logs["loss"]))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self._stop_after:
            control.should_training_stop = True


def settings(folder: Path, kind: type = TrainingArguments, **changes: Any) -> Any:
    given = {
        "output_dir": str(folder),
        "max_steps": 7,
        "per_device_train_batch_size": PLAN.rows_per_batch,
        "learning_rate": 0.0,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": [],
        "remove_unused_columns": False,
        "use_cpu": True,
        "disable_tqdm": True,
    }
    return kind(**(given | changes))


def with_rows(model: Any, stores: dict[str, TokenStore], arguments: Any, **more: Any) -> Trainer:
    rows = BlendRows(PLAN, stores, pad_id=PAD)
    return Trainer(model, arguments, train_dataset=rows, data_collator=BlendCollator(model, PAD), **more)


class WithSampler(Trainer):
    """A `Trainer` whose batches are those of a `BlendSampler`."""

    blend: tuple[BlendTable, BlendSampler]

    def get_train_dataloader(self) -> Any:
        table, sampler = self.blend
        loader = DataLoader(table, batch_sampler=sampler, collate_fn=self.data_collator)
        return self.accelerator.prepare(loader)


def with_sampler(model: Any, stores: dict[str, TokenStore], arguments: Any, **more: Any) -> Trainer:
    trainer = WithSampler(model, arguments, train_dataset=[0], data_collator=BlendCollator(model, PAD), **more)
    trainer.blend = BlendTable(PLAN, stores, pad_id=PAD), BlendSampler(PLAN, stores, num_steps=7)
    return trainer


@pytest.mark.parametrize("make", [with_rows, with_sampler])
def test_a_trainer_sees_the_rows_of_the_mixer_and_has_the_loss_of_our_own_loop(
    make: Any, stores: dict[str, TokenStore], steps: tuple[list[list[list[int]]], list[float]], tmp_path: Path
) -> None:
    model = build_model("llama")
    watch = Watch(model)
    make(model, stores, settings(tmp_path), callbacks=[watch]).train()
    assert watch.rows == steps[0][:7]
    assert watch.losses == pytest.approx(steps[1][:7], abs=2e-4)


@pytest.mark.parametrize("make", [with_rows, with_sampler])
def test_a_trainer_stopped_and_resumed_sees_the_rest_and_ends_with_the_same_weights(
    make: Any, stores: dict[str, TokenStore], tmp_path: Path
) -> None:
    learning = {"learning_rate": 1e-3, "save_strategy": "steps", "save_steps": 3}
    models = {}
    rows = {}
    for name, stop_after in (("whole", None), ("broken", 3)):
        models[name] = build_model("llama")
        watch = Watch(models[name], stop_after)
        make(models[name], stores, settings(tmp_path / name, **learning), callbacks=[watch]).train()
        rows[name] = watch.rows
    assert len(rows["broken"]) == 3
    models["resumed"] = build_model("llama")
    watch = Watch(models["resumed"])
    again = make(models["resumed"], stores, settings(tmp_path / "broken", **learning), callbacks=[watch])
    again.train(resume_from_checkpoint=True)
    assert rows["broken"] + watch.rows == rows["whole"]
    whole, resumed = (models[name].state_dict() for name in ("whole", "resumed"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_trl_sees_the_rows_of_the_mixer_and_has_the_loss_of_our_own_loop(
    stores: dict[str, TokenStore], steps: tuple[list[list[list[int]]], list[float]], tmp_path: Path
) -> None:
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")
    model = build_model("llama")
    watch = Watch(model)
    rows = BlendRows(PLAN, stores, pad_id=PAD)
    trainer = trl.SFTTrainer(
        model,
        settings(tmp_path, trl.SFTConfig, dataset_kwargs={"skip_prepare_dataset": True}, max_length=None, bf16=False),
        train_dataset=datasets.IterableDataset.from_generator(lambda: iter(rows)),
        data_collator=BlendCollator(model, PAD),
        processing_class=save_tokenizer(tmp_path / "tokenizer"),
        callbacks=[watch],
    )
    trainer.train()
    assert watch.rows == steps[0][:7]
    assert watch.losses == pytest.approx(steps[1][:7], abs=2e-4)
