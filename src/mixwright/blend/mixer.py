"""The mixer: a pure function from a plan and a step to the records of a global batch.

The kernel (`blend.kernel`) decides within a stage, in which the shares stay the same. The mixer keeps the stages:
where one ends, and where a source has given all it may, shares change and everything else - place in each source's
order, what each is owed - goes on. Tokens are not read here; the lengths decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from mixwright.blend.kernel import (
    EXHAUSTED,
    SPENT,
    TOO_LONG,
    UNITS,
    WITHOUT_UNITS,
    Form,
    Integers,
    Sources,
    State,
    fill,
)
from mixwright.blend.memory import addresses
from mixwright.blend.order import half_bits
from mixwright.blend.stages import MOST_PARTS, Stage, carried, whole_weights
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json, derive_seed, digest

CHUNK = 64  # batches decided together
_FOREVER = 1 << 62

Exhausted: TypeAlias = Literal["fail", "stop", "renormalise", "repeat"]


class Lengths(Protocol):
    """What the mixer reads of a source: offsets uint64 (num_records + 1,), supervised uint32 (num_records,)."""

    @property
    def offsets(self) -> npt.NDArray[np.uint64]: ...

    @property
    def supervised(self) -> npt.NDArray[np.uint32]: ...


class Supply(NamedTuple):
    """How much a source may give. max_repeats: times each record, None for any number; exhausted: what happens then."""

    max_repeats: float | None = None
    exhausted: Exhausted = "fail"


@dataclass(frozen=True)
class MixPlan:
    """What a mixer does.

    stages: in order; the first begins at 0. rows_per_batch: of a global batch, each of row_tokens. Exactly one of the
    two budgets is set: tokens in all, or domain tokens. start: where it begins, if it goes on with another plan's run.
    """

    unit: str
    stages: tuple[Stage, ...]
    seed: int
    rows_per_batch: int
    row_tokens: int
    packing: bool
    domain: frozenset[str]
    budget_tokens: int | None
    budget_domain_tokens: int | None
    supply: Mapping[str, Supply] = field(default_factory=dict)
    start: MixerState | None = None

    @property
    def names(self) -> list[str]:
        return sorted({name for stage in self.stages for name in stage.shares})

    @property
    def identity(self) -> str:
        """A hash of all that decides which records come when, but for the sources' own lengths."""
        stages: list[Json] = [
            [{name: str(share) for name, share in stage.shares.items()}, stage.from_step, stage.from_tokens]
            for stage in self.stages
        ]
        supply: dict[str, Json] = {name: [*supply] for name, supply in self.supply.items()}
        start = None if self.start is None else self.start.as_json()
        plain = {key: value for key, value in vars(self).items() if isinstance(value, str | int | None)}
        return digest({**plain, "stages": stages, "supply": supply, "domain": sorted(self.domain), "start": start})

    def weights(self, stage: int, gone: Sequence[str] = ()) -> dict[str, int]:
        """Integers in the ratio of a stage's shares, by name in the order of `names`; 0 for sources that are gone.

        Their sum times a batch's tokens stays below 2**62: what the kernel sums is exact in 64 bits.
        """
        shares = {name: share for name, share in self.stages[stage].shares.items() if name not in gone}
        batch_bits = (self.rows_per_batch * self.row_tokens).bit_length()
        return whole_weights(shares, self.names, min(MOST_PARTS, 1 << (62 - batch_bits)))


class Place(NamedTuple):
    """Where a source stands, see `kernel.State`. lag: in units times the sum of the weights."""

    start: int = 0
    taken: int = 0
    lag: int = 0


@dataclass
class MixerState:
    """Everything a mixer remembers, in integers and names; JSON in, JSON out.

    places: of each source. stage: number of the stage whose weights the lags are in. gone: sources that have given all
    they may.
    """

    places: dict[str, Place]
    step: int = 0
    tokens: int = 0
    domain_tokens: int = 0
    stage: int = 0
    gone: list[str] = field(default_factory=list)
    finished: bool = False

    def __post_init__(self) -> None:
        self.places = {name: Place(*place) for name, place in self.places.items()}

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


class BatchPlan(NamedTuple):
    """The records of one global batch, in the order in which they were chosen; arrays (num_pieces,).

    source: index in the mixer's `names`; record: index in its token store; length, supervised: tokens and those learnt;
    row: of the batch. A row holds its records one behind the other.
    """

    source: Integers
    record: Integers
    length: Integers
    supervised: Integers
    row: Integers

    @property
    def num_rows(self) -> int:
        """Rows with records; those of the last batch may be fewer than the plan's."""
        return int(self.row.max()) + 1


