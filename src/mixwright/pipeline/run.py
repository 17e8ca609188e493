"""`run`: a recipe to certificates, or as far as one is asked to go."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml

from mixwright.evidence.summary import summarise
from mixwright.evidence.uses import count_uses
from mixwright.ground.artefacts import Artefact, read_json, write_json
from mixwright.ground.errors import InputError
from mixwright.ground.executor import executor_for
from mixwright.ground.store import StageEvent, Store, full_disk_told
from mixwright.items.suite import suite_about
from mixwright.models.device import available_cores
from mixwright.pipeline.continuing import CONTINUED, check_continued
from mixwright.pipeline.lock import Lock, make_lock
from mixwright.pipeline.parallel import build_arms
from mixwright.pipeline.plan import Plan, make_plan
from mixwright.pipeline.rundir import place, point_latest
from mixwright.pipeline.stages import Stages
from mixwright.recipe.contract import Contract
from mixwright.recipe.load import LoadedRecipe
from mixwright.recipe.schema import BASE_ARM, MAIN_ARM, Recipe

Step: TypeAlias = Literal["curate", "tokenize", "blend", "train", "evaluate", "certify"]
STEPS: tuple[Step, ...] = ("curate", "tokenize", "blend", "train", "evaluate", "certify")


@dataclass(frozen=True)
class RunResult:
    """path: the run directory. verdict: of the blend, None when there is no contract or it was not reached.

    certificates: `certificate.json` by arm. summary: see `evidence.summary`. events: what each stage did. uses: by
    suite, how many different models its certifying items have judged so far, these among them.
    """

    path: Path
    lock: Lock
    verdict: str | None
    certificates: dict[str, dict[str, Any]] = field(default_factory=dict)
    summary: Sequence[Mapping[str, Any]] = ()
    events: Sequence[StageEvent] = ()
    uses: Mapping[str, int] = field(default_factory=dict)


def run_recipe(
    loaded: LoadedRecipe,
    *,
    out: Path,
    until: Step = "certify",
    threads: int | None = None,
    num_workers: int = 1,
    on_event: Callable[[StageEvent], None] = lambda event: None,
    continued: Artefact | None = None,
) -> RunResult:
    """Do everything up to `until`, reusing what is done. The store is `out/store`, the run `out/<name>-<lock>`.

    threads: of each computation; all cores, divided among the workers, when None. num_workers: processes for curation
    and for the arms of the run, which are trained and asked side by side. continued: from `continue_from`, the
    checkpoint of another run from which the blend goes on.
    Raises InputError for bad input and BrokenRun when the run cannot go on.
    """
    with stages_of(loaded, out, threads, num_workers, on_event, continued) as stages:
        run = out / f"{loaded.recipe.name}-{stages.lock.id[:10]}"
        if run.exists() and not run.is_dir():
            raise InputError("the run's folder is a file", where=str(run), fix="Move it away, or choose another --out.")
        run.mkdir(parents=True, exist_ok=True)
        with stages.store.locked("run", stages.lock.id[:24]):
            _write_about(run, loaded, stages.lock)
            result = _through(stages, run, STEPS.index(until))
            if until == STEPS[-1] or not _is_finished(run):  # a shorter command keeps the verdict that stands
                _write_run(run, loaded, stages.lock, result, stages.store.events)
            point_latest(run, loaded.recipe.name)
            return result


def plan_recipe(
    loaded: LoadedRecipe,
    *,
    out: Path,
    threads: int | None = None,
    num_workers: int = 1,
    on_event: Callable[[StageEvent], None] = lambda event: None,
) -> Plan:
    """What `run_recipe` would do, from the data as it is; arguments and errors as there."""
    with stages_of(loaded, out, threads, num_workers, on_event) as stages:
        return make_plan(stages)


@contextlib.contextmanager
def stages_of(
    loaded: LoadedRecipe,
    out: Path,
    threads: int | None,
    num_workers: int,
    on_event: Callable[[StageEvent], None],
    continued: Artefact | None = None,
) -> Iterator[Stages]:
    """The stages of a recipe; errors raised inside point at the recipe's lines, a full disk is a broken run."""
    store = Store(out / "store", on_event)
    try:
        with contextlib.closing(executor_for(num_workers)) as executor, full_disk_told("run folder", out):
            if threads is None and num_workers > 1:
                threads = max(1, available_cores() // num_workers)
            lock = replace(make_lock(loaded, store.file_digest, threads), continued=continued)
            check_continued(lock)
            store.file_digest.save()
            yield Stages(lock, store, executor)
    except InputError as error:
        raise loaded.located(error) from None


def _through(stages: Stages, run: Path, last: int) -> RunResult:
    recipe, arms = stages.recipe, stages.recipe.arm_names
    certificates: dict[str, dict[str, Any]] = {}
    summary: list[dict[str, Any]] = []
    for name, suite in stages.suites.items():
        _put(suite, run / "suites" / name)
    _put(stages.corpus(), run / "corpus")
    if last >= STEPS.index("tokenize"):
        for name in recipe.sources:
            _put(stages.tokens(name), run / "tokens" / name)
    if stages.lock.continued is not None:
        _put(stages.lock.continued, run / CONTINUED)
    if last >= STEPS.index("blend"):
        for arm in arms:  # all of them before any training: what cannot be realised is refused first
            _put(stages.blend(arm), run / "arms" / arm / "blend")
    stages.check()
    if last >= STEPS.index("evaluate") and recipe.suites:
        stages.responses(BASE_ARM)  # before any training: prompts that do not fit, models that cannot be asked
        if recipe.tune is not None:
            stages.responses(BASE_ARM, part="search")
    if last >= STEPS.index("train"):
        for name, teacher in {name: made for arm in arms for name, made in stages.teachers(arm).items()}.items():
            _put(teacher, run / "teachers" / name)
        build_arms(stages, train_only=last < STEPS.index("evaluate"))
        for arm in arms:
            if len(recipe.arm_candidates(arm)) > 1:
                _put(stages.choice(arm), run / "arms" / arm / "choice")
            _put(stages.model(arm), run / "arms" / arm / "training")
    if last >= STEPS.index("evaluate") and recipe.suites:
        for arm in (BASE_ARM, *arms):
            _put(stages.responses(arm), run / "arms" / arm / "responses")
            records = stages.records(arm)
            _put(records, run / "arms" / arm / "evaluation")
            if stages.session_requests:
                _put(stages.session(arm), run / "arms" / arm / "session")
        summary = _summary(stages)
    if last >= STEPS.index("certify") and recipe.contract is not None:
        for arm in arms:
            certificate = stages.certificate(arm)
            _put(certificate, run / "arms" / arm / "certificate")
            certificates[arm] = read_json(certificate / "certificate.json")
    verdict = certificates[MAIN_ARM]["verdict"] if certificates else None
    uses = _count_uses(stages, certificates) if certificates else {}
    return RunResult(run, stages.lock, verdict, certificates, summary, stages.store.events, uses)


def _count_uses(stages: Stages, certificates: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    splits = {name: str(suite_about(folder)["sha256"]) for name, folder in stages.items("certify").items()}
    models = {f"{stages.recipe.name}/{arm}": made["evidence"]["model"] for arm, made in certificates.items()}
    with stages.store.locked("uses", "ledger"):
        return count_uses(stages.store.root / "uses.json", splits, models)


def _summary(stages: Stages) -> list[dict[str, Any]]:
    arms = {arm: stages.records(arm) / "records.parquet" for arm in (BASE_ARM, *stages.recipe.arm_names)}
    about = {name: suite_about(folder) for name, folder in stages.items("certify").items()}
    return summarise(about, arms, BASE_ARM, _confidence(stages.recipe))


def _confidence(recipe: Recipe) -> float:
    return (recipe.contract or Contract()).confidence


def _is_finished(run: Path) -> bool:
    return (run / "run.json").exists() and read_json(run / "run.json").get("verdict") is not None


def _put(artefact: Any, at: Path) -> None:
    at.parent.mkdir(parents=True, exist_ok=True)
    place(artefact, at)


def _write_about(run: Path, loaded: LoadedRecipe, lock: Lock) -> None:
    write_json(run / "lock.json", lock.as_json())
    plain = loaded.recipe.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    text = yaml.safe_dump({"mixwright": 1, **plain}, sort_keys=False, allow_unicode=True, width=110)
    (run / "recipe.yaml").write_text(text, encoding="utf-8")


def _write_run(run: Path, loaded: LoadedRecipe, lock: Lock, result: RunResult, events: Sequence[StageEvent]) -> None:
    if result.summary:
        write_json(run / "summary.json", {"confidence": _confidence(loaded.recipe), "rows": [*result.summary]})
    arms = [BASE_ARM, *loaded.recipe.arm_names] if loaded.recipe.suites else [*loaded.recipe.arm_names]
    write_json(
        run / "run.json",
        {
            "mixwright": lock.as_json()["versions"]["mixwright"],  # type: ignore[index,call-overload]
            "name": loaded.recipe.name,
            "lock": lock.id,
            "command": shlex.join(["mixwright", *sys.argv[1:]]),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "arms": arms,
            "main_arm": MAIN_ARM,
            "verdict": result.verdict,
            "uses": dict(result.uses),
            "stages": [
                {
                    "stage": e.stage,
                    "label": e.label,
                    "key": e.key,
                    "status": e.status,
                    "seconds": round(e.seconds, 3),
                }
                for e in events
            ],
        },
    )
