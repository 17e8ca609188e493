"""Files in memory without a file handle each.

numpy and Python keep a descriptor open for every mapping (until Python 3.13), and a blend of a thousand sources has
four thousand files. A mapping made by the system itself needs none once it stands.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64)
_LIBC.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_LIBC.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_FAILED = ctypes.c_void_p(-1).value


def map_file(path: Path, dtype: npt.DTypeLike = np.uint8, *, start: int = 0) -> npt.NDArray[Any]:
    """The file from byte `start` on as a read-only array (num_elements,) that is read where it is touched.

    The bytes behind the last whole element are left out. Raises OSError when the file cannot be read or mapped.
    """
    dtype = np.dtype(dtype)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size - start < dtype.itemsize:
            return np.empty(0, dtype)
        address = _LIBC.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
    if address == _FAILED:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))
    _LIBC.madvise(address, size, mmap.MADV_RANDOM)  # records are read in permuted order: reading ahead is for nothing
    memory = (ctypes.c_uint8 * size).from_address(address)
    weakref.finalize(memory, _LIBC.munmap, address, size)  # every view of the array keeps `memory` alive
    count = (size - start) // dtype.itemsize
    found: npt.NDArray[Any] = np.frombuffer(memoryview(memory), dtype, count, start)
    found.flags.writeable = False
    return found


def map_array(path: Path) -> npt.NDArray[Any]:
    """A one-dimensional `.npy` file as `map_file` has it. Raises ValueError for anything else."""
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if reader is None:
            raise ValueError(f"{path}: version {version} of the .npy format")
        shape, _, dtype = reader(file)
        start = file.tell()
    found = map_file(path, dtype, start=start)
    if shape != (len(found),):
        raise ValueError(f"{path}: {len(found)} elements where {shape} are due")
    return found
