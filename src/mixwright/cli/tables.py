"""Results as lines of text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mixwright.evidence.compare import Comparison, Flip
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
    return [*lines, *_contract_lines(plan)]


def _contract_lines(plan: Plan) -> list[str]:
    if plan.contract is None:
        return []
    planning = plan.contract.planning
    assumed = f"differing on {100 * planning.discordance:g} % of the items"
    lines = [f"\ncontract (power to pass if nothing is lost, {assumed}; {100 * planning.power:g} % planned)"]
    rows = [["  clause", "margin", "items", "clusters", "needed", "power", ""]]
    for entry in plan.clauses:
        clause = entry.clause
        needed = "-" if entry.items_needed is None else f"{entry.items_needed:,}"
        power = "-" if entry.power is None else f"{entry.power:.2f}"
        note = ""
        if clause.test == "superiority":
            gain = entry.detectable
            note = "no gain would pass" if gain is None else f"a true gain of {100 * gain:.1f} would pass"
        elif entry.share_used is not None:
            note = f"uses {100 * entry.share_used:.0f} %"
        elif not entry.enough and entry.items_needed is not None:
            note = f"{max(entry.items_needed - entry.num_items, 1):,} missing"
        counts = [f"{entry.num_items:,}", f"{entry.num_clusters:,}", needed, power, note]
        rows.append([f"  {clause.kind} {clause.name}", f"{100 * clause.margin:.1f}", *counts])
    lines += aligned(rows)
    lines.append(f"  all of them together: {plan.power_of_all:.2f}")
    if any(not entry.enough for entry in plan.clauses):
        lines.append("  too few items for what is asked: a verdict would probably be INCONCLUSIVE")
    if plan.ask_for:
        settings = " ".join(f"--set suites.{name}.items_per_ability={n}" for name, n in sorted(plan.ask_for.items()))
        lines.append(f"  generated suites can simply have more: {settings}")
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


def comparison_lines(found: Comparison, limit: int, asked: Mapping[tuple[str, str], str] | None = None) -> list[str]:
    """Two models: flipped items first, what was lost before what was won, then every ability.

    asked: the questions by (suite, item), where they are known.
    """
    counts = {how: sum(flip.how == how for flip in found.flips) for how in ("lost", "unreadable", "won")}
    words = ", ".join(f"{count:,} {how}" for how, count in counts.items())
    lines = [f"{len(found.flips):,} of {found.num_items:,} items flipped ({100 * found.flip_rate:.1f} %): {words}"]
    for flip in found.flips[:limit]:
        lines += _flip_lines(flip, (asked or {}).get((flip.suite, flip.item_id)))
    if len(found.flips) > limit:
        lines.append(f"  ... {len(found.flips) - limit:,} more (--limit, --json)")
    rows = [["ability", "before", "after", "difference", "bounds", "parsed", "lost", "unreadable", "won", "n"]]
    for change in found.abilities:
        bounds = "-" if change.low is None or change.high is None else f"{_signed(change.low)}, {_signed(change.high)}"
        parsed = f"{100 * change.parse_before:.0f} → {100 * change.parse_after:.0f} %"
        scores = [f"{100 * change.before:.1f}", f"{100 * change.after:.1f}", _signed(change.difference), bounds, parsed]
        flips = [f"{count:,}" for count in change.flips.values()]
        rows.append([f"{change.suite}/{change.ability}", *scores, *flips, f"{change.num_items:,}"])
    lines += ["", *aligned(rows)]
    if found.unrecorded:
        lines.append(f"not recorded, so not compared: {', '.join(found.unrecorded)}")
    return lines


def _flip_lines(flip: Flip, asked: str | None) -> list[str]:
    lines = [f"  {flip.how:<10} {flip.suite}/{flip.ability} {flip.item_id}"]
    told = {"asked": asked, "before": flip.response_before, "after": flip.response_after}
    return lines + [f"    {name + ':':<8}{_short(text)}" for name, text in told.items() if text is not None]


def _short(text: str | None) -> str:
    line = " ".join((text or "").split())
    return line if len(line) <= 100 else f"{line[:99]}…"


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}"


def records_lines(about: Mapping[str, Any]) -> list[str]:
    """What a file of results holds."""
    rows = [["ability", "items", "clusters", "score", "parsed", "missing", "human"]]
    for entry in about["abilities"]:
        means = [f"{100 * entry['score']:.1f}", f"{100 * entry['parse_rate']:.0f} %"]
        counts = [f"{entry['num_items']:,}", f"{entry['num_clusters']:,}"]
        name = f"{entry['suite']}/{entry['ability']}"
        rows.append([name, *counts, *means, f"{entry['num_missing']:,}", f"{entry['num_human']:,}"])
    recorded = ", ".join(about["recorded"]) or "nothing that must be equal for a comparison"
    return [f"read as {about['form']}: {about['num_items']:,} items", *aligned(rows), f"recorded: {recorded}"]
