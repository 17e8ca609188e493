"""Verdicts where the truth is known: how often is a PASS false, is the planned power reached, do intervals cover?

    python benchmarks/evidence/simulate.py --out rows.jsonl [--replicates 10000] [--minutes 35]

Every replicate goes the way a certificate goes (`paired_difference`, `stratified_difference`, `noninferiority`,
`sequential_test`); the answers are drawn here, by a generator of their own. Rows are appended cell by cell, so the
command resumes; --minutes ends it early.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mixwright.statistics import (
    Assumption,
    Verdict,
    items_needed,
    noninferiority,
    paired_difference,
    sequential_plan,
    sequential_test,
    stratified_difference,
)
from mixwright.statistics.exact import rate_bounds
from mixwright.statistics.sequential import decisions

LEVEL = 0.05
WIDE = 0.975  # one-sided, so that both bounds together are a 95 % interval


class Cell(NamedTuple):
    """kind: what is judged. The true difference is -drop, the margin the largest drop accepted."""

    kind: str
    discordance: float
    margin: float
    drop: float
    num_items: int
    clusters: str = "alone"

    @property
    def name(self) -> str:
        return "/".join(map(str, self))


def cells() -> Iterator[Cell]:
    for discordance in (0.02, 0.05, 0.1, 0.3):
        for margin in (0.02, 0.05, 0.1):
            if margin > discordance:
                continue
            for num_items in (30, 100, 300, 1000, 3000):
                yield Cell("independent", discordance, margin, margin, num_items)
            yield Cell("planned", discordance, margin, 0.0, needed(discordance, margin))
            for clusters in ("20 x 10", "50 x 4", "200 x 5"):
                yield Cell("clustered", discordance, margin, margin, 0, clusters)
            yield Cell("composite", discordance, margin, margin, 1000)
            if discordance <= 0.1:
                for drop in (0.0, margin, 2 * margin):
                    if drop <= discordance:
                        yield Cell("sequential", discordance, margin, drop, 2 * needed(discordance, margin))
                        yield Cell("sequential", discordance, margin, drop, 0, "600 x 3")
    for rate in (0.01, 0.05):
        for num_items in (100, 300, 1000):
            yield Cell("rate", rate, rate, rate, num_items)
    for discordance in (0.1, 0.3):
        yield Cell("judged", discordance, 0.05, 0.05, 1000)


def needed(discordance: float, margin: float) -> int:
    return items_needed(discordance=discordance, distance=margin, method="score")


def draw(rng: np.random.Generator, cell: Cell, num_items: int, cluster_of_item: np.ndarray) -> np.ndarray:
    """(n,) differences -1, 0, 1 with mean -drop: a quarter of the clusters answer as one, the rest item by item."""
    lost, won = (cell.discordance + cell.drop) / 2, (cell.discordance - cell.drop) / 2
    own = rng.random(num_items)
    if len(cluster_of_item) > cluster_of_item.max() + 1:
        whole = rng.random(cluster_of_item.max() + 1)
        alike = rng.random(cluster_of_item.max() + 1) < 0.25
        own = np.where(alike[cluster_of_item], whole[cluster_of_item], own)
    return np.where(own < lost, -1.0, np.where(own < lost + won, 1.0, 0.0))


def cluster_sizes(rng: np.random.Generator, described: str) -> np.ndarray:
    """`50 x 4`: fifty clusters of four items in the mean, log-normal, the largest some five times as large."""
    count, mean = map(int, described.split(" x "))
    return np.maximum(1, np.round(mean * np.exp(rng.normal(-0.18, 0.6, count)))).astype(int)


def scores(differences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Right/wrong answers of two models with these differences."""
    base = np.where(differences > 0, 0.0, 1.0)
    return base + differences, base


