"""Exports of a mix against a plain copy of as many tokens: how many tokens a second, on one core.

Eight made-up sources in unequal shares, records of 20 to 180 tokens (uint16, by a Zipf law), rows of 2,048, 256 of them
in a batch. *copy*: the same bytes of tokens and loss masks from one array in memory to another. *megatron*, *parquet*:
from mapped files to files that are on disk. Each is done once to compile and warm the caches, then `--rounds` times in
turn; printed as JSON are the median, all rounds, and megabytes written. Not measured: stores that are larger than
memory, and stores of real text, which Parquet compresses by other parts.

    PYTHONPATH=src:tests taskset -c 0 python benchmarks/blend/export.py [--tokens 20000000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[2] / "tests"))

from made_sources import make_plan

from mixwright.blend.export import export_megatron, export_parquet
from mixwright.blend.mixer import MixPlan
from mixwright.ground.artefacts import write_json
from mixwright.tokens.store import TokenStore

WEIGHTS = {f"source{number}": number for number in range(1, 9)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    plan = make_plan(WEIGHTS, budget_tokens=given.tokens, row_tokens=2048, rows_per_batch=256)
    with tempfile.TemporaryDirectory() as folder:
        stores = {name: made_store(Path(folder) / name, given.tokens // 8, seed) for name, seed in WEIGHTS.items()}
        ways: Mapping[str, Callable[[Path], None]] = {
            "copy": copying(given.tokens),
            "megatron": lambda out: check(plan, export_megatron(plan, stores, out)),
            "parquet": lambda out: check(plan, export_parquet(plan, stores, out)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        megabytes: dict[str, float] = {}
        for _ in range(1 + given.rounds):
            for name, way in ways.items():
                out = Path(folder) / "out"
                began = time.perf_counter()
                way(out)
                seconds[name].append(time.perf_counter() - began)
                megabytes[name] = round(sum(path.stat().st_size for path in out.glob("*")) / 1e6, 1)
                shutil.rmtree(out, ignore_errors=True)
    rates = {name: [round(given.tokens / each / 1e6, 1) for each in found[1:]] for name, found in seconds.items()}
    result = {
        name: {
            "million_tokens_per_second": statistics.median(rates[name]),
            "rounds": rates[name],
            "times_slower_than_copy": round(statistics.median(rates["copy"]) / statistics.median(rates[name]), 1),
            "megabytes": megabytes[name],
        }
        for name in ways
    }
    print(json.dumps({"tokens": given.tokens, **result}, indent=2))


def copying(num_tokens: int) -> Callable[[Path], None]:
    """A way that copies so many tokens and their loss mask within memory."""
    arrays = [np.ones(num_tokens, np.uint16), np.ones(num_tokens, np.uint8)]
    places = [np.empty_like(array) for array in arrays]

    def copy(_: Path) -> None:
        for place, array in zip(places, arrays, strict=True):
            np.copyto(place, array)

    return copy


def check(plan: MixPlan, counts: Mapping[str, object]) -> None:
    tokens = counts["tokens"]
    assert isinstance(tokens, int)
    assert plan.budget_tokens is not None
    assert plan.budget_tokens <= tokens < plan.budget_tokens + plan.row_tokens


def made_store(folder: Path, num_tokens: int, seed: int) -> TokenStore:
    """About so many tokens, of which half are learnt."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(20, 181, num_tokens // 100)
    offsets = np.cumsum([0, *lengths])
    loss = (rng.random(offsets[-1]) < 0.5).astype(np.uint8)
    loss[offsets[:-1]] = 0
    folder.mkdir()
    np.minimum(rng.zipf(1.2, offsets[-1]), 50_000).astype(np.uint16).tofile(folder / "tokens.bin")
    loss.tofile(folder / "loss.bin")
    np.save(folder / "offsets.npy", offsets.astype(np.uint64))
    np.save(folder / "supervised.npy", np.add.reduceat(loss, offsets[:-1], dtype=np.uint32))
    write_json(folder / "store.json", {"dtype": "uint16", "supervised_tokens": int(loss.sum())})
    return TokenStore(folder)


if __name__ == "__main__":
    main()
