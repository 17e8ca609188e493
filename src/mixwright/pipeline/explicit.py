"""A recipe made explicit for its lock: names of the catalogue become sources, branches and tags of a hub commits."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from mixwright.ground.errors import InputError
from mixwright.ground.progress import tell
from mixwright.recipe.problems import as_problems
from mixwright.recipe.schema import Recipe
from mixwright.sources.catalogue import check_terms, sources_named
from mixwright.sources.files.data_sets import commit_of


def explicit(recipe: Recipe) -> Recipe:
    """The recipe with every source written out. Raises InputError for terms that it does not allow, for a name that the
    catalogue does not have, and for data sets that cannot be found."""
    recipe = _without_names(recipe)
    for name, source in recipe.sources.items():
        check_terms(name, source)
    parts: dict[str, dict[str, Any]] = {"sources": dict(recipe.sources), "suites": dict(recipe.suites)}
    for part, entries in parts.items():
        for name, entry in entries.items():
            commit = commit_of(entry, f"{part}.{name}")
            if commit is not None:
                if entry.revision is None:
                    tell(f"{part}.{name}: no 'revision' is given; this run has {commit} of {entry.hub}")
                entries[name] = entry.model_copy(update={"revision": commit})
    return recipe.model_copy(update=parts)


def _without_names(recipe: Recipe) -> Recipe:
    named = {name: sources_named(name, source) for name, source in recipe.sources.items() if source.catalogue}
    if not named:
        return recipe
    plain = recipe.model_dump(mode="json", exclude_defaults=True) | {"mixwright": recipe.mixwright}
    plain["sources"] = {
        label: entry
        for name, source in plain["sources"].items()
        for label, entry in (
            ((label, keys) for label, (keys, _) in named[name].items()) if name in named else ((name, source),)
        )
    }
    places = [plain["blend"], *plain.get("arms", {}).values()]
    places += [turn for place in places for turn in place.get("schedule", ())]
    for place in places:
        if isinstance(place.get("shares"), dict):
            place["shares"] = _divided(place["shares"], named)
    try:
        return Recipe.model_validate(plain)
    except ValidationError as error:
        problem = as_problems(error)[0]
        where = ".".join(map(str, problem.path))
        raise InputError(f"written out, {problem.message}", where=where, fix=problem.fix) from None


def _divided(shares: dict[str, str], named: dict[str, dict[str, tuple[dict[str, Any], int]]]) -> dict[str, str]:
    divided: dict[str, str] = {}
    for name, share in shares.items():
        parts = named.get(name)
        if parts is None:
            divided[name] = share
        else:
            divided |= {label: str(Fraction(share) / parts_of_it) for label, (_, parts_of_it) in parts.items()}
    return divided
