"""The rows of `compare.py` as a table: means over seeds, with what a seed changes.

    python benchmarks/blends/table.py banking77

Gain kept: domain score over that of domain-only training by the same method and seed, with the same domain exposure
(`*_exposure`) or the same total budget (`*_total`). General kept: the mean over all skills over that of the base. After
±: half of the two-sided 95 % t interval over the seeds; the intervals over items, seed by seed, are in the rows. A row
that stands there twice counts as it was written last.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import stats

SUITES = ("intents", "rehearsed", "left_out_a", "left_out_b")
SKILLS = {"rehearsed": 10, "left_out_a": 3, "left_out_b": 3}


def main(data: str) -> None:
    rows = [json.loads(line) for line in (Path(__file__).parent / f"{data}.jsonl").read_text().splitlines()]
    seeds = sorted({row["seed"] for row in rows})
    scores = {(row["arm"], row["suite"], row["seed"]): row for row in rows}
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    print(f"{data}, seeds {', '.join(map(str, seeds))}\n")
    print("| arm | tokens | domain | gain kept | rehearsed | left out A | left out B | general kept | parsed | PASS |")
    print("|---|---:|---|---|---|---|---|---|---|---|")
    for arm in arms:
        found = {suite: [100 * scores[arm, suite, seed]["score"] for seed in seeds] for suite in SUITES}
        cells = [arm, "", *([_interval(found["intents"])]), ""]
        if arm != "base":
            method = "lora" if arm.startswith("lora") else "full"
            alone = f"{method}_100_total" if arm.endswith("_total") else f"{method}_100"
            gains = [100 * scores[arm, "intents", s]["score"] / scores[alone, "intents", s]["score"] for s in seeds]
            cells[1], cells[3] = f"{scores[arm, 'intents', seeds[0]]['tokens']:,}", _interval(gains)
        cells += [_interval(found[suite]) for suite in SUITES[1:]]
        kept = [100 * _general(scores, arm, seed) / _general(scores, "base", seed) for seed in seeds]
        parsed = np.mean([scores[arm, suite, seed]["parse_rate"] for suite in SKILLS for seed in seeds])
        passed = sum(scores[arm, "intents", seed].get("verdict") == "PASS" for seed in seeds)
        cells += [_interval(kept), f"{100 * parsed:.0f} %", "" if arm == "base" else f"{passed} of {len(seeds)}"]
        print("| " + " | ".join(cells) + " |")


def _general(scores: dict[tuple[str, str, int], dict[str, float]], arm: str, seed: int) -> float:
    return sum(scores[arm, suite, seed]["score"] * num for suite, num in SKILLS.items()) / sum(SKILLS.values())


def _interval(values: Sequence[float]) -> str:
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.1f}"
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return f"{mean:.1f} ± {half:.1f}"


if __name__ == "__main__":
    main(sys.argv[1])