class Mixer:
    """Gives the batches of a plan, one after the other. sources: lengths by name; all of `plan.names` must be there.

    A mixer made from the state of another goes on with exactly the same batches.
    """

    def __init__(self, plan: MixPlan, sources: Mapping[str, Lengths], state: MixerState | None = None) -> None:
        self.plan = plan
        self.names = plan.names
        self._lengths = [sources[name] for name in self.names]  # kept alive: the kernel reads them by address
        sizes = [len(lengths.supervised) for lengths in self._lengths]
        supplies = [plan.supply.get(name, Supply()) for name in self.names]
        self._sources = Sources(
            addresses([lengths.offsets for lengths in self._lengths]),
            addresses([lengths.supervised for lengths in self._lengths]),
            np.array(sizes, np.int64),
            np.array([half_bits(size) for size in sizes], np.int64),
            np.array([derive_seed(plan.seed, "order", name) for name in self.names], np.uint64),
            np.array([_limit(supply, size) for supply, size in zip(supplies, sizes, strict=True)], np.int64),
            np.array([name in plan.domain for name in self.names], np.bool_),
        )
        self._form = Form(
            plan.rows_per_batch,
            plan.row_tokens,
            plan.packing,
            UNITS.index(plan.unit),
            _FOREVER if plan.budget_tokens is None else plan.budget_tokens,
            _FOREVER if plan.budget_domain_tokens is None else plan.budget_domain_tokens,
        )
        begin = state or plan.start or MixerState(dict.fromkeys(self.names, Place()))
        begin = self._turned(begin, exhausted=False)  # a ramp from the beginning follows a stage without a step
        self._state: Callable[[], MixerState] = lambda: begin

    @property
    def state(self) -> MixerState:
        """That after the batch last given."""
        found = self._state()
        self._state = lambda: found
        return found

    def __iter__(self) -> Iterator[BatchPlan]:
        """The batches still to come.

        Raises InputError for a record that is longer than a row or nothing in the declared unit.
        """
        while not self.state.finished:
            begin, before = 0, self.state
            weights = [*self.plan.weights(before.stage, before.gone).values()]
            until_step, until_tokens = self._stage_ends()
            pieces, ends, after, why = fill(
                min(CHUNK, until_step - before.step),
                until_tokens,
                self._sources,
                self._kernel_state(),
                np.array(weights, np.int64),
                sum(weights),
                self._form,
            )
            for number, end in enumerate(ends.tolist()):
                last = number == len(ends) - 1
                self._state = partial(self._after, before, after, number, why if last else None)
                yield BatchPlan(*pieces[:, begin:end])
                begin = end
            if why in (WITHOUT_UNITS, TOO_LONG):
                raise self._useless(why, *pieces[:2, -1].tolist())

    def _useless(self, why: int, source: int, record: int) -> InputError:
        where, unit = f"sources.{self.names[source]}", self.plan.unit.replace("_", " ")
        if why == TOO_LONG:
            fix = "Make rows longer, or the tokens anew for rows of this length."
            return InputError(f"record {record} is longer than a row of {self.plan.row_tokens}", where=where, fix=fix)
        fix = "Remove such records, or declare another blend.unit."
        return InputError(f"record {record} has no {unit}", where=where, fix=fix)

    def _after(self, before: MixerState, after: State, number: int, why: int | None) -> MixerState:
        columns = (after.start[number].tolist(), after.taken[number].tolist(), after.lag[number].tolist())
        state = MixerState(
            places={name: Place(*place) for name, *place in zip(self.names, *columns, strict=True)},
            step=before.step + number + 1,
            tokens=int(after.totals[number, 0]),
            domain_tokens=int(after.totals[number, 1]),
            stage=before.stage,
            gone=before.gone,
            finished=why == SPENT,
        )
        return self._turned(state, exhausted=why == EXHAUSTED)

    def _turned(self, state: MixerState, *, exhausted: bool) -> MixerState:
        """The state with the shares that hold from here on, where they change."""
        stage, gone = state.stage, state.gone
        while stage + 1 < len(self.plan.stages) and self.plan.stages[stage + 1].begins(state.step, state.tokens):
            stage += 1
        if exhausted:
            limits = dict(zip(self.names, self._sources.limit.tolist(), strict=True))
            gone = sorted({*gone, *(name for name in self.names if 0 <= limits[name] <= state.places[name].start)})
        if (stage, gone) == (state.stage, state.gone):
            return state
        stops = any(self.plan.supply[name].exhausted == "stop" for name in gone)
        before, after = self.plan.weights(state.stage, state.gone), self.plan.weights(stage, gone)
        if stops or not any(after.values()):
            return replace(state, finished=True)
        lags = carried({name: place.lag for name, place in state.places.items()}, before, after)
        places = {name: state.places[name]._replace(lag=lag) for name, lag in lags.items()}
        return replace(state, places=places, stage=stage, gone=gone)

    def _stage_ends(self) -> tuple[int, int]:
        """The step and the tokens at which the present stage ends."""
        number = self.state.stage + 1
        if number == len(self.plan.stages):
            return _FOREVER, _FOREVER
        following = self.plan.stages[number]
        return (
            _FOREVER if following.from_step is None else following.from_step,
            _FOREVER if following.from_tokens is None else following.from_tokens,
        )

    def _kernel_state(self) -> State:
        places = np.array([self.state.places[name] for name in self.names], np.int64)
        return State(
            places[:, 0].copy(),
            places[:, 1].copy(),
            places[:, 2].copy(),
            np.array([self.state.tokens, self.state.domain_tokens], np.int64),
        )


def _limit(supply: Supply, size: int) -> int:
    """The records that a source may give in all, -1 where the mixer does not count them."""
    if supply.max_repeats is None or supply.exhausted in ("fail", "repeat"):
        return -1
    return int(Fraction(str(supply.max_repeats)) * size)
