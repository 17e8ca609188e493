"""The few SVG primitives all charts share: scales, ticks and escaped elements.

Charts are drawn by small pure functions instead of a plotting library: the page stays one file of a few
hundred kilobytes, text stays text (selectable, readable by a screen reader), and colours follow the
page's light and dark themes because shapes carry CSS classes, not colours.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Scale:
    """A linear map from data (`low`..`high`) to the page (`start`..`end`, in pixels or per cent)."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low or 1.0
        return round(self.start + (value - self.low) / span * (self.end - self.start), 2)


def element(tag: str, content: Markup | str = "", **attributes: str | float | None) -> Markup:
    """One SVG element. `class_` writes `class`, `stroke_width` writes `stroke-width`; None leaves one out."""
    written = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), value)
        for name, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), written, escape(content))


def drawing(label: str, content: Iterable[Markup], **attributes: str | float | None) -> Markup:
    """A whole `<svg>` with the label that a screen reader speaks."""
    return element("svg", Markup("").join(content), role="img", aria_label=label, **attributes)


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round values (1, 2 or 5 times a power of ten) inside `low`..`high`.

    Source: the step rule of Heckbert, "Nice numbers for graph labels", Graphics Gems (1990).
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low] if math.isfinite(low) else []
    raw = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """The range widened on both sides by `share` of itself."""
    space = (high - low or abs(high) or 1.0) * share
    return low - space, high + space
