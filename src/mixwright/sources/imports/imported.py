"""What every import has in common: the configuration file, the recipe that comes out, and what to know about it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.recipe.data import Source
from mixwright.recipe.problems import as_problems
from mixwright.sources.data_sets import files_of
from mixwright.sources.readers import read_rows

ALL_DOMAIN = "Every source has the role 'domain': say with --general which ones are there to keep abilities."


@dataclass
class Imported:
    """recipe: its keys, in order. warnings: what differs from the configuration, or has no counterpart."""

    recipe: dict[str, Any]
    warnings: list[str] = field(default_factory=list)

    def as_yaml(self) -> str:
        """The recipe with its warnings above it as comments."""
        noted = "".join(f"# {line}\n" for warning in self.warnings for line in warning.splitlines())
        return noted + yaml.safe_dump(self.recipe, sort_keys=False, allow_unicode=True, width=110)


def read_config(file: Path) -> dict[str, Any]:
    """A configuration in YAML or JSON. Raises InputError when it is neither, or no mapping."""
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the configuration cannot be read ({error})", where=str(file), fix="Check the file."
        ) from None
    except (ValueError, yaml.YAMLError) as error:
        message = " ".join(str(error).split())
        raise InputError(f"the configuration is no YAML or JSON ({message})", where=str(file), fix="Mend it.") from None
    if not isinstance(found, dict):
        fix = "Give the configuration file itself."
        raise InputError(f"the configuration is a {type(found).__name__}, not a mapping", where=str(file), fix=fix)
    return found


def name_of(text: str, taken: Collection[str] = ()) -> str:
    """A name for a source or recipe out of a path or id, different from those taken."""
    stem = re.sub(r"(\.(jsonl?|csv|parquet|gz|zst|txt|ya?ml))+$", "", text.rstrip("/").rpartition("/")[2])
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or "data"
    name = name if name[0].isalpha() else f"data-{name}"
    numbered = (f"{name}-{number}" for number in range(2, 10_000))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def checked(sources: Mapping[str, Any], general: Collection[str], file: Path) -> None:
    """Give the named sources the role `general`. Raises InputError for a source that is none, or an unknown name."""
    for name in general:
        if name not in sources:
            fix = did_you_mean(name, sources)
            raise InputError(f"no data set of {file.name} is called '{name}'", where="--general", fix=fix)
        sources[name]["role"] = "general"
    for name, source in sources.items():
        try:
            Source.model_validate(source)
        except ValidationError as error:
            problem = as_problems(error)[0]
            raise InputError(f"{name}: {problem.message}", where=str(file), fix=problem.fix) from None


def shares_by_rows(sources: Mapping[str, dict[str, Any]], warnings: list[str], folder: Path) -> dict[str, str]:
    """Shares of records as these tools have them that put data sets one behind the other: by their rows.

    Where a data set cannot be counted here, all shares are equal, and a warning says so.
    """
    counts: dict[str, int] = {}
    for name, keys in sources.items():
        try:
            if "path" not in keys:
                raise InputError("only files are counted")
            located = {**keys, "path": os.path.normpath(folder / keys["path"])}
            source = Source.model_validate(located)
            counts[name] = sum(1 for file in files_of(source, name) for _ in read_rows(file, source))
        except InputError:
            warnings.append(
                f"'{name}' cannot be counted from here, so all shares are equal; the configuration shares by rows"
            )
            return {name: str(Fraction(1, len(sources))) for name in sources}
    total = sum(counts.values())
    return {name: str(Fraction(count, total)) for name, count in counts.items() if count}


def training(found: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Settings of training that have a counterpart. names: theirs -> ours."""
    return {ours: found[theirs] for theirs, ours in names.items() if isinstance(found.get(theirs), int | float)}
