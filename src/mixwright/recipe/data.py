"""The parts of a recipe about data: the base model, its sources, the suites that examine it, and curation."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from mixwright.ground.errors import did_you_mean
from mixwright.recipe.problems import Problem, problems_error
from mixwright.recipe.selection import Threads, Where
from mixwright.recipe.values import Count, Role, Seed, Strict

SELF = "self"  # as a generator: the base model itself
ROLES = ("system", "user", "assistant", "tool")


class Base(Strict):
    """The model to specialise: `embedded:nano`, a folder, or a Hugging Face id with a revision."""

    model: str
    revision: str | None = None


class Template(Strict):
    """A conversation written with `{column}` fields; `{a.b.0}` walks into nested JSON, `{a.*.b}` is the lines of a
    list, `{{` is a brace."""

    system: str | None = None
    user: str
    assistant: str | None = None


Form: TypeAlias = Literal[
    "auto", "messages", "sharegpt", "converse", "prompt_completion", "alpaca", "gen_qa", "preference", "text"
]
Terms: TypeAlias = Literal["partly", "unknown", "non_commercial"]


class Rows(Strict):
    """Where the rows of a source or suite are read: files, or a data set of a hub."""

    path: str | tuple[str, ...] | None = None  # files, folders, globs and URLs, relative to the recipe
    hub: str | None = None  # a data set: `owner/name` on the Hugging Face hub, or a folder laid out as one
    revision: str | None = None  # of `hub`: a commit, branch or tag; the lock holds the commit
    config: str | None = None  # of `hub`: one of its configurations; its default when absent
    split: str | None = None  # of `hub`: `train` when absent
    rows: str | None = None  # where rows lie inside nested JSON: `data.*.questions.*`
    documents: Literal["file", "line"] = "file"  # what is one document of a text file
    where: Where = None  # conditions on columns: the rows that belong
    threads: Threads | None = None  # rows are messages of trees, which become conversations

    @property
    def is_read(self) -> bool:
        """Whether rows are read at all, rather than generated."""
        return self.path is not None or self.hub is not None

    def reading_problems(self) -> list[Problem]:
        """Keys that say how to read what is not read."""
        of_hub = () if self.hub is not None else ("revision", "config", "split")
        of_read = () if self.is_read else ("rows", "where", "threads")
        messages = {**dict.fromkeys(of_hub, "applies to 'hub' only"), **dict.fromkeys(of_read, "nothing is read here")}
        given = {key: message for key, message in messages.items() if getattr(self, key) is not None}
        return [Problem((key,), message, "Leave it out.") for key, message in given.items()]


class Replay(Strict):
    """How the base model writes its own replay."""

    opening: Literal["user", "start"] = "user"  # conversations from a user's turn, or documents from the start token
    temperature: float = Field(1.0, gt=0, le=10)
    turns: Count = 4  # the most questions in a conversation
    max_new_tokens: Count = 128  # the longest turn
    min_answer_characters: Count = 1
    max_repetition: float = Field(0.5, gt=0, le=1)  # share of a turn's word 4-grams that stand in it before
    max_refusals: float = Field(0.25, ge=0, le=1)  # share of refusals in what is kept
    languages: tuple[str, ...] = ()  # ISO 639-1 codes; all when empty

    @model_validator(mode="after")
    def _of_conversations(self) -> Replay:
        given = [key for key in ("turns", "max_refusals") if self.opening == "start" and key in self.model_fields_set]
        if given:
            raise problems_error([Problem((given[0],), "documents have no turns", "Leave it out.")])
        return self


class TowardsBase(Strict):
    """Learn of a source's tokens what the base expects in their place, not only which token stands there."""

    top_k: int = Field(16, ge=1, le=1024)  # tokens whose probability is kept for each learnt one; all others are one
    weight: float = Field(0.5, gt=0, le=1)  # of the divergence from the base; cross-entropy has the rest