def judge(rng: np.random.Generator, cell: Cell) -> dict[str, float]:
    """One replicate."""
    clusters = cluster_sizes(rng, cell.clusters) if " x " in cell.clusters else np.ones(cell.num_items, dtype=int)
    labels = np.repeat(np.arange(len(clusters)), clusters)
    if cell.kind == "rate":
        count = int(rng.binomial(cell.num_items, cell.drop))
        high = rate_bounds(count, cell.num_items).high
        return {"pass": float(high < cell.margin), "covers": float(cell.drop <= high)}
    if cell.kind == "composite":
        sizes = [60, 100, 140, 300, 400]
        parts, wide = {}, {}
        for number, size in enumerate(sizes):
            candidate, base = scores(draw(rng, cell, size, np.arange(size)))
            parts[str(number)] = paired_difference(candidate, base)
            wide[str(number)] = paired_difference(candidate, base, confidence=WIDE)
        whole, interval = stratified_difference(parts), stratified_difference(wide)
    else:
        candidate, base = scores(draw(rng, cell, len(labels), labels))
        human = None
        if cell.kind == "judged":
            human = np.where(rng.random(len(labels)) < 0.3, candidate - base, np.nan)
            candidate = np.where(rng.random(len(labels)) < 0.1, 1.0, candidate)  # the judge flatters
        given = None if len(clusters) == len(labels) else labels
        whole = paired_difference(candidate, base, clusters=given, human=human)
        interval = paired_difference(candidate, base, clusters=given, human=human, confidence=WIDE)
    covers = interval.low <= -cell.drop <= interval.high
    return {**decided(noninferiority(whole, cell.margin)), "covers": float(covers)}


def decided(verdict: Verdict) -> dict[str, float]:
    return {"pass": float(verdict is Verdict.PASS), "fail": float(verdict is Verdict.FAIL)}


def simulate(cell: Cell, replicates: int) -> dict[str, Any]:
    rng = np.random.default_rng(zlib.crc32(cell.name.encode()))
    began = time.monotonic()
    if cell.kind == "sequential":
        found = simulate_looks(rng, cell, replicates)
    else:
        rows = [judge(rng, cell) for _ in range(replicates)]
        found = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return {**cell._asdict(), "replicates": replicates, **found, "seconds": round(time.monotonic() - began, 1)}


def simulate_looks(rng: np.random.Generator, cell: Cell, replicates: int) -> dict[str, float]:
    """Sequential verdicts looked at after every cluster, all on clusters of the same sizes; bounds of every tenth."""
    clusters = np.ones(cell.num_items, dtype=int) if cell.clusters == "alone" else cluster_sizes(rng, cell.clusters)
    labels = np.repeat(np.arange(len(clusters)), clusters)
    assumed = Assumption(cell.discordance, 0.0, 0.25 if cell.clusters != "alone" else 0.0)
    totals = {"pass": 0.0, "fail": 0.0, "used": 0.0, "covers": 0.0}
    some = replicates // 10
    for _ in range(10):
        sums = np.stack([np.bincount(labels, weights=draw(rng, cell, len(labels), labels)) for _ in range(some)])
        found = decisions(sums, clusters, -cell.margin, assumption=assumed)
        used = np.cumsum(clusters)[found.num_clusters - 1] / clusters.sum()
        bounds = [sequential_test(row, clusters, -cell.margin, assumption=assumed) for row in sums[: some // 10]]
        covers = [bound.low <= -cell.drop <= bound.high for bound in bounds]
        for name, values in (("pass", found.passed), ("fail", found.failed), ("used", used), ("covers", covers)):
            totals[name] += float(np.mean(values)) / 10
    return totals | {"planned_power": sequential_plan(clusters, -cell.margin, assumption=assumed).power}


def report(rows: list[dict[str, Any]]) -> str:
    """A line for each kind: the worst of its cells."""
    lines = [
        "| judged | cells | false PASS, most | false FAIL, most | coverage | power |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        mine = [row for row in rows if row["kind"] == kind]
        edge = [row for row in mine if row["drop"] == row["margin"]]
        wrong = [f"{max(row.get(key, 0) for row in edge):.4f}" if edge else "-" for key in ("pass", "fail")]
        covered = [row["covers"] for row in mine]
        same = [row["pass"] for row in mine if row["drop"] == 0]
        cells = [kind, str(len(mine)), *wrong, f"{min(covered):.3f}-{max(covered):.3f}"]
        lines.append("| " + " | ".join([*cells, f"{min(same):.3f}-{max(same):.3f}" if same else "-"]) + " |")
    limit = LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / min(row["replicates"] for row in rows))
    over = [row for row in rows if row["drop"] == row["margin"] and row["pass"] > limit]
    lines.append(f"\n{len(over)} cells with more than {limit:.4f} false PASS")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--replicates", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=35.0)
    given = parser.parse_args()
    rows = [json.loads(line) for line in given.out.read_text().splitlines()] if given.out.exists() else []
    done = {Cell(*(row[name] for name in Cell._fields)).name for row in rows}
    end = time.monotonic() + 60 * given.minutes
    for cell in cells():
        if cell.name not in done and time.monotonic() < end:
            rows.append(simulate(cell, given.replicates))
            with given.out.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
            print(rows[-1], flush=True)
    print(report(rows))


if __name__ == "__main__":
    main()
