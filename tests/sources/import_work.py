"""What the tests of imports share: configurations of other tools, and what a model would learn by the recipe."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml

from mixwright.recipe.load import load_recipe
from mixwright.recipe.schema import Recipe
from mixwright.sources.imports import IMPORTERS, Imported
from mixwright.sources.intake.ingest import ingest


def imported(tool: str, file: Path, config: Any, *general: str, without: tuple[str, ...] = ()) -> Imported:
    """The import of a configuration, which a text gives as it stands."""
    text = json.dumps(config) if file.suffix == ".json" else yaml.safe_dump(config)
    file.write_text(config if isinstance(config, str) else text)
    return IMPORTERS[tool](file, general, without)


def loaded(found: Imported, folder: Path) -> Recipe:
    """The recipe written into a folder and read as `plan` reads it."""
    (folder / "recipe.yaml").write_text(found.seen_from(folder / "recipe.yaml").as_yaml())
    variables = [f"{name}=x.jsonl" for name in found.recipe.get("variables", ())]
    return load_recipe(folder / "recipe.yaml", variables).recipe


def told(found: Imported) -> str:
    return "\n".join(found.warnings)


def write_rows(path: Path, *rows: dict[str, Any], count: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) * count)


def learnt(recipe: Recipe, *names: str) -> list[Any]:
    """What becomes of the rows of sources, all where none is named: texts, or lists of (role, content)."""
    import pyarrow.parquet as pq

    found = []
    for name in names or recipe.sources:
        with tempfile.TemporaryDirectory() as folder:
            ingest(name, recipe.sources[name], Path(folder))
            for row in pq.read_table(Path(folder) / "records.parquet").to_pylist():
                turns = json.loads(row["messages"]) if row["messages"] else []
                found.append(row["text"] or [(turn["role"], turn["content"]) for turn in turns])
    return found


def exchange(user: str, assistant: str, system: str = "") -> list[tuple[str, str]]:
    """A conversation as `learnt` gives it."""
    return [*([("system", system)] if system else []), ("user", user), ("assistant", assistant)]
