"""Training: resumed anywhere it ends with the same weights bit for bit, and it counts what really entered."""

from __future__ import annotations

import json
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from training_jobs import NAMES, Job, checkpoints_of, interrupted_after, make_job, train_slowly
from transformers import AutoModelForCausalLM

from mixwright.blend.batches import Assembler, Batch
from mixwright.blend.mixer import Mixer
from mixwright.ground.artefacts import SCRATCH, data_files
from mixwright.ground.errors import BrokenRun, InputError
from mixwright.models.tokenizer import ChatTokenizer


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    return make_job(tmp_path_factory.mktemp("job"))


@pytest.fixture(scope="module")
def undisturbed(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return job.run(tmp_path_factory.mktemp("undisturbed"))


def weights(out: Path) -> bytes:
    return (out / "model" / "model.safetensors").read_bytes()


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def same_result(one: Path, other: Path) -> bool:
    return (
        weights(one) == weights(other)
        and (one / "metrics.jsonl").read_bytes() == (other / "metrics.jsonl").read_bytes()
    )


def test_the_same_training_gives_the_same_weights(job: Job, undisturbed: Path, tmp_path: Path) -> None:
    assert same_result(job.run(tmp_path), undisturbed)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_training_interrupted_again_and_again_ends_with_the_same_weights(
    job: Job, tmp_path: Path, optimizer: str
) -> None:
    interrupt_and_compare(job.with_train(optimizer=optimizer, schedule="wsd"), tmp_path)


def test_dropout_is_the_same_after_an_interruption(tmp_path: Path) -> None:
    job = make_job(tmp_path / "job", "gpt2")
    assert json.loads((job.folder / "base" / "config.json").read_text())["resid_pdrop"] > 0
    interrupt_and_compare(job, tmp_path)


def interrupt_and_compare(job: Job, folder: Path) -> None:
    """Now with a checkpoint after every step, now without any, so that steps and metrics behind one are done again."""
    whole, broken = job.run(folder / "whole"), folder / "broken"
    for num_steps, seconds in ((0, 1e-9), (2, 1e-9), (3, 1e9), (2, 1e-9), (1, 1e9)):
        with interrupted_after(num_steps):
            job.with_train(checkpoint_seconds=seconds).run(broken)
    assert list(checkpoints_of(broken))
    assert same_result(job.run(broken), whole)


def test_a_training_that_is_killed_ends_with_the_same_weights(job: Job, undisturbed: Path, tmp_path: Path) -> None:
    process = get_context("spawn").Process(target=train_slowly, args=(job, tmp_path))
    process.start()
    deadline = time.monotonic() + 60
    while not list(checkpoints_of(tmp_path)) and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.join()
    assert process.exitcode == -9
    assert list(checkpoints_of(tmp_path))
    assert not (tmp_path / "model").exists()
    assert same_result(job.run(tmp_path), undisturbed)


def test_how_often_checkpoints_are_written_changes_nothing(job: Job, undisturbed: Path, tmp_path: Path) -> None:
    assert same_result(job.with_train(checkpoint_seconds=1e9).run(tmp_path), undisturbed)
    assert not any(name.startswith(SCRATCH) for folder in (tmp_path, undisturbed) for name in data_files(folder))


def test_micro_batches_change_the_result_by_rounding_alone(job: Job, tmp_path: Path) -> None:
    """One step of plain descent: the weights differ from the base by the gradient."""
    one_step = job.with_blend(budget=job.blend.budget.model_copy(update={"tokens": 128}))
    whole = one_step.run(tmp_path / "whole")
    parts = one_step.with_train(micro_batch_rows=1).run(tmp_path / "parts")
    base = load_file(job.folder / "base" / "model.safetensors")
    one, other = (load_file(out / "model" / "model.safetensors") for out in (whole, parts))
    assert any(not torch.equal(one[name], base[name]) for name in base)
    for name in base:
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=1e-5)
    for left, right in zip(lines(whole), lines(parts), strict=True):
        assert left["loss"] == pytest.approx(right["loss"], abs=2e-6)


def batches(job: Job) -> list[Batch]:
    stores = job.stores()
    mixer = Mixer(job.plan, stores)
    assembler = Assembler(stores, mixer.names, pad_id=0)
    return [assembler.tensors(batch, range(batch.num_rows)) for batch in mixer]


