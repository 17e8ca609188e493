"""A multiple-choice suite, written and weighed, in one run from recipe to scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from small_project import run_project, write_project

from mixwright.items.suite import read_items

SUITE = 'role: domain, path: exam.jsonl, prompt: "{question}", target: "{right}", scorer: {choice: {options: "{all}"}}'
ROWS = [
    {"question": f"Which of these is number {n}?", "right": str(n), "all": [str(n), str(n + 1), f"{n} {n}"]}
    for n in range(6)
]


def test_a_suite_can_be_written_and_weighed_and_the_two_are_never_paired(tmp_path: Path) -> None:
    file = write_project(tmp_path)
    suites = f"suites:\n  written: {{{SUITE}}}\n  weighed: {{{SUITE}, answer: likelihood, normalise: characters}}\n"
    file.write_text(file.read_text().replace("suites:\n", suites))
    (tmp_path / "exam.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    result = run_project(file, tmp_path / "runs", ["blend.budget.tokens=600"], until="evaluate")

    items = {name: read_items(result.path / "suites" / name) for name in ("written", "weighed")}
    ids = {name: {item.item_id for item in asked} for name, asked in items.items()}
    assert all(len(found) == len(ROWS) for found in ids.values())
    assert not ids["written"] & ids["weighed"]

    def rows(arm: str, path: str) -> dict[str, dict[str, Any]]:
        table = pq.read_table(result.path / "arms" / arm / path).to_pylist()
        return {row["item_id"]: row for row in table if row["suite"] == "weighed"}

    for arm in ("base", "blend"):
        responses, records = rows(arm, "responses/responses.parquet"), rows(arm, "evaluation/records.parquet")
        for item in items["weighed"]:
            response, record = responses[item.item_id], records[item.item_id]
            assert len(response["log_probabilities"]) == 3
            assert record["parsed"]
            assert record["response"] == response["response"]
            assert record["score"] == float(record["response"] == item.target)
            assert record["scorer"] == "choice@1"
