"""A certificate in words: for a terminal, for a pull request (Markdown), for a test runner (JUnit XML)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

EACH = "each_ability:"
SIGNS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?"}
ICONS = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "❔"}


def render(certificate: Mapping[str, Any]) -> str:
    """One line for the verdict, one for each clause; scores and differences in points (0 to 100)."""
    return "\n".join([_heading(certificate), *_clauses(certificate["clauses"]), *notes(certificate)])


def render_briefly(certificate: Mapping[str, Any]) -> str:
    """As `render`, with the abilities that `each_ability` stands for counted instead of listed."""
    named = [clause for clause in certificate["clauses"] if not clause["name"].startswith(EACH)]
    each = [clause for clause in certificate["clauses"] if clause["name"].startswith(EACH)]
    lines = [_heading(certificate), *_clauses(named)]
    if each:
        counts = ", ".join(f"{sum(c['verdict'] == v for c in each)} {v}" for v in SIGNS)
        worst = min(each, key=lambda clause: float(clause["estimate"]))
        lines.append(f"    each ability: {counts}; worst {worst['name'][len(EACH) :]} {100 * worst['estimate']:+.1f}")
    return "\n".join([*lines, *notes({**certificate, "unarmed": []})])


def _heading(certificate: Mapping[str, Any]) -> str:
    percent = 100 * certificate["confidence"]
    return f"{certificate['verdict']}  {certificate['recipe']} / {certificate['arm']}  ({percent:g} % confidence)"


def _clauses(clauses: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    width = max((len(clause["name"]) for clause in clauses), default=0)
    for clause in clauses:
        scores = f"{100 * clause['base']:5.1f} → {100 * clause['candidate']:5.1f}"
        line = f"  {SIGNS[clause['verdict']]} {clause['kind']:<7} {clause['name']:<{width}}  {scores}  "
        line += f"{_measured(clause)}  asked {_asked(clause)}  n={clause['num_items']}"
        why = _why(clause)
        yield f"{line}  {why}" if why else line


def _measured(clause: Mapping[str, Any]) -> str:
    if clause["test"] == "rate":
        return f"at fault {100 * abs(clause['estimate']):.2f} % [at most {-100 * clause['low']:.2f} %]"
    return f"{100 * clause['estimate']:+6.1f} [{100 * clause['low']:+.1f}, {100 * clause['high']:+.1f}]"


def _asked(clause: Mapping[str, Any]) -> str:
    return f"< {100 * clause['margin']:g} %" if clause["test"] == "rate" else f"≥ {100 * clause['threshold']:+.1f}"


def _why(clause: Mapping[str, Any]) -> str:
    words = [clause["reason"] or (f"would settle: {clause['settle']}" if clause["settle"] else "")]
    if clause["share_used"] is not None:
        words.append(f"after {100 * clause['share_used']:.0f} % of the items")
    if clause["num_missing"]:
        words.append(f"{clause['num_missing']} verdicts missing, counted against the candidate")
    return "; ".join(filter(None, words))


def notes(certificate: Mapping[str, Any]) -> Iterator[str]:
    """What is to be known beside the clauses, a line each."""
    if certificate["unarmed"]:
        yield f"  not armed (the base cannot do it): {', '.join(certificate['unarmed'])}"
    for wire in certificate["tripwires"]:
        yield f"  ! {_tripwire(wire)}"
    if certificate["repeats"]:
        yield "  trained again: " + ", ".join(f"{arm} {verdict}" for arm, verdict in certificate["repeats"].items())
    if certificate["unrecorded"]:
        yield f"  not recorded, so not compared: {', '.join(certificate['unrecorded'])}"
    if certificate["num_pending"]:
        yield f"  {certificate['num_pending']:,} items still to be asked"


def _tripwire(wire: Mapping[str, Any]) -> str:
    scores = f"{100 * wire['base']:.1f} → {100 * wire['candidate']:.1f}"
    return f"{wire['name']} fell, {scores} (p = {wire['p_value']:.2g}): 'keep' must say how much of that is accepted"


def markdown(certificate: Mapping[str, Any]) -> str:
    """A comment for a pull request."""
    heading = f"{certificate['recipe']} / {certificate['arm']}"
    lines = [
        f"## {ICONS[certificate['verdict']]} {certificate['verdict']}: {_cell(heading)}",
        "",
        f"Every clause at {100 * certificate['confidence']:g} % confidence; all must hold.",
        "",
        "| | clause | base → candidate | difference [bounds] | asked | items | |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for clause in certificate["clauses"]:
        cells = [
            ICONS[clause["verdict"]],
            f"{clause['kind']} **{_cell(clause['name'])}**",
            f"{100 * clause['base']:.1f} → {100 * clause['candidate']:.1f}",
            _measured(clause).strip(),
            _asked(clause),
            f"{clause['num_items']:,}",
            _cell(_why(clause)),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    told = [f"- {_cell(note.strip())}" for note in notes(certificate)]
    lines += ["", *told] if told else []
    return "\n".join([*lines, "", f"<sub>certificate {certificate['sha256'][:16]}</sub>", ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def junit(certificate: Mapping[str, Any]) -> str:
    """JUnit XML: a test case for each clause; FAIL is a failure, INCONCLUSIVE an error (nothing was shown)."""
    cases = []
    counts = {"failure": 0, "error": 0}
    for clause in certificate["clauses"]:
        text = f"{_measured(clause).strip()} asked {_asked(clause)} n={clause['num_items']} {_why(clause)}".strip()
        cases.append(_case(clause["kind"], clause["name"], clause["verdict"], text, counts))
    cases += [
        _case("tripwire", wire["name"], "INCONCLUSIVE", _tripwire(wire), counts) for wire in certificate["tripwires"]
    ]
    name = quoteattr(f"{certificate['recipe']}/{certificate['arm']}")
    numbers = f'tests="{len(cases)}" failures="{counts["failure"]}" errors="{counts["error"]}"'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<testsuites {numbers}>\n<testsuite name={name} {numbers}>\n"
        + "\n".join(cases)
        + "\n</testsuite>\n</testsuites>\n"
    )


def _case(kind: str, name: str, verdict: str, text: str, counts: dict[str, int]) -> str:
    head = f"<testcase classname={quoteattr(kind)} name={quoteattr(name)}>"
    if verdict == "PASS":
        return f"{head}<system-out>{escape(text)}</system-out></testcase>"
    element = "failure" if verdict == "FAIL" else "error"
    counts[element] += 1
    return f'{head}<{element} message={quoteattr(text)} type="{verdict}"/></testcase>'
