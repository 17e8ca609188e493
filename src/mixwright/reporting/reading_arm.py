"""From the folder of one arm to `Arm`; a stage that the arm did not go through left no file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mixwright.evidence.render import notes
from mixwright.ground.errors import InputError
from mixwright.reporting.contents import (
    Answer,
    Arm,
    Candidate,
    Certificate,
    Choice,
    Clause,
    ItemKey,
    SearchClause,
    TrainingStep,
    Turn,
)
from mixwright.reporting.files import damaged, number, read_lines, read_object, understood

ANSWER_COLUMNS = ("item_id", "suite", "ability", "cluster", "response", "parsed", "score")


def read_arm(name: str, folder: Path) -> Arm:
    """Everything in `folder` that the report shows.

    Raises:
        InputError: a file cannot be read as what it claims to be.
    """
    realised, certificate = folder / "blend" / "realised.json", folder / "certificate" / "certificate.json"
    metrics, records = folder / "training" / "metrics.jsonl", folder / "evaluation" / "records.parquet"
    session, choice = folder / "session" / "session.json", folder / "choice" / "choice.json"
    return Arm(
        name=name,
        blend=read_object(realised) if realised.is_file() else None,
        training=_training(metrics, folder / "training" / "timing.jsonl") if metrics.is_file() else (),
        answers=_answers(records) if records.is_file() else {},
        certificate=_certificate(name, read_object(certificate)) if certificate.is_file() else None,
        session=_session(session) if session.is_file() else (),
        choice=_choice(choice) if choice.is_file() else None,
    )


def _training(metrics: Path, timing: Path) -> tuple[TrainingStep, ...]:
    """Steps with the wall time that stands apart from them in `timing.jsonl`."""
    seconds = {int(row["step"]): float(row["seconds"]) for row in read_lines(timing)} if timing.is_file() else {}
    return tuple(_training_step(row, seconds.get(int(row["step"]), 0.0)) for row in read_lines(metrics))


def _training_step(row: Mapping[str, Any], seconds: float) -> TrainingStep:
    return TrainingStep(
        step=int(row["step"]),
        tokens=int(row["tokens"]),
        loss=number(row["loss"]),
        loss_by_source=row.get("loss_by_source") or {},
        kl_by_source=row.get("kl_by_source") or {},
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
        notes=tuple(line.strip() for line in notes(row)),
        evidence=row.get("evidence") or {},
    )


def _clause(row: Mapping[str, Any]) -> Clause:
    return Clause(
        kind=str(row["kind"]),
        name=str(row["name"]),
        test=str(row["test"]),
        verdict=str(row["verdict"]),
        estimate=number(row["estimate"]),
        low=number(row["low"]),
        high=number(row["high"]),
        margin=float(row["margin"]),
        threshold=float(row["threshold"]),
        base=number(row["base"]),
        candidate=number(row["candidate"]),
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


def _session(path: Path) -> tuple[Turn, ...]:
    with understood(path):
        return tuple(
            Turn(str(turn["request"]), str(turn["response"]), bool(turn["finished"]))
            for turn in read_object(path)["turns"]
        )


def _choice(path: Path) -> Choice:
    with understood(path):
        row = read_object(path)
        choice = Choice(chosen=str(row["chosen"]), candidates=tuple(map(_candidate, row["candidates"])))
    if choice.chosen not in [candidate.label for candidate in choice.candidates]:
        raise damaged(path, f"the chosen setting '{choice.chosen}' is not among the candidates")
    return choice


def _candidate(row: Mapping[str, Any]) -> Candidate:
    return Candidate(
        label=str(row["label"]), slack=number(row["slack"]), clauses=tuple(map(_search_clause, row["clauses"]))
    )


def _search_clause(row: Mapping[str, Any]) -> SearchClause:
    return SearchClause(
        kind=str(row["kind"]),
        name=str(row["name"]),
        named=bool(row["named"]),
        base=number(row["base"]),
        candidate=number(row["candidate"]),
        estimate=number(row["estimate"]),
        threshold=number(row["threshold"]),
        slack=number(row["slack"]),
        num_items=int(row["num_items"]),
    )
