"""Forest plot: every clause as an estimate with its interval against the line it must not cross.

Each clause is one strip, drawn to sit inside a row of a real table, so the picture and its numbers
cannot drift apart and a screen reader meets both. Positions are per cent, so a strip fills any width
without distorting its text.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup

from mixwright.reporting.contents import Clause
from mixwright.reporting.marks import verdict_mark
from mixwright.reporting.svg import Scale, drawing, element, nice_ticks, padded
from mixwright.reporting.wording import asked, margin_points, signed_points

AXIS_HEIGHT = 26


def forest_scale(clauses: Sequence[Clause]) -> Scale:
    """One horizontal scale for `clauses`: every bound, every threshold and zero are inside it."""
    values = [0.0]
    for clause in clauses:
        values += [clause.low, clause.high, clause.estimate, clause.threshold]
    known = [value for value in values if math.isfinite(value)]
    low, high = padded(min(known), max(known), 0.08)
    return Scale(low, high, 0.0, 100.0)


def forest_strip(clause: Clause, scale: Scale) -> Markup:
    """The strip of one clause, filling its table cell: forbidden side, threshold, interval and mark."""
    limit, zero = _at(scale, clause.threshold), _at(scale, 0.0)
    shapes = [
        element("rect", width=limit, height="100%", class_="forbidden"),
        element("line", x1=zero, x2=zero, y1="0%", y2="100%", class_="zero"),
        element("line", x1=limit, x2=limit, y1="0%", y2="100%", class_="threshold"),
    ]
    if math.isfinite(clause.low) and math.isfinite(clause.high):
        low, high = _at(scale, clause.low), _at(scale, clause.high)
        cap = element("path", d="M0-5V5", class_="interval")
        shapes.append(element("line", x1=low, x2=high, y1="50%", y2="50%", class_="interval"))
        shapes += [_placed(cap, low), _placed(cap, high)]
    if math.isfinite(clause.estimate):
        shapes.append(_placed(verdict_mark(clause.verdict), _at(scale, clause.estimate)))
    label = (
        f"{clause.title}: difference {signed_points(clause.estimate)} points, "
        f"from {signed_points(clause.low)} to {signed_points(clause.high)}; "
        f"asked: {asked(clause)} points; {clause.verdict}"
    )
    return drawing(label, shapes, class_=f"strip verdict-{clause.verdict.lower()}", width="100%", height="100%")


def forest_axis(scale: Scale) -> Markup:
    """The axis under a column of strips, in points."""
    shapes = []
    for tick in nice_ticks(scale.low, scale.high, 5):
        x = _at(scale, tick)
        shapes.append(element("line", x1=x, x2=x, y1=0, y2=5, class_="tick"))
        label = "0" if tick == 0 else f"{'+' if tick > 0 else '−'}{margin_points(abs(tick))}"
        shapes.append(element("text", label, x=x, y=19, text_anchor="middle"))
    return element("svg", Markup("").join(shapes), class_="axis", width="100%", height=AXIS_HEIGHT, aria_hidden="true")


def _at(scale: Scale, value: float) -> str:
    return f"{scale(value)}%"


def _placed(shape: Markup, x: str) -> Markup:
    """`shape`, drawn around its own origin, at `x` in the middle of the strip."""
    return element("svg", shape, x=x, y="50%", overflow="visible")
