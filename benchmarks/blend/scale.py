"""Starting with a billion records in a thousand sources: seconds and memory to the first batch.

One source of a million records of 20 to 180 tokens is written; the other 999 are links to its offsets and counts, and
sparse files of its size for tokens and loss masks, so that every source has files of its own to open and map. Each
row of the table is a process of its own: open the stores, make the mixer and the tensors of the first global batch,
then 200 more; the last begins from a state behind a billion records.

    python benchmarks/blend/scale.py --work /tmp/scale
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

RECORDS, SOURCES = 1_000_000, 1_000


def make(work: Path, sources: int) -> None:
    if (work / f"{sources}.done").exists():
        return
    first = work / "s0000"
    first.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    lengths = random.integers(20, 181, RECORDS)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint64)
    np.save(first / "offsets.npy", offsets)
    np.save(first / "supervised.npy", (lengths // 3).astype(np.uint32))
    for number in range(sources):
        folder = work / f"s{number:04}"
        folder.mkdir(exist_ok=True)
        for name in ("offsets.npy", "supervised.npy"):
            if number and not (folder / name).exists():
                os.link(first / name, folder / name)
        for name, width in (("tokens.bin", 2), ("loss.bin", 1)):
            with (folder / name).open("wb") as file:
                file.truncate(int(offsets[-1]) * width)
        about = {"dtype": "uint16", "supervised_tokens": int((lengths // 3).sum())}
        (folder / "store.json").write_text(json.dumps(about))
    (work / f"{sources}.done").touch()


def measure(work: Path, sources: int, behind: int) -> dict[str, float]:
    begun = time.perf_counter()
    from mixwright.blend.batches import Assembler
    from mixwright.blend.mixer import Mixer, MixerState, MixPlan, Place
    from mixwright.blend.stages import Stage
    from mixwright.ground.hashing import canonical_json
    from mixwright.tokens.store import TokenStore

    imported = time.perf_counter()
    stores = {f"s{number:04}": TokenStore(work / f"s{number:04}") for number in range(sources)}
    whole = sources * (sources + 1) // 2
    shares = {name: Fraction(number + 1, whole) for number, name in enumerate(stores)}
    plan = MixPlan("tokens", (Stage(shares),), 0, 64, 1024, True, frozenset(), 1 << 60, None)
    state = None
    if behind:
        each = behind // sources
        places = {name: Place(each, 0b1010, 0) for name in stores}
        state = MixerState(places, step=behind * 100 // (64 * 1024), tokens=behind * 100)
    mixer = Mixer(plan, stores, state)
    assembler = Assembler(stores, mixer.names, pad_id=0)
    batches = iter(mixer)
    assembler.tensors(next(batches), range(64))
    first = time.perf_counter()
    for _ in range(200):
        assembler.tensors(next(batches), range(64))
    done = time.perf_counter()
    status = Path("/proc/self/status").read_text()
    peak, own = (int(status.split(f"{key}:")[1].split()[0]) / 1024 for key in ("VmHWM", "RssAnon"))
    return {
        "records": sources * RECORDS,
        "behind": behind,
        "import_s": round(imported - begun, 2),
        "first_batch_s": round(first - imported, 2),
        "rows_per_s": round(200 * 64 / (done - first)),
        "peak_mb": round(peak),
        "private_mb": round(own),
        "open_files": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "state_bytes": len(canonical_json(mixer.state.as_json())),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--measure", type=int, nargs=2, metavar=("SOURCES", "BEHIND"), help="used by itself")
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.work, *given.measure)))
        return
    make(given.work, SOURCES)
    rows = []
    for sources, behind in ((1, 0), (SOURCES, 0), (SOURCES, 0), (SOURCES, 10**9)):
        command = [sys.executable, __file__, "--work", str(given.work), "--measure", str(sources), str(behind)]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rows.append(json.loads(found))
    print("| " + " | ".join(rows[0]) + " |\n|" + "---:|" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(f"{value:,}" for value in row.values()) + " |")


if __name__ == "__main__":
    main()
