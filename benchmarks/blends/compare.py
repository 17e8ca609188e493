"""What does a blend keep? Shares, exposure, method and seeds on a real data set, on the embedded base.

For every seed one recipe is written and run: arms at 100, 90, 75, 50 and 25 % of the tokens from the domain, once with
the domain data seen equally often and once with the same total budget, by full training and by LoRA with trainable
embeddings. Two sets of skills are drawn by the seed and left out of the replay of all these arms, so that skills nobody
rehearses are measured beside those that are. Five more arms say what rehearsing everything gives: `all_*` replays every
skill, and in `self_*` the base has written the general half itself.

    python benchmarks/blends/compare.py --data-folder ../shared/data --data banking77 --seeds 0 1 2 --out runs/blends

`--study replay` asks instead what the general half should be made of, at equal exposure: nothing, curated skills (ten
of sixteen, or all), what the base has written itself, or the same learnt from the base's own probabilities (a KL term
with 16 of them, for all or half of the loss).

Every run is resumable: the same command goes on where it was stopped. Rows are appended to `<data>.jsonl` or
`<data>-replay.jsonl` beside this file as seeds finish. `--pilot` instead chooses the learning rates, on a search split
of a seed that is not reported.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

import mixwright as mw
from mixwright.pipeline.run import RunResult
from mixwright.sources.generators import abilities_of

HERE = Path(__file__).parent
# Only these lines differ from one data set to the next.
DATA: dict[str, dict[str, Any]] = {
    "banking77": {
        "source": {
            "path": "banking77/train.csv.gz",
            "licence": "CC-BY-4.0",
            "columns": {"prompt": "text", "completion": "category"},
        },
        "suite": {
            "path": "banking77/test.csv.gz",
            "prompt": "{text}",
            "target": "{category}",
            "scorer": "exact",
            "limit": 1500,
        },
        "epochs": 1,
    },
    "bitext": {
        "source": {
            "path": "bitext-customer-support/*.csv.gz",
            "licence": "CDLA-Sharing-1.0",
            "columns": {"prompt": "instruction", "completion": "intent"},
            "holdout": 0.25,
        },
        "suite": {"source": "intents", "scorer": "exact"},
        "epochs": 2,
    },
}
SKILLS = sorted(abilities_of("skills"))
SHARES = ("0.9", "0.75", "0.5", "0.25")
TOTAL = 2  # the equal total budget, in units of the domain tokens of an equal-exposure arm
RATES = {"full": 1.5e-3, "lora": 1.5e-3}  # chosen by --pilot
PILOT_RATES = (7.5e-4, 1.5e-3, 3e-3)
PILOT_SEED = 100


def recipe(data: str, folder: Path, seed: int, domain_tokens: int | None) -> dict[str, Any]:
    """The recipe of one seed. domain_tokens: what equal exposure comes to; None leaves the equal totals out."""
    about = DATA[data]
    source, suite = dict(about["source"]), dict(about["suite"])
    for part in (source, suite):
        if "path" in part:
            part["path"] = str(folder.resolve() / part["path"])
    drawn = random.Random(seed).sample(SKILLS, 6)
    left_out = {"left_out_a": drawn[:3], "left_out_b": drawn[3:]}
    rehearsed = [skill for skill in SKILLS if skill not in drawn]
    exposure = {"domain_epochs": about["epochs"]}
    arms: dict[str, dict[str, Any]] = {}
    for method, rate in RATES.items():
        setting = {"method": method, "learning_rate": rate}
        arms[f"{method}_100"] = {"shares": {"intents": 1}, "budget": exposure, **setting}
        total = None if domain_tokens is None else {"tokens": TOTAL * domain_tokens}
        if total:
            arms[f"{method}_100_total"] = {"shares": {"intents": 1}, "budget": total, **setting}
        for share in SHARES:
            shares = {"intents": share, "rehearsed": str(1 - Fraction(share))}
            percent = round(100 * float(share))
            if (method, share) != ("full", "0.5"):  # that one is the recipe's blend
                arms[f"{method}_{percent}_exposure"] = {"shares": shares, "budget": exposure, **setting}
            if total and share != "0.5":  # half and half, both budgets are the same
                arms[f"{method}_{percent}_total"] = {"shares": shares, "budget": total, **setting}
    for general, name, tried in (("all_skills", "all", ("0.75", "0.5", "0.25")), ("replay", "self", ("0.75", "0.5"))):
        for share in tried:
            shares = {"intents": share, general: str(1 - Fraction(share))}
            arms[f"{name}_{round(100 * float(share))}_exposure"] = {"shares": shares, "budget": exposure}
    skill_suites = {
        name: {"role": "general", "generate": "skills", "abilities": skills, "items_per_ability": 120, "seed": 2}
        for name, skills in {"rehearsed": rehearsed, **left_out}.items()
    }
    return {
        "mixwright": 1,
        "name": f"{data}-seed{seed}",
        "base": {"model": "embedded:nano"},
        "sources": {
            "intents": {"role": "domain", **source},
            "rehearsed": {
                "role": "general",
                "generate": "skills",
                "abilities": rehearsed,
                "records": 30000,
                "seed": seed + 1,
            },
            "all_skills": {"role": "general", "generate": "skills", "records": 40000, "seed": seed + 1},
            "replay": {"role": "general", "generate": "self", "records": 8000, "seed": seed + 1},
        },
        "suites": {"intents": {"role": "domain", **suite}, **skill_suites},
        "blend": {"unit": "tokens", "shares": {"intents": 0.5, "rehearsed": 0.5}, "budget": exposure, "seed": seed},
        "arms": arms,
        "train": {
            "learning_rate": RATES["full"],
            "sequence_length": 128,
            "batch_tokens": 1024,
            "precision": "bf16",
            "seed": seed,
        },
        "contract": {"improve": {"intents": 0.5}, "keep": {"general": 0.03, "each_ability": 0.15}},
    }


REPLAY = {  # what the general half is made of -> its source in `recipe`, and the weight of the KL term
    "curated": ("rehearsed", None),
    "all": ("all_skills", None),
    "all_kl_half": ("all_skills", 0.5),
    "self": ("replay", None),
    "self_kl_half": ("replay", 0.5),
    "self_kl": ("replay", 1.0),
}


def replay_recipe(data: str, folder: Path, seed: int, kind: str) -> dict[str, Any]:
    """The recipe of one seed and one kind of general half: a recipe each, since curation keeps one of what two sources
    share. Half and half, and three to one; the first has domain-only training beside it."""
    found = recipe(data, folder, seed, None)
    origin, weight = REPLAY[kind]
    general = found["sources"][origin] | ({} if weight is None else {"kl": {"weight": weight}})
    found["sources"] = {"intents": found["sources"]["intents"], origin: general}
    found["blend"]["shares"] = {"intents": "1/2", origin: "1/2"}
    alone = {"full_100": {"shares": {"intents": 1}}} if kind == next(iter(REPLAY)) else {}
    found["arms"] = {**alone, f"{kind}_75_exposure": {"shares": {"intents": "3/4", origin: "1/4"}}}
    return found | {"name": f"{data}-{kind.replace('_', '-')}-seed{seed}"}


def study_replay(data: str, folder: Path, seeds: Sequence[int], out: Path, workers: int) -> None:
    for seed in seeds:
        for kind in REPLAY:
            made = replay_recipe(data, folder, seed, kind)
            result = run(made, out, workers)
            with (HERE / f"{data}-replay.jsonl").open("a") as file:
                for row in rows(data, seed, made, result):
                    arm = f"{kind}_50_exposure" if row["arm"] == "blend" else row["arm"]
                    file.write(json.dumps({**row, "arm": arm}) + "\n")
            print(f"seed {seed}, {kind}: {result.path}", flush=True)


def pilot(data: str, folder: Path) -> dict[str, Any]:
    """Three to one by both methods, at each rate; chosen on the search split."""
    found = recipe(data, folder, PILOT_SEED, None)
    lora = {"shares": {"intents": "3/4", "rehearsed": "1/4"}, "method": "lora"}
    found["blend"]["shares"] = {"intents": "3/4", "rehearsed": "1/4"}
    del found["sources"]["replay"], found["sources"]["all_skills"]
    return found | {"arms": {"lora": lora}, "tune": {"learning_rates": list(PILOT_RATES)}, "name": f"{data}-pilot"}


def run(made: dict[str, Any], out: Path, workers: int) -> RunResult:
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{made['name']}.yaml"
    file.write_text(yaml.safe_dump(made, sort_keys=False))
    return mw.run_recipe(
        mw.load_recipe(file),
        out=out,
        threads=1,
        num_workers=workers,
        on_event=lambda event: print(f"  {event.label:<40} {event.status} {event.seconds:.1f} s", file=sys.stderr),
    )


def rows(data: str, seed: int, made: dict[str, Any], result: RunResult) -> list[dict[str, Any]]:
    found = []
    left_out = {name: made["suites"][name]["abilities"] for name in ("left_out_a", "left_out_b")}
    for row in result.summary:
        arm = str(row["arm"])
        skills = by_ability(result.path / "arms" / arm / "evaluation" / "records.parquet", str(row["suite"]))
        about: dict[str, Any] = {"data": data, "seed": seed, **row, "abilities": skills, **left_out}
        if arm != "base":
            realised = json.loads((result.path / "arms" / arm / "blend" / "realised.json").read_text())
            about |= {"tokens": sum(realised["totals"]["tokens"].values()), "realised": realised["realised"]}
            about["verdict"] = result.certificates[arm]["verdict"]
        found.append(about)
    return found


def by_ability(records: Path, suite: str) -> dict[str, float]:
    """The mean score of each ability of a suite."""
    scores: dict[str, list[float]] = {}
    for row in pq.read_table(records, filters=[("suite", "=", suite)]).to_pylist():
        scores.setdefault(row["ability"], []).append(row["score"])
    return {ability: round(sum(found) / len(found), 4) for ability, found in sorted(scores.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-folder", type=Path, required=True)
    parser.add_argument("--data", choices=DATA, default="banking77")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("runs/blends"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--study", choices=("blends", "replay"), default="blends")
    parser.add_argument("--pilot", action="store_true")
    given = parser.parse_args()
    if given.pilot:
        result = run(pilot(given.data, given.data_folder), given.out, given.workers)
        for arm in ("blend", "lora"):
            choice = json.loads((result.path / "arms" / arm / "choice" / "choice.json").read_text())
            for candidate in choice["candidates"]:
                scores = {clause["name"]: clause["candidate"] for clause in candidate["clauses"] if clause["named"]}
                print(arm, candidate["label"], scores)
        return
    if given.study == "replay":
        study_replay(given.data, given.data_folder, given.seeds, given.out, given.workers)
        return
    for seed in given.seeds:
        first = recipe(given.data, given.data_folder, seed, None)
        plan = mw.plan_recipe(mw.load_recipe(_written(first, given.out)), out=given.out, threads=1)
        domain_tokens = sum(plan.arms["full_100"]["totals"]["tokens"].values())
        made = recipe(given.data, given.data_folder, seed, domain_tokens)
        result = run(made, given.out, given.workers)
        with (HERE / f"{given.data}.jsonl").open("a") as file:
            for row in rows(given.data, seed, made, result):
                file.write(json.dumps(row) + "\n")
        print(f"seed {seed}: {result.path}")


def _written(made: dict[str, Any], out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{made['name']}-plan.yaml"
    file.write_text(yaml.safe_dump(made, sort_keys=False))
    return file


if __name__ == "__main__":
    main()
