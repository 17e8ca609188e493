"""A project of generated sources that trains `embedded:nano` on 3,000 tokens, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mixwright.pipeline.run import RunResult, Step, run_recipe
from mixwright.recipe.load import load_recipe

RECIPE = """\
mixwright: 1
name: tiny
base: {{model: embedded:nano}}
sources:
  desk: {{role: domain, generate: support_desk, records: 60, seed: 1}}
  skills: {{role: general, generate: skills, records: 120, seed: 1}}
{source}suites:
  desk: {{role: domain, generate: support_desk, items_per_ability: 5, seed: 2}}
  skills: {{role: general, generate: skills, items_per_ability: 3, seed: 2}}
blend:
  shares: {shares}
  budget: {{tokens: 3000}}
arms:
  domain_only: {{shares: domain, budget: {{tokens: 600}}}}
train: {{learning_rate: 1.0e-3, sequence_length: 256, batch_tokens: 512, precision: fp32, device: cpu}}
contract:
  improve: {{desk: 0.9}}
  keep: {{general: 0.5}}
"""


class Finished(NamedTuple):
    """file: the recipe. out: the folder of runs and store."""

    file: Path
    out: Path
    result: RunResult


def write_project(folder: Path, *, source: str = "", shares: str = "{desk: 0.5, skills: 0.5}") -> Path:
    file = folder / "recipe.yaml"
    file.write_text(RECIPE.format(source=source, shares=shares))
    return file


def run_project(file: Path, out: Path, settings: Sequence[str] = (), until: Step = "certify") -> RunResult:
    return run_recipe(load_recipe(file, settings), out=out, until=until, threads=1)


def statuses(result: RunResult) -> dict[str, str]:
    """What became of each stage, by its label."""
    return {event.label: event.status for event in result.events}


def stages_that_ran(result: RunResult) -> set[str]:
    return {label for label, status in statuses(result).items() if status == "ran"}
