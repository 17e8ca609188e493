"""The hot path's compiler: numba, with what it has made kept on disk for the next process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function in machine code, which holds no lock of Python's while it runs.

    Where no folder can be written - a read-only installation without a home - it is compiled anew in every process.
    """
    try:
        return cast(Function, njit(cache=True, nogil=True)(function))
    except RuntimeError:  # numba has found no place for its cache
        return cast(Function, njit(nogil=True)(function))
