"""Exact probabilities over every possible paired result: no simulation error where none is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from mixwright.statistics.score import score_bounds, tango_bounds


@dataclass(frozen=True)
class Tables:
    """All (gains, losses) of `num_items` items that a discordance leaves any real probability."""

    num_items: int
    gains: npt.NDArray[np.int64]
    losses: npt.NDArray[np.int64]

    @classmethod
    def up_to(cls, num_items: int, discordance: float) -> Tables:
        expected = num_items * discordance
        most = int(min(num_items, expected + 8 * np.sqrt(expected) + 10))
        total, gains = np.meshgrid(np.arange(most + 1), np.arange(most + 1), indexing="ij")
        possible = gains <= total
        return cls(num_items, gains[possible], (total - gains)[possible])

    def probabilities(self, discordance: float, true_difference: float) -> npt.NDArray[np.float64]:
        """Multinomial probability of each table."""
        total = self.gains + self.losses
        gain_share = (discordance + true_difference) / 2 / discordance
        given_total = stats.binom.pmf(self.gains, total, gain_share)
        return np.asarray(stats.binom.pmf(total, self.num_items, discordance) * given_total)

    def low(self, *, repaired: bool = True) -> npt.NDArray[np.float64]:
        """Lower 95 % bound of each table."""
        if repaired:
            return score_bounds(self.gains, self.losses, self.num_items, confidence=0.95).low
        return tango_bounds(self.gains, self.losses, self.num_items, float(stats.norm.ppf(0.95))).low


def pass_probability(
    num_items: int, *, discordance: float, true_difference: float, threshold: float, repaired: bool = True
) -> float:
    """Exact probability that the 95 % lower bound of independent binary items lies above `threshold`."""
    tables = Tables.up_to(num_items, discordance)
    passed = tables.low(repaired=repaired) > threshold
    return float(tables.probabilities(discordance, true_difference)[passed].sum())
