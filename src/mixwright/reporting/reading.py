"""From a run directory to `RunContents`.

`run.json` is the only file a run must have; a stage that was not part of the run leaves no file, and the
page then says so. A file that is there but cannot be understood is an error with its place, never a
silent gap: a report that hides a damaged certificate would be worse than none.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError
from mixwright.reporting.contents import (
    Answer,
    Arm,
    Certificate,
    Clause,
    Item,
    ItemKey,
    RunContents,
    RunStage,
    Suite,
    TrainingStep,
)

ANSWER_COLUMNS = ("item_id", "suite", "ability", "cluster", "response", "parsed", "score")


def read_run(run: Path) -> RunContents:
    """Read every file the report shows.

    Raises:
        InputError: `run` holds no run.json, or one of its files cannot be read as what it claims to be.
    """
    facts_file = run / "run.json"
    if not facts_file.is_file():
        raise InputError(
            "this is not a run directory: it has no run.json",
            where=str(run),
            fix="give the directory that `mixwright run` made (it holds run.json, recipe.yaml and arms/)",
        )
    facts = _read_json(facts_file)
    try:
        stages = tuple(_stage(row) for row in facts.get("stages", []))
        names = [str(name) for name in facts["arms"]]
        recipe, lock, attrition = run / "recipe.yaml", run / "lock.json", run / "corpus" / "attrition.json"
        return RunContents(
            path=run,
            name=str(facts["name"]),
            mixwright_version=str(facts.get("mixwright", "")),
            lock_hash=str(facts.get("lock", "")),
            command=str(facts.get("command", "")),
            created=str(facts.get("created", "")),
            main_arm=str(facts.get("main_arm") or names[-1]),
            verdict=facts.get("verdict"),
            stages=stages,
            recipe_text=recipe.read_text(encoding="utf-8") if recipe.is_file() else None,
            lock=_read_json(lock) if lock.is_file() else None,
            attrition=_read_json(attrition)["sources"] if attrition.is_file() else None,
            suites=tuple(_suite(path) for path in sorted(run.glob("suites/**/suite.json"))),
            items={item.key: item for path in sorted(run.glob("suites/**/items.jsonl")) for item in _items(path)},
            arms=tuple(_arm(name, run / "arms" / name) for name in names),
        )
    except (KeyError, IndexError) as error:
        raise InputError(
            f"a field is missing: {error}", where=str(run), fix="the directory is damaged: run its recipe again"
        ) from error


def _arm(name: str, folder: Path) -> Arm:
    realised, certificate = folder / "blend" / "realised.json", folder / "certificate" / "certificate.json"
    metrics, records = folder / "training" / "metrics.jsonl", folder / "evaluation" / "records.parquet"
    return Arm(
        name=name,
        blend=_read_json(realised) if realised.is_file() else None,
        training=_training(metrics, folder / "training" / "timing.jsonl") if metrics.is_file() else (),
        answers=_answers(records) if records.is_file() else {},
        certificate=_certificate(name, _read_json(certificate)) if certificate.is_file() else None,
    )


def _stage(row: Mapping[str, Any]) -> RunStage:
    return RunStage(
        label=str(row.get("label") or row["stage"]),
        key=str(row.get("key", "")),
        status=str(row.get("status", "")),
        seconds=float(row.get("seconds") or 0.0),
    )


def _suite(path: Path) -> Suite:
    row = _read_json(path)
    return Suite(
        name=str(row["name"]),
        role=str(row.get("role", "general")),
        version=str(row.get("version", "")),
        sha256=str(row.get("sha256", "")),
        scorer=str(row.get("scorer", "")),
        num_items=int(row["num_items"]),
    )


def _items(path: Path) -> Iterator[Item]:
    for row in _read_lines(path):
        yield Item(
            key=ItemKey(str(row["suite"]), str(row["item_id"])),
            ability=str(row["ability"]),
            prompt=tuple((str(turn["role"]), str(turn["content"])) for turn in row["prompt"]),
            target=str(row["target"]),
        )


def _training(metrics: Path, timing: Path) -> tuple[TrainingStep, ...]:
    """Steps with the wall time that stands apart from them in `timing.jsonl`."""
    seconds = {int(row["step"]): float(row["seconds"]) for row in _read_lines(timing)} if timing.is_file() else {}
    return tuple(_training_step(row, seconds.get(int(row["step"]), 0.0)) for row in _read_lines(metrics))


def _training_step(row: Mapping[str, Any], seconds: float) -> TrainingStep:
    return TrainingStep(
        step=int(row["step"]),
        tokens=int(row["tokens"]),
        loss=_number(row["loss"]),
        loss_by_source=row.get("loss_by_source") or {},
        learning_rate=float(row.get("learning_rate") or 0.0),
        seconds=seconds,
    )


def _answers(path: Path) -> dict[ItemKey, Answer]:
    import pyarrow.parquet as parquet

    try:
        table = parquet.read_table(path, columns=list(ANSWER_COLUMNS))
    except (OSError, ValueError) as error:
        raise InputError(
            f"these evaluation records cannot be read: {error}",
            where=str(path),
            fix="delete the file and run `mixwright run` again; only the evaluation is repeated",
        ) from error
    answers: dict[ItemKey, Answer] = {}
    for row in table.to_pylist():
        key = ItemKey(str(row["suite"]), str(row["item_id"]))
        answers.setdefault(
            key,
            Answer(
                key=key,
                ability=str(row["ability"]),
                cluster=str(row["cluster"] or row["item_id"]),
                response=row["response"] or "",
                parsed=bool(row["parsed"]),
                score=float(row["score"] or 0.0),
            ),
        )
    return answers


def _certificate(arm: str, row: Mapping[str, Any]) -> Certificate:
    return Certificate(
        arm=arm,
        verdict=str(row["verdict"]),
        confidence=float(row["confidence"]),
        clauses=tuple(_clause(clause) for clause in row["clauses"]),
        evidence=row.get("evidence") or {},
    )


def _clause(row: Mapping[str, Any]) -> Clause:
    margin = float(row["margin"])
    sign = 1.0 if row["kind"] == "improve" else -1.0
    return Clause(
        kind=str(row["kind"]),
        name=str(row["name"]),
        verdict=str(row["verdict"]),
        estimate=_number(row["estimate"]),
        low=_number(row["low"]),
        high=_number(row["high"]),
        margin=margin,
        threshold=float(row.get("threshold", sign * margin)),
        base=_number(row["base"]),
        candidate=_number(row["candidate"]),
        parse_rate_base=row.get("parse_rate_base"),
        parse_rate_candidate=row.get("parse_rate_candidate"),
        num_items=int(row["num_items"]),
        num_clusters=row.get("num_clusters"),
        num_discordant=row.get("num_discordant"),
        method=str(row.get("method", "")),
        power=row.get("power"),
        settle=row.get("settle"),
        reason=row.get("reason"),
    )


def _number(value: float | None) -> float:
    """JSON has no NaN: a number that could not be computed is null in a file and NaN here."""
    return math.nan if value is None else float(value)


def _read_json(path: Path) -> dict[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise _unreadable(path, "it holds no JSON object")
    return value


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except ValueError as error:
                raise _unreadable(f"{path}:{number}", error) from error


def _unreadable(where: Path | str, problem: object) -> InputError:
    return InputError(
        f"this file cannot be read as JSON: {problem}",
        where=str(where),
        fix="delete the damaged folder and run the recipe again",
    )
