"""How long a training loop waits for its data at a million tokens a second.

The consumer takes a batch of 64 rows of 1,024 tokens (chat records, packed, with mask, segments and positions) and then
multiplies matrices until a million tokens a second are consumed. Waiting is the time from asking for a batch to having
it, over all time: with batches made when they are asked for, and made by a thread a few ahead.

    python benchmarks/blend/wait.py --work <that of peers.py>
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from peers import ROW, SHARES, make

from mixwright.blend.ahead import batches_ahead
from mixwright.blend.batches import Assembler, Batch
from mixwright.blend.mixer import Mixer, MixPlan
from mixwright.blend.stages import Stage
from mixwright.tokens.store import TokenStore

RATE, ROWS, BATCHES = 1_000_000, 64, 150


def batches(work: Path, ahead: bool) -> Iterator[Batch]:
    stores = {f"s{i}": TokenStore(work / "chat" / f"s{i}") for i in range(len(SHARES))}
    shares = {f"s{i}": Fraction(share, 100) for i, share in enumerate(SHARES)}
    mixer = Mixer(MixPlan("tokens", (Stage(shares),), 0, ROWS, ROW, True, frozenset(), 1 << 60, None), stores)
    assembler = Assembler(stores, mixer.names, pad_id=0)
    if ahead:
        return (batch for batch, _ in batches_ahead(mixer, assembler))
    return (assembler.tensors(batch, range(ROWS)) for batch in mixer)


def waiting(work: Path, ahead: bool) -> float:
    """The share of the time that the consumer waits."""
    stream = batches(work, ahead)
    _ = next(stream).segment  # compiled and mapped
    square = np.random.default_rng(0).random((256, 256), np.float32)
    waited, begun = 0.0, time.perf_counter()
    for number in range(1, BATCHES + 1):
        asked = time.perf_counter()
        batch = next(stream)
        batch.segment, batch.position  # noqa: B018 - made when asked for
        waited += time.perf_counter() - asked
        while time.perf_counter() - begun < number * ROWS * ROW / RATE:
            square = square @ square % 1
    return waited / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args()
    make(given.work)
    for name, ahead in (("when asked for", False), ("a few ahead", True)):
        print(f"batches made {name}: {100 * waiting(given.work, ahead):.2f} % of the time waiting")


if __name__ == "__main__":
    main()
