"""Names beside the points of a plot that do not cover points or each other.

Greedy: in the given order, each label takes the first free place of a few around its point, nearer ones
first. That is not the best arrangement there could be, but it is stable, quick and good for a dozen points;
the optimal one is NP-hard (Marks and Shieber 1991).
"""

from collections.abc import Sequence
from typing import NamedTuple

GLYPH_WIDTH = 0.6  # of the font size, on average
REACHES = (1.0, 2.2, 3.6, 5.0)
DIRECTIONS = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Box") -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


class Wanted(NamedTuple):
    """A label that is wanted: the point it names, its text, the radius of the mark and the font size in pixels."""

    x: float
    y: float
    text: str
    radius: float
    size: float


def around(x: float, y: float, radius: float) -> Box:
    return Box(x - radius, y - radius, x + radius, y + radius)


def along(start: tuple[float, float], end: tuple[float, float]) -> list[Box]:
    """Small boxes that cover the line from `start` to `end`."""
    steps = max(1, round(max(abs(end[0] - start[0]), abs(end[1] - start[1])) / 5))
    return [
        around(
            start[0] + (end[0] - start[0]) * step / steps,
            start[1] + (end[1] - start[1]) * step / steps,
            1.5,
        )
        for step in range(steps + 1)
    ]


def placed(labels: Sequence[Wanted], taken: Sequence[Box], area: Box) -> list[Box | None]:
    """A box for each label inside `area` and clear of `taken`; None where there is no room."""
    occupied = list(taken)
    found: list[Box | None] = []
    for label in labels:
        free = (
            box
            for reach in REACHES
            for box in _places(label, reach)
            if area.holds(box) and not any(box.meets(other) for other in occupied)
        )
        box = next(free, None)
        if box:
            occupied.append(box)
        found.append(box)
    return found


def _places(label: Wanted, reach: float) -> list[Box]:
    width, height = len(label.text) * label.size * GLYPH_WIDTH, label.size * 1.15
    away = (label.radius + 3) * reach
    boxes = []
    for across, down in DIRECTIONS:
        short = 0.7 if across and down else 1.0
        middle_x = label.x + across * (away * short + width / 2)
        middle_y = label.y + down * (away * short + height / 2)
        boxes.append(Box(middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2))
    return boxes
