"""The order of a pass: a keyed permutation, computed where it is needed, stored nowhere.

A four-round Feistel network over the smallest even number of bits that holds the size, with cycle walking for what
falls outside (Black and Rogaway 2002, "Ciphers with arbitrary finite domains"). A pass is complete and never repeats a
record; another pass has another key and so another order; position k costs the same for ten records or a billion.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ROUNDS = 4
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def permute(positions: npt.NDArray[np.uint64], size: int, key: int) -> npt.NDArray[np.uint64]:
    """Images of `positions` (each below size) under the permutation of range(size) named by a 63-bit key."""
    if size < 1 or (len(positions) and int(positions.max()) >= size):
        raise ValueError(f"positions must lie in range({size})")
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    values = _rounds(positions.astype(np.uint64), half, key)
    outside = values >= size
    while outside.any():
        values[outside] = _rounds(values[outside], half, key)
        outside = values >= size
    return values


def _rounds(values: npt.NDArray[np.uint64], half: int, key: int) -> npt.NDArray[np.uint64]:
    mask = np.uint64((1 << half) - 1)
    left, right = values >> np.uint64(half), values & mask
    for number in range(ROUNDS):
        left, right = right, left ^ (_mix(right, key + number * 0x632BE59BD9B4E019) & mask)
    return (left << np.uint64(half)) | right


def _mix(values: npt.NDArray[np.uint64], key: int) -> npt.NDArray[np.uint64]:
    """A 64-bit finaliser (the constants of SplitMix64, Steele et al. 2014), keyed by addition."""
    mixed = (values + np.uint64(key & 0xFFFFFFFFFFFFFFFF)) * MULTIPLIER
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
