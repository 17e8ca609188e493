"""Recipes out of other tools' configurations: their data-set blocks, with the same data in the same shares."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeAlias

from mixwright.sources.imports.axolotl import from_axolotl
from mixwright.sources.imports.imported import Imported
from mixwright.sources.imports.llamafactory import from_llamafactory
from mixwright.sources.imports.nova import from_nova

Importer: TypeAlias = Callable[[Path, Collection[str], Collection[str]], Imported]

IMPORTERS: dict[str, Importer] = {
    "nova": from_nova,
    "axolotl": from_axolotl,
    "llamafactory": from_llamafactory,
}

__all__ = ["IMPORTERS", "Imported"]
