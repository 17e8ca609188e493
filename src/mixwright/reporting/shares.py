"""The blend as asked and as realised: one stacked bar per unit and the numbers behind it.

Tokens, supervised tokens and records are always shown all three, because a share of 20 % in one can be 5
% in another; the declared unit is the one held against the request. Sources keep one colour through the
whole page: warm colours for domain sources, cool ones for general sources.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from markupsafe import Markup

from mixwright.reporting.bars import Segment, stacked_bar
from mixwright.reporting.contents import Arm, RunContents

UNITS = ("tokens", "supervised_tokens", "records")
NUM_WARM, NUM_COOL = 4, 6


class UnitShare(NamedTuple):
    """The realised share (0 to 1) and amount of one source in one unit; None where it was not written."""

    share: float | None
    total: int | None


class SourceShare(NamedTuple):
    """One source of a blend; `units` follow `UNITS`."""

    source: str
    colour: str
    requested: float | None
    units: tuple[UnitShare, ...]
    repeats: float | None


@dataclass(frozen=True)
class BlendView:
    """One arm's blend, ready to print."""

    arm: str
    unit: str
    bars: tuple[tuple[str, Markup], ...]
    sources: tuple[SourceShare, ...]
    budget_tokens: int | None
    num_steps: int | None
    padding_share: float | None
    largest_gap: float | None


def source_colours(run: RunContents) -> dict[str, str]:
    """A CSS class per source, the same in every chart."""
    names = dict.fromkeys(run.sources)
    for arm in run.arms:
        names |= dict.fromkeys((arm.blend or {}).get("requested", {}))
        for step in arm.training[:1]:
            names |= dict.fromkeys(step.loss_by_source)
    colours, num_warm, num_cool = {}, 0, 0
    for name in names:
        if str(run.sources.get(name, {}).get("role", "general")) == "domain":
            colours[name] = f"warm-{num_warm % NUM_WARM + 1}"
            num_warm += 1
        else:
            colours[name] = f"cool-{num_cool % NUM_COOL + 1}"
            num_cool += 1
    return colours


def blend_view(arm: Arm, colours: Mapping[str, str]) -> BlendView | None:
    """The blend of `arm`, or None when it was not trained."""
    blend = arm.blend
    if blend is None:
        return None
    requested: Mapping[str, float] = blend.get("requested") or {}
    realised: Mapping[str, Mapping[str, float]] = blend.get("realised") or {}
    unit = str(blend.get("unit", "tokens"))
    order = [name for name in colours if name in requested or name in realised.get(unit, {})]
    rows = [("requested", requested)] + [(name, realised[name]) for name in UNITS if name in realised]
    return BlendView(
        arm=arm.name,
        unit=unit,
        bars=tuple((label, _bar(arm.name, label, shares, order, colours)) for label, shares in rows),
        sources=tuple(_source(name, colours[name], blend) for name in order),
        budget_tokens=blend.get("budget_tokens"),
        num_steps=blend.get("num_steps"),
        padding_share=blend.get("padding_share"),
        largest_gap=max(
            (abs(realised.get(unit, {}).get(name, 0.0) - requested.get(name, 0.0)) for name in order),
            default=None,
        ),
    )


def _bar(arm: str, label: str, shares: Mapping[str, float], order: Sequence[str], colours: Mapping[str, str]) -> Markup:
    segments = [Segment(name, shares[name], colours[name]) for name in order if shares.get(name, 0.0) > 0.0]
    return stacked_bar(f"{arm}, {label.replace('_', ' ')}", segments)


def _source(name: str, colour: str, blend: Mapping[str, Any]) -> SourceShare:
    realised, totals = blend.get("realised") or {}, blend.get("totals") or {}
    return SourceShare(
        source=name,
        colour=colour,
        requested=(blend.get("requested") or {}).get(name),
        units=tuple(
            UnitShare((realised.get(unit) or {}).get(name), (totals.get(unit) or {}).get(name)) for unit in UNITS
        ),
        repeats=(blend.get("repeats") or {}).get(name),
    )
