"""Compiled functions work where their code can be kept, and where it cannot."""

from __future__ import annotations

from typing import Any

from mixwright.blend.compiled import compiled
from mixwright.blend.order import record_at


def test_a_function_without_a_place_for_its_code_is_compiled_all_the_same() -> None:
    """What is made from a text has no file beside which numba could keep anything, as in a read-only installation."""
    made: dict[str, Any] = {}
    exec("def double(x):\n    return 2 * x", made)
    assert compiled(made["double"])(21) == 42


def test_the_mixer_s_functions_are_kept() -> None:
    record_at(0, 10, 2, 7)
    assert record_at.stats.cache_path  # type: ignore[attr-defined]
