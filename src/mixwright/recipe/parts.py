"""The parts of a recipe: frozen, typed, and ignorant of torch.

Every key a user may write stands here with its unit and default. Unknown keys, impossible values and references to
things that do not exist are refused with path, value and suggestion before anything runs. Shares are exact rationals
(`0.1`, `1/3`), so that what is written is what is realised.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

from mixwright.recipe.problems import Problem, problems_error, unknown_keys

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
Role: TypeAlias = Literal["domain", "general"]
SELF = "self"  # as a generator: the base model itself


def _share(value: Any) -> Any:
    """A share as an exact rational from 0.25, '1/3' or Fraction."""
    found = f"found {value!r}, a share is a number above 0 and at most 1"
    try:
        share = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise problems_error([Problem((), found, "Write it as 0.25 or 1/3.")]) from None
    if share <= 0:
        raise problems_error([Problem((), found, "Leave the source out of the shares instead.")])
    if share > 1:
        raise problems_error([Problem((), found, "Write 0.25, not 25.")])
    return share


Seed = Annotated[int, Field(ge=0, lt=1 << 63)]
Count = Annotated[int, Field(ge=1, le=10**15)]  # beyond it lies a typing error, not a data set
Share = Annotated[Fraction, BeforeValidator(_share), PlainSerializer(lambda share: str(share), return_type=str)]


class Strict(BaseModel):
    """Frozen, and an unknown key is an error that names the near match."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, value: Any) -> Any:
        if isinstance(value, dict):
            known = {field.alias or name for name, field in cls.model_fields.items()}
            unknown = [str(key) for key in value if key not in known]
            if unknown:
                raise problems_error(unknown_keys(unknown, sorted(known)))
        return value


class Base(Strict):
    """The model to specialise: `embedded:nano`, a folder, or a Hugging Face id with a revision."""

    model: str
    revision: str | None = None


class Template(Strict):
    """A conversation written with `{column}` fields; `{a.b.0}` walks into nested JSON, `{{` is a brace."""

    system: str | None = None
    user: str
    assistant: str | None = None


class Source(Strict):
    """One data set. Exactly one of `path` and `generate` says where its rows come from."""

    role: Role
    skill: str | None = None
    licence: str = "unknown"
    path: str | tuple[str, ...] | None = None  # files and globs, relative to the recipe
    generate: str | None = None  # the name of a generator, or `self`: replay written by the base model
    records: Count | None = None  # generated rows; for `self` conversations begun, of which the well-formed are kept
    abilities: tuple[str, ...] | None = None  # of a generator; all when absent
    temperature: float | None = Field(None, gt=0, le=10)  # of `generate: self`; 1 when absent
    turns: Count | None = None  # of `generate: self`: the most questions in a conversation; 4 when absent
    max_new_tokens: Count | None = None  # of `generate: self`: the longest turn; 128 when absent
    seed: Seed = 0
    format: Literal["auto", "messages", "prompt_completion", "alpaca"] = "auto"
    columns: dict[str, str] | None = None  # role of a column -> its name in the file, e.g. {prompt: text}
    template: Template | None = None
    system: str | None = None  # a system turn put before conversations that have none
    group: str | None = None  # the column whose values must not be torn apart by `holdout`
    holdout: float = Field(0.0, ge=0.0, lt=1.0)  # share of groups kept away from training, for suites
    malformed: Literal["refuse", "drop"] = "refuse"
    max_repeats: float | None = Field(None, gt=0)  # times a record may be seen; unlimited when absent
    loss: Literal["assistant", "all"] = "assistant"

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        problems = []
        if (self.path is None) == (self.generate is None):
            problems.append(Problem((), "a source comes from exactly one place", "Give either 'path' or 'generate'."))
        elif self.generate is not None:
            if self.records is None:
                problems.append(Problem(("records",), "a generated source needs 'records'", "Say how many to make."))
            for key in ("columns", "template", "group"):
                if getattr(self, key) is not None:
                    problems.append(Problem((key,), "applies to sources read from files only", "Leave it out."))
            if self.generate == SELF and self.abilities is not None:
                problems.append(Problem(("abilities",), "a model writes what it likes", "Leave it out."))
        else:
            for key in ("records", "abilities"):
                if getattr(self, key) is not None:
                    problems.append(Problem((key,), "applies to generated sources only", "Leave it out."))
        if self.generate != SELF:
            problems += [
                Problem((key,), "applies to 'generate: self' only", "Leave it out.")
                for key in ("temperature", "turns", "max_new_tokens")
                if getattr(self, key) is not None
            ]
        if self.columns is not None and self.template is not None:
            problems.append(
                Problem(("template",), "'columns' and 'template' exclude each other", "Leave one of them out.")
            )
        if self.template is not None and self.template.assistant is None:
            problems.append(
                Problem(("template", "assistant"), "a training source needs the answer", "Add 'assistant: ...' here.")
            )
        if problems:
            raise problems_error(problems)
        return self


