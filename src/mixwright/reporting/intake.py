"""What went in and what was kept, per source: the attrition table.

Every row a source offered is kept, held out or dropped for a named reason, and the three must add up;
the table says so itself. Rows dropped because they overlap with evaluation items are leaks, and are told
apart from the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mixwright.reporting.contents import RunContents

LEAK_WORDS = ("leak", "contamin", "evaluation", "suite", "protected")


@dataclass(frozen=True)
class SourceIntake:
    """One source: rows in, kept, held out and dropped by reason."""

    source: str
    role: str
    licence: str
    rows_in: int
    rows_kept: int
    rows_heldout: int
    dropped: Mapping[str, int]

    @property
    def adds_up(self) -> bool:
        return self.rows_in == self.rows_kept + self.rows_heldout + sum(self.dropped.values())

    @property
    def kept_share(self) -> float:
        return self.rows_kept / self.rows_in if self.rows_in else 0.0

    @property
    def num_leaks(self) -> int:
        return sum(count for reason, count in self.dropped.items() if is_leak(reason))


def is_leak(reason: str) -> bool:
    """Whether a drop reason says that the row overlapped with evaluation items."""
    return any(word in reason.lower() for word in LEAK_WORDS)


def intake(run: RunContents) -> list[SourceIntake]:
    """The sources of the attrition file in its order; empty when the run did not curate."""
    rows = []
    for name, counts in (run.attrition or {}).items():
        known = run.sources.get(name, {})
        rows.append(
            SourceIntake(
                source=name,
                role=str(known.get("role") or ""),
                licence=str(known.get("licence") or ""),
                rows_in=int(counts.get("rows_in", 0)),
                rows_kept=int(counts.get("rows_kept", 0)),
                rows_heldout=int(counts.get("rows_heldout", 0)),
                dropped={str(reason): int(count) for reason, count in (counts.get("dropped") or {}).items()},
            )
        )
    return rows


def reasons(sources: list[SourceIntake]) -> list[str]:
    """Every drop reason of `sources`, leaks first, then the most frequent first."""
    totals: dict[str, int] = {}
    for source in sources:
        for reason, count in source.dropped.items():
            totals[reason] = totals.get(reason, 0) + count
    return sorted(totals, key=lambda reason: (not is_leak(reason), -totals[reason], reason))
