"""`mixwright import`: a recipe out of another tool's configuration."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from mixwright.cli.output import AsJson, print_json, writing

Tool = Literal["nova", "axolotl", "llamafactory"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("import")(import_config)


def import_config(
    tool: Annotated[Tool, typer.Argument(help="Whose configuration it is.", metavar="nova|axolotl|llamafactory")],
    config: Annotated[Path, typer.Argument(help="The configuration, YAML or JSON.")],
    general: Annotated[
        list[str] | None, typer.Option("--general", help="A source that is there to keep abilities.", metavar="NAME")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", help="A data set to leave out.", metavar="NAME")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The recipe to write; printed if absent.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a recipe of another tool's configuration: the same data in the same shares.

    What differs or has no counterpart is said on stderr, and stands as comments above the recipe. Its paths are as seen
    from its folder; without --out, from this one.
    """
    from mixwright.sources.imports import IMPORTERS

    found = IMPORTERS[tool](config, general or [], without or []).seen_from(out or Path("recipe.yaml"))
    if out is None:
        found.warnings.append("Its paths are as seen from this folder: save it here, or write it with --out.")
    for warning in found.warnings:
        print(f"note: {warning}", file=sys.stderr)
    if out is not None:
        with writing(out):
            out.write_text(found.as_yaml(), encoding="utf-8")
    if as_json:
        print_json({"recipe": found.recipe, "warnings": [*found.warnings]})
    elif out is None:
        print(found.as_yaml(), end="")
    else:
        print(out)
