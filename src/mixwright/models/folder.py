"""Where a model is: an embedded one, a folder, or a Hugging Face id - always resolved to a folder with known hashes.

Weights are safetensors only: a pickle can run code when it is opened. Nothing here imports torch.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.ground.hashing import digest, text_digest
from mixwright.recipe.data import Base

EMBEDDED = "embedded:"
TOKENIZER_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
MAX_HEADER = 100_000_000  # bytes, the format's own limit
SAVE_FIX = "Save the model into it with save_pretrained."
FETCH_FIX = "Fetch or save the model again."
CARD = "README.md"
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
    context: int | None  # tokens it can attend over, as far as its configuration says
    licence: str = "unknown"  # as its card (README.md) says


def find_model(base: Base, file_digest: Callable[[Path], str]) -> ModelFolder:
    """Resolve and check the base model of a recipe. Raises InputError saying what is missing."""
    where = "base.model"
    path = _locate(base, where)
    if not path.is_dir():
        raise InputError(f"{path} is a file, a model is a folder", where=where, fix=f"Name its folder: {path.parent}.")
    if not (path / "config.json").exists():
        inside = sorted(entry.parent.name for entry in path.glob("*/config.json"))
        fix = f"Did you mean {path / inside[-1]}?" if inside else SAVE_FIX
        raise InputError(f"{path} is no model folder: it has no config.json", where=where, fix=fix)
    _architecture(path, where)
    if not list(path.glob("*.safetensors")):
        pickles = sorted(entry.name for entry in path.glob("*.bin"))
        fix = (
            f"It holds {pickles[0]}, a pickle, which is never loaded; save the model with safetensors first."
            if pickles
            else SAVE_FIX
        )
        raise InputError(f"{path} has no weights in safetensors format", where=where, fix=fix)
    _weights(path, where)
    if not (path / "tokenizer.json").exists():
        fix = "Save the tokenizer beside the model, in its fast form."
        raise InputError(f"{path} has no tokenizer.json (a fast tokenizer is needed)", where=where, fix=fix)
    try:
        template = _template(path)
    except (OSError, ValueError) as error:
        fix = f"Put a text in UTF-8 into {TEMPLATE_FILE} in the model's folder."
        raise InputError(f"the chat template of {path} cannot be read ({error})", where=where, fix=fix) from None
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
    return ModelFolder(
        name, path, digest(hashes), digest(tokenizer), text_digest(template), _context(path), _licence(path)
    )


def _locate(base: Base, where: str) -> Path:
    model = base.model
    if model.startswith(EMBEDDED):
        folder = Path(__file__).parent / "embedded"
        known = [f"{EMBEDDED}{path.name}" for path in folder.iterdir() if (path / "config.json").exists()]
        if model not in known:
            raise InputError(f"there is no embedded model '{model}'", where=where, fix=did_you_mean(model, known))
        return folder / model.removeprefix(EMBEDDED)
    if Path(model).is_absolute():
        if not os.path.exists(model):  # no exception where the rights are missing
            folder = Path(model).parent
            inside = sorted(path.parent.name for path in folder.glob("*/config.json"))
            fix = f"{folder} holds: {', '.join(inside[:8])}." if inside else f"{folder} holds no model folder."
            raise InputError(f"there is no folder {model}", where=where, fix=fix)
        return Path(model).resolve()  # a link such as <name>-latest may move while the run goes on
    return _from_hub(base, where)


def _from_hub(base: Base, where: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = ["*.json", "*.safetensors", "*.jinja", "*.model", CARD]
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
        causal = any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in names)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path}/config.json names no architecture", where=where, fix=SAVE_FIX) from None
    if not causal:
        fix = "Choose a model that writes text (...ForCausalLM)."
        raise InputError(f"{', '.join(names)} is no causal language model", where=where, fix=fix)


def _context(path: Path) -> int | None:
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    for part in (config, config.get("text_config", {})):
        for name in ("max_position_embeddings", "n_positions"):
            if isinstance(part.get(name), int):
                return int(part[name])
    return None


def _licence(path: Path) -> str:
    """The `license` of the model card's front matter."""
    with contextlib.suppress(OSError, ValueError, yaml.YAMLError):
        _, front, _ = (path / CARD).read_text(encoding="utf-8").split("---", 2)
        found = yaml.safe_load(front)
        if isinstance(found, dict) and isinstance(found.get("license"), str):
            return str(found["license"])
    return "unknown"


def _weights(path: Path, where: str) -> None:
    """Raise InputError when a file of the weights is missing, a pointer, or shorter than its header says."""
    names = {entry.name for entry in path.glob("*.safetensors")}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        index = json.loads((path / "model.safetensors.index.json").read_text(encoding="utf-8"))
        names |= set(index["weight_map"].values())
    for name in sorted(names):
        try:
            with (path / name).open("rb") as file:
                head = file.read(8)
                if head == b"version ":
                    fix = "Fetch it: git lfs pull."
                    raise InputError(f"{path / name} is a pointer of git LFS, not weights", where=where, fix=fix)
                length = int.from_bytes(head, "little")
                entries = json.loads(file.read(min(length, MAX_HEADER)))
            ends = [entry["data_offsets"][1] for key, entry in entries.items() if key != "__metadata__"]
            whole = 8 + length + max(ends, default=0) == (path / name).stat().st_size
        except FileNotFoundError:
            raise InputError(f"{path} lacks {name}, a part of the weights", where=where, fix=FETCH_FIX) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            whole = False
        if not whole:
            raise InputError(f"{path / name} is cut off or damaged", where=where, fix=FETCH_FIX)


def _template(path: Path) -> str | None:
    if (path / TEMPLATE_FILE).exists():
        return (path / TEMPLATE_FILE).read_text(encoding="utf-8")
    try:
        template = json.loads((path / "tokenizer_config.json").read_text(encoding="utf-8")).get("chat_template")
    except (OSError, ValueError):
        return None
    return template if isinstance(template, str) else None