def _scorer(value: Any) -> Any:
    """`exact` or `{numeric: {tolerance: 0.01}}`."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict) and len(value) == 1 and "name" not in value:
        name, options = next(iter(value.items()))
        return {"name": name, "options": options or {}}
    if isinstance(value, dict) and "name" not in value:
        fix = "Write one: 'exact', or {numeric: {tolerance: 0.01}}."
        raise problems_error([Problem((), f"found {len(value)} scorers ({', '.join(map(str, value))})", fix)])
    return value


class Scorer(Strict):
    """The name of a scorer and its options."""

    name: str
    options: dict[str, Any] = {}


class Suite(Strict):
    """A set of evaluation items. Exactly one of `path`, `source` (its held-out rows) and `generate`."""

    role: Role
    version: Count = 1
    licence: str = "unknown"
    path: str | tuple[str, ...] | None = None
    source: str | None = None
    generate: str | None = None
    items_per_ability: Count | None = None
    abilities: tuple[str, ...] | None = None
    seed: Seed = 0
    prompt: str | Template | None = None  # the user turn (or system and user) with {column} fields
    target: str | None = None  # the gold answer with {column} fields
    ability: str | None = None  # a constant or {column}; the suite's name when absent
    cluster: str | None = None  # {column}: items that share it are not independent
    scorer: Annotated[Scorer | None, BeforeValidator(_scorer)] = None
    answer: Literal["generate", "likelihood"] = "generate"  # written, or the most probable option of `choice`
    normalise: Literal["none", "tokens", "characters"] = "none"  # what a log-probability is divided by
    limit: Count | None = None  # a random subset of this size, the same for every arm
    max_new_tokens: Count = 64

    @model_validator(mode="after")
    def _one_origin(self) -> Suite:
        problems = []
        origins = [name for name in ("path", "source", "generate") if getattr(self, name) is not None]
        if len(origins) != 1:
            fix = "Give either 'path', 'source' or 'generate'."
            problems.append(Problem((), "a suite comes from exactly one place", fix))
        elif self.path is not None:
            problems += [
                Problem((key,), f"a suite read from a file needs '{key}'", f"Add '{key}: ...' here.")
                for key in ("prompt", "target", "scorer")
                if getattr(self, key) is None
            ]
        elif self.source is not None:
            if self.scorer is None:
                problems.append(
                    Problem(("scorer",), "a suite of held-out rows needs 'scorer'", "Add 'scorer: exact' here.")
                )
            problems += [
                Problem((key,), "comes from the source's rows here", "Leave it out.")
                for key in ("prompt", "target", "cluster")
                if getattr(self, key) is not None
            ]
        else:
            if self.items_per_ability is None:
                problems.append(
                    Problem(
                        ("items_per_ability",), "a generated suite needs 'items_per_ability'", "Say how many to make."
                    )
                )
            problems += [
                Problem((key,), "comes from the generator here", "Leave it out.")
                for key in ("prompt", "target", "cluster", "scorer", "ability")
                if getattr(self, key) is not None
            ]
        if self.generate is None:
            problems += [
                Problem((key,), "applies to generated suites only", "Leave it out.")
                for key in ("items_per_ability", "abilities")
                if getattr(self, key) is not None
            ]
        if self.answer == "likelihood" and (self.scorer is None or self.scorer.name != "choice"):
            fix = "Write 'scorer: {choice: {options: [...]}}', or leave 'answer' out."
            problems.append(Problem(("answer",), "only the scorer 'choice' has options to compare", fix))
        if self.answer == "generate" and self.normalise != "none":
            problems.append(Problem(("normalise",), "applies to 'answer: likelihood' only", "Leave it out."))
        if problems:
            raise problems_error(problems)
        return self


class Dedup(Strict):
    exact: bool = True


class Filters(Strict):
    """Limits of the sanity filters. A row outside them is dropped and its reason kept."""

    min_answer_characters: Count = 1
    max_characters: int = Field(100_000, ge=1)
    max_repetition: float = Field(0.8, gt=0, le=1)  # share of a long answer's word 4-grams that may be repeats
    max_replacement: float = Field(0.01, ge=0, le=1)  # share of U+FFFD and control characters


class Curate(Strict):
    dedup: Dedup = Dedup()
    filters: Filters = Filters()
    decontaminate: Literal["all_suites", "refuse"] = "all_suites"  # drop leaked rows, or stop at the first


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


class Blend(Strict):
    unit: Literal["tokens", "supervised_tokens", "records"] = "tokens"
    shares: Shares
    budget: Budget
    packing: bool = True  # several records in a row, kept apart by a block mask
    seed: Seed = 0


Method: TypeAlias = Literal["full", "lora"]


class Lora(Strict):
    """Low-rank adapters on every linear layer but the output head; all else is frozen but for the embeddings.

    Adapters alone do not learn vocabulary and answer forms that are new to the base: in a small lab run of rank 16 they
    reached a domain score of 0.12, against 0.93 with trained embeddings, which are therefore the default.
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
                for key in ("budget", "learning_rate", "method", "seed")
                if getattr(self, key) is not None
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


class Contract(Strict):
    """What must improve and what must be kept, in score from 0 to 1. Names: see `evidence.clauses`."""

    improve: dict[str, float] = {}
    keep: dict[str, float] = {}
    confidence: float = Field(0.95, gt=0.5, lt=1)


class Evaluate(Strict):
    batch_size: Count = 128
    session: tuple[str, ...] | None = None  # requests of one conversation to show beside the scores; made up if absent
