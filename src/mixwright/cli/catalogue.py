"""`mixwright catalogue`: open general data, listed and filtered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mixwright.cli.output import AsJson, print_json
from mixwright.ground.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from mixwright.sources.catalogue import Entry

TermsFilter = Literal["commercial", "partly", "unknown", "non_commercial", "any"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("catalogue")(list_catalogue)


def list_catalogue(
    word: Annotated[str | None, typer.Argument(help="Part of a data set's id; its facts in full if it is one.")] = None,
    skill: Annotated[str | None, typer.Option("--skill", help="Of this skill only.")] = None,
    terms: Annotated[TermsFilter, typer.Option("--terms", help="Under these terms only.")] = "any",
    balanced: Annotated[bool, typer.Option("--balanced", help="What 'balanced' stands for.")] = False,
    as_json: AsJson = False,
) -> None:
    """List open general data: what it teaches, how much of it there is, and on what terms.

    In a recipe, `general: balanced` and `maths: math` are sources by name.
    """
    from mixwright.sources.catalogue import entries, skills

    if skill is not None and skill not in skills():
        raise InputError(f"there is no skill '{skill}'", where="--skill", fix=did_you_mean(skill, skills()))
    found = [
        entry
        for entry in entries()
        if (word is None or word.lower() in entry.id.lower())
        and skill in (None, entry.skill)
        and terms in ("any", entry.terms)
        and (entry.default or not balanced)
    ]
    if not found:
        fix = "Loosen the filter; mixwright catalogue lists everything."
        raise InputError("no data set is like that", where="mixwright catalogue", fix=fix)
    if as_json:
        print_json([entry.as_json() for entry in found])
    elif len({entry.id for entry in found}) == 1:
        print("\n\n".join(map(_facts, found)))
    else:
        widths = [max(len(_columns(entry)[i]) for entry in found) for i in range(4)]
        for entry in found:
            print("  ".join(text.ljust(width) for text, width in zip(_columns(entry), widths, strict=True)).rstrip())


def _columns(entry: Entry) -> tuple[str, str, str, str]:
    place = "/".join(part for part in (entry.config, entry.splits[0] if entry.splits else "") if part)
    rows = f"{entry.rows:,}" if entry.rows else "?"
    unread = "" if entry.readable else "; needs a template or conversion"
    return entry.skill, f"{entry.id} {place}".strip(), rows.rjust(11), f"{entry.terms} ({entry.licence}){unread}"


def _facts(entry: Entry) -> str:
    import yaml

    facts = {
        "skill": entry.skill,
        "rows": f"{entry.rows:,}" if entry.rows else "not stated",
        "licence": entry.licence,
        "terms": entry.terms,
        "columns": entry.columns,
        "language": entry.language,
        "in Nova Forge": ", ".join(entry.nova),
        "verified": entry.verified or "no: from memory",
        "note": entry.note,
    }
    lines = "\n".join(f"  {name:<14} {value}" for name, value in facts.items() if value)
    recipe = yaml.safe_dump({"sources": {entry.skill.replace("-", "_"): entry.source()}}, sort_keys=False)
    how = recipe.rstrip() if entry.readable else "  (no form of ours reads it as it is)"
    return f"{entry.id} {' '.join(entry.splits)}\n{lines}\n{how}"
