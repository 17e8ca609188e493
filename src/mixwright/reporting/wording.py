"""Numbers and verdicts as people read them.

Scores become points (71.2), differences carry a sign and a true minus, and a verdict becomes one
sentence that needs no statistics. The sentences say only what the clauses prove: a loss that was not
shown is "not ruled out", never "none".
"""

import math
import re
from collections.abc import Sequence

from mixwright.reporting.contents import Certificate, Clause, SearchClause

VERDICT_SYMBOLS = {"PASS": "✓", "FAIL": "✕", "INCONCLUSIVE": "?"}
LONGEST_LIST = 3

# Control characters and bidirectional overrides could hide or reorder text on the page.
_INVISIBLE = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def points(score: float | None) -> str:
    """A score from 0 to 1 in points with one decimal: 0.712 -> 71.2."""
    return "–" if score is None or math.isnan(score) else f"{100 * score:.1f}"


def signed_points(difference: float | None) -> str:
    """A difference of scores in points, with its sign and a true minus: -0.004 -> −0.4."""
    if difference is None or math.isnan(difference):
        return "–"
    value = round(100 * difference, 1)
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{abs(value):.1f}"


def margin_points(margin: float) -> str:
    """A margin in points without a needless decimal: 0.03 -> 3, 0.025 -> 2.5."""
    return f"{100 * margin:.1f}".removesuffix(".0")


def percent(share: float | None, digits: int = 1) -> str:
    return "–" if share is None or math.isnan(share) else f"{100 * share:.{digits}f}\u202f%"


def whole(count: float | None) -> str:
    """A count with thin spaces between thousands: 12345 -> 12 345."""
    return "–" if count is None else f"{count:,.0f}".replace(",", "\u202f")


def compact(count: float) -> str:
    """A short axis label: 1500000 -> 1.5M, 0.0005 -> 5e-4."""
    if 0 < abs(count) < 0.01:
        return f"{count:.0e}".replace("e-0", "e-")
    for size, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= size:
            return f"{count / size:.3g}{suffix}"
    return f"{count:.3g}"


def duration(seconds: float) -> str:
    """0.42 -> 0.4 s, 75 -> 1 min 15 s, 4000 -> 1 h 07 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def visible(text: str) -> str:
    """`text` with control characters and bidirectional overrides made visible as code points."""
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def shortened(text: str, limit: int) -> str:
    """The first `limit` characters of `text`, with the number of those left out."""
    rest = len(text) - limit
    return text if rest <= 0 else f"{text[:limit]} … ({whole(rest)} more characters)"


def asked(clause: Clause | SearchClause) -> str:
    """What a clause asks: `gain of at least 5`, `loss of at most 2.5`, `at fault in less than 1 %`."""
    if isinstance(clause, Clause) and clause.test == "rate":
        return f"at fault in less than {margin_points(clause.margin)} %"
    side = "gain of at least" if clause.kind == "improve" else "loss of at most"
    return f"{side} {margin_points(clause.margin)}"


def verdict_in_words(verdict: str, arm: str) -> str:
    """What a verdict says about `arm`, without a number."""
    return {
        "PASS": f"{arm} meets its contract",
        "FAIL": f"{arm} breaks its contract",
    }.get(verdict, f"the evidence does not settle whether {arm} meets its contract")


def verdict_sentence(certificate: Certificate) -> str:
    """The verdict as one plain sentence without the verdict word itself."""
    at = f", at {percent(certificate.confidence, 0)} confidence"
    if certificate.verdict == "PASS":
        return _joined([_gains(certificate.clauses), _kept(certificate.clauses), _rates(certificate.clauses)]) + at
    culprits = [clause for clause in certificate.clauses if clause.verdict == certificate.verdict]
    if not culprits:
        return f"{certificate.notes[0] if certificate.notes else 'see the clauses below'}{at}"
    culprits.sort(key=lambda clause: (clause.is_single_ability, clause.estimate - clause.threshold))
    told = [_shortfall(clause) for clause in culprits[:LONGEST_LIST]]
    more = len(culprits) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "") + at


def _gains(clauses: Sequence[Clause]) -> str:
    gains = [
        f"{clause.title} ({signed_points(clause.estimate)} points)" for clause in clauses if clause.kind == "improve"
    ]
    more = len(gains) - LONGEST_LIST
    listed = _joined(gains[:LONGEST_LIST], last=" and ") + (f" and {more} more" if more > 0 else "")
    return f"better at {listed}" if gains else ""


def _kept(clauses: Sequence[Clause]) -> str:
    kept = [clause for clause in clauses if clause.test == "noninferiority"]
    if not kept:
        return ""
    if len({clause.margin for clause in kept}) == 1:
        return f"nothing general lost by more than {margin_points(kept[0].margin)} points"
    phrases = [
        f"{clause.title} kept within {margin_points(clause.margin)} points"
        for clause in kept
        if not clause.is_single_ability
    ][:LONGEST_LIST]
    single = [clause.margin for clause in kept if clause.is_single_ability]
    if single:
        phrases.append(f"no single ability lost by more than {margin_points(max(single))} points")
    return _joined(phrases)


def _rates(clauses: Sequence[Clause]) -> str:
    rates = [clause for clause in clauses if clause.test == "rate"]
    # rounded up: what is said must hold
    return _joined(
        [
            f"{clause.title} at fault in less than {margin_points(math.ceil(-1000 * clause.low) / 1000)} %"
            for clause in rates
        ]
    )


def _shortfall(clause: Clause) -> str:
    name, margin = clause.title, margin_points(clause.margin)
    if clause.test == "rate":
        measured = f"{name} at fault in {points(-clause.estimate)} %"
        if clause.verdict == "FAIL":
            return f"{measured} (less than {margin} % asked)"
        return f"{measured}, a rate of {margin} % not ruled out"
    if clause.verdict == "FAIL":
        if clause.kind == "improve":
            return f"{name} moved by {signed_points(clause.estimate)} points (at least +{margin} asked)"
        return f"{name} lost {points(-clause.estimate)} points (at most {margin} allowed)"
    if clause.kind == "improve":
        return f"{name} measured at {signed_points(clause.estimate)}, a gain of {margin} points not yet proven"
    return f"{name} measured at {signed_points(clause.estimate)}, a loss above {margin} points not ruled out"


def _joined(phrases: Sequence[str], last: str = ", ") -> str:
    told = [phrase for phrase in phrases if phrase]
    return ", ".join(told) if last == ", " or len(told) < 2 else ", ".join(told[:-1]) + last + told[-1]
