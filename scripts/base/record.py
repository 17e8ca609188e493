"""Keep what the training of the embedded base showed: its log, thinned, and its scores by skill.

python scripts/base/record.py RUN FOLDER
"""

import argparse
import json
from pathlib import Path

NUM_LINES = 100  # of the log, about


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    arm = given.run / "arms" / "blend"
    lines = (arm / "training" / "metrics.jsonl").read_text().splitlines()
    kept = [*lines[: -1 : max(1, len(lines) // NUM_LINES)], lines[-1]]
    run = json.loads((given.run / "run.json").read_text())
    (given.folder / f"{run['name']}.log.jsonl").write_text("\n".join(kept) + "\n")
    training = next(stage for stage in run["stages"] if stage["stage"] == "train")
    suite = json.loads((given.run / "suites" / "skills" / "suite.json").read_text())
    scores = {
        "scores": scores_by_ability(arm / "evaluation" / "records.parquet"),
        "items": suite["abilities"],
        "suite": suite["sha256"],
        "lock": run["lock"],
        "training_seconds": training["seconds"],
    }
    (given.folder / f"{run['name']}.scores.json").write_text(json.dumps(scores, indent=1) + "\n")


def scores_by_ability(records: Path) -> dict[str, float]:
    """Exact match by skill, and the mean over skills."""
    import pyarrow.parquet as pq

    by_ability: dict[str, list[float]] = {}
    for row in pq.read_table(records, columns=["ability", "score"]).to_pylist():
        by_ability.setdefault(row["ability"], []).append(row["score"])
    means = {ability: round(sum(scores) / len(scores), 4) for ability, scores in sorted(by_ability.items())}
    return {**means, "mean": round(sum(means.values()) / len(means), 4)}


if __name__ == "__main__":
    main()
