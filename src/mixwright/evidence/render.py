"""A certificate in words, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

EACH = "each_ability:"
SIGNS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?"}


def render(certificate: Mapping[str, Any]) -> str:
    """One line for the verdict, one for each clause; scores and differences in points (0 to 100)."""
    return "\n".join([_heading(certificate), *_clauses(certificate["clauses"]), *_unarmed(certificate)])


def render_briefly(certificate: Mapping[str, Any]) -> str:
    """As `render`, with the abilities that `each_ability` stands for counted instead of listed."""
    named = [clause for clause in certificate["clauses"] if not clause["name"].startswith(EACH)]
    each = [clause for clause in certificate["clauses"] if clause["name"].startswith(EACH)]
    lines = [_heading(certificate), *_clauses(named)]
    if each:
        counts = ", ".join(f"{sum(c['verdict'] == v for c in each)} {v}" for v in SIGNS)
        worst = min(each, key=lambda clause: float(clause["estimate"]))
        lines.append(f"    each ability: {counts}; worst {worst['name'][len(EACH) :]} {100 * worst['estimate']:+.1f}")
    return "\n".join(lines)


def _heading(certificate: Mapping[str, Any]) -> str:
    percent = 100 * certificate["confidence"]
    return f"{certificate['verdict']}  {certificate['recipe']} / {certificate['arm']}  ({percent:g} % confidence)"


def _clauses(clauses: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    width = max((len(clause["name"]) for clause in clauses), default=0)
    for clause in clauses:
        asked = f"≥ {100 * clause['threshold']:+.1f}"
        line = (
            f"  {SIGNS[clause['verdict']]} {clause['kind']:<7} {clause['name']:<{width}}  "
            f"{100 * clause['base']:5.1f} → {100 * clause['candidate']:5.1f}  "
            f"{100 * clause['estimate']:+6.1f} [{100 * clause['low']:+.1f}, {100 * clause['high']:+.1f}]  "
            f"asked {asked}  n={clause['num_items']}"
        )
        why = clause["reason"] or (f"would settle: {clause['settle']}" if clause["settle"] else None)
        yield f"{line}  {why}" if why else line


def _unarmed(certificate: Mapping[str, Any]) -> Iterator[str]:
    if certificate["unarmed"]:
        yield f"  not armed (the base cannot do it): {', '.join(certificate['unarmed'])}"
