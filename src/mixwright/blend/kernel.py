"""Which records make up the next global batches: the compiled heart of the mixer.

**Which source.** The source i has a weight w_i of W. Its lag is what it got so far less its due, in units times W, so
that it is an exact integer: lag_i = W * placed_i - w_i * total. Of the sources that are not ahead (lag <= 0), that one
is next whose due reaches the end of its next record first. This is worst-case fair queueing (Bennett and Zhang
1996, "WF2Q"): whatever the lengths, no source strays further from its share than about the longest record. Taking the
source that is furthest behind is simpler and strays twice as far with ten sources; independent draws drift without
bound.

**Which record.** The next of the source's order that fits into some row of the batch: into the fullest such. The first
`WINDOW` that the order has to offer are looked at; those passed over are tried first ever after. A source of which none
fits waits for the next batch; the batch is closed where all that are due wait, or one of them has fallen a row behind
(two records, where records are counted). So every batch begins with empty rows, and nothing but three integers per
source passes from one batch to the next.

Deadlines are compared in floating point: that decides ties alike on every machine, and the lags alone are summed.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from mixwright.blend.compiled import compiled
from mixwright.blend.memory import load_u32, load_u64
from mixwright.blend.order import record_at

WINDOW = 8  # records of a source from which the next is taken
UNITS = ("tokens", "supervised_tokens", "records")
# Why the kernel stopped: after as many batches as asked, or before. The last two name the last piece as the reason.
ASKED, SPENT, EXHAUSTED, WITHOUT_UNITS, TOO_LONG = range(5)
_NEVER = np.int64(1) << np.int64(62)
_TOO_LONG = np.int64(-1)

Integers = npt.NDArray[np.int64]
Integer: TypeAlias = int | np.int64


class Sources(NamedTuple):
    """What is read of each source. All arrays (S,).

    offsets, supervised: addresses of uint64 (size + 1,) and uint32 (size,). key: of the source's order. limit: records
    that it may give in all, -1 for no limit.
    """

    offsets: npt.NDArray[np.uint64]
    supervised: npt.NDArray[np.uint64]
    size: Integers
    half: Integers
    key: npt.NDArray[np.uint64]
    limit: Integers
    in_domain: npt.NDArray[np.bool_]


class State(NamedTuple):
    """What passes from batch to batch. start, taken, lag: int64 (S,); totals: int64 (2,).

    start: the first record of the source's order not given yet; taken: a bit for each of the `WINDOW` records from
    there on. totals: tokens so far, and those of the domain.
    """

    start: Integers
    taken: Integers
    lag: Integers
    totals: Integers


class Form(NamedTuple):
    """rows, row_tokens: of a batch. packing: several records in a row. unit: index in `UNITS`. budget_tokens,
    budget_domain: the end, in tokens in all or of the domain."""

    rows: int
    row_tokens: int
    packing: bool
    unit: int
    budget_tokens: int
    budget_domain: int


@compiled
def fill(
    num_batches: int, until_tokens: int, sources: Sources, state: State, weights: Integers, whole: int, form: Form
) -> tuple[Integers, Integers, State, int]:
    """The next batches, at most `num_batches` and up to the first that ends at `until_tokens` or behind.

    weights: int64 (S,), of which `whole` is the sum. Returns the pieces in the order in which they were chosen, int64
    (5, num_pieces): source, record, tokens, learnt tokens, row; the number of pieces up to the end of each batch; the
    states after each batch, with one row for each; and why it ended. `state` is left as it was.
    """
    num = len(weights)
    start, taken, lag, totals = state.start.copy(), state.taken.copy(), state.lag.copy(), state.totals.copy()
    after = State(
        np.empty((num_batches, num), np.int64),
        np.empty((num_batches, num), np.int64),
        np.empty((num_batches, num), np.int64),
        np.empty((num_batches, 2), np.int64),
    )
    pieces = np.empty((5, max(1024, 4 * num_batches * form.rows)), np.int64)
    ends = np.empty(num_batches, np.int64)
    # The window of each source, the record k of its order at place k mod WINDOW: record, tokens, learnt tokens.
    ahead = np.empty((num, WINDOW, 3), np.int64)
    for i in range(num):
        if weights[i] > 0:
            for k in range(WINDOW):
                _look(sources, i, start[i] + k, form.row_tokens, ahead)
    free, name = np.empty(form.rows, np.int64), np.empty(form.rows, np.int64)  # rows, fullest first
    waits = np.empty(num, np.bool_)
    placed, made, why = 0, 0, ASKED
    while made < num_batches and why == ASKED and totals[0] < until_tokens:
        total = np.int64(0)  # units in this batch
        for j in range(form.rows):
            free[j], name[j] = form.row_tokens, j
        for i in range(num):
            waits[i] = weights[i] == 0
        while why == ASKED:
            i = _due(waits, weights, whole, lag, total, start, ahead, form)
            if i < 0:
                break
            k = _fitting(taken[i], start[i], ahead[i], free[form.rows - 1])
            if k < 0:
                waits[i] = True
                continue
            if placed == pieces.shape[1]:
                longer = np.empty((5, 2 * placed), np.int64)
                longer[:, :placed] = pieces
                pieces = longer
            place = (start[i] + k) % WINDOW
            tokens, units = ahead[i, place, 1], _units(ahead, i, place, form.unit)
            pieces[0, placed] = i
            for column in range(3):
                pieces[1 + column, placed] = ahead[i, place, column]
            placed += 1
            if units <= 0 or tokens == _TOO_LONG:  # it could be given for ever, or never
                why = TOO_LONG if tokens == _TOO_LONG else WITHOUT_UNITS
                break
            pieces[4, placed - 1] = _place(free, name, tokens, form.packing)
            lag[i] += units * whole
            total += units
            totals[0] += tokens
            if sources.in_domain[i]:
                totals[1] += tokens
            taken[i] |= np.int64(1) << k
            while taken[i] & 1:
                taken[i] >>= 1
                start[i] += 1
                _look(sources, i, start[i] + WINDOW - 1, form.row_tokens, ahead)
            if totals[0] >= form.budget_tokens or totals[1] >= form.budget_domain:
                why = SPENT
        for i in range(num):
            lag[i] -= weights[i] * total
            if why == ASKED and weights[i] > 0 and 0 <= sources.limit[i] <= start[i]:
                why = EXHAUSTED
        if why in (WITHOUT_UNITS, TOO_LONG):
            break
        after.start[made], after.taken[made], after.lag[made], after.totals[made] = start, taken, lag, totals
        ends[made] = placed
        made += 1
    states = State(after.start[:made], after.taken[:made], after.lag[:made], after.totals[:made])
    return pieces[:, :placed], ends[:made], states, why


@compiled
def _look(sources: Sources, i: int, taken: Integer, row_tokens: int, ahead: Integers) -> None:
    """Write into the window what source i gives after `taken` others."""
    place = taken % WINDOW
    if 0 <= sources.limit[i] <= taken:
        ahead[i, place, 0], ahead[i, place, 1], ahead[i, place, 2] = -1, _NEVER, 0
        return
    record = record_at(taken, sources.size[i], sources.half[i], sources.key[i])
    begin = load_u64(sources.offsets[i], record)
    tokens = np.int64(load_u64(sources.offsets[i], record + 1) - begin)
    ahead[i, place, 0], ahead[i, place, 1] = record, tokens if tokens <= row_tokens else _TOO_LONG
    ahead[i, place, 2] = load_u32(sources.supervised[i], record)


@compiled
def _units(ahead: Integers, i: int, place: Integer, unit: int) -> np.int64:
    if unit == 2:
        return np.int64(1)
    units: np.int64 = ahead[i, place, 1 + unit]
    return units


@compiled
def _due(
    waits: npt.NDArray[np.bool_],
    weights: Integers,
    whole: int,
    lag: Integers,
    total: Integer,
    start: Integers,
    ahead: Integers,
    form: Form,
) -> int:
    """The source to take from next, -1 for none. lag: without the due of this batch's `total` units."""
    best, earliest = -1, np.inf
    most = whole * (2 if form.unit == 2 else form.row_tokens)
    for i in range(len(weights)):
        due = weights[i] * total
        if waits[i]:
            if lag[i] < due - most:
                return -1
        elif lag[i] <= due:
            units = _units(ahead, i, start[i] % WINDOW, form.unit)
            end = (lag[i] + np.float64(units) * whole) / weights[i]
            if end < earliest:
                best, earliest = i, end
    return best


@compiled
def _fitting(taken: Integer, start: Integer, ahead: Integers, room: Integer) -> int:
    """The first of a source's window that is not taken and no longer than `room`, -1 for none."""
    for k in range(WINDOW):
        if not (taken >> k) & 1 and ahead[(start + k) % WINDOW, 1] <= room:
            return k
    return -1


@compiled
def _place(free: Integers, name: Integers, tokens: Integer, packing: bool) -> Integer:
    """Put a record into the fullest row that has room, and return its name. free: ascending; some row has room."""
    low, high = 0, len(free) - 1
    while low < high:
        middle = (low + high) // 2
        if free[middle] >= tokens:
            high = middle
        else:
            low = middle + 1
    row: Integer = name[low]
    left = free[low] - tokens if packing else np.int64(0)
    while low > 0 and free[low - 1] > left:
        free[low], name[low] = free[low - 1], name[low - 1]
        low -= 1
    free[low], name[low] = left, row
    return row
