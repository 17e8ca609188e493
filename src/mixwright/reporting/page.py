"""From `RunContents` to the HTML text of the report.

Jinja with autoescape on and strict undefined names: model answers, file names and clause names are
untrusted text. As a second wall the page carries a content security policy that allows only its own
script, by hash, and no request of any kind. The same run gives the same bytes: nothing on the page
depends on when it was written.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import NamedTuple

from markupsafe import Markup

from mixwright.reporting import wording
from mixwright.reporting.bars import share_bar
from mixwright.reporting.checks import checks
from mixwright.reporting.choosing import choices
from mixwright.reporting.contents import BASE_ARM, Certificate, Clause, RunContents
from mixwright.reporting.curves import training_views
from mixwright.reporting.flips import flips_of
from mixwright.reporting.forest import forest_axis, forest_scale, forest_strip
from mixwright.reporting.frontier import frontier
from mixwright.reporting.frontier_plot import frontier_plot
from mixwright.reporting.intake import intake, is_leak, reasons
from mixwright.reporting.origins import origins
from mixwright.reporting.scores import score_tables
from mixwright.reporting.session import session_view
from mixwright.reporting.shares import UNITS, blend_view, source_colours
from mixwright.reporting.standings import standings

DEFAULT_CONFIDENCE = 0.95
KINDS = {"improve": "Must improve", "keep": "Must be kept", "never": "Must never happen"}


class ClauseGroup(NamedTuple):
    """The clauses of one kind with their strips and a common axis."""

    kind: str
    title: str
    strips: tuple[tuple[Clause, Markup], ...]
    axis: Markup


class ArmContract(NamedTuple):
    """One arm's certificate, ready to print."""

    certificate: Certificate
    sentence: str
    groups: tuple[ClauseGroup, ...]


class Tile(NamedTuple):
    """One headline number of the main arm."""

    title: str
    clause: Clause


def render(run: RunContents) -> str:
    """The whole page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("mixwright.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "points": wording.points,
        "signed": wording.signed_points,
        "asked": wording.asked,
        "margin": wording.margin_points,
        "percent": wording.percent,
        "whole": wording.whole,
        "duration": wording.duration,
        "visible": wording.visible,
        "verdict_in_words": wording.verdict_in_words,
        "spaced": lambda name: name.replace("_", " "),
    }
    environment.globals |= {
        "symbols": wording.VERDICT_SYMBOLS,
        "is_leak": is_leak,
        "share_bar": share_bar,
        "is_mapping": lambda value: isinstance(value, Mapping),
        "is_list": lambda value: isinstance(value, list | tuple),
    }
    style, script = _asset("report.css"), _asset("report.js")
    script_hash = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = environment.get_template("report.html")
    return template.render(style=Markup(style), script=Markup(script), script_hash=script_hash, **_views(run))


def _views(run: RunContents) -> dict[str, object]:
    """Everything the template names."""
    certificates = [arm.certificate for arm in run.arms if arm.certificate]
    certificates.sort(key=lambda certificate: certificate.arm != run.main_arm)
    confidence = certificates[0].confidence if certificates else DEFAULT_CONFIDENCE
    if run.summary and run.summary.confidence is not None:
        confidence = run.summary.confidence
    contracts = [
        ArmContract(certificate, wording.verdict_sentence(certificate), _groups(certificate))
        for certificate in certificates
    ]
    colours = source_colours(run)
    interpolated = origins(run)
    blends = [view for arm in run.arms if arm.name not in interpolated and (view := blend_view(arm, colours))]
    sources = intake(run)
    base = run.arm(BASE_ARM)
    compared = [arm for arm in run.arms if arm.answers and arm.name != BASE_ARM] if base and base.answers else []
    compared.sort(key=lambda arm: arm.name != run.main_arm)
    shown = frontier(run)
    main = next((contract for contract in contracts if contract.certificate.arm == run.main_arm), None)
    return {
        "run": run,
        "confidence": confidence,
        "main": main,
        "verdict": main.certificate.verdict if main else run.verdict,
        "contracts": contracts,
        "uses": run.uses,
        "others": [contract for contract in contracts if contract is not main],
        "tiles": _tiles(main.certificate.clauses) if main else [],
        "session": session_view(run),
        "standings": standings(run),
        "frontier": shown,
        "plot": frontier_plot(shown) if shown else None,
        "choices": choices(run),
        "interpolated": interpolated,
        "tables": score_tables(run, confidence),
        "units": UNITS,
        "blends": blends,
        "trainings": training_views(run, colours),
        "flips": [flips_of(run, arm, base) for arm in compared] if base else [],
        "sources": sources,
        "reasons": reasons(sources),
        "checks": checks(run, blends, sources),
        "total_seconds": sum(stage.seconds for stage in run.stages),
    }


def _groups(certificate: Certificate) -> tuple[ClauseGroup, ...]:
    groups = []
    for kind in dict.fromkeys(clause.kind for clause in certificate.clauses):
        clauses = [clause for clause in certificate.clauses if clause.kind == kind]
        scale = forest_scale(clauses)
        strips = tuple((clause, forest_strip(clause, scale)) for clause in clauses)
        groups.append(ClauseGroup(kind, KINDS.get(kind, kind), strips, forest_axis(scale)))
    return tuple(groups)


def _tiles(clauses: Sequence[Clause]) -> list[Tile]:
    gains = [Tile(clause.title, clause) for clause in clauses if clause.kind == "improve"][:2]
    kept = [clause for clause in clauses if clause.kind == "keep"]
    whole = [Tile(clause.title, clause) for clause in kept if not clause.is_single_ability][:1]
    single = [clause for clause in kept if clause.is_single_ability]
    weakest = min(single, key=lambda clause: clause.estimate, default=None)
    return gains + whole + ([Tile(f"weakest ability: {weakest.title}", weakest)] if weakest else [])


def _asset(name: str) -> str:
    return resources.files("mixwright.reporting").joinpath("templates", name).read_text(encoding="utf-8")
