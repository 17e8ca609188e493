"""Two thousand pairs of record files with a known truth, each judged by `mixwright gate` in a process of its own.

    python benchmarks/evidence/through_cli.py --out rows.jsonl [--files 2000] [--minutes 35] [--workers 2]

The files are written by a generator that knows nothing of the judge: the standard library's random numbers, passages of
questions, one model that answers like the other but for flips. Four truths, in turn: nothing lost; a drop exactly at
the margin of the composite; a drop of two margins; one of twelve skills destroyed. Resumes by the rows in --out.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

MARGIN = 0.05
SKILLS = [f"skill{n:02}" for n in range(12)]
PASSAGES, QUESTIONS = 40, 5  # of each skill, in the mean
FLIPS = 0.08  # share of answers that differ though nothing is lost
CONTRACT = f"mixwright: 1\ncontract:\n  keep: {{general: {MARGIN}, each_ability: 0.15}}\n"
TRUTHS = ("same", "at the margin", "two margins", "one skill destroyed")
VERDICTS = {0: "PASS", 1: "FAIL", 3: "INCONCLUSIVE"}


def write_pair(folder: Path, number: int) -> str:
    """base.jsonl and candidate.jsonl, and what is true of them."""
    rng, truth = random.Random(f"pair {number}"), TRUTHS[number % len(TRUTHS)]
    drop = {"same": 0.0, "at the margin": MARGIN, "two margins": 2 * MARGIN, "one skill destroyed": 0.0}[truth]
    with (folder / "base.jsonl").open("w") as base, (folder / "candidate.jsonl").open("w") as candidate:
        for skill in SKILLS:
            level = rng.uniform(0.75, 0.85)
            for passage in range(PASSAGES):
                difficulty = rng.gauss(0, 0.05)
                for question in range(rng.randint(1, 2 * QUESTIONS - 1)):
                    before = rng.random() < level + difficulty
                    after = answer(rng, before, level + difficulty, drop)
                    if truth == "one skill destroyed" and skill == SKILLS[7]:
                        after = before and rng.random() < 0.6
                    item = {"suite": "skills", "ability": skill, "cluster": f"{skill}-{passage}", "scorer": "exact@1"}
                    item |= {"item_id": f"{skill}-{passage}-{question}", "build": "b1", "prompt": f"{skill} {question}"}
                    base.write(json.dumps(item | {"score": int(before), "decoding": "greedy"}) + "\n")
                    candidate.write(json.dumps(item | {"score": int(after), "decoding": "greedy"}) + "\n")
    return truth


def answer(rng: random.Random, before: bool, level: float, drop: float) -> bool:
    """Right answers are lost and wrong ones found so that FLIPS differ and `drop` is lost in the mean."""
    lost, found = (FLIPS + drop) / 2 / level, (FLIPS - drop) / 2 / (1 - level)
    return (rng.random() >= lost) if before else (rng.random() < max(found, 0.0))


def judge(number: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = write_pair(folder, number)
        (folder / "contract.yaml").write_text(CONTRACT)
        command = [sys.executable, "-m", "mixwright", "gate", "--contract", "contract.yaml", "--json"]
        ended = subprocess.run(
            [*command, "--base", "base.jsonl", "--candidate", "candidate.jsonl"], cwd=folder, capture_output=True
        )
    if ended.returncode not in VERDICTS:
        raise SystemExit(f"pair {number}: exit code {ended.returncode}\n{ended.stderr.decode()}")
    made = json.loads(ended.stdout)
    clauses = {clause["name"]: clause["verdict"] for clause in made["clauses"]}
    assert made["verdict"] == VERDICTS[ended.returncode]
    each = Counter(verdict for clause, verdict in clauses.items() if clause != "general")
    return {
        "number": number,
        "truth": truth,
        "verdict": made["verdict"],
        "general": clauses["general"],
        "each": dict(each),
        "destroyed": clauses[f"each_ability:skills/{SKILLS[7]}"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=35.0)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    rows = [json.loads(line) for line in given.out.read_text().splitlines()] if given.out.exists() else []
    done, end = {row["number"] for row in rows}, time.monotonic() + 60 * given.minutes
    missing = [number for number in range(given.files) if number not in done]

    def in_time(number: int) -> dict[str, Any] | None:
        return judge(number) if time.monotonic() < end else None

    with ThreadPoolExecutor(given.workers) as pool, given.out.open("a") as file:
        for row in pool.map(in_time, missing):
            if row is not None:
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                file.flush()
    print(f"{len(rows)} pairs\n| truth | pairs | composite PASS | PASS | FAIL | INCONCLUSIVE |")
    print("|---|---:|---:|---:|---:|---:|")
    for truth in TRUTHS:
        mine = [row for row in rows if row["truth"] == truth]
        if mine:
            shares = [sum(row["verdict"] == verdict for row in mine) / len(mine) for verdict in VERDICTS.values()]
            composite = sum(row["general"] == "PASS" for row in mine) / len(mine)
            print(
                f"| {truth} | {len(mine)} | {composite:.3f} | " + " | ".join(f"{share:.3f}" for share in shares) + " |"
            )


if __name__ == "__main__":
    main()
