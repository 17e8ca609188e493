"""The frontier drawn: domain score across, general score up; up and right is better.

Large marks are arms with the bounds of their certificate, small hollow ones the settings tried on the
search split, joined in order: a rate that is turned down, or weights that go back to the base, draw the
curve of what giving up some domain buys in general ability. A blend earns its keep beyond those curves.
"""

import itertools
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from mixwright.reporting.contents import BASE_ARM
from mixwright.reporting.curves import DASHES
from mixwright.reporting.frontier import ArmPoint, Curve, Frontier, Place
from mixwright.reporting.labels import Box, Wanted, along, around, placed
from mixwright.reporting.marks import verdict_mark
from mixwright.reporting.svg import Scale, drawing, element, nice_ticks, padded
from mixwright.reporting.wording import VERDICT_SYMBOLS, points

WIDTH, HEIGHT = 560, 400
HUES = ("cool-1", "warm-1", "cool-3", "cool-2", "warm-2", "warm-3")
LONGEST_NAME = 22


def frontier_plot(shown: Frontier) -> Markup:
    """The plot; its numbers are in a table of their own."""
    tried = [point for curve in shown.curves for point in curve.points]
    asked = [shown.asked] if shown.asked else []
    across = _scale(
        [*_ends(arm.domain for arm in shown.arms), *(each.domain for each in tried), *(each[0] for each in asked)],
        (54, WIDTH - 16),
    )
    up = _scale(
        [*_ends(arm.general for arm in shown.arms), *(each.general for each in tried), *(each[1] for each in asked)],
        (HEIGHT - 48, 14),
    )
    names = list(dict.fromkeys([*(arm.arm for arm in shown.arms[1:]), *(curve.arm for curve in shown.curves)]))
    hues = {name: HUES[index % len(HUES)] for index, name in enumerate(names)}
    shapes = [*_asked(shown, across, up), *_axes(across, up), *_base_lines(shown.arms[0], across, up)]
    for index, curve in enumerate(shown.curves):
        shapes.append(_curve(curve, hues[curve.arm], DASHES[index % len(DASHES)], across, up))
    shapes += _labels(shown, across, up)
    shapes += [_arm(arm, hues.get(arm.arm, "total"), across, up) for arm in shown.arms]
    told = "; ".join(
        f"{arm.arm}: domain {points(arm.domain.value)}, general {points(arm.general.value)}" for arm in shown.arms
    )
    label = f"Domain and general score of every arm, in points. {told}"
    return drawing(label, shapes, class_="chart", viewBox=f"0 0 {WIDTH} {HEIGHT}")


def _ends(places: Iterable[Place]) -> list[float]:
    return [value for place in places for value in place if value is not None]


def _scale(values: Sequence[float], ends: tuple[float, float]) -> Scale:
    low, high = min(values), max(values)
    if high - low < 0.1:
        low, high = low - 0.05, high + 0.05
    low, high = padded(low, high, 0.09)
    return Scale(max(low, -0.03), min(high, 1.03), *ends)


def _axes(across: Scale, up: Scale) -> list[Markup]:
    shapes = []
    for tick in nice_ticks(across.low, across.high, 6):
        x = across(tick)
        shapes.append(element("line", x1=x, x2=x, y1=up.start, y2=up.end, class_="grid"))
        shapes.append(element("text", f"{100 * tick:.0f}", x=x, y=up.start + 17, text_anchor="middle"))
    for tick in nice_ticks(up.low, up.high, 5):
        y = up(tick)
        shapes.append(element("line", x1=across.start, x2=across.end, y1=y, y2=y, class_="grid"))
        shapes.append(element("text", f"{100 * tick:.0f}", x=across.start - 8, y=y + 4, text_anchor="end"))
    middle = (across.start + across.end) / 2, (up.start + up.end) / 2
    for text, place in (
        ("domain score, points →", f"translate({middle[0]} {HEIGHT - 8})"),
        ("general score, points →", f"translate(14 {middle[1]}) rotate(-90)"),
    ):
        shapes.append(element("text", text, transform=place, text_anchor="middle", class_="axis-title"))
    return shapes


def _asked(shown: Frontier, across: Scale, up: Scale) -> list[Markup]:
    """The corner in which the contract's thresholds for both axes are passed."""
    if not shown.asked:
        return []
    x, y = across(shown.asked[0]), up(shown.asked[1])
    corner = element("rect", x=x, y=up.end, width=across.end - x, height=y - up.end, class_="asked-for")
    return [corner, element("path", d=f"M{x} {up.end}V{y}H{across.end}", class_="asked-edge")]


