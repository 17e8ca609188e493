"""A mapping of another tool's configuration, which knows what was asked of it.

A person wrote it for another program, so any value may be of any kind: each is asked for as the kind it should be, and
is refused with its place where it is not. What nobody asked for has no counterpart, and can be told at the end.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from mixwright.ground.errors import InputError

LONGEST_NUMBER = 100  # characters
NOTHING: Mapping[str, Any] = {}


class Block:
    """A mapping of a configuration. where: its place, for messages. What is null is as good as absent.

    Every question raises InputError for a value that is not what is asked for.
    """

    def __init__(self, entries: Mapping[Any, Any], where: str) -> None:
        self.where = where
        self._entries = {_key(key): value for key, value in entries.items() if value is not None}
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def changed(self, **entries: Any) -> Block:
        """The same with other values."""
        return Block({**self._entries, **entries}, self.where)

    def any(self, key: str) -> Any:
        """The value as it stands."""
        self._asked.add(key)
        return self._entries.get(key)

    def text(self, key: str, default: str = "") -> str:
        value = self.any(key)
        if value is None:
            return default
        if not _is_text(value):
            raise self.error(key, "text", "Write a text.")
        return str(value)

    def texts(self, key: str) -> list[str]:
        """One text, or a list of them."""
        value = self.any(key)
        values = [] if value is None else value if isinstance(value, list) else [value]
        if not all(map(_is_text, values)):
            raise self.error(key, "a text or a list of texts", "Write one text, or [one, another].")
        return values

    def number(self, key: str) -> float | None:
        """A number. `2e-4` is one, though YAML takes it for a text."""
        value = self.any(key)
        try:
            number = math.nan if isinstance(value, bool) else float(value if value is not None else 0)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise self.error(key, "a number", "Write a number.")
        return None if value is None else number

    def count(self, key: str, *, least: int = 0) -> int | None:
        """A whole number of at least so much."""
        number = self.number(key)
        if number is not None and (number != int(number) or number < least):
            raise self.error(key, f"a whole number from {least} up", "Write a whole number.")
        return None if number is None else int(number)

    def flag(self, key: str) -> bool:
        value = self.any(key)
        if value is not None and not isinstance(value, bool):
            raise self.error(key, "true or false", "Write true or false.")
        return value is True

    def block(self, key: str) -> Block:
        """The mapping below a key; an empty one where there is none."""
        value = self.any(key)
        if value is not None and not isinstance(value, Mapping):
            raise self.error(key, "a mapping", "Write key: value below it.")
        return Block(value or NOTHING, f"{self.where}: {key}")

    def error(self, key: str, expected: str, fix: str) -> InputError:
        """That the value of a key is not what is expected."""
        shown = reprlib.repr(self._entries.get(key))  # shortened: aliases may make it endless
        return InputError(f"'{key}' is {shown}, not {expected}", where=self.where, fix=fix)

    @property
    def given(self) -> list[str]:
        """All its keys, in their order."""
        return [*self._entries]

    def left(self) -> list[str]:
        """The keys that nobody asked for, in their order."""
        return [key for key in self._entries if key not in self._asked]


def exact(value: Any) -> Fraction | None:
    """A number as it is written: `0.1`, `1/3`, `2e-4`; None for what is none."""
    text = str(value).strip()
    try:
        if isinstance(value, bool) or len(text) > LONGEST_NUMBER:
            return None
        return Fraction(text if "e" not in text.lower() else str(float(text)))  # no power that would fill the memory
    except (ValueError, ZeroDivisionError):
        return None


def _is_text(value: Any) -> bool:
    """Whether it is a text that can stand in a file and be a path."""
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)


def _key(key: Any) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(key))


def read_config(file: Path) -> Block:
    """A configuration in YAML or JSON. Raises InputError when it is neither, or no mapping."""
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        message = f"the configuration cannot be read ({error})"
        raise InputError(message, where=str(file), fix="Check the file.") from None
    except (ValueError, yaml.YAMLError) as error:
        message = " ".join(str(error).split())
        raise InputError(f"the configuration is no YAML or JSON ({message})", where=str(file), fix="Mend it.") from None
    except RecursionError:
        message, fix = "the configuration is nested too deeply", "Give the configuration file itself."
        raise InputError(message, where=str(file), fix=fix) from None
    if not isinstance(found, dict):
        what = "empty" if found is None else f"a {type(found).__name__}, not a mapping"
        fix = "Give the configuration file itself."
        raise InputError(f"the configuration is {what}", where=str(file), fix=fix)
    return Block(found, str(file))
