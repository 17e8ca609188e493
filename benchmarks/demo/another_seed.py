"""Do the demonstration's scores depend on which test items were drawn, and has any of them been trained on?

Runs the demonstration twice, with all suites drawn from two seeds, and prints every arm's score on every suite side by
side. Then the prompts of all items are compared with all training rows by a normalisation of this script's own, written
apart from the product's leak check: letters and digits, lower-case.

    python benchmarks/demo/another_seed.py --out runs [--workers 2]
"""

import argparse
import json
import re
import sys
from pathlib import Path

import pyarrow.parquet as pq

import mixwright as mw

DEMO = Path(mw.__file__).parent / "cli" / "demo.yaml"
SUITES = ("desk", "rehearsed", "left_out_a", "left_out_b")
SEEDS = (2, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    scores: dict[tuple[str, str], list[float]] = {}
    for seed in SEEDS:
        loaded = mw.load_recipe(DEMO, [f"suites.{suite}.seed={seed}" for suite in SUITES])
        result = mw.run_recipe(loaded, out=given.out, threads=1, num_workers=given.workers)
        for row in result.summary:
            scores.setdefault((str(row["arm"]), str(row["suite"])), []).append(float(row["score"]))
        asked, trained = prompts(result.path), questions(result.path)
        print(json.dumps({"seed": seed, "items": len(asked), "overlap": len(asked & trained)}))
        print(f"run of seed {seed}: {result.path}", file=sys.stderr)
    for (arm, suite), (first, second) in scores.items():
        change = 100 * (second - first)
        print(json.dumps({"arm": arm, "suite": suite, "scores": [first, second], "change": round(change, 2)}))


def normalised(messages: list[dict[str, str]]) -> str:
    """Everything that was said before an answer, as lower-case letters and digits."""
    return " ".join(re.findall("[a-z0-9]+", " ".join(message["content"] for message in messages).lower()))


def prompts(run: Path) -> set[str]:
    """The prompts of all items, those for choosing included."""
    lines = [line for path in run.glob("suites/**/items.jsonl") for line in path.read_text().splitlines()]
    return {normalised(json.loads(line)["prompt"]) for line in lines}


def questions(run: Path) -> set[str]:
    """What stands before each answer of each training row."""
    found = set()
    for path in (run / "corpus").glob("*.parquet"):
        if path.stem == "dropped":
            continue
        for text in pq.read_table(path, columns=["messages"])["messages"].to_pylist():
            messages = json.loads(text)
            ends = [place for place, message in enumerate(messages) if message["role"] == "assistant"]
            found |= {normalised(messages[:end]) for end in ends}
    return found


if __name__ == "__main__":
    main()
