"""Writing a model folder: plain Hugging Face format, in the number format of the base, with its tokenizer beside it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

TOKENIZER_PREFIXES = ("tokenizer", "special_tokens", "added_tokens", "chat_template", "vocab", "merges")


def save_model(model: Any, base: Path, folder: Path) -> None:
    """Write `model`, converted in place to the dtype of the base's configuration, with the base's tokenizer files."""
    import torch

    config = json.loads((base / "config.json").read_text())
    name = config.get("dtype") or config.get("torch_dtype") or "float32"
    shutil.rmtree(folder, ignore_errors=True)
    model.to(getattr(torch, name)).save_pretrained(folder)
    for path in sorted(base.iterdir()):
        if path.name.startswith(TOKENIZER_PREFIXES) and path.is_file():
            shutil.copyfile(path, folder / path.name)
