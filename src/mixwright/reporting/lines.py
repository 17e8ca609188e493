"""Line charts of training: loss by source, learning rate, speed.

A long training logs more steps than a chart has pixels. Neighbouring steps are averaged into at most
`MOST_POINTS` points, which keeps the page small and shows the level rather than the noise; the full
series stays in metrics.jsonl. Lines differ by dash as well as by colour, and carry their name at their
end.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from mixwright.reporting.svg import Scale, drawing, element, nice_ticks
from mixwright.reporting.wording import compact

MOST_POINTS = 140
WIDTH = 460
LABEL_SPACING = 14.0


class Line(NamedTuple):
    """One line: `points` are (x, y); `colour` is a CSS class; `dash` an SVG dash pattern or None."""

    label: str
    points: Sequence[tuple[float, float]]
    colour: str
    dash: str | None = None


def averaged(points: Sequence[tuple[float, float | None]], most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """At most `most` points: the means of equal runs of neighbours. Missing values are left out."""
    known = [(x, y) for x, y in points if y is not None and math.isfinite(y)]
    if len(known) <= most:
        return known
    edges = [round(index * len(known) / most) for index in range(most + 1)]
    groups = [known[start:end] for start, end in itertools.pairwise(edges)]
    return [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]


def line_chart(
    title: str,
    lines: Sequence[Line],
    *,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    height: int = 250,
    named: bool = True,
    y_text: Callable[[float], str] = compact,
) -> Markup:
    """A chart of `lines` on given ranges, so that panels beside each other can share them."""
    right = 108 if named else 14
    across = Scale(*x_range, 46, WIDTH - right)
    up = Scale(*y_range, height - 26, 10)
    shapes = []
    for tick in nice_ticks(*y_range, max(2, height // 55)):
        shapes.append(element("line", x1=across.start, x2=across.end, y1=up(tick), y2=up(tick), class_="grid"))
        shapes.append(element("text", y_text(tick), x=across.start - 7, y=up(tick) + 4, text_anchor="end"))
    for tick in nice_ticks(*x_range, 4):
        shapes.append(element("text", compact(tick), x=across(tick), y=height - 7, text_anchor="middle"))
    if named:
        shapes.append(element("text", "tokens", x=across.end + 13, y=height - 7))
    drawn = [line for line in lines if line.points]
    for line in drawn:
        path = "M" + "L".join(f"{across(x)} {up(y)}" for x, y in line.points)
        shapes.append(
            element(
                "path",
                element("title", line.label),
                d=path,
                class_=f"line {line.colour}",
                stroke_dasharray=line.dash,
            )
        )
    if named:
        places = _spread([up(line.points[-1][1]) for line in drawn])
        for line, place in zip(drawn, places, strict=True):
            x, y = line.points[-1]
            shapes.append(
                element(
                    "path",
                    d=f"M{across(x)} {up(y)}L{across.end + 10} {place:.1f}",
                    class_=f"leader {line.colour}",
                )
            )
            label = line.label if len(line.label) <= 14 else f"{line.label[:13]}…"
            shapes.append(element("text", label, x=across.end + 13, y=f"{place + 4:.1f}", class_="end-label"))
    return drawing(title, shapes, class_="chart", viewBox=f"0 0 {WIDTH} {height}")


def _spread(places: Sequence[float]) -> list[float]:
    """`places` moved apart to at least `LABEL_SPACING`, keeping their order and their centre."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = list(places)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + LABEL_SPACING)
    shift = (sum(moved) - sum(places)) / len(places) if places else 0.0
    return [place - shift for place in moved]
