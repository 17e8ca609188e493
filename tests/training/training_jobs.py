"""Small trainings of a model with random weights on random tokens, and ways to break them off."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_sources import write_store
from tiny_models import save_model
from torch.optim.optimizer import register_optimizer_step_post_hook

from mixwright.blend.mixer import MixPlan
from mixwright.blend.plan import mix_plan, plan_blend
from mixwright.ground.artefacts import SCRATCH, read_json
from mixwright.recipe.data import Source
from mixwright.recipe.training import Blend, Train
from mixwright.tokens.store import TokenStore
from mixwright.training.train import Taught, train

SOURCES = {
    "desk": Source.model_validate({"role": "domain", "path": "a.jsonl"}),
    "skills": Source.model_validate({"role": "general", "path": "b.jsonl"}),
}
NAMES = sorted(SOURCES)


@dataclass(frozen=True)
class Job:
    """Everything `train` needs. folder: holds `base/`, `desk/`, `skills/`; blend plans go to `plans/`."""

    folder: Path
    blend: Blend
    settings: Train

    def stores(self) -> dict[str, TokenStore]:
        return {name: TokenStore(self.folder / name) for name in SOURCES}

    @property
    def plan(self) -> MixPlan:
        return mix_plan(self.blend, self.settings, SOURCES, self.stores())

    @property
    def realised(self) -> dict[str, Any]:
        out = self.folder / "plans"
        out.mkdir(exist_ok=True)
        plan_blend("blend", self.plan, self.blend, SOURCES, self.stores(), out)
        realised: dict[str, Any] = read_json(out / "realised.json")
        return realised

    def with_train(self, **changes: Any) -> Job:
        return replace(self, settings=self.settings.model_copy(update=changes))

    def with_blend(self, **changes: Any) -> Job:
        return replace(self, blend=self.blend.model_copy(update=changes))

    def run(self, out: Path, taught: Mapping[str, Taught] | None = None) -> Path:
        """Train to the end, resuming what lies in `out`."""
        import torch

        torch.set_num_threads(1)
        out.mkdir(exist_ok=True)
        train(
            "blend",
            self.folder / "base",
            self.plan,
            self.stores(),
            self.realised,
            self.settings,
            device="cpu",
            precision="fp32",
            out=out,
            taught=taught,
        )
        return out


def make_job(folder: Path, architecture: str = "llama") -> Job:
    """About a dozen steps over two sources, the records of one half as long as those of the other."""
    save_model(folder / "base", architecture)
    random = np.random.default_rng(0)
    for name, size in (("desk", 30), ("skills", 15)):
        lengths = random.integers(2, size, 20)
        write_store(
            folder / name,
            [(random.integers(0, 2048, n).tolist(), [i > n // 3 for i in range(n)]) for n in lengths],
        )
    return Job(
        folder,
        Blend.model_validate({"shares": {"desk": 0.5, "skills": 0.5}, "budget": {"tokens": 1500}}),
        Train(sequence_length=32, batch_tokens=128, learning_rate=0.01, warmup=0.2, checkpoint_seconds=1e-9),
    )


class Interrupted(Exception):
    """What a test does to a training."""


@contextmanager
def interrupted_after(num_steps: int) -> Iterator[None]:
    """A training in here is ended by its optimizer in the step after so many, before anything is kept of that step."""
    steps = count()

    def end(*_: Any) -> None:
        if next(steps) == num_steps:
            raise Interrupted

    handle = register_optimizer_step_post_hook(end)
    try:
        with pytest.raises(Interrupted):
            yield
    finally:
        handle.remove()


def train_slowly(job: Job, out: Path) -> None:
    """For a process that will be killed."""
    register_optimizer_step_post_hook(lambda *_: time.sleep(0.2))
    job.run(out)


def checkpoints_of(out: Path) -> Iterator[Path]:
    return (out / SCRATCH).glob("step-*")
