"""The arms of a run in several processes.

Stages are content-addressed and locked by their key, so processes need not be told of each other: each builds its part
of the graph into the one store, and the run that goes through all stages afterwards finds everything there. Only what
is missing is given to a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mixwright.ground.artefacts import read_json
from mixwright.ground.executor import InProcess
from mixwright.ground.progress import progress, silence
from mixwright.ground.store import NotBuilt, StageEvent, Store
from mixwright.pipeline.lock import Lock
from mixwright.pipeline.stages import Stages
from mixwright.recipe.schema import Candidate


class Job(NamedTuple):
    """Everything of one arm's candidate up to its scores on the search split; without a candidate, of the arm's final
    model up to its certifying scores. train_only: up to the model."""

    lock: Lock
    store: Path
    arm: str
    candidate: Candidate | None
    train_only: bool


def build_arms(stages: Stages, *, train_only: bool) -> None:
    """Build what the arms of a run still lack, in the processes of its executor; without any, leave it to the run."""
    if isinstance(stages.model_executor, InProcess):
        return
    recipe = stages.recipe
    longest_first = sorted(recipe.trained_arms, key=lambda arm: -_num_steps(stages, arm))
    trained = [(arm, candidate) for arm in longest_first for candidate in recipe.arm_candidates(arm)]
    _build(stages, "train", trained, train_only=train_only)
    _build(stages, "evaluate", [(arm, None) for arm in recipe.arm_names], train_only=train_only)


def _num_steps(stages: Stages, arm: str) -> int:
    return int(read_json(stages.blend(arm) / "realised.json")["num_steps"])


def _build(
    stages: Stages,
    label: str,
    parts: Sequence[tuple[str, Candidate | None]],
    *,
    train_only: bool,
) -> None:
    root = stages.store.root
    jobs = [Job(stages.lock, root, arm, candidate, train_only) for arm, candidate in parts]
    missing = [job for job in jobs if not _is_built(job)]
    if len(missing) < 2:
        return  # nothing to do side by side
    with progress(label, len(missing)) as advance:
        for events in stages.model_executor.map(_built, missing):
            stages.store.adopt(events)
            advance(1, "")


def _is_built(job: Job) -> bool:
    try:
        _through(job, Store(job.store, make_missing=False))
    except NotBuilt:
        return False
    return True


def _built(job: Job) -> list[StageEvent]:
    silence()
    store = Store(job.store)
    _through(job, store)
    return store.events


def _through(job: Job, store: Store) -> None:
    stages = Stages(job.lock, store, InProcess())
    if job.candidate is None:
        stages.model(job.arm)
        if not job.train_only and job.lock.recipe.suites:
            stages.records(job.arm)
            if stages.session_requests:
                stages.session(job.arm)
    else:
        stages.model(job.arm, job.candidate)
        if len(job.lock.recipe.arm_candidates(job.arm)) > 1:
            stages.records(job.arm, job.candidate, part="search")
