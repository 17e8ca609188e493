"""A whole recipe, and the rules that hold between its parts.

Every reference must lead somewhere - shares to sources, suites to held-out rows, clauses to suites - and every arm must
be able to spend its budget. Broken ones are reported together, each with its place and a near match.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import Field, model_validator

from mixwright.ground.errors import did_you_mean
from mixwright.recipe.parts import (
    Arm,
    Base,
    Blend,
    Budget,
    Contract,
    Curate,
    Evaluate,
    Name,
    Shares,
    Source,
    Strict,
    Suite,
    Train,
)
from mixwright.recipe.problems import Problem, problems_error

MAIN_ARM = "blend"
BASE_ARM = "base"
CONTRACT_WORDS = ("general", "domain", "each_ability")
METRICS = ("score", "parse_rate")


def split_metric(name: str) -> tuple[str, str]:
    """`desk/v1.2.score` as (`desk/v1.2`, `score`). A dot belongs to an ability's name unless a metric follows it."""
    target, _, metric = name.rpartition(".")
    if metric in METRICS or "/" not in name:
        return (target, metric) if target else (name, "")
    return name, ""


class Recipe(Strict):
    """A recipe: complete, consistent, and all that a run depends on besides the files it names."""

    mixwright: Literal[1]
    name: Name
    variables: dict[str, str | int | float | None] = Field(default_factory=dict)
    base: Base
    sources: dict[Name, Source] = Field(min_length=1)
    suites: dict[Name, Suite] = Field(default_factory=dict)
    curate: Curate = Curate()
    blend: Blend
    arms: dict[Name, Arm] = Field(default_factory=dict)
    train: Train = Train()
    evaluate: Evaluate = Evaluate()
    contract: Contract | None = None

    @model_validator(mode="after")
    def _references(self) -> Recipe:
        shares = self._check_shares(("blend", "shares"), self.blend.shares)
        problems = [
            *(shares or self._check_arms()),  # what is wrong with the arms may only follow from the shares
            *self._check_suites(),
            *self._check_contract(),
        ]
        if problems:
            raise problems_error(problems)
        return self

    def _check_shares(self, path: tuple[str, ...], shares: Shares) -> list[Problem]:
        problems = [
            Problem((*path, name), "there is no source of this name", did_you_mean(name, self.sources))
            for name in shares
            if name not in self.sources
        ]
        total = sum(shares.values(), Fraction(0))
        if total != 1 and not problems:
            scaled = ", ".join(f"{name}: {share / total}" for name, share in shares.items())
            problems.append(
                Problem(path, f"the shares sum to {float(total):.6g}, not to 1", f"In proportion: {{{scaled}}}.")
            )
        return problems

    def _check_arms(self) -> list[Problem]:
        problems: list[Problem] = []
        used = set(self.blend.shares)
        domain = [name for name, source in self.sources.items() if source.role == "domain"]
        for name, arm in self.arms.items():
            if name in (BASE_ARM, MAIN_ARM):
                problems.append(Problem(("arms", name), "this name is taken by the recipe itself", "Choose another."))
            if arm.shares == "domain":
                if not any(source in self.blend.shares for source in domain):
                    path, fix = ("arms", name, "shares"), "Write the shares out."
                    problems.append(Problem(path, "the blend holds no source with role 'domain'", fix))
            else:
                wrong = self._check_shares(("arms", name, "shares"), arm.shares)
                problems += wrong
                used |= set(arm.shares)
                if wrong:
                    continue
            budget = arm.budget or self.blend.budget
            problems += self._check_budget(("arms", name, "shares"), budget, self.arm_shares(name))
        problems += self._check_budget(("blend", "budget"), self.blend.budget, self.blend.shares)
        problems += [
            Problem(("sources", name), "this source has a share in no arm", "Give it a share or remove it.")
            for name in self.sources
            if name not in used
        ]
        return problems

    def _check_budget(self, path: tuple[str, ...], budget: Budget, shares: Shares) -> list[Problem]:
        roles = {self.sources[name].role for name in shares if name in self.sources}
        if budget.domain_epochs is not None and "domain" not in roles:
            return [Problem(path, "a budget in domain_epochs needs a domain source in the blend", "Use budget.tokens.")]
        return []

    def _check_suites(self) -> list[Problem]:
        problems: list[Problem] = []
        for name, suite in self.suites.items():
            if name in CONTRACT_WORDS:
                problems.append(Problem(("suites", name), "this name is a word of the contract", "Choose another."))
            if suite.source is None:
                continue
            if suite.source not in self.sources:
                fix = did_you_mean(suite.source, self.sources)
                problems.append(Problem(("suites", name, "source"), f"no source is called '{suite.source}'", fix))
            elif self.sources[suite.source].holdout == 0:
                problems.append(
                    Problem(
                        ("suites", name, "source"),
                        f"source '{suite.source}' holds nothing out",
                        f"Set sources.{suite.source}.holdout, for example to 0.2.",
                    )
                )
        return problems

    def _check_contract(self) -> list[Problem]:
        if self.contract is None:
            return []
        problems: list[Problem] = []
        if not self.contract.improve and not self.contract.keep:
            problems.append(Problem(("contract",), "the contract asks for nothing", "Add 'improve' or 'keep'."))
        for kind in ("improve", "keep"):
            clauses: dict[str, float] = getattr(self.contract, kind)
            for name, margin in clauses.items():
                path = ("contract", kind, name)
                target, metric = split_metric(name)
                suite, _, ability = target.partition("/")
                if metric and metric not in METRICS:
                    problems.append(Problem(path, f"unknown metric '{metric}'", did_you_mean(metric, METRICS)))
                if suite not in self.suites and suite not in CONTRACT_WORDS:
                    known = [*self.suites, *CONTRACT_WORDS]
                    problems.append(Problem(path, f"no suite is called '{suite}'", did_you_mean(suite, known)))
                elif suite in CONTRACT_WORDS:
                    role = "domain" if suite == "domain" else "general"
                    if not any(entry.role == role for entry in self.suites.values()):
                        fix = f"Give a suite 'role: {role}', or name a suite."
                        problems.append(Problem(path, f"no suite has the role '{role}'", fix))
                    if ability:
                        fix = f"Write '{suite}', or '<suite>/{ability}'."
                        problems.append(Problem(path, f"'{suite}' is no suite and has no abilities", fix))
                if kind == "keep" and not 0 < margin < 1:
                    problems.append(
                        Problem(
                            path,
                            f"found {margin}, a margin lies between 0 and 1",
                            "0.02 is two points. No test can certify a margin of 0.",
                        )
                    )
                if kind == "improve" and not 0 <= margin < 1:
                    problems.append(
                        Problem(path, f"found {margin}, a gain lies between 0 and 1", "0.05 is five points.")
                    )
        return problems

    @property
    def arm_names(self) -> tuple[str, ...]:
        """The arms to train, comparisons first, the blend last."""
        return (*self.arms, MAIN_ARM)

    def arm_shares(self, arm: str) -> Shares:
        """The shares of an arm. `domain` becomes the blend's domain sources in their own proportion."""
        if arm == MAIN_ARM:
            return self.blend.shares
        shares = self.arms[arm].shares
        if shares != "domain":
            return shares
        domain = {
            name: share
            for name, share in self.blend.shares.items()
            if name in self.sources and self.sources[name].role == "domain"
        }
        total = sum(domain.values(), Fraction(0))
        return {name: share / total for name, share in domain.items()}

    def arm_blend(self, arm: str) -> Blend:
        """The blend of an arm, complete."""
        if arm == MAIN_ARM:
            return self.blend
        budget = self.arms[arm].budget or self.blend.budget
        return self.blend.model_copy(update={"shares": self.arm_shares(arm), "budget": budget})

    def arm_train(self, arm: str) -> Train:
        """The training settings of an arm, complete."""
        if arm == MAIN_ARM:
            return self.train
        chosen = self.arms[arm]
        changes = {key: getattr(chosen, key) for key in ("learning_rate", "seed") if getattr(chosen, key) is not None}
        return self.train.model_copy(update=changes)
