"""The trade-off plot: how much each arm gained on the domain against what it lost in general.

One point per arm, general score across and domain score up. The base stands at the lower right; a good
blend rises straight above it, a careless one drifts left. It is the argument of the whole report in one
picture, and only an overview: the verdicts come from the clauses, not from these means.
"""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from mixwright.reporting.svg import Scale, drawing, element, nice_ticks, padded
from mixwright.reporting.wording import VERDICT_SYMBOLS, points

WIDTH, HEIGHT = 460, 320


class ArmPoint(NamedTuple):
    """One arm: mean scores from 0 to 1; `verdict` PASS, FAIL, INCONCLUSIVE or None for the base."""

    arm: str
    general: float
    domain: float
    verdict: str | None


def tradeoff_plot(arms: Sequence[ArmPoint]) -> Markup:
    """The plot of `arms`; the first one is the base, where every arrow starts."""
    across = Scale(*_range([arm.general for arm in arms]), 52, WIDTH - 22)
    up = Scale(*_range([arm.domain for arm in arms]), HEIGHT - 46, 14)
    shapes = []
    for tick in nice_ticks(across.low, across.high, 5):
        shapes.append(element("line", x1=across(tick), x2=across(tick), y1=up.start, y2=up.end, class_="grid"))
        shapes.append(element("text", f"{100 * tick:.0f}", x=across(tick), y=up.start + 17, text_anchor="middle"))
    for tick in nice_ticks(up.low, up.high, 5):
        shapes.append(element("line", x1=across.start, x2=across.end, y1=up(tick), y2=up(tick), class_="grid"))
        shapes.append(element("text", f"{100 * tick:.0f}", x=across.start - 8, y=up(tick) + 4, text_anchor="end"))
    middle_x, middle_y = (across.start + across.end) / 2, (up.start + up.end) / 2
    shapes.append(
        element(
            "text",
            "general score, points →",
            x=middle_x,
            y=HEIGHT - 6,
            text_anchor="middle",
            class_="axis-title",
        )
    )
    shapes.append(
        element(
            "text",
            "domain score, points →",
            x=0,
            y=0,
            transform=f"translate(13 {middle_y}) rotate(-90)",
            text_anchor="middle",
            class_="axis-title",
        )
    )
    start_x, start_y = across(arms[0].general), up(arms[0].domain)
    shapes += [
        element("path", d=f"M{start_x} {start_y}L{across(arm.general)} {up(arm.domain)}", class_="move")
        for arm in arms[1:]
    ]
    for arm in arms:
        x, y = across(arm.general), up(arm.domain)
        colour = f"verdict-{arm.verdict.lower()}" if arm.verdict else "neutral"
        shapes.append(element("circle", cx=x, cy=y, r=7, class_=f"mark solid {colour}"))
        name = f"{arm.arm} {VERDICT_SYMBOLS.get(arm.verdict or '', '')}".strip()
        left = x > (across.start + across.end) / 2
        shapes.append(
            element(
                "text",
                name,
                x=x - 12 if left else x + 12,
                y=y + 4,
                text_anchor="end" if left else "start",
                class_="arm-name",
            )
        )
    told = "; ".join(f"{arm.arm}: general {points(arm.general)}, domain {points(arm.domain)}" for arm in arms)
    return drawing(f"Mean scores per arm in points. {told}", shapes, class_="chart", viewBox=f"0 0 {WIDTH} {HEIGHT}")


def _range(scores: Sequence[float]) -> tuple[float, float]:
    low, high = min(scores), max(scores)
    if high - low < 0.1:
        low, high = low - 0.05, high + 0.05
    return padded(low, high, 0.12)