def test_the_loss_of_a_step_is_the_mean_over_its_supervised_tokens_and_adds_up_from_the_sources(
    job: Job, undisturbed: Path
) -> None:
    for batch, line in zip(batches(job), lines(undisturbed), strict=True):
        counts = np.bincount(batch.source[batch.loss], minlength=len(NAMES))
        parts = [line["loss_by_source"][name] or 0.0 for name in NAMES]
        assert line["loss"] == pytest.approx(np.dot(parts, counts) / counts.sum(), abs=2e-6)


def test_the_first_loss_is_that_of_the_base_on_each_record_alone(job: Job, undisturbed: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(job.folder / "base").eval()
    batch = batches(job)[0]
    total = 0.0
    for row in range(len(batch.ids)):
        for number in range(int(batch.segment[row].max()) + 1):
            here = batch.segment[row] == number
            ids, mask = torch.from_numpy(batch.ids[row, here].astype(np.int64)), torch.from_numpy(batch.loss[row, here])
            with torch.no_grad():
                logps = model(input_ids=ids[None]).logits[0].log_softmax(-1)
            each = -logps[:-1].gather(-1, ids[1:, None])[:, 0]
            total += float(each[mask[1:]].sum())
    assert lines(undisturbed)[0]["loss"] == pytest.approx(total / batch.num_supervised, rel=1e-5)


def test_the_tokens_that_entered_are_those_that_the_blend_realised(job: Job, undisturbed: Path) -> None:
    assert lines(undisturbed)[-1]["tokens"] == sum(job.realised["totals"]["tokens"].values())
    assert lines(undisturbed)[-1]["step"] == job.realised["num_steps"]


def test_the_loss_falls_on_what_is_learnt(job: Job, tmp_path: Path) -> None:
    longer = job.with_blend(budget=job.blend.budget.model_copy(update={"tokens": 6000}))
    found = lines(longer.run(tmp_path))
    assert found[-1]["loss"] < 0.7 * found[0]["loss"]


def test_the_trained_model_is_a_whole_folder_that_transformers_opens(job: Job, undisturbed: Path) -> None:
    folder = undisturbed / "model"
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.config.model_type == "llama"
    base, trained = ChatTokenizer(job.folder / "base"), ChatTokenizer(folder)
    prompt = [{"role": "user", "content": "Hello"}]
    assert trained.prompt_ids(prompt) == base.prompt_ids(prompt)
    assert model.generation_config.eos_token_id == base.inner.eos_token_id
    assert not list(folder.glob("*.bin"))


@pytest.mark.parametrize("architecture", ["gpt2", "qwen3"])
def test_other_architectures_are_trained_packed(architecture: str, tmp_path: Path) -> None:
    job = make_job(tmp_path / "job", architecture)
    assert lines(job.run(tmp_path / "out"))[-1]["step"] == job.realised["num_steps"]


def test_an_architecture_without_a_block_mask_is_refused_before_a_step_and_trained_padded(tmp_path: Path) -> None:
    job = make_job(tmp_path / "job", "mamba")
    with pytest.raises(InputError) as caught:
        job.run(tmp_path / "packed")
    assert caught.value.where == "blend.packing"
    padded = job.with_blend(packing=False, budget=job.blend.budget.model_copy(update={"tokens": 200}))
    assert len(lines(padded.run(tmp_path / "padded"))) == padded.realised["num_steps"]


def test_padded_rows_are_resumed_as_well(job: Job, tmp_path: Path) -> None:
    padded = job.with_blend(packing=False)
    whole = padded.run(tmp_path / "whole")
    with interrupted_after(3):
        padded.with_train(checkpoint_seconds=1e-9).run(tmp_path / "broken")
    assert same_result(padded.run(tmp_path / "broken"), whole)


def test_a_loss_that_is_no_longer_finite_breaks_the_run_with_words(job: Job, tmp_path: Path) -> None:
    with pytest.raises(BrokenRun, match="finite") as caught:
        job.with_train(learning_rate=1e30, warmup=0.0, schedule="constant").run(tmp_path)
    assert "learning_rate" in str(caught.value.where)
    assert not (tmp_path / "model").exists()
