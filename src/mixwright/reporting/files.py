"""Reading JSON written by other code: what cannot be understood becomes an `InputError` with its place."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Turn what the wrong fields of `path` raise inside the block into an InputError that names the file."""
    try:
        yield
    except (KeyError, IndexError) as error:
        raise damaged(path, f"a field is missing: {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise damaged(path, f"a field holds something else than expected: {error}") from error


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object that a file holds."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise damaged(path, "this file cannot be read as JSON: it holds no JSON object")
    return value


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON values of a file that holds one a line."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except ValueError as error:
                raise damaged(f"{path}:{number}", f"this file cannot be read as JSON: {error}") from error


def number(value: float | None) -> float:
    """JSON has no NaN: a number that could not be computed is null in a file and NaN here."""
    return math.nan if value is None else float(value)


def damaged(where: Path | str, problem: str) -> InputError:
    return InputError(problem, where=str(where), fix="delete the damaged folder and run the recipe again")
