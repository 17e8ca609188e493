"""The parts of a recipe about judging: the contract, and how answers are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from mixwright.ground.errors import did_you_mean
from mixwright.recipe.problems import Problem, problems_error
from mixwright.recipe.values import Count, Role, Strict

CONTRACT_WORDS = ("general", "domain", "each_ability")
METRICS = ("score", "parse_rate")


def split_metric(name: str) -> tuple[str, str]:
    """`desk/v1.2.score` as (`desk/v1.2`, `score`). A dot belongs to an ability's name unless a metric follows it."""
    target, _, metric = name.rpartition(".")
    if metric in METRICS or "/" not in name:
        return (target, metric) if target else (name, "")
    return name, ""


class Never(Strict):
    """What must not happen, in one of two forms.

    `max_rate`: of the answers that score less than 1, provably below it. A model that refuses everything would be
    safe, so a rate is balanced by what must still be answered: `balanced_by` falls by less than `margin`.
    `margin` alone: no ability of the name falls by more, not even to another's gain.
    """

    max_rate: float | None = Field(None, gt=0, lt=1)
    balanced_by: str | None = None
    margin: float | None = Field(None, gt=0, lt=1)

    @model_validator(mode="after")
    def _balanced(self) -> Never:
        if self.max_rate is None and self.margin is None:
            fix = "Write {margin: 0.03}, or {max_rate: 0.01, balanced_by: <what must still be answered>}."
            raise problems_error([Problem((), "nothing is said of what must never happen", fix)])
        if (self.max_rate is None) != (self.balanced_by is None):
            missing = "balanced_by" if self.balanced_by is None else "max_rate"
            fix = "A model that refuses everything keeps any rate: name what it must still answer as 'balanced_by'."
            raise problems_error([Problem((missing,), f"this rate needs '{missing}'", fix)])
        return self


class Planning(Strict):
    """What `plan` takes to be true of the models that will be compared, and the power it plans for."""

    power: float = Field(0.8, gt=0, lt=1)  # of each clause
    discordance: float = Field(0.1, gt=0, le=1)  # share of items on which candidate and base differ
    correlation: float = Field(0.1, ge=0, le=1)  # of the differences of two items of one cluster


class Contract(Strict):
    """What must improve, what must be kept and what must never happen, in score from 0 to 1. Names: see
    `evidence.clauses`."""

    improve: dict[str, float] = Field(default_factory=dict)
    keep: dict[str, float] = Field(default_factory=dict)
    never: dict[str, Never] = Field(default_factory=dict)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    seeds: int = Field(1, ge=1, le=20)  # trainings of the blend, each of which must pass
    stopping: Literal["fixed", "sequential"] = "fixed"  # all items at once, or a verdict that holds at every look
    planning: Planning = Planning()

    @model_validator(mode="after")
    def _margins(self) -> Contract:
        problems = []
        if not (self.improve or self.keep or self.never):
            fix = "Add 'improve', 'keep' or 'never'."
            problems.append(Problem((), "the contract asks for nothing", fix))
        for name, margin in self.keep.items():
            if not 0 < margin < 1:
                fix = "0.02 is two points. No test can certify a margin of 0."
                problems.append(Problem(("keep", name), f"found {margin}, a margin lies between 0 and 1", fix))
        for name, gain in self.improve.items():
            if not 0 <= gain < 1:
                fix = "0.05 is five points."
                problems.append(Problem(("improve", name), f"found {gain}, a gain lies between 0 and 1", fix))
        if problems:
            raise problems_error(problems)
        return self

    def names(self) -> list[tuple[tuple[str | int, ...], str]]:
        """Every name of the contract with its path in it."""
        found: list[tuple[tuple[str | int, ...], str]] = []
        for kind in ("improve", "keep", "never"):
            found += [((kind, name), name) for name in getattr(self, kind)]
        found += [(("never", name, "balanced_by"), n.balanced_by) for name, n in self.never.items() if n.balanced_by]
        return found


def name_problems(contract: Contract, roles: Mapping[str, Role]) -> list[Problem]:
    """Names that lead nowhere; paths relative to the contract. roles: of each suite."""
    problems: list[Problem] = []
    for path, name in contract.names():
        target, metric = split_metric(name)
        suite, _, ability = target.partition("/")
        if metric and metric not in METRICS:
            problems.append(Problem(path, f"unknown metric '{metric}'", did_you_mean(metric, METRICS)))
        if suite not in roles and suite not in CONTRACT_WORDS:
            known = [*roles, *CONTRACT_WORDS]
            problems.append(Problem(path, f"no suite is called '{suite}'", did_you_mean(suite, known)))
        elif suite in CONTRACT_WORDS:
            role = "domain" if suite == "domain" else "general"
            if role not in roles.values():
                fix = f"Give a suite 'role: {role}', or name a suite."
                problems.append(Problem(path, f"no suite has the role '{role}'", fix))
            if ability:
                fix = f"Write '{suite}', or '<suite>/{ability}'."
                problems.append(Problem(path, f"'{suite}' is no suite and has no abilities", fix))
    return problems


class Evaluate(Strict):
    batch_size: Count = 128
    session: tuple[str, ...] | None = None  # requests of one conversation to show beside the scores; made up if absent