def _base_lines(base: ArmPoint, across: Scale, up: Scale) -> list[Markup]:
    x, y = across(base.domain.value), up(base.general.value)
    return [
        element("line", x1=x, x2=x, y1=up.start, y2=up.end, class_="zero"),
        element("line", x1=across.start, x2=across.end, y1=y, y2=y, class_="zero"),
    ]


def _curve(curve: Curve, hue: str, dash: str | None, across: Scale, up: Scale) -> Markup:
    places = [(across(point.domain), up(point.general)) for point in curve.points]
    path = "M" + "L".join(f"{x} {y}" for x, y in places)
    shapes = [element("path", d=path, class_=f"line {hue}", stroke_dasharray=dash)]
    for point, (x, y) in zip(curve.points, places, strict=True):
        told = f"{curve.arm}, {point.label}: domain {points(point.domain)}, general {points(point.general)}"
        if point.chosen:
            shapes.append(element("circle", cx=x, cy=y, r=7.5, class_="chosen-ring"))
        shapes.append(element("circle", element("title", told), cx=x, cy=y, r=4, class_="mark hollow"))
    return element("g", Markup("").join(shapes), class_=f"hue {hue}")


def _arm(arm: ArmPoint, hue: str, across: Scale, up: Scale) -> Markup:
    x, y = across(arm.domain.value), up(arm.general.value)
    shapes = []
    if arm.domain.low is not None and arm.domain.high is not None:
        shapes.append(element("path", d=f"M{across(arm.domain.low)} {y}H{across(arm.domain.high)}", class_="interval"))
    if arm.general.low is not None and arm.general.high is not None:
        shapes.append(element("path", d=f"M{x} {up(arm.general.low)}V{up(arm.general.high)}", class_="interval"))
    shapes.append(element("g", verdict_mark(arm.verdict), transform=f"translate({x} {y})"))
    return element("g", Markup("").join(shapes), class_=f"hue {hue}")


def _labels(shown: Frontier, across: Scale, up: Scale) -> list[Markup]:
    """Names of all arms, and as many settings as find room."""
    arms = [
        Wanted(across(arm.domain.value), up(arm.general.value), _name(arm), 8, 13)
        for arm in sorted(shown.arms, key=lambda arm: arm.arm == BASE_ARM)
    ]
    tried = [
        Wanted(across(point.domain), up(point.general), point.label.rpartition("=")[2], 5, 10.5)
        for curve in shown.curves
        for point in sorted(curve.points, key=lambda point: not point.chosen)
    ]
    wanted = [*arms, *tried]
    area = Box(across.start, up.end, across.end, up.start)
    taken = [around(each.x, each.y, each.radius) for each in wanted] + _lines(shown, across, up)
    boxes = placed(wanted, taken, area)
    shapes = []
    for index, (label, box) in enumerate(zip(wanted, boxes, strict=True)):
        is_arm = index < len(arms)
        if box is None and not is_arm:
            continue
        if box is None:
            box = around(label.x, label.y - 2 * label.size, label.size / 2)
        x, y = (box.left + box.right) / 2, box.bottom - 0.28 * label.size
        near = min(max(label.x, box.left), box.right), min(max(label.y, box.top), box.bottom)
        if abs(near[0] - label.x) + abs(near[1] - label.y) > label.radius + 8:
            shapes.append(element("path", d=f"M{label.x} {label.y}L{near[0]:.1f} {near[1]:.1f}", class_="move"))
        style = "arm-name" if is_arm else "setting"
        shapes.append(element("text", label.text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor="middle", class_=style))
    return shapes


def _lines(shown: Frontier, across: Scale, up: Scale) -> list[Box]:
    """What no label should cover besides the marks: bounds and curves."""
    boxes = []
    for arm in shown.arms:
        x, y = across(arm.domain.value), up(arm.general.value)
        if arm.domain.low is not None and arm.domain.high is not None:
            boxes.append(Box(across(arm.domain.low), y - 2, across(arm.domain.high), y + 2))
        if arm.general.low is not None and arm.general.high is not None:
            boxes.append(Box(x - 2, up(arm.general.high), x + 2, up(arm.general.low)))
    for curve in shown.curves:
        places = [(across(point.domain), up(point.general)) for point in curve.points]
        for start, end in itertools.pairwise(places):
            boxes += along(start, end)
    return boxes


def _name(arm: ArmPoint) -> str:
    name = arm.arm if len(arm.arm) <= LONGEST_NAME else f"{arm.arm[: LONGEST_NAME - 1]}…"
    return f"{name} {VERDICT_SYMBOLS.get(arm.verdict or '', '')}".strip()
