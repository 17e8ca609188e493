"""Low-rank adapters with and without trained embeddings, on the demonstration's domain.

The demonstration's blend is learnt by LoRA of rank 16, once with the embeddings frozen and once with them trained, each
at the better of the given rates (chosen as in any run, on items that no score is made of). Prints a line for each.

    python benchmarks/lora/embeddings.py --out runs [--rates 1e-3 3e-3] [--workers 2]
"""

import argparse
import json
import tempfile
from pathlib import Path

import yaml

import mixwright as mw

DEMO = Path(mw.__file__).parent / "cli" / "demo.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 3e-3])
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    recipe = yaml.safe_load(DEMO.read_text())
    del recipe["arms"], recipe["sources"]["replay"]
    recipe["tune"]["learning_rates"] = given.rates
    for embeddings in (False, True):
        recipe["train"] |= {"optimizer": "adamw", "method": "lora", "lora": {"embeddings": embeddings}}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "recipe.yaml"
            file.write_text(yaml.safe_dump(recipe))
            result = mw.run_recipe(mw.load_recipe(file), out=given.out, threads=1, num_workers=given.workers)
        scores = {row["suite"]: round(float(row["score"]), 3) for row in result.summary if row["arm"] == "blend"}
        chosen = json.loads((result.path / "arms" / "blend" / "choice" / "choice.json").read_text())["chosen"]
        print(json.dumps({"embeddings": embeddings, "chosen": chosen, **scores}), flush=True)


if __name__ == "__main__":
    main()
