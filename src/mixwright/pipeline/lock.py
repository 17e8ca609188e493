"""The lock: a recipe resolved to hashes and versions. Same lock, same result.

Making it is also the first check of everything the recipe points at - files, model, generators, scorers - so that what
is missing is said before anything is spent. It holds no absolute path: two people with the same files get the same
lock.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from mixwright.evaluation.scorers import check_scorer
from mixwright.ground.artefacts import Artefact
from mixwright.ground.errors import InputError, did_you_mean
from mixwright.ground.hashing import FileDigests, Json, digest
from mixwright.models.device import available_cores, choose_device, choose_precision, hardware
from mixwright.models.folder import ModelFolder, find_model
from mixwright.pipeline.explicit import explicit
from mixwright.recipe.data import SELF, Source, Suite
from mixwright.recipe.load import LoadedRecipe
from mixwright.recipe.schema import Recipe
from mixwright.sources.files.data_file import DataFile, LocalFile, RemoteFile, content_digest, label_of
from mixwright.sources.files.data_sets import files_of
from mixwright.sources.generators import abilities_of, generator_names

LIBRARIES = ("numba", "numpy", "pyarrow", "safetensors", "tokenizers", "torch", "transformers")
ADAPTER_LIBRARIES = ("peft",)  # for `method: lora` alone


@dataclass(frozen=True)
class Lock:
    """What a run rests on.

    base: the model to start from. files: hashes of the files of every source and suite, by `sources.name`.
    device, precision, threads: how it is computed. continued: another run's checkpoint, from which this one goes on.
    """

    recipe: Recipe
    base: ModelFolder
    files: dict[str, list[dict[str, Json]]]
    device: str
    precision: str
    threads: int
    continued: Artefact | None = None

    @cached_property
    def id(self) -> str:
        """SHA-256 of the lock, 64 hex digits."""
        return digest(self.as_json())

    @property
    def versions(self) -> dict[str, str]:
        """Of Python and of every library that the result rests on."""
        libraries = (*LIBRARIES, *(ADAPTER_LIBRARIES if self.recipe.trains_adapters else ()))
        return {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("mixwright", *libraries)},
        }

    def check_unchanged(self, part: str, entry: Source | Suite, file_digest: FileDigests) -> None:
        """Raise InputError when a file of a source or suite is no longer the one that was locked."""
        if entry.is_read:
            found = [_described(file, file_digest) for file in files_of(entry, part)]
            changed = [one for one in found if one not in self.files[part]] or [
                one for one in self.files[part] if one not in found
            ]
            if changed:
                message = f"{changed[0]['name']} changed while it was read"
                raise InputError(message, where=f"{part}.path", fix="Give the same command again.")

    def files_digest(self, part: str) -> str:
        return digest(self.files.get(part, []))

    def as_json(self) -> dict[str, Json]:
        plain = self.recipe.model_dump(
            mode="json",
            exclude={"variables": True, "base": True, "sources": True, "suites": True, "train": {"checkpoint_seconds"}},
        )
        return {
            "recipe": plain,
            "base": {
                "model": self.base.name,
                "sha256": self.base.sha256,
                "tokenizer_sha256": self.base.tokenizer_sha256,
                "template_sha256": self.base.template_sha256,
            },
            "sources": self._entries("sources", self.recipe.sources),
            "suites": self._entries("suites", self.recipe.suites),
            "versions": {**self.versions},
            "hardware": hardware(self.device),
            "device": self.device,
            "precision": self.precision,
            "threads": self.threads,
            **({} if self.continued is None else {"continued": self.continued.digest}),
        }

    def _entries(self, part: str, entries: dict[str, Any]) -> dict[str, Json]:
        return {
            name: {**part_config(entry), "files": self.files.get(f"{part}.{name}", [])}
            for name, entry in entries.items()
        }


def part_config(entry: Source | Suite) -> dict[str, Json]:
    """A source or suite without where its files lie: their hashes stand for them."""
    return entry.model_dump(mode="json", exclude=_places(entry), exclude_none=True)


def reading_config(source: Source) -> dict[str, Json]:
    """What decides which records a source has, without what becomes of them later."""
    later = {"loss", "kl", "longer", "max_repeats", "exhausted"}
    return source.model_dump(mode="json", exclude=later | _places(source), exclude_none=True)


def _places(entry: Source | Suite) -> set[str]:
    """The keys that say where files lie on this machine."""
    return {"path", "hub"} if entry.hub is not None and Path(entry.hub).is_absolute() else {"path"}


def make_lock(loaded: LoadedRecipe, file_digest: FileDigests, threads: int | None) -> Lock:
    """Resolve and check everything a recipe points at. threads: of the computation, all cores when None.

    Raises InputError for the first thing that is missing or does not fit.
    """
    recipe = explicit(loaded.recipe)
    base = find_model(recipe.base, file_digest)
    length = recipe.train.sequence_length
    if base.context is not None and length > base.context:
        raise InputError(
            f"rows of {length} tokens exceed the {base.context} that the model attends over",
            where="train.sequence_length",
            fix=f"At most {base.context}.",
        )
    files: dict[str, list[dict[str, Json]]] = {}
    for part, entries in (("sources", recipe.sources), ("suites", recipe.suites)):
        for name, entry in entries.items():
            where = f"{part}.{name}"
            if entry.is_read:
                files[where] = [_described(file, file_digest) for file in files_of(entry, where, loaded.project)]
            if entry.generate is not None and not (part == "sources" and entry.generate == SELF):
                _check_generator(entry, where)
    for name, suite in recipe.suites.items():
        if suite.scorer is not None:
            check_scorer(suite.scorer.name, suite.scorer.options, f"suites.{name}.scorer")
    device = choose_device(recipe.train.device)
    return Lock(
        recipe=recipe,
        base=base,
        files=files,
        device=device,
        precision=choose_precision(recipe.train.precision, device),
        threads=threads or available_cores(),
    )


def _described(file: DataFile, file_digest: FileDigests) -> dict[str, Json]:
    if isinstance(file, RemoteFile):
        known: dict[str, Json] = {"version": file.version} if file.version else {"sha256": content_digest(file)}
        return {"name": label_of(file), "bytes": file.size, **known}
    try:
        path = file.path if isinstance(file, LocalFile) else file
        return {"name": label_of(file), "bytes": path.stat().st_size, "sha256": file_digest(path)}
    except OSError as error:
        fix = "Check the file and its rights, and give the same command again."
        raise InputError(f"the file cannot be read ({error.strerror})", where=str(file), fix=fix) from None


def _check_generator(entry: Source | Suite, where: str) -> None:
    assert entry.generate is not None
    if entry.generate not in generator_names():
        fix = did_you_mean(entry.generate, generator_names())
        raise InputError(f"there is no generator '{entry.generate}'", where=f"{where}.generate", fix=fix)
    known = abilities_of(entry.generate)
    unknown = [name for name in entry.abilities or () if name not in known]
    if unknown:
        raise InputError(
            f"the generator '{entry.generate}' has no ability '{unknown[0]}'",
            where=f"{where}.abilities",
            fix=did_you_mean(unknown[0], known),
        )
