"""The mark of a verdict in every chart: its shape tells as much as its colour.

Disc PASS, square with a cross FAIL, diamond INCONCLUSIVE.
"""

from markupsafe import Markup

from mixwright.reporting.svg import element


def verdict_mark(verdict: str | None) -> Markup:
    """The mark of a verdict around its own origin; a plain disc without one."""
    if verdict in (None, "PASS"):
        return element("circle", r=6.5, class_="mark solid")
    if verdict == "FAIL":
        return element("rect", x=-7.5, y=-7.5, width=15, height=15, rx=3, class_="mark solid") + element(
            "path", d="M-3.5-3.5 3.5 3.5M3.5-3.5-3.5 3.5", class_="cross"
        )
    return element("path", d="M0-8 8 0 0 8-8 0Z", class_="mark hollow")
