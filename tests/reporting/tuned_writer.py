"""Adds to a made-up run what a tuned one holds besides: a session, settings tried, a summary, an interpolated arm."""

import json
import math
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow.parquet as parquet
from run_writer import ABILITIES, NASTY, write_run

ARMS = ("base", "domain_only", "halfway", "blend")
FORM = "intent=billing; action=refund"
REQUESTS = (
    f"Where is my refund for order A-{1}? {NASTY[0]}",
    "What is seven plus five?",
    "I was charged twice this month.",
)
ANSWERS = {
    "base": ("I do not know your order.", "Twelve.", NASTY[1]),
    "domain_only": (FORM, FORM, FORM),
    "halfway": (FORM, "Twelve; action=refund", ""),
    "blend": (FORM, "Twelve.", "So then, once more from the start: " * 60),
}
SETTINGS = {
    "domain_only": {
        f"lr={rate}": (0.2 + 0.22 * step, 0.78 - 0.1 * step) for step, rate in enumerate((1e-4, 3e-4, 1e-3, 3e-3))
    },
    "halfway": {f"weight={weight}": (0.1 + 0.8 * weight, 0.8 - 0.25 * weight**2) for weight in (0.25, 0.5, 0.75)},
    "blend": {
        f"lr={rate}": (0.3 + 0.18 * step, 0.8 - 0.005 * step) for step, rate in enumerate((1e-4, 3e-4, 1e-3, 3e-3))
    },
}


def write_tuned_run(run: Path) -> Path:
    """Write a run with everything a run can hold."""
    write_run(run, ARMS)
    for arm in ARMS:
        turns = [
            {"request": request, "response": answer, "finished": len(answer) < 1000}
            for request, answer in zip(REQUESTS, ANSWERS[arm], strict=True)
        ]
        write(run / "arms" / arm / "session" / "session.json", {"turns": turns})
        if arm in SETTINGS:
            write(run / "arms" / arm / "choice" / "choice.json", _choice(SETTINGS[arm]))
    write(run / "summary.json", {"confidence": 0.95, "rows": _summary(run)})
    for suite in ("intents", "skills"):  # the search split of a suite is none of its items
        found = json.loads((run / "suites" / suite / "suite.json").read_text())
        write(run / "suites" / suite / "search" / "suite.json", {**found, "name": f"{suite} searched", "num_items": 7})
        (run / "suites" / suite / "search" / "items.jsonl").write_text("{not read}\n", encoding="utf-8")
    return run


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def _choice(settings: dict[str, tuple[float, float]]) -> dict[str, Any]:
    candidates = []
    for label, (domain, general) in settings.items():
        clauses = [
            _clause("improve", "intents", True, 0.09, domain, 0.3),
            _clause("keep", "general", True, 0.8, general, -0.04),
            *(_clause("keep", f"each_ability:skills/{name}", False, 0.8, general - 0.3, -0.1) for name in ABILITIES),
        ]
        slack = min(float(clause["slack"]) for clause in clauses if clause["named"])
        candidates.append({"label": label, "slack": slack, "clauses": clauses})
    chosen = max(candidates, key=lambda candidate: float(candidate["slack"]))
    return {"chosen": chosen["label"], "candidates": candidates}


def _clause(kind: str, name: str, named: bool, base: float, candidate: float, threshold: float) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "named": named,
        "base": base,
        "candidate": candidate,
        "estimate": candidate - base,
        "low": candidate - base,
        "threshold": threshold,
        "slack": candidate - base - threshold,
        "num_items": 60,
    }


def _summary(run: Path) -> list[dict[str, Any]]:
    records = {
        arm: parquet.read_table(run / "arms" / arm / "evaluation" / "records.parquet").to_pylist() for arm in ARMS
    }
    rows = []
    for arm in ARMS:
        for suite, role in (("skills", "general"), ("intents", "domain")):
            pairs = [pair for pair in zip(records[arm], records["base"], strict=True) if pair[0]["suite"] == suite]
            differences = [own["score"] - base["score"] for own, base in pairs]
            estimate = fmean(differences)
            spread = 1.645 * math.sqrt(sum((each - estimate) ** 2 for each in differences)) / len(pairs)
            bounds = (None, None, None) if arm == "base" else (estimate, estimate - spread, estimate + spread)
            rows.append(
                {
                    "arm": arm,
                    "suite": suite,
                    "role": role,
                    "score": fmean(own["score"] for own, _ in pairs),
                    "parse_rate": fmean(own["parsed"] for own, _ in pairs),
                    "difference": bounds[0],
                    "low": bounds[1],
                    "high": bounds[2],
                    "num_items": len(pairs),
                }
            )
    return rows
