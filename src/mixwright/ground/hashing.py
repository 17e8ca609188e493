"""Identity: canonical JSON, content hashes, and seeds derived from names.

A seed comes from what it is for (`derive_seed(0, "order", "tickets", 2)`), never from a position in a list, so that
adding a source changes nothing for the others. File hashes are remembered by (path, size, times, inode): an unchanged
50 GB source is not read again just to learn that it is unchanged.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import orjson

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


NESTED = 200  # levels down to which orjson, whose own limit is near, is asked


def canonical_json(value: Json) -> str:
    """One text for one value: sorted keys, no blanks, no NaN. Raises ValueError on NaN or infinity."""
    if _is_written_alike(value):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        except TypeError:  # integers beyond 64 bits, half characters, keys that are no text: written by the other
            pass
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _is_written_alike(value: Any, level: int = 0) -> bool:
    """Whether orjson, several times as fast, writes what the standard library does: it has another form for floats, and
    takes dates and more that are no JSON."""
    kind = type(value)
    if (kind is dict or kind is list) and level < NESTED:
        for entry in value.values() if kind is dict else value:
            if type(entry) is not str and not _is_written_alike(entry, level + 1):
                return False
        return True
    return kind is str or kind is int or kind is bool or value is None


def ordered_json(value: Json) -> str:
    """Compact JSON with keys in their own order: what is rendered later reads as it did in the file.

    Raises TypeError for what JSON does not know, and for half characters.
    """
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # integers beyond 64 bits; whatever else it refuses, the standard library refuses too
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise
        return text


def digest(value: Json) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def text_digest(text: str) -> str:
    """128-bit hash of a text, 32 hex digits: enough to name records and items, half the size."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def derive_seed(*names: str | int) -> int:
    """A 63-bit seed from names and numbers."""
    return int.from_bytes(hashlib.sha256(canonical_json(list(names)).encode()).digest()[:8], "big") >> 1


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FileDigests:
    """SHA-256 of files, remembered across processes in one JSON file as long as size, times and inode stay."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[str, list[int | str]] = {}
        try:
            loaded = json.loads(memory.read_text())
            whole = isinstance(loaded, dict) and all(isinstance(e, list) and len(e) == 5 for e in loaded.values())
            self._known = loaded if whole else {}
        except (OSError, ValueError):
            pass  # an absent or torn memory only costs reading the files again
        self._changed = False

    def __call__(self, path: Path) -> str:
        stat = path.stat()
        stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        name = str(path.resolve())
        known = self._known.get(name)
        if known and known[:4] == stamp:
            return str(known[4])
        value = file_digest(path)
        self._known[name] = [*stamp, value]
        self._changed = True
        return value

    def save(self) -> None:
        """Write what was learnt, atomically; losing it is harmless."""
        if self._changed:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            beside = self._memory.with_suffix(f".{os.getpid()}")
            beside.write_text(json.dumps(self._known))
            beside.replace(self._memory)
            self._changed = False
