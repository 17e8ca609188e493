"""The shipped recipe on the real messages it is written for, up to what needs no training."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixwright.pipeline.run import plan_recipe
from mixwright.recipe.load import load_recipe

ROOT = Path(__file__).parents[2]
BANKING77 = ROOT.parent / "shared" / "data" / "banking77"


@pytest.mark.skipif(not BANKING77.is_dir(), reason="the banking77 data set is not beside the project")
def test_banking77_is_read_whole_and_its_leaks_are_found(tmp_path: Path) -> None:
    settings = [f"data={BANKING77}", "sources.skills.records=1500", "suites.skills.items_per_ability=10"]
    plan = plan_recipe(load_recipe(ROOT / "recipes" / "banking77.yaml", settings), out=tmp_path, threads=1)
    intents = plan.attrition["intents"]
    assert intents["rows_in"] == 10_003
    assert intents["rows_kept"] == 10_003 - sum(intents["dropped"].values())
    assert intents["dropped"]["leak"] > 0, "the published split repeats some test messages in training"
    assert next(entry for entry in plan.clauses if entry.clause.name == "intents").num_items == 3_080
    for mix in plan.arms.values():
        for source, share in mix["requested"].items():
            assert mix["realised"]["tokens"][source] == pytest.approx(share, abs=0.001)
