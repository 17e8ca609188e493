"""Specialise any open-weight language model on your data, and prove that nothing general was lost.

    import mixwright as mw

    result = mw.run_recipe(mw.load_recipe(Path("recipe.yaml")), out=Path("runs"))
    print(result.verdict, result.path)

Names are imported when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mixwright.blend.dataset import BlendCollator, BlendRows, BlendSampler, BlendTable
    from mixwright.evaluation.scorers import scorer
    from mixwright.evidence.compare import compare
    from mixwright.evidence.importers import read_records
    from mixwright.evidence.outside import judge_records
    from mixwright.ground.errors import BrokenRun, InputError, MixwrightError
    from mixwright.models.handle import ModelHandle
    from mixwright.pipeline.mix import open_mix
    from mixwright.pipeline.run import plan_recipe, run_recipe
    from mixwright.recipe.contract_file import load_contract
    from mixwright.recipe.load import load_recipe
    from mixwright.reporting import write_report

_HOME = {
    "BlendCollator": "blend.dataset",
    "BlendRows": "blend.dataset",
    "BlendSampler": "blend.dataset",
    "BlendTable": "blend.dataset",
    "BrokenRun": "ground.errors",
    "InputError": "ground.errors",
    "MixwrightError": "ground.errors",
    "ModelHandle": "models.handle",
    "compare": "evidence.compare",
    "judge_records": "evidence.outside",
    "load_contract": "recipe.contract_file",
    "load_recipe": "recipe.load",
    "open_mix": "pipeline.mix",
    "plan_recipe": "pipeline.run",
    "read_records": "evidence.importers",
    "run_recipe": "pipeline.run",
    "scorer": "evaluation.scorers",
    "write_report": "reporting",
}

__all__ = [
    "BlendCollator",
    "BlendRows",
    "BlendSampler",
    "BlendTable",
    "BrokenRun",
    "InputError",
    "MixwrightError",
    "ModelHandle",
    "compare",
    "judge_records",
    "load_contract",
    "load_recipe",
    "open_mix",
    "plan_recipe",
    "read_records",
    "run_recipe",
    "scorer",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mixwright' has no attribute '{name}'")
    return getattr(import_module(f"mixwright.{_HOME[name]}"), name)
