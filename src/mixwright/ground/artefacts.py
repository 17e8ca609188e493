"""An artefact: a directory that is whole or absent, and says what it is.

Its `manifest.json` holds the stage and key that made it, the configuration, the digests of its inputs, counts, versions
and the hash of every data file. The artefact's own `digest` is taken over the data files alone, so that a stage whose
output did not change does not set off what lies below it. Wall times stand apart in files called `timing*` and are
never hashed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json, digest, file_digest

MANIFEST = "manifest.json"
SCRATCH = "scratch"  # folder of what only a resumed stage needs; removed once the artefact is in place


@dataclass(frozen=True)
class Artefact:
    """A finished artefact directory.

    path: the directory. digest: SHA-256 over the names and hashes of its data files.
    """

    path: Path
    digest: str

    @property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = read_json(self.path / MANIFEST)
        return manifest

    def __truediv__(self, name: str) -> Path:
        return self.path / name


def data_files(directory: Path) -> Iterator[str]:
    """Relative POSIX paths of the hashed files of an artefact, sorted."""
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory)
        if path.is_file() and path.name != MANIFEST and not path.name.startswith("timing") and name.parts[0] != SCRATCH:
            yield name.as_posix()


def seal(directory: Path, about: Mapping[str, Json]) -> str:
    """Hash the data files, flush them to disk and write the manifest last. Returns the artefact's digest."""
    files: dict[str, dict[str, str | int]] = {}
    for name in data_files(directory):
        path = directory / name
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.chmod(0o444)  # run folders link to it: an edit there must not change it here
        files[name] = {"sha256": file_digest(path), "bytes": path.stat().st_size}
    value = digest({name: entry["sha256"] for name, entry in files.items()})
    write_json(directory / MANIFEST, {**about, "files": files, "digest": value})
    return value


def open_artefact(directory: Path) -> Artefact | None:
    """The artefact at `directory`, or None when it is absent or a file is missing or has another size."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text())
        if all((directory / name).stat().st_size == entry["bytes"] for name, entry in manifest["files"].items()):
            return Artefact(directory, manifest["digest"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return None


def write_json(path: Path, value: Json) -> None:
    """Readable JSON, written beside and renamed into place, on disk when this returns."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_json(path: Path) -> Any:
    """Parsed JSON. Raises InputError when the file is missing or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("the file does not exist", where=str(path)) from None
    except ValueError as error:
        raise InputError(f"the file is not valid JSON ({error})", where=str(path)) from None
