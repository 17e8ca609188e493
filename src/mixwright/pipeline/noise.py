"""The noise floor: the base against itself, asked with another batch size.

Greedy decoding is not quite repeatable: another batch is another order of sums. A contract under which a model does not
keep what it is would judge noise. Every `keep` must PASS here, and no `improve`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mixwright.evidence.certify import certificate
from mixwright.evidence.compare import Comparison, compare
from mixwright.evidence.importers import read_records
from mixwright.ground.errors import InputError
from mixwright.ground.store import StageEvent
from mixwright.items.suite import suite_about
from mixwright.pipeline.run import stages_of
from mixwright.pipeline.stages import Stages
from mixwright.recipe.load import LoadedRecipe
from mixwright.recipe.schema import BASE_ARM
from mixwright.statistics.decision import Verdict

IGNORED = ("build",)  # in which the two differ on purpose


@dataclass(frozen=True)
class Noise:
    """certificate: of the base against itself, None without a contract. holds: nothing kept was lost, and nothing
    improved."""

    comparison: Comparison
    certificate: dict[str, Any] | None

    @property
    def holds(self) -> bool:
        if self.certificate is None:
            return True
        wrong = {"superiority": Verdict.PASS, "noninferiority": Verdict.FAIL}
        return not any(clause["verdict"] == wrong.get(clause["test"]) for clause in self.certificate["clauses"])


def measure_noise(
    loaded: LoadedRecipe,
    *,
    out: Path,
    batch_size: int,
    threads: int | None = None,
    on_event: Callable[[StageEvent], None] = lambda event: None,
) -> Noise:
    """Ask the base twice and judge it by the recipe's contract. batch_size: of the second time.

    Raises InputError for bad input, and for a recipe without suites or a batch size that is no other.
    """
    with stages_of(loaded, out, threads, 1, on_event) as stages:
        recipe = stages.recipe
        if not recipe.suites:
            raise InputError("the recipe asks nothing", where="suites", fix="Give it a suite.")
        if batch_size == recipe.evaluate.batch_size:
            fix = "Give another --batch-size."
            raise InputError(f"the base is asked in batches of {batch_size} anyway", where="--batch-size", fix=fix)
        evaluate = recipe.evaluate.model_copy(update={"batch_size": batch_size})
        other = replace(stages.lock, recipe=recipe.model_copy(update={"evaluate": evaluate}))
        first, second = (
            read_records(made.records(BASE_ARM) / "records.parquet")
            for made in (stages, Stages(other, stages.store, stages.executor))
        )
        judged = None
        if recipe.contract is not None:
            about = {name: suite_about(folder) for name, folder in stages.items("certify").items()}
            name = f"{BASE_ARM} in batches of {batch_size}"
            judged = certificate(recipe.name, name, recipe.contract, about, second, first, {}, ignore=IGNORED)
        return Noise(compare(second, first, ignore=IGNORED), judged)
