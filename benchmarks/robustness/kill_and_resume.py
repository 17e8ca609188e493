"""Kill a run with SIGKILL at random moments, give the same command again, and compare the final weights.

One undisturbed run gives the sha256 of every arm's weights. The disturbed run is killed `--kills` times - in turn at a
random moment of its first seconds (start-up, data stages), at a random moment between two checkpoints, and while a
checkpoint is being written - and then finished. Every row is printed as JSON; the exit code is 0 when all weights are
equal and every kill hit a living run.

    python benchmarks/robustness/kill_and_resume.py --kills 10 --out kills
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

SETTINGS = (
    "sources.desk.records=3000",
    "sources.skills.records=4000",
    "suites.desk.items_per_ability=40",
    "suites.skills.items_per_ability=20",
    "blend.budget.domain_epochs=0.5",
)
CHECKPOINT_SECONDS = 0.3
POLL_SECONDS = 0.001
MOMENTS = ("first seconds", "between checkpoints", "writing a checkpoint")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", type=Path, default=Path("recipes/support-desk.yaml"))
    parser.add_argument("--set", dest="settings", action="append", help="instead of the settings of this script")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    settings = [*(arguments.settings or SETTINGS), f"train.checkpoint_seconds={CHECKPOINT_SECONDS}"]
    command = [sys.executable, "-m", "mixwright", "train", str(arguments.recipe)]
    command += [part for setting in settings for part in ("--set", setting)]

    if arguments.threads:
        command += ["--threads", str(arguments.threads)]

    calm, shaken = arguments.out / "calm", arguments.out / "shaken"
    started = time.monotonic()
    finish(command, calm)
    expected = weights(calm)
    row({"run": "undisturbed", "seconds": round(time.monotonic() - started, 1), "weights": expected})

    rng = random.Random(arguments.seed)
    hit = True
    for number in range(1, arguments.kills + 1):
        result = kill(command, shaken, MOMENTS[number % len(MOMENTS)], rng)
        hit &= not result["had_finished"]
        row({"run": f"kill {number}", **result})
    finish(command, shaken)
    found = weights(shaken)
    row({"run": "finished", "weights": found, "equal": found == expected, "every_kill_hit": hit})
    return 0 if found == expected and hit else 1


def finish(command: list[str], out: Path) -> None:
    subprocess.run([*command, "--out", str(out)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill(command: list[str], out: Path, moment: str, rng: random.Random) -> dict[str, object]:
    """Start the command, wait for the moment, kill its process group. Returns what it was doing."""
    checkpoints_to_wait_for = rng.randint(1, 3)
    first_seconds = rng.uniform(0.3, 4.0)
    seen = checkpoints(out)
    process = subprocess.Popen(
        [*command, "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    started = time.monotonic()
    new: set[str] = set()
    while process.poll() is None:
        if moment == "first seconds" and time.monotonic() - started >= first_seconds:
            break
        if moment == "writing a checkpoint" and any(out.glob("store/work/train-*/scratch/writing-*")):
            break
        new |= checkpoints(out) - seen
        if moment == "between checkpoints" and len(new) >= checkpoints_to_wait_for:
            time.sleep(rng.uniform(0.0, CHECKPOINT_SECONDS))
            break
        time.sleep(POLL_SECONDS)
    finished = process.poll() is not None
    if not finished:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return {
        "moment": moment,
        "seconds": round(time.monotonic() - started, 2),
        "had_finished": finished,
        "left_behind": sorted(
            path.relative_to(out / "store" / "work").as_posix()
            for pattern in ("store/work/*", "store/work/train-*/scratch/*")
            for path in out.glob(pattern)
        ),
    }


def checkpoints(out: Path) -> set[str]:
    return {path.as_posix() for path in out.glob("store/work/train-*/scratch/step-*")}


def weights(out: Path) -> dict[str, str]:
    """sha256 of the final weights by arm."""
    (run,) = (path for path in out.iterdir() if (path / "arms").is_dir() and not path.is_symlink())
    return {
        path.parent.parent.parent.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.glob("arms/*/training/model/model.safetensors"))
    }


def row(value: dict[str, object]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    sys.exit(main())
