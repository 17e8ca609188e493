"""The parts of a recipe about training: the blend, how it is learnt, arms to compare it with, and what is tuned."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from mixwright.recipe.problems import Problem, problems_error
from mixwright.recipe.values import Count, Seed, Share, Strict


class Budget(Strict):
    """How long to train: a number of tokens, or passes over the domain sources."""

    tokens: Count | None = None
    domain_epochs: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _exactly_one(self) -> Budget:
        if (self.tokens is None) == (self.domain_epochs is None):
            fix = "Give either 'tokens' or 'domain_epochs'."
            raise problems_error([Problem((), "a budget has exactly one measure", fix)])
        return self


Shares: TypeAlias = dict[str, Share]
Weight: TypeAlias = Annotated[float, Field(gt=0, le=1)]


class SharesFrom(Strict):
    """Other shares from a point of the run on, in steps or in tokens."""

    step: Count | None = None
    tokens: Count | None = None
    shares: Shares
    ramp: bool = False  # approached in a straight line from the shares before, and reached at the point

    @model_validator(mode="after")
    def _one_point(self) -> SharesFrom:
        if (self.step is None) == (self.tokens is None):
            fix = "Give either 'step' or 'tokens'."
            raise problems_error([Problem((), "shares begin at exactly one point", fix)])
        return self

    @property
    def point(self) -> int:
        """The step or the number of tokens."""
        return (self.step or 0) + (self.tokens or 0)


class Blend(Strict):
    unit: Literal["tokens", "supervised_tokens", "records"] = "tokens"
    shares: Shares
    schedule: tuple[SharesFrom, ...] = ()  # how the shares change after the beginning
    budget: Budget
    packing: bool = True  # several records in a row, kept apart by a block mask
    seed: Seed = 0

    @model_validator(mode="after")
    def _in_order(self) -> Blend:
        problems = []
        if len({turn.step is None for turn in self.schedule}) > 1:
            problems.append(Problem(("schedule",), "steps and tokens are mixed", "Give all points in one of them."))
        elif any(after.point <= before.point for before, after in pairwise(self.schedule)):
            problems.append(Problem(("schedule",), "the points do not follow each other", "Put them in order."))
        if problems:
            raise problems_error(problems)
        return self

    @property
    def source_names(self) -> list[str]:
        """All sources that ever have a share, sorted."""
        return sorted({*self.shares, *(name for turn in self.schedule for name in turn.shares)})


Method: TypeAlias = Literal["full", "lora"]


class Lora(Strict):
    """Low-rank adapters on every linear layer but the output head; all else is frozen but for the embeddings.

    Adapters alone do not learn vocabulary and answer forms that are new to the base: on the demonstration's desk they
    reach 12 points, against 72 with trained embeddings, which are therefore the default.
    """

    rank: Count = 16  # columns of the one factor and rows of the other
    alpha: Count = 32  # the product of the factors counts alpha / rank times
    dropout: float = Field(0.0, ge=0, lt=1)  # of what enters an adapter, in training
    embeddings: bool = True  # train the input embeddings too, and the output head where it is not tied to them


class Train(Strict):
    objective: Literal["sft"] = "sft"
    method: Method = "full"  # all parameters, or low-rank adapters
    lora: Lora = Lora()  # for `method: lora`, of the recipe or of an arm
    optimizer: Literal["adamw", "muon"] = "adamw"
    learning_rate: float = Field(2e-5, gt=0)
    schedule: Literal["constant", "linear", "cosine", "wsd"] = "cosine"
    warmup: float = Field(0.03, ge=0, lt=1)  # share of the steps
    cooldown: float = Field(0.2, gt=0, le=1)  # share of the steps in which `wsd` decays
    weight_decay: float = Field(0.0, ge=0)
    gradient_clip: float = Field(1.0, gt=0)
    sequence_length: int = Field(1024, ge=8, le=1 << 24)  # tokens in a row; longer records are dropped and counted
    batch_tokens: int = Field(8192, ge=8, le=1 << 32)  # tokens in an optimizer step, a multiple of sequence_length
    micro_batch_rows: Count | None = None  # rows in memory at once; all of a batch when absent
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: Seed = 0
    keep_checkpoint: bool = False  # the last one stays with the model, so that another recipe can go on from it
    checkpoint_seconds: float = Field(60.0, gt=0)  # wall time between checkpoints; never changes the result

    @model_validator(mode="after")
    def _fitting(self) -> Train:
        if self.schedule == "wsd" and self.warmup + self.cooldown > 1:
            message = f"warmup {self.warmup:g} and cooldown {self.cooldown:g} overlap: together they exceed all steps"
            raise problems_error([Problem(("cooldown",), message, f"At most {1 - self.warmup:g}.")])
        if self.batch_tokens % self.sequence_length:
            multiple = max(1, round(self.batch_tokens / self.sequence_length)) * self.sequence_length
            raise problems_error(
                [
                    Problem(
                        ("batch_tokens",),
                        f"{self.batch_tokens} is no multiple of sequence_length {self.sequence_length}",
                        f"Nearest: {multiple}.",
                    )
                ]
            )
        return self


class Arm(Strict):
    """A comparison beside the blend: what differs from the recipe.

    Either trained, with `shares` of its own (`domain`: the domain alone), or interpolated: the weights of the base
    plus `weight` times what training has changed in another arm, which costs no training.
    """

    shares: Shares | Literal["domain"] | None = None
    schedule: tuple[SharesFrom, ...] = ()  # of an arm with shares of its own
    interpolate: str | None = None  # the trained arm to go back from
    weights: tuple[Weight, ...] = ()  # 0 is the base, 1 the arm; of several, one is chosen as `tune` says
    budget: Budget | None = None
    learning_rate: float | None = Field(None, gt=0)
    method: Method | None = None
    seed: Seed | None = None

    @model_validator(mode="after")
    def _trained_or_interpolated(self) -> Arm:
        problems = []
        if (self.shares is None) == (self.interpolate is None):
            problems.append(Problem((), "an arm is trained or interpolated", "Give either 'shares' or 'interpolate'."))
        elif self.interpolate is None and self.weights:
            problems.append(Problem(("weights",), "applies to interpolated arms only", "Add 'interpolate: <arm>'."))
        elif self.interpolate is not None:
            problems += [
                Problem((key,), "applies to trained arms only", "Leave it out.")
                for key in ("schedule", "budget", "learning_rate", "method", "seed")
                if getattr(self, key)
            ]
            if not self.weights or len(set(self.weights)) < len(self.weights):
                fix = "Write 'weights: [0.5]', or several different ones to choose from."
                problems.append(Problem(("weights",), "an interpolated arm needs weights", fix))
        if problems:
            raise problems_error(problems)
        return self


class Tune(Strict):
    """Settings to choose from, for every arm alike, on items set aside for choosing: never on those that certify."""

    learning_rates: tuple[Annotated[float, Field(gt=0)], ...] = ()  # instead of train.learning_rate
    search_share: float = Field(0.2, gt=0, lt=1)  # of each suite's clusters, not used for certificates

    @model_validator(mode="after")
    def _different(self) -> Tune:
        if len(set(self.learning_rates)) < len(self.learning_rates):
            problem = Problem(("learning_rates",), "a rate stands here twice", "Leave one of them out.")
            raise problems_error([problem])
        return self
