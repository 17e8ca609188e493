"""Shares over time: stages in which they stay, exact weights for them, and what is owed when they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple

MOST_PARTS = 1 << 38  # of a whole, for batches of up to 2**24 tokens
RAMP_PARTS = 256  # into which a ramp is divided at most


class Stage(NamedTuple):
    """A stretch of the run with shares that sum to 1. Of its two beginnings, in steps or in tokens, one is set."""

    shares: Mapping[str, Fraction]
    from_step: int | None = 0
    from_tokens: int | None = None

    def begins(self, step: int, tokens: int) -> bool:
        """Whether the stage has begun when so many steps and tokens are done."""
        if self.from_step is not None:
            return step >= self.from_step
        assert self.from_tokens is not None
        return tokens >= self.from_tokens


def ramp(
    before: Mapping[str, Fraction], after: Mapping[str, Fraction], begin: int, end: int
) -> list[tuple[int, dict[str, Fraction]]]:
    """A straight line from the shares `before` at `begin` to `after` at `end`, as equal stretches: (where, shares).

    Each stretch has the shares of its middle, so that its integral is the line's.
    """
    parts = min(RAMP_PARTS, end - begin)
    found = []
    for part in range(parts):
        done = Fraction(2 * part + 1, 2 * parts)
        shares = {
            name: (1 - done) * before.get(name, Fraction()) + done * after.get(name, Fraction())
            for name in sorted({*before, *after})
        }
        found.append((begin + (end - begin) * part // parts, shares))
    return found


def whole_weights(shares: Mapping[str, Fraction], names: Sequence[str], most_parts: int = MOST_PARTS) -> dict[str, int]:
    """Integers in the ratio of the shares, 0 for a source without one.

    Exact while the common denominator is at most `most_parts`; above it rounded to that many parts, the largest
    remainders up, and never to nothing.
    """
    if not shares:
        return dict.fromkeys(names, 0)
    total = sum(shares.values())
    parts = [Fraction(shares.get(name, 0)) / total for name in names]
    whole = lcm(*(part.denominator for part in parts))
    if whole <= most_parts:
        return dict(zip(names, (int(part * whole) for part in parts), strict=True))
    weights = [max(int(part * most_parts), int(part > 0)) for part in parts]
    ranked = sorted(range(len(parts)), key=lambda i: (weights[i] - parts[i] * most_parts, names[i]))
    for i in ranked[: max(0, most_parts - sum(weights))]:
        weights[i] += 1
    return dict(zip(names, weights, strict=True))


def carried(lags: Mapping[str, int], before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """The lags under weights `after` of what was owed under `before`, both with their sums as the unit's parts.

    Whoever has no weight any more leaves what it was owed, or owes, to the others by their weights, so that the lags
    still sum to 0. Less than one unit per source is lost to rounding.
    """
    old, new = sum(before.values()), sum(after.values())
    left = sum((Fraction(lag, old) for name, lag in lags.items() if not after.get(name)), Fraction())
    owed = {
        name: int((Fraction(lags.get(name, 0), old) + left * weight / new) * new) if weight else 0
        for name, weight in after.items()
    }
    largest = max(after, key=lambda name: after[name])
    owed[largest] -= sum(owed.values())
    return owed
