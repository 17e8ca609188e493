"""Results as lines of text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mixwright.pipeline.plan import Plan


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of equal width, the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def score_lines(scores: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Mean score of every arm on every suite, in points."""
    suites = list(next(iter(scores.values())))
    rows = [["arm", *suites]]
    rows += [[arm, *(f"{100 * by_suite[suite]:.1f}" for suite in suites)] for arm, by_suite in scores.items()]
    return aligned(rows)


def plan_lines(plan: Plan) -> list[str]:
    """A plan as text: rows kept, what each arm will see, what the suites can certify."""
    lines = ["sources"]
    rows = [["  source", "rows in", "kept", "held out", "dropped"]]
    for name, entry in plan.attrition.items():
        dropped = ", ".join(f"{rule} {count}" for rule, count in entry["dropped"].items()) or "-"
        rows.append(
            [
                f"  {name}",
                f"{entry['rows_in']:,}",
                f"{entry['rows_kept']:,}",
                f"{entry['rows_heldout']:,}",
                dropped,
            ]
        )
    lines += aligned(rows)
    for arm, mix in plan.arms.items():
        lines.append(f"\n{arm}: {mix['budget_tokens']:,} tokens in {mix['num_steps']:,} steps")
        rows = [["  source", "asked", "tokens", "supervised", "records", "repeats"]]
        for name, asked in mix["requested"].items():
            shares = [
                f"{100 * mix['realised'][unit][name]:.2f} %" for unit in ("tokens", "supervised_tokens", "records")
            ]
            rows.append([f"  {name}", f"{100 * asked:.2f} %", *shares, f"{mix['repeats'][name]:.2f}"])
        lines += aligned(rows)
    if plan.clauses:
        lines.append("\ncontract (power if the model truly loses nothing and differs on 10 % of the items)")
        rows = [["  clause", "margin", "items", "needed", "power"]]
        for clause in plan.clauses:
            needed = f"{clause['items_needed']:,}" if "items_needed" in clause else "-"
            power = f"{clause['power']:.2f}" if "power" in clause else "-"
            name = f"  {clause['kind']} {clause['name']}"
            rows.append([name, f"{100 * clause['margin']:.1f}", f"{clause['num_items']:,}", needed, power])
        lines += aligned(rows)
        short = [clause["name"] for clause in plan.clauses if clause.get("enough") is False]
        if short:
            lines.append(f"  too few items for 80 % power: {', '.join(short)}")
    return lines
