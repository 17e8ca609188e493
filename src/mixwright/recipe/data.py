"""The parts of a recipe about data: the base model, its sources, the suites that examine it, and curation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mixwright.recipe.problems import Problem, problems_error
from mixwright.recipe.values import Count, Role, Seed, Strict

SELF = "self"  # as a generator: the base model itself


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
    exhausted: Literal["fail", "stop", "renormalise", "repeat"] = "fail"  # what happens where a blend needs more
    loss: Literal["assistant", "all"] = "assistant"
    longer: Literal["drop", "truncate", "split"] = "drop"  # what becomes of a record that a row does not hold

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
        if self.max_repeats is None and "exhausted" in self.model_fields_set:
            problems.append(Problem(("exhausted",), "nothing limits this source", "Add 'max_repeats: 1'."))
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
    options: dict[str, Any] = Field(default_factory=dict)


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
