"""How fast a large JSONL is read and made a corpus, and in how much memory, beside other readers.

    python benchmarks/sources/streaming.py FOLDER [--gigabytes 5] [--rounds 1]

Writes FOLDER/rows.jsonl once (chat rows of about 1 kB, made from a seed), then runs each reader in a process of its
own, one after the other in the same order, and prints MB/s of the file and the peak of resident memory.
Every reader looks at every row: `read` counts the characters of all contents, `corpus` writes what it read as Parquet.
polars and datasets are for this comparison alone.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

WORDS = [f"w{number:x}" for number in range(4096)]


def write_rows(path: Path, num_bytes: int) -> None:
    """Blocks of different rows, repeated with a running number: written in seconds, compressible by nobody here."""
    rng = random.Random(0)
    block = []
    for _ in range(20_000):
        turns = []
        for role in ("user", "assistant", "user", "assistant"):
            turns.append({"role": role, "content": " ".join(rng.choices(WORDS, k=rng.randint(20, 80)))})
        block.append(json.dumps({"id": 0, "messages": turns})[len('{"id": 0') :])
    number = written = 0
    with path.open("w", encoding="utf-8") as file:
        while written < num_bytes:
            for rest in block:
                written += file.write(f'{{"id": {number}{rest}\n')
                number += 1


def characters(rows: object) -> int:
    return sum(len(turn["content"]) for row in rows for turn in row["messages"])  # type: ignore[attr-defined]


def ours_read(path: Path, out: Path) -> int:
    from mixwright.sources.readers import read_rows

    return characters(row.value for row in read_rows(path))


def datasets_read(path: Path, out: Path) -> int:
    from datasets import load_dataset

    return characters(load_dataset("json", data_files=str(path), split="train", streaming=True))


def polars_read(path: Path, out: Path) -> int:
    import polars as pl

    contents = pl.col("messages").list.eval(pl.element().struct.field("content").str.len_chars()).list.sum()
    return int(pl.scan_ndjson(path).select(contents.sum()).collect(engine="streaming").item())


def ours_corpus(path: Path, out: Path) -> int:
    from mixwright.recipe.data import Source
    from mixwright.sources.ingest import ingest

    out.mkdir()
    return int(ingest("rows", Source(role="domain", path=str(path)), out)["rows_kept"])  # type: ignore[arg-type]


def polars_corpus(path: Path, out: Path) -> int:
    import polars as pl

    out.mkdir()
    pl.scan_ndjson(path).sink_parquet(out / "rows.parquet", compression="zstd")
    return 0


def datasets_corpus(path: Path, out: Path) -> int:
    from datasets import load_dataset

    out.mkdir()
    found = load_dataset("json", data_files=str(path), split="train", cache_dir=str(out / "cache"))
    return int(found.to_parquet(out / "rows.parquet"))


READERS = (ours_read, datasets_read, polars_read, ours_corpus, datasets_corpus, polars_corpus)


def peak_mib() -> float:
    """The peak of resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--readers", nargs="*", default=[reader.__name__ for reader in READERS])
    parser.add_argument("--one")
    asked = parser.parse_args()
    path, out = asked.folder / "rows.jsonl", asked.folder / "out"
    if asked.one:
        started = time.perf_counter()
        value = next(reader for reader in READERS if reader.__name__ == asked.one)(path, out)
        seconds = time.perf_counter() - started
        about = {"reader": asked.one, "value": value, "seconds": seconds, "peak_mib": peak_mib()}
        print(json.dumps(about | {"mb_per_second": path.stat().st_size / 1e6 / seconds}))
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_rows(path, int(asked.gigabytes * 1e9))
    print({name: metadata.version(name) for name in ("mixwright", "datasets", "polars", "orjson", "pyarrow")})
    for number in range(asked.rounds):
        for reader in asked.readers:
            subprocess.run(["rm", "-rf", str(out)], check=True)
            command = [sys.executable, __file__, str(asked.folder), "--one", reader]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            last = done.stdout.strip().splitlines()[-1:] or [done.stderr.strip()[-200:]]
            print(number, *last, flush=True)
    subprocess.run(["rm", "-rf", str(out)], check=True)


if __name__ == "__main__":
    main()
