"""75 % of what? Two real sources at 75/25 by tokens, by supervised tokens and by records.

Short questions with their intent (banking77) and long dialogues with their summary (mts-dialog), made into tokens by
the embedded model's tokenizer, mixed by each unit for one pass over the dialogues' tokens. Prints what is realised in
all three units, as a Markdown table, and how far the declared unit is from what was asked, in units.

    python benchmarks/blend/units.py --data-folder ../shared/data --out runs/units
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml

import mixwright as mw
from mixwright.pipeline.run import run_recipe

UNITS = ("tokens", "supervised_tokens", "records")


def recipe(folder: Path) -> dict[str, Any]:
    shares, budget = {"dialogues": 0.75, "intents": 0.25}, {"tokens": 600_000}
    return {
        "mixwright": 1,
        "name": "units",
        "base": {"model": "embedded:nano"},
        "sources": {
            "dialogues": {
                "role": "domain",
                "path": str(folder / "mts-dialog" / "*TrainingSet.csv.gz"),
                "licence": "CC-BY-4.0",
                "columns": {"prompt": "dialogue", "completion": "section_text"},
                "malformed": "drop",
            },
            "intents": {
                "role": "general",
                "path": str(folder / "banking77" / "train.csv.gz"),
                "licence": "CC-BY-4.0",
                "columns": {"prompt": "text", "completion": "category"},
            },
        },
        "blend": {"unit": "tokens", "shares": shares, "budget": budget},
        "train": {"sequence_length": 1024, "batch_tokens": 16384},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-folder", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/units"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    file = given.out / "units.yaml"
    print("| 75/25 by | dialogues' tokens | supervised tokens | records | from what was asked |\n|---|---|---|---|---|")
    for unit in UNITS:
        made = recipe(given.data_folder.resolve())
        made["blend"]["unit"] = unit
        file.write_text(yaml.safe_dump(made, sort_keys=False))
        loaded = mw.load_recipe(file)
        run_recipe(loaded, out=given.out, until="blend", threads=1)
        (arm,) = mw.plan_recipe(loaded, out=given.out, threads=1).arms.values()
        shares = [f"{100 * arm['realised'][each]['dialogues']:.2f} %" for each in UNITS]
        totals = arm["totals"][unit]
        apart = totals["dialogues"] - 0.75 * sum(totals.values())
        print(f"| {unit} | {' | '.join(shares)} | {apart:+,.1f} of {sum(totals.values()):,} |")
    print(
        {name: entry["rows_kept"] for name, entry in mw.plan_recipe(loaded, out=given.out, threads=1).attrition.items()}
    )


if __name__ == "__main__":
    main()
