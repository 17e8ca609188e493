"""The mixer: which record comes next, and in which row it lies.

Two small machines after each other, both exact and both resumable from integers:

- **Which source.** Every source has a share w_i / W of the declared unit. Of the sources that are not ahead of theirs,
  the next record comes from the one that is due first: the smallest `(placed_i + next_i) / w_i`, ties by name. This is
  worst-case fair queueing (Bennett and Zhang 1996, "WF2Q"): at every moment, whatever the lengths, no source is further
  from its share than the longest record. Taking the source that is furthest behind is simpler but was nearly two
  records off with ten sources; independent random draws drift with the square root of the number of steps.
- **Which row.** Best fit into at most `OPEN_ROWS` open rows: the fullest one that still has room; when none has, the
  fullest is closed and emitted. Without packing a row holds one record.

The order of records within a source is a fresh keyed permutation for each pass. The same plan gives the same rows, on
any machine; lengths alone decide, tokens are not read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from mixwright.blend.order import permute
from mixwright.ground.hashing import derive_seed

OPEN_ROWS = 16
ORDER_BLOCK = 4096  # positions permuted at once


class Lengths(Protocol):
    """What the mixer needs to know of a source. Arrays: int64 (num_records,)."""

    lengths: npt.NDArray[np.int64]
    supervised: npt.NDArray[np.int64]


class Piece(NamedTuple):
    """One record in a row. source: its name. record: its index in the source's token store. length: tokens."""

    source: str
    record: int
    length: int


Row = Sequence[Piece]


@dataclass
class MixerState:
    """Everything a mixer remembers, in integers and names; JSON in, JSON out.

    taken: records drawn from each source (pass and position follow). placed: units placed. open_rows: rows not emitted.
    """

    taken: dict[str, int]
    placed: dict[str, int]
    tokens: int = 0
    domain_tokens: int = 0
    emitted: int = 0
    open_rows: list[list[list[Any]]] = field(default_factory=list)
    finished: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class MixPlan:
    """What a mixer does. shares sum to 1. Exactly one of the two budgets is set: tokens in all, or domain tokens."""

    unit: str
    shares: Mapping[str, Fraction]
    seed: int
    row_tokens: int
    packing: bool
    domain: frozenset[str]
    budget_tokens: int | None
    budget_domain_tokens: int | None


class Mixer:
    """Emits rows until the budget is spent. sources: lengths by name; all of `plan.shares` must be there."""

    def __init__(self, plan: MixPlan, sources: Mapping[str, Lengths], state: MixerState | None = None) -> None:
        self.plan = plan
        self._sources = {name: sources[name] for name in sorted(plan.shares)}
        whole = lcm(*(share.denominator for share in plan.shares.values()))
        self._weights = {name: int(plan.shares[name] * whole) for name in self._sources}
        self._whole = whole
        common = lcm(*self._weights.values())
        self._scale = {name: common // weight for name, weight in self._weights.items()}  # 1 / w_i without fractions
        self._next: dict[str, tuple[Piece, int]] = {}
        self._orders: dict[str, tuple[int, npt.NDArray[np.uint64]]] = {}
        self.state = state or MixerState(dict.fromkeys(self._sources, 0), dict.fromkeys(self._sources, 0))
        self._open = [[Piece(*piece) for piece in row] for row in self.state.open_rows]

    def snapshot(self) -> dict[str, Any]:
        """The state as JSON; a mixer made from it continues with exactly the same rows."""
        self.state.open_rows = [[list(piece) for piece in row] for row in self._open]
        return self.state.as_json()

    def rows(self) -> Iterator[Row]:
        """The rows still to come. The state is that after the row last given out."""
        while not self.state.finished:
            row = self._place() if not self._spent() else self._flush()
            if row:
                self.state.emitted += 1
                yield row

    def _spent(self) -> bool:
        plan, state = self.plan, self.state
        if plan.budget_tokens is not None:
            return state.tokens >= plan.budget_tokens
        assert plan.budget_domain_tokens is not None
        return state.domain_tokens >= plan.budget_domain_tokens

    def _flush(self) -> Row | None:
        if self._open:
            return self._open.pop(0)
        self.state.finished = True
        return None

    def _place(self) -> Row | None:
        piece = self._next_piece()
        room = self.plan.row_tokens - piece.length
        best, fullest = -1, -1
        for i, row in enumerate(self._open):
            used = sum(entry.length for entry in row)
            if used <= room and used > fullest:
                best, fullest = i, used
        if best >= 0 and self.plan.packing:
            self._open[best].append(piece)
            return None
        self._open.append([piece])
        if not self.plan.packing:
            return self._open.pop()
        if len(self._open) <= OPEN_ROWS:
            return None
        return self._open.pop(max(range(len(self._open)), key=lambda i: (sum(e.length for e in self._open[i]), -i)))

    def _next_piece(self) -> Piece:
        state = self.state
        total = sum(state.placed.values())
        name = min(
            (n for n, weight in self._weights.items() if self._whole * state.placed[n] <= weight * total),
            key=lambda n: (state.placed[n] + self._ahead(n)[1]) * self._scale[n],
        )
        piece, units = self._ahead(name)
        del self._next[name]
        state.taken[name] += 1
        state.placed[name] += units
        state.tokens += piece.length
        state.domain_tokens += piece.length if name in self.plan.domain else 0
        return piece

    def _ahead(self, name: str) -> tuple[Piece, int]:
        """The next record of a source and its size in the declared unit."""
        if name not in self._next:
            source = self._sources[name]
            record = self._record_at(name, self.state.taken[name], len(source.lengths))
            length = int(source.lengths[record])
            units = {"tokens": length, "supervised_tokens": int(source.supervised[record]), "records": 1}
            self._next[name] = Piece(name, record, length), units[self.plan.unit]
        return self._next[name]

    def _record_at(self, name: str, taken: int, size: int) -> int:
        number, position = divmod(taken, size)
        block = position // ORDER_BLOCK
        stamp = number * (size // ORDER_BLOCK + 1) + block
        known = self._orders.get(name)
        if known is None or known[0] != stamp:
            first = block * ORDER_BLOCK
            positions = np.arange(first, min(first + ORDER_BLOCK, size), dtype=np.uint64)
            known = stamp, permute(positions, size, derive_seed(self.plan.seed, "order", name, number))
            self._orders[name] = known
        return int(known[1][position - block * ORDER_BLOCK])
