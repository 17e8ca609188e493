"""Memory by its address inside compiled code, where a list of arrays would be a cost per source."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.cgutils import raw_memcpy
from numba.extending import intrinsic


def _reader(result: Any) -> Any:
    """A compiled function (address, index) -> element, for elements of the type `result`."""

    @intrinsic
    def load(typing_context: Any, address: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], ir.IntType(result.bitwidth).as_pointer())
            return builder.load(builder.gep(pointer, [arguments[1]]))

        return result(types.uint64, types.int64), generate

    return load


load_u32 = _reader(types.uint32)
load_u64 = _reader(types.uint64)


def _copier() -> Any:
    """A compiled function (target, source, num_bytes) between two addresses that do not overlap."""

    @intrinsic
    def copy(typing_context: Any, target: Any, source: Any, num_bytes: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            byte = ir.IntType(8).as_pointer()
            to, of = (builder.inttoptr(address, byte) for address in arguments[:2])
            raw_memcpy(builder, to, of, arguments[2], 1)  # type: ignore[no-untyped-call]
            return context.get_dummy_value()

        return types.void(types.uint64, types.uint64, types.int64), generate

    return copy


copy_bytes = _copier()


def addresses(arrays: list[npt.NDArray[Any]]) -> npt.NDArray[np.uint64]:
    """Where each contiguous array begins. Whoever reads there keeps the arrays alive meanwhile."""
    return np.array([array.ctypes.data for array in arrays], np.uint64)
