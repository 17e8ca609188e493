"""What a report is made of: typed, frozen views of the files of a run directory.

The report reads files, not the objects that wrote them, so a run of another version or of another
program can still be shown. The price is this short file that repeats a few field names. Scores and
shares are fractions from 0 to 1 here; only the page shows points.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

BASE_ARM = "base"


class ItemKey(NamedTuple):
    """What makes one evaluation item unique inside a run."""

    suite: str
    item_id: str


@dataclass(frozen=True)
class Item:
    """One evaluation item; `prompt` holds (role, content) pairs."""

    key: ItemKey
    ability: str
    prompt: tuple[tuple[str, str], ...]
    target: str


@dataclass(frozen=True)
class Suite:
    """One evaluation suite of the run; `role` is `domain` or `general`."""

    name: str
    role: str
    version: str
    sha256: str
    scorer: str
    num_items: int


@dataclass(frozen=True)
class Answer:
    """What one arm answered to one item; `score` from 0 to 1, `parsed` whether an answer was found in it."""

    key: ItemKey
    ability: str
    cluster: str
    response: str
    parsed: bool
    score: float


@dataclass(frozen=True)
class Clause:
    """One clause of a certificate. Estimates, bounds and margins are fractions; each bound is one-sided."""

    kind: str
    name: str
    test: str
    verdict: str
    estimate: float
    low: float
    high: float
    margin: float
    threshold: float
    base: float
    candidate: float
    parse_rate_base: float | None
    parse_rate_candidate: float | None
    num_items: int
    num_clusters: int | None
    num_discordant: int | None
    method: str
    power: float | None
    settle: str | None
    reason: str | None

    @property
    def title(self) -> str:
        """The name without the prefix that says which rule made the clause: `skills/sorting`, `general`."""
        return self.name.partition(":")[2] or self.name

    @property
    def is_single_ability(self) -> bool:
        return self.name.startswith("each_ability:")


@dataclass(frozen=True)
class Certificate:
    """The verdict on the contract for one arm."""

    arm: str
    verdict: str
    confidence: float
    clauses: tuple[Clause, ...]
    notes: tuple[str, ...]  # what is to be known beside the clauses
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class TrainingStep:
    """One logged training step; `seconds` is elapsed time since the start of the training."""

    step: int
    tokens: int
    loss: float
    loss_by_source: Mapping[str, float | None]
    kl_by_source: Mapping[str, float]  # divergence from the base in nats, of sources with a KL term
    learning_rate: float
    seconds: float


class Turn(NamedTuple):
    """One request of the session with the arm's answer; `finished` is False where the answer was cut off."""

    request: str
    response: str
    finished: bool


class SearchClause(NamedTuple):
    """One clause as measured for a candidate on the search split; `slack` is its lower bound minus its threshold."""

    kind: str
    name: str
    named: bool
    base: float
    candidate: float
    estimate: float
    threshold: float
    slack: float
    num_items: int

    @property
    def title(self) -> str:
        return self.name.partition(":")[2] or self.name

    @property
    def margin(self) -> float:
        return abs(self.threshold)


class Candidate(NamedTuple):
    """One setting that an arm could have had: `label` is `lr=0.001` or `weight=0.5`."""

    label: str
    slack: float
    clauses: tuple[SearchClause, ...]


class Choice(NamedTuple):
    """The settings that were tried for an arm, and the label of the one it has."""

    chosen: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Arm:
    """Everything one arm left behind; what it did not leave is None (or empty)."""

    name: str
    blend: Mapping[str, Any] | None
    training: tuple[TrainingStep, ...]
    answers: Mapping[ItemKey, Answer]
    certificate: Certificate | None
    session: tuple[Turn, ...] = ()
    choice: Choice | None = None


class SummaryRow(NamedTuple):
    """One arm on one suite: the mean over its abilities, and the paired difference to the base (NaN for the base)."""

    arm: str
    suite: str
    role: str
    score: float
    parse_rate: float
    difference: float
    low: float
    high: float
    num_items: int


class Summary(NamedTuple):
    """Every arm on every suite; `confidence` of each one-sided bound, where it was written."""

    confidence: float | None
    rows: tuple[SummaryRow, ...]


@dataclass(frozen=True)
class RunStage:
    """One stage of the pipeline as it went: `status` is `ran` or `cached`."""

    label: str
    key: str
    status: str
    seconds: float


@dataclass(frozen=True)
class RunContents:
    """A whole run directory in memory."""

    path: Path
    name: str
    mixwright_version: str
    lock_hash: str
    command: str
    created: str
    main_arm: str
    verdict: str | None
    uses: Mapping[str, int]  # by suite: how many different models its certifying items have judged
    stages: tuple[RunStage, ...]
    recipe_text: str | None
    lock: Mapping[str, Any] | None
    attrition: Mapping[str, Mapping[str, Any]] | None
    suites: tuple[Suite, ...]
    items: Mapping[ItemKey, Item]
    arms: tuple[Arm, ...]
    summary: Summary | None = None

    def arm(self, name: str) -> Arm | None:
        return next((arm for arm in self.arms if arm.name == name), None)

    @property
    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """What the lock says about each source (role, licence, hash); empty without a lock."""
        sources = (self.lock or {}).get("sources")
        return sources if isinstance(sources, Mapping) else {}
