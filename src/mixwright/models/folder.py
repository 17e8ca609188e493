"""Where a model is: an embedded one, a folder, or a Hugging Face id - always resolved to a folder with known hashes.

Weights are safetensors only: a pickle can run code when it is opened. Nothing here imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.ground.hashing import digest, text_digest
from mixwright.recipe.schema import Base

EMBEDDED = "embedded:"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
TEMPLATE_FILE = "chat_template.jinja"


@dataclass(frozen=True)
class ModelFolder:
    """A model on disk.

    name: as the recipe calls it. sha256: over all its files. tokenizer_sha256, template_sha256: over the tokenizer's
    files and over the chat template.
    """

    name: str
    path: Path
    sha256: str
    tokenizer_sha256: str
    template_sha256: str


def find_model(base: Base, file_digest: Callable[[Path], str]) -> ModelFolder:
    """Resolve and check the base model of a recipe. Raises InputError saying what is missing."""
    where = "base.model"
    path = _locate(base, where)
    if not path.is_dir():
        raise InputError(f"{path} is a file, a model is a folder", where=where)
    if not (path / "config.json").exists():
        raise InputError(f"{path} is no model folder: it has no config.json", where=where)
    _architecture(path, where)
    if not list(path.glob("*.safetensors")):
        pickles = sorted(entry.name for entry in path.glob("*.bin"))
        fix = (
            f"It holds {pickles[0]}, a pickle, which is never loaded; save the model with safetensors first."
            if pickles
            else None
        )
        raise InputError(f"{path} has no weights in safetensors format", where=where, fix=fix)
    if not (path / "tokenizer.json").exists():
        raise InputError(f"{path} has no tokenizer.json (a fast tokenizer is needed)", where=where)
    template = _template(path)
    if template is None:
        raise InputError(
            f"{path} has no chat template",
            where=where,
            fix=f"Put one into {TEMPLATE_FILE} in the model's folder.",
        )
    hashes = {
        entry.name: file_digest(entry)
        for entry in sorted(path.iterdir())
        if entry.suffix in (".json", ".safetensors", ".jinja", ".model") and entry.is_file()
    }
    tokenizer = {name: hashes[name] for name in TOKENIZER_FILES if name in hashes}
    name = base.model if base.model.startswith(EMBEDDED) else Path(base.model).name
    return ModelFolder(name, path, digest(hashes), digest(tokenizer), text_digest(template))


def _locate(base: Base, where: str) -> Path:
    model = base.model
    if model.startswith(EMBEDDED):
        folder = Path(__file__).parent / "embedded"
        known = [f"{EMBEDDED}{path.name}" for path in folder.iterdir() if (path / "config.json").exists()]
        if model not in known:
            raise InputError(f"there is no embedded model '{model}'", where=where, fix=did_you_mean(model, known))
        return folder / model.removeprefix(EMBEDDED)
    if Path(model).is_absolute():
        if not Path(model).exists():
            raise InputError(f"there is no folder {model}", where=where)
        return Path(model)
    return _from_hub(base, where)


def _from_hub(base: Base, where: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = ["*.json", "*.safetensors", "*.jinja", "*.model"]
    try:
        return Path(snapshot_download(base.model, revision=base.revision, allow_patterns=wanted))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        raise InputError(
            f"the model '{base.model}' is no folder, and cannot be had from the hub ({type(error).__name__})",
            where=where,
            fix=f"Give a folder (./my-model), a hub id, or {EMBEDDED}nano.",
        ) from None


def _architecture(path: Path, where: str) -> None:
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        names = config["architectures"]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}/config.json names no architecture", where=where) from None
    if not any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in names):
        raise InputError(f"{', '.join(names)} is no causal language model", where=where)


def _template(path: Path) -> str | None:
    if (path / TEMPLATE_FILE).exists():
        return (path / TEMPLATE_FILE).read_text(encoding="utf-8")
    try:
        template = json.loads((path / "tokenizer_config.json").read_text(encoding="utf-8")).get("chat_template")
    except (OSError, ValueError):
        return None
    return template if isinstance(template, str) else None
