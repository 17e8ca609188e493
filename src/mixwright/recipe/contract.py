"""The parts of a recipe about judging: the contract, and how answers are asked for."""

from __future__ import annotations

from pydantic import Field

from mixwright.recipe.values import Count, Strict


class Contract(Strict):
    """What must improve and what must be kept, in score from 0 to 1. Names: see `evidence.clauses`."""

    improve: dict[str, float] = Field(default_factory=dict)
    keep: dict[str, float] = Field(default_factory=dict)
    confidence: float = Field(0.95, gt=0.5, lt=1)


class Evaluate(Strict):
    batch_size: Count = 128
    session: tuple[str, ...] | None = None  # requests of one conversation to show beside the scores; made up if absent