class Source(Rows):
    """One data set. Exactly one of `path`, `hub`, `catalogue` and `generate` says where its rows come from."""

    role: Role
    skill: str | None = None
    licence: str = "unknown"
    catalogue: str | None = None  # open general data by name: `balanced`, or a skill; becomes explicit sources
    allow: tuple[Terms, ...] = ()  # terms of use that the catalogue says a data set has, beyond commercial use
    generate: str | None = None  # the name of a generator, or `self`: replay written by the base model
    records: Count | None = None  # generated rows; for `self` conversations begun, of which the well-formed are kept
    abilities: tuple[str, ...] | None = None  # of a generator; all when absent
    replay: Replay | None = None  # of `generate: self`
    seed: Seed = 0
    format: Form = "auto"
    columns: dict[str, str] | None = None  # role of a column -> its name in the file, e.g. {prompt: text}
    template: Template | None = None
    roles: dict[str, str] | None = None  # name of a role in the file -> user, assistant, system or tool
    reasoning: Literal["keep", "drop"] = "keep"  # what is thought before an answer
    end_mark: str | None = None  # a mark with which the file closes answers, taken off
    system: str | None = None  # a system turn put before conversations that have none
    group: str | None = None  # the column whose values must not be torn apart by `holdout`
    holdout: float = Field(0.0, ge=0.0, lt=1.0)  # share of groups kept away from training, for suites
    malformed: Literal["refuse", "drop"] = "refuse"
    max_repeats: float | None = Field(None, gt=0)  # times a record may be seen; unlimited when absent
    exhausted: Literal["fail", "stop", "renormalise", "repeat"] = "fail"  # what happens where a blend needs more
    loss: Literal["assistant", "all"] = "assistant"
    kl: TowardsBase | None = None  # the base's own probabilities as what is learnt of these tokens
    longer: Literal["auto", "drop", "truncate", "split"] = "auto"  # what becomes of a record that a row does not hold

    @model_validator(mode="before")
    @classmethod
    def _one_word(cls, value: Any) -> Any:
        """`general: balanced` is open general data by name."""
        return {"role": "general", "catalogue": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        problems = self.reading_problems()
        given = [key for key in ("path", "hub", "catalogue", "generate") if getattr(self, key) is not None]
        if len(given) != 1:
            fix = "Give either 'path', 'hub', 'catalogue' or 'generate'."
            problems.append(Problem((), "a source comes from exactly one place", fix))
        elif self.generate is not None and self.records is None:
            problems.append(Problem(("records",), "a generated source needs 'records'", "Say how many to make."))
        if self.generate == SELF and self.abilities is not None:
            problems.append(Problem(("abilities",), "a model writes what it likes", "Leave it out."))
        if self.generate is None:
            problems += self._out_of_place(("records", "abilities"), "applies to generated sources only")
        if self.generate != SELF:
            problems += self._out_of_place(("replay",), "applies to 'generate: self' only")
        if not self.is_read:
            how = ("columns", "template", "group", "roles", "end_mark", "format", "reasoning", "malformed", "documents")
            unread = tuple(key for key in how if key in self.model_fields_set)
            problems += self._out_of_place(unread, "applies to sources that are read only")
        if self.hub is None and self.catalogue is None and self.allow:
            problems.append(Problem(("allow",), "applies to 'hub' and 'catalogue' only", "Leave it out."))
        if self.max_repeats is None and "exhausted" in self.model_fields_set:
            problems.append(Problem(("exhausted",), "nothing limits this source", "Add 'max_repeats: 1'."))
        if self.template is not None:
            if self.columns is not None:
                problems.append(
                    Problem(("template",), "'columns' and 'template' exclude each other", "Leave one of them out.")
                )
            if self.format != "auto":
                problems.append(Problem(("format",), "a template says itself what becomes of a row", "Leave it out."))
            if self.template.assistant is None:
                problems.append(
                    Problem(("template", "assistant"), "a training source needs the answer", "Add 'assistant: ...'.")
                )
        wrong = [role for role in (self.roles or {}).values() if role not in ROLES]
        problems += [Problem(("roles",), f"there is no role '{role}'", did_you_mean(role, ROLES)) for role in wrong]
        if problems:
            raise problems_error(problems)
        return self

    def _out_of_place(self, keys: tuple[str, ...], message: str) -> list[Problem]:
        return [Problem((key,), message, "Leave it out.") for key in keys if getattr(self, key) is not None]


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


class Suite(Rows):
    """A set of evaluation items. Exactly one of `path`, `hub`, `source` (its held-out rows) and `generate`."""

    role: Role
    version: Count = 1
    licence: str = "unknown"
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
        problems = self.reading_problems()
        origins = [name for name in ("path", "hub", "source", "generate") if getattr(self, name) is not None]
        if len(origins) != 1:
            fix = "Give either 'path', 'hub', 'source' or 'generate'."
            problems.append(Problem((), "a suite comes from exactly one place", fix))
        elif self.is_read:
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
