"""The order of a pass: a keyed permutation, computed where it is needed, stored nowhere.

A four-round Feistel network over the smallest even number of bits that holds the size, with cycle walking for what
falls outside (Black and Rogaway 2002, "Ciphers with arbitrary finite domains"). A pass is complete and never repeats a
record; another pass has another key and so another order; position k costs the same for ten records or a billion.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from mixwright.blend.compiled import compiled

ROUNDS = 4
_ODD = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0x632BE59BD9B4E019)

Word: TypeAlias = int | np.integer  # of 64 bits, where it is compiled


@compiled
def record_at(taken: Word, size: Word, half: Word, key: Word) -> Word:
    """The record that a source gives after `taken` others: position taken mod size of pass taken div size.

    size: records in the source. half: `half_bits(size)`. key: 64 bits that name the source's order.
    """
    own = _mix(np.uint64(taken // size), np.uint64(key))  # each pass has a key of its own
    mask = (np.uint64(1) << np.uint64(half)) - np.uint64(1)
    value: Word = np.uint64(taken % size)
    while True:
        left, right = value >> np.uint64(half), value & mask
        for number in range(ROUNDS):
            left, right = right, left ^ (_mix(right, own + np.uint64(number) * _STEP) & mask)
        value = (left << np.uint64(half)) | right
        if value < np.uint64(size):
            return np.int64(value)


@compiled
def _mix(value: Word, key: Word) -> Word:
    """A 64-bit finaliser (the constants of SplitMix64, Steele et al. 2014), keyed by addition."""
    mixed = (value + key) * _ODD
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def half_bits(size: int) -> int:
    """Half the bits of the network for `size` records."""
    return max(1, ((size - 1).bit_length() + 1) // 2)
