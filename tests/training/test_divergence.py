"""The KL term: the divergence it says it is, and a model held to its base where a source is taught."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from training_jobs import Job, interrupted_after, make_job

from mixwright.models.predictions import likeliest
from mixwright.tokens.teach import teach
from mixwright.tokens.teacher import Teacher
from mixwright.training.divergence import divergence, towards_base
from mixwright.training.train import Taught


def drawn(seed: int, tokens: int, vocabulary: int, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    one, other = (scale * torch.randn(tokens, vocabulary, generator=generator) for _ in range(2))
    return one, other


def whole(base: torch.Tensor, model: torch.Tensor) -> torch.Tensor:
    """KL over the whole vocabulary, in double precision."""
    base, model = base.double().log_softmax(-1), model.double().log_softmax(-1)
    return (base.exp() * (base - model)).sum(-1)


cases = st.tuples(st.integers(0, 2**31), st.integers(1, 5), st.integers(3, 40), st.floats(0.1, 20))


@settings(deadline=None)
@given(cases)
def test_with_all_tokens_but_one_it_is_the_divergence_of_the_whole_vocabulary(
    case: tuple[int, int, int, float],
) -> None:
    base, model = drawn(*case)
    found = divergence(model, *likeliest(base, case[2] - 1))
    torch.testing.assert_close(found.double(), whole(base, model), rtol=1e-4, atol=1e-4)


@settings(deadline=None)
@given(cases, st.data())
def test_with_fewer_it_is_never_more_never_negative_and_nothing_where_nothing_moved(
    case: tuple[int, int, int, float], data: st.DataObject
) -> None:
    base, model = drawn(*case)
    kept = likeliest(base, data.draw(st.integers(1, case[2] - 1)))
    found = divergence(model, *kept).double()
    assert (found <= whole(base, model) * (1 + 1e-4) + 1e-4).all()
    assert (found >= -1e-4).all()
    torch.testing.assert_close(divergence(base, *kept), torch.zeros(len(base)), rtol=0, atol=1e-4)


def test_mass_that_leaves_the_kept_tokens_is_seen() -> None:
    base = torch.tensor([[2.0, 1.0, -20.0, -20.0]])
    model = base + torch.tensor([[0.0, 0.0, 25.0, 0.0]])  # the two kept tokens keep their ratio
    assert float(divergence(model, *likeliest(base, 2))) > 2


def test_gradients_are_finite_where_the_base_was_certain() -> None:
    logits = torch.tensor([[60.0, -60.0, -60.0]], requires_grad=True)
    ids, log_probabilities = likeliest(torch.tensor([[60.0, -60.0, -60.0]]), 1)
    divergence(logits, ids, log_probabilities.half().clamp(min=torch.finfo(torch.float16).min)).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_only_taught_tokens_are_learnt_from_the_base_and_in_the_parts_asked_for() -> None:
    base, model = drawn(0, 3, 8, 1.0)
    losses, weight = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 1.0, 0.25])
    ids, log_probabilities = likeliest(base[1:], 3)
    mixed, found = towards_base(losses, model, weight, ids, log_probabilities)
    assert mixed.tolist() == pytest.approx([1.0, float(found[0]), 0.75 * 3.0 + 0.25 * float(found[1])])


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    return make_job(tmp_path_factory.mktemp("job"))


def taught(job: Job, top_k: int = 8, weight: float = 1.0) -> dict[str, Taught]:
    out = job.folder / f"taught-{top_k}"
    out.mkdir(exist_ok=True)
    teach("skills", job.stores()["skills"], job.folder / "base", top_k=top_k, device="cpu", precision="fp32", out=out)
    return {"skills": Taught(Teacher(out), weight)}


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_the_untrained_model_does_not_diverge_and_a_taught_source_keeps_it_near(job: Job, tmp_path: Path) -> None:
    free = lines(job.run(tmp_path / "free", taught=taught(job, weight=1e-9)))
    held = lines(job.run(tmp_path / "held", taught=taught(job)))
    for run in (free, held):
        assert abs(run[0]["kl_by_source"]["skills"]) < 1e-3  # the base has not moved yet
    assert held[-1]["kl_by_source"]["skills"] < 0.5 * free[-1]["kl_by_source"]["skills"]
    assert all(set(line["kl_by_source"]) == {"skills"} for line in held)
    assert "kl_by_source" not in lines(job.run(tmp_path / "plain"))[0]


def test_a_training_on_a_taught_source_alone_leaves_the_base_where_it_is(job: Job, tmp_path: Path) -> None:
    alone = job.with_blend(shares={"skills": 1})
    held = lines(alone.run(tmp_path / "held", taught=taught(alone)))
    told = lines(alone.run(tmp_path / "told", taught=taught(alone, weight=1e-9)))
    assert max(line["kl_by_source"]["skills"] for line in held) < 0.25 * told[-1]["kl_by_source"]["skills"]
    assert told[-1]["loss_by_source"]["skills"] < held[-1]["loss_by_source"]["skills"]  # which did not learn the tokens


@pytest.mark.parametrize("changes", [{"micro_batch_rows": 1}, {"micro_batch_rows": 3}])
def test_micro_batches_see_the_expectations_of_their_own_rows(
    job: Job, tmp_path: Path, changes: dict[str, int]
) -> None:
    expected = taught(job, weight=0.5)
    whole, parts = (
        job.run(tmp_path / "whole", taught=expected),
        job.with_train(**changes).run(tmp_path / "parts", taught=expected),
    )
    for one, other in zip(lines(whole), lines(parts), strict=True):
        assert one["kl_by_source"]["skills"] == pytest.approx(other["kl_by_source"]["skills"], abs=2e-4)


def test_rows_that_hold_one_record_each_are_taught_the_same(job: Job, tmp_path: Path) -> None:
    padded = job.with_blend(packing=False).with_train(checkpoint_seconds=1e9)
    first = lines(padded.run(tmp_path / "padded", taught=taught(job)))[0]
    assert abs(first["kl_by_source"]["skills"]) < 1e-3


def test_a_taught_training_that_is_interrupted_ends_with_the_same_weights(job: Job, tmp_path: Path) -> None:
    expected = taught(job)
    whole, broken = job.run(tmp_path / "whole", taught=expected), tmp_path / "broken"
    for num_steps in (0, 2, 1):
        with interrupted_after(num_steps):
            job.run(broken, taught=expected)
    job.run(broken, taught=expected)
    for name in ("model/model.safetensors", "metrics.jsonl"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()


def test_sources_that_keep_different_numbers_of_tokens_go_together(job: Job, tmp_path: Path) -> None:
    few = taught(job, top_k=2)
    out = job.folder / "taught-desk"
    out.mkdir()
    teach("desk", job.stores()["desk"], job.folder / "base", top_k=9, device="cpu", precision="fp32", out=out)
    first = lines(job.run(tmp_path / "out", taught={**few, "desk": Taught(Teacher(out), 1.0)}))[0]
    assert {name: abs(value) < 1e-3 for name, value in first["kl_by_source"].items()} == {"desk": True, "skills": True}
    assert np.isfinite(first["loss"])
