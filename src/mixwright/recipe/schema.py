"""A whole recipe, and the rules that hold between its parts.

Every reference must lead somewhere - shares to sources, suites to held-out rows, clauses to suites - and every arm must
be able to spend its budget. Broken ones are reported together, each with its place and a near match.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from mixwright.ground.errors import did_you_mean
from mixwright.recipe.contract import CONTRACT_WORDS, Contract, Evaluate, name_problems
from mixwright.recipe.data import Base, Curate, Source, Suite
from mixwright.recipe.problems import Problem, problems_error
from mixwright.recipe.training import Arm, Blend, Budget, Shares, SharesFrom, Train, Tune
from mixwright.recipe.values import Name, Strict

MAIN_ARM = "blend"
BASE_ARM = "base"


class Candidate(NamedTuple):
    """One setting of an arm among those to choose from: a learning rate, or the weight of an interpolation."""

    learning_rate: float | None = None
    weight: float | None = None

    @property
    def label(self) -> str:
        """What tells it from the arm's others, for people and file names."""
        name, value = ("lr", self.learning_rate) if self.learning_rate is not None else ("weight", self.weight)
        return f"{name}={value!r}".removesuffix(".0")


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
    tune: Tune | None = None
    evaluate: Evaluate = Evaluate()
    contract: Contract | None = None

    @model_validator(mode="after")
    def _references(self) -> Recipe:
        shares = self._check_blend(("blend",), self.blend.shares, self.blend.schedule)
        problems = [
            *(shares or self._check_arms()),  # what is wrong with the arms may only follow from the shares
            *self._check_methods(),
            *self._check_suites(),
            *self._check_contract(),
            *self._check_tune(),
        ]
        if problems:
            raise problems_error(problems)
        return self

    def _check_blend(
        self, path: tuple[str | int, ...], shares: Shares, schedule: tuple[SharesFrom, ...]
    ) -> list[Problem]:
        problems = self._check_shares((*path, "shares"), shares)
        for number, turn in enumerate(schedule):
            problems += self._check_shares((*path, "schedule", number, "shares"), turn.shares)
        return problems

    def _check_shares(self, path: tuple[str | int, ...], shares: Shares) -> list[Problem]:
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
        used = set(self.blend.source_names)
        domain = [name for name, source in self.sources.items() if source.role == "domain"]
        for name, arm in self.arms.items():
            if name in (BASE_ARM, MAIN_ARM, *self.repeats):
                problems.append(Problem(("arms", name), "this name is taken by the recipe itself", "Choose another."))
            if arm.interpolate is not None:
                problems += self._check_interpolation(name, arm.interpolate)
                continue
            assert arm.shares is not None
            if arm.shares == "domain":
                if not any(source in self.blend.shares for source in domain):
                    path, fix = ("arms", name, "shares"), "Write the shares out."
                    problems.append(Problem(path, "the blend holds no source with role 'domain'", fix))
            else:
                wrong = self._check_blend(("arms", name), arm.shares, arm.schedule)
                problems += wrong
                used |= {*arm.shares, *(source for turn in arm.schedule for source in turn.shares)}
                if wrong:
                    continue
            budget = arm.budget or self.blend.budget
            problems += self._check_budget(("arms", name), budget, self.arm_shares(name), arm.schedule)
        problems += self._check_budget(("blend",), self.blend.budget, self.blend.shares, self.blend.schedule)
        problems += [
            Problem(("sources", name), "this source has a share in no arm", "Give it a share or remove it.")
            for name in self.sources
            if name not in used
        ]
        return problems

    def _check_interpolation(self, name: str, tuned: str) -> list[Problem]:
        path = ("arms", name, "interpolate")
        if tuned not in self.trained_arms:
            fix = did_you_mean(tuned, self.trained_arms)
            return [Problem(path, f"no trained arm is called '{tuned}'", fix)]
        if self.tune is None and len(self.arms[name].weights) > 1:
            fix = "Add 'tune: {}', or give one weight."
            return [Problem(("arms", name, "weights"), "there is no 'tune' to choose one of them", fix)]
        return []

    def _check_tune(self) -> list[Problem]:
        if self.tune is None:
            return []
        if self.contract is None:
            fix = "Add a contract: the candidate that comes closest to it is taken."
            return [Problem(("tune",), "there is no contract to choose by", fix)]
        if all(len(self.arm_candidates(arm)) == 1 for arm in self.arm_names):
            fix = "Add 'learning_rates: [5e-4, 1e-3]', or remove 'tune'."
            return [Problem(("tune",), "there is nothing to choose from", fix)]
        return []

    def _check_budget(
        self, path: tuple[str | int, ...], budget: Budget, shares: Shares, schedule: tuple[SharesFrom, ...]
    ) -> list[Problem]:
        """A budget in domain tokens is never reached where the last shares hold none."""
        where, last = ((*path, "schedule", len(schedule) - 1), schedule[-1].shares) if schedule else (path, shares)
        roles = {self.sources[name].role for name in last if name in self.sources}
        if budget.domain_epochs is None or "domain" in roles:
            return []
        fix = "Give a domain source a share to the end, or use budget.tokens."
        return [
            Problem((*where, "shares"), "a budget in domain_epochs ends by domain tokens, of which here are none", fix)
        ]

    def _check_methods(self) -> list[Problem]:
        if self.trains_adapters and self.train.optimizer == "muon":
            message = "muon orthogonalises the updates of whole weight matrices, and lora trains factors of them"
            return [Problem(("train", "optimizer"), message, "Use adamw.")]
        if not self.trains_adapters and "lora" in self.train.model_fields_set:
            fix = "Set train.method: lora, or leave it out."
            return [Problem(("train", "lora"), "nothing is trained with 'method: lora'", fix)]
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
        found = name_problems(self.contract, {name: suite.role for name, suite in self.suites.items()})
        return [Problem(("contract", *problem.path), problem.message, problem.fix) for problem in found]

    @property
    def repeats(self) -> dict[str, int]:
        """The further trainings of the blend that the contract asks for, with what is added to its seeds."""
        seeds = 1 if self.contract is None else self.contract.seeds
        return {f"{MAIN_ARM}-seed-{number}": number for number in range(1, seeds)}

    @property
    def arm_names(self) -> tuple[str, ...]:
        """All arms but the base, comparisons first, the blend last."""
        return (*self.arms, *self.repeats, MAIN_ARM)

    @property
    def trained_arms(self) -> tuple[str, ...]:
        """The arms that are trained, comparisons first, the blend last."""
        return (*(name for name, arm in self.arms.items() if arm.interpolate is None), *self.repeats, MAIN_ARM)

    @property
    def trains_adapters(self) -> bool:
        """Whether any arm is trained by low-rank adapters."""
        return "lora" in (self.train.method, *(arm.method for arm in self.arms.values()))

    def parent(self, arm: str) -> str:
        """The trained arm from which an interpolated arm goes back to the base; a trained arm itself."""
        found = self.arms[arm].interpolate if arm in self.arms else None
        return found or arm

    def arm_candidates(self, arm: str) -> tuple[Candidate, ...]:
        """The settings that an arm chooses from: one or more."""
        if arm not in self.trained_arms:
            return tuple(Candidate(weight=weight) for weight in self.arms[arm].weights)
        own = self.arms[arm].learning_rate if arm in self.arms else None
        if own is None and self.tune is not None and self.tune.learning_rates:
            return tuple(Candidate(learning_rate=rate) for rate in self.tune.learning_rates)
        return (Candidate(learning_rate=own or self.train.learning_rate),)

    def arm_shares(self, arm: str) -> Shares:
        """The shares of a trained arm. `domain` becomes the blend's domain sources in their own proportion."""
        if arm not in self.arms:
            return self.blend.shares
        shares = self.arms[arm].shares
        assert shares is not None
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
        """The blend of a trained arm, complete."""
        if arm not in self.arms:
            return self.blend.model_copy(update={"seed": self.blend.seed + self.repeats.get(arm, 0)})
        chosen = self.arms[arm]
        changes = {
            "shares": self.arm_shares(arm),
            "schedule": chosen.schedule,
            "budget": chosen.budget,
            "seed": chosen.seed,
        }
        return self.blend.model_copy(update={key: value for key, value in changes.items() if value is not None})

    def arm_train(self, arm: str, candidate: Candidate) -> Train:
        """The training settings of a trained arm's candidate, complete."""
        changes: dict[str, float | int | str | None] = {"learning_rate": candidate.learning_rate}
        if arm in self.repeats:
            changes["seed"] = self.train.seed + self.repeats[arm]
        elif arm in self.arms:
            chosen = self.arms[arm]
            changes |= {key: getattr(chosen, key) for key in ("seed", "method") if getattr(chosen, key) is not None}
        return self.train.model_copy(update=changes)
