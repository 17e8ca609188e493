"""A certificate in words, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SIGNS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?"}


def render(certificate: Mapping[str, Any]) -> str:
    """One line for the verdict, one for each clause; scores and differences in points (0 to 100)."""
    percent = 100 * certificate["confidence"]
    lines = [f"{certificate['verdict']}  {certificate['recipe']} / {certificate['arm']}  ({percent:g} % confidence)"]
    width = max((len(clause["name"]) for clause in certificate["clauses"]), default=0)
    for clause in certificate["clauses"]:
        asked = f"≥ {100 * clause['threshold']:+.1f}"
        line = (
            f"  {SIGNS[clause['verdict']]} {clause['kind']:<7} {clause['name']:<{width}}  "
            f"{100 * clause['base']:5.1f} → {100 * clause['candidate']:5.1f}  "
            f"{100 * clause['estimate']:+6.1f} [{100 * clause['low']:+.1f}, {100 * clause['high']:+.1f}]  "
            f"asked {asked}  n={clause['num_items']}"
        )
        why = clause["reason"] or (f"would settle: {clause['settle']}" if clause["settle"] else None)
        lines.append(f"{line}  {why}" if why else line)
    if certificate["unarmed"]:
        lines.append(f"  not armed (the base cannot do it): {', '.join(certificate['unarmed'])}")
    return "\n".join(lines)
