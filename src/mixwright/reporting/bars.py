"""Stacked bars: the shares of a blend, one bar per unit.

A bar is drawn in per cent of its width, so it fits a phone and a printed page without shrinking its
text. Exact numbers stand in the table beside it; a segment carries its share only where there is room
for it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from mixwright.reporting.svg import drawing, element
from mixwright.reporting.wording import percent

BAR_HEIGHT = 26
NARROWEST_LABELLED = 0.08


class Segment(NamedTuple):
    """One part of a stacked bar: `share` from 0 to 1, `colour` a CSS class."""

    label: str
    share: float
    colour: str


def stacked_bar(title: str, segments: Sequence[Segment]) -> Markup:
    """One horizontal bar of `segments`, in order, over the full width."""
    shapes, left = [], 0.0
    for label, share, colour in segments:
        told = f"{label} {percent(share)}"
        shapes.append(
            element(
                "rect",
                element("title", told),
                x=f"{100 * left:.3f}%",
                width=f"{100 * share:.3f}%",
                height=BAR_HEIGHT,
                class_=f"segment {colour}",
            )
        )
        if share >= NARROWEST_LABELLED:
            middle = f"{100 * (left + share / 2):.3f}%"
            shapes.append(
                element("text", percent(share, 0), x=middle, y=17.5, text_anchor="middle", class_="on-segment")
            )
        left += share
    spoken = f"{title}: " + ", ".join(f"{segment.label} {percent(segment.share)}" for segment in segments)
    return drawing(spoken, shapes, class_="bar", width="100%", height=BAR_HEIGHT)


def share_bar(title: str, share: float) -> Markup:
    """A thin bar that fills `share` (0 to 1) of its width."""
    shapes = [
        element("rect", width="100%", height=8, rx=4, class_="track"),
        element("rect", width=f"{100 * share:.3f}%", height=8, rx=4, class_="fill"),
    ]
    return drawing(f"{title}: {percent(share)}", shapes, class_="share", width="100%", height=8)
