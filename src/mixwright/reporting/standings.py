"""Every arm on every suite: the one table that a reader compares arms in.

The numbers are those of summary.json, where each suite is the mean over its abilities and each difference
is paired with the base. Abilities by themselves stand in `scores`, the clauses of the contract in `forest`.
"""

import math
from typing import NamedTuple

from mixwright.reporting.contents import BASE_ARM, RunContents, SummaryRow
from mixwright.reporting.origins import Origin, origins
from mixwright.reporting.scores import Difference


class StandingCell(NamedTuple):
    """One arm on one suite; fractions. `difference` is None for the base."""

    score: float
    parse_rate: float
    difference: Difference | None


class Standing(NamedTuple):
    """One arm: a cell per suite (None where it was not asked), its verdict, and where it comes from."""

    arm: str
    origin: Origin | None
    verdict: str | None
    cells: tuple[StandingCell | None, ...]


class SuiteColumn(NamedTuple):
    """One suite, with the number of its items."""

    suite: str
    role: str
    num_items: int


class Standings(NamedTuple):
    """The table: arms in the order of the run, base first; domain suites before general ones."""

    columns: tuple[SuiteColumn, ...]
    rows: tuple[Standing, ...]


def standings(run: RunContents) -> Standings | None:
    """The table of a run's summary; None without one."""
    if run.summary is None or not run.summary.rows:
        return None
    found = {(row.arm, row.suite): row for row in run.summary.rows}
    items: dict[tuple[str, str], int] = {}
    for row in run.summary.rows:
        items[row.suite, row.role] = max(row.num_items, items.get((row.suite, row.role), 0))
    columns = sorted((SuiteColumn(*key, count) for key, count in items.items()), key=lambda each: each.role != "domain")
    names = sorted(dict.fromkeys(row.arm for row in run.summary.rows), key=lambda name: name != BASE_ARM)
    interpolated = origins(run)
    rows = []
    for name in names:
        arm = run.arm(name)
        verdict = arm.certificate.verdict if arm and arm.certificate else None
        cells = tuple(_cell(found.get((name, column.suite))) for column in columns)
        rows.append(Standing(name, interpolated.get(name), verdict, cells))
    return Standings(tuple(columns), tuple(rows))


def _cell(row: SummaryRow | None) -> StandingCell | None:
    if row is None:
        return None
    known = math.isfinite(row.difference)
    return StandingCell(row.score, row.parse_rate, Difference(row.difference, row.low, row.high) if known else None)
