"""Results as lines of text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mixwright.pipeline.plan import Plan
    from mixwright.pipeline.trace import Trace


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


def summary_lines(summary: Sequence[Mapping[str, Any]], verdicts: Mapping[str, str]) -> list[str]:
    """Every arm on every suite, in points: the score with the bounds of its paired difference to the base."""
    suites = list(dict.fromkeys((row["role"], row["suite"]) for row in summary))
    suites.sort(key=lambda suite: suite[0])  # domain before general; sort is stable
    cells = {(row["arm"], row["suite"]): row for row in summary}
    general = [suite for role, suite in suites if role == "general"] or [suite for _, suite in suites]
    rows = [["arm", *(suite for _, suite in suites), "parsed", "certificate"]]
    for arm in dict.fromkeys(row["arm"] for row in summary):
        parsed = sum(cells[arm, suite]["parse_rate"] for suite in general) / len(general)
        scores = [_score(cells[arm, suite]) for _, suite in suites]
        rows.append([arm, *scores, f"{100 * parsed:.0f} %", verdicts.get(arm, "")])
    note = "score [one-sided bounds of the paired difference to the base]; parsed: answers of the asked form"
    return [*aligned(rows), note + (" (general suites)" if len(general) < len(suites) else "")]


def _score(row: Mapping[str, Any]) -> str:
    score = f"{100 * row['score']:.1f}"
    return score if row["low"] is None else f"{score} [{100 * row['low']:+.1f}, {100 * row['high']:+.1f}]"


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
        rows = [["  source", "asked", "tokens", "supervised", "records", "available", "needed", "repeats"]]
        for name, asked in mix["requested"].items():
            shares = [
                f"{100 * mix['realised'][unit][name]:.2f} %" for unit in ("tokens", "supervised_tokens", "records")
            ]
            amounts = [f"{mix['available'][name]:,}", f"{mix['totals']['tokens'][name]:,}"]
            rows.append([f"  {name}", f"{100 * asked:.2f} %", *shares, *amounts, f"{mix['repeats'][name]:.2f}"])
        lines += [*aligned(rows), *_stage_lines(mix["stages"])]
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


def _stage_lines(stages: Sequence[Mapping[str, Any]]) -> list[str]:
    """The stretches of a schedule, the middle of a long ramp left out."""
    if len(stages) < 2:
        return []
    lines = []
    for stage in stages:
        shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in stage["requested"].items() if share)
        lines.append(f"  after step {stage['after_step']:,}: {shares}")
    return lines if len(lines) <= 8 else [*lines[:4], f"  ... {len(lines) - 8} more ...", *lines[-4:]]


def trace_lines(trace: Trace) -> list[str]:
    """A step as text: its records row by row, and what each source gave."""
    rows = [["row", "source", "tokens", "learnt", "record", "origin"]]
    totals: dict[str, list[int]] = {}
    for seen in trace.records:
        counts = (f"{seen.tokens:,}", f"{seen.learnt:,}")
        rows.append([str(seen.row), seen.source, *counts, seen.record_id, seen.origin])
        total = totals.setdefault(seen.source, [0, 0, 0])
        for i, count in enumerate((1, seen.tokens, seen.learnt)):
            total[i] += count
    sums = [
        f"{name}: {records:,} records, {tokens:,} tokens, {learnt:,} learnt"
        for name, (records, tokens, learnt) in sorted(totals.items())
    ]
    return [f"arm {trace.arm}, step {trace.step:,} of {trace.num_steps:,}", *aligned(rows), *sums]
