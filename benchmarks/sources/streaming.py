"""How fast a large JSONL is read and made a corpus, and in how much memory, beside other readers.

    python benchmarks/sources/streaming.py FOLDER [--gigabytes 5] [--rounds 1]

Writes FOLDER/rows.jsonl once (chat rows of about 1 kB, made from a seed), then runs each reader in a process of its
own, one after the other in the same order, and prints MB/s of the file, processor seconds, and the peak of resident
memory of that process and all that it started, together (ten looks a second).
Every reader looks at every row: `read` counts the characters of all contents, `corpus` writes what it read as Parquet
(zstd). `ours_corpus` has one worker, `ours_corpus_2` two; ours checks every row, and writes it with identity and place.
polars and datasets are for this comparison alone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import resource
import subprocess
import sys
import tempfile
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
    from mixwright.sources.rows.readers import read_rows

    return characters(row.value for row in read_rows(path))


def datasets_read(path: Path, out: Path) -> int:
    from datasets import load_dataset

    return characters(load_dataset("json", data_files=str(path), split="train", streaming=True))


def polars_read(path: Path, out: Path) -> int:
    import polars as pl

    contents = pl.col("messages").list.eval(pl.element().struct.field("content").str.len_chars()).list.sum()
    return int(pl.scan_ndjson(path).select(contents.sum()).collect(engine="streaming").item())


def ours_corpus(path: Path, out: Path, num_workers: int = 1) -> int:
    from mixwright.ground.executor import executor_for
    from mixwright.recipe.data import Source
    from mixwright.sources.intake.ingest import ingest

    out.mkdir()
    with contextlib.closing(executor_for(num_workers)) as executor:
        counts = ingest("rows", Source(role="domain", path=str(path)), out, executor=executor)
    return int(counts["rows_kept"])  # type: ignore[arg-type]


def ours_corpus_2(path: Path, out: Path) -> int:
    return ours_corpus(path, out, 2)


def polars_corpus(path: Path, out: Path) -> int:
    import polars as pl

    out.mkdir()
    pl.scan_ndjson(path).sink_parquet(out / "rows.parquet", compression="zstd")
    return int(pl.scan_parquet(out / "rows.parquet").select(pl.len()).collect().item())


def datasets_corpus(path: Path, out: Path) -> int:
    from datasets import load_dataset

    out.mkdir()
    found = load_dataset("json", data_files=str(path), split="train", cache_dir=str(out / "cache"))
    found.to_parquet(out / "rows.parquet")
    return int(found.num_rows)


READERS = (
    ours_read,
    datasets_read,
    polars_read,
    ours_corpus,
    ours_corpus_2,
    datasets_corpus,
    polars_corpus,
)


def resident_mib(process: int) -> float:
    """Resident memory of a process and of all that it has started; what they share counts for each."""
    parents, pages = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            pages[int(folder.name)] = int((folder / "statm").read_text().split()[1])
    family = {process}
    while more := {child for child, parent in parents.items() if parent in family and child not in family}:
        family |= more
    return sum(pages.get(member, 0) for member in family) * resource.getpagesize() / 2**20


def timed(path: Path, out: Path, name: str) -> None:
    """One reader in this process; prints what it took."""
    started = time.perf_counter()
    value = next(reader for reader in READERS if reader.__name__ == name)(path, out)
    seconds = time.perf_counter() - started
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    about = {"reader": name, "value": value, "seconds": round(seconds, 2)}
    about["cpu_seconds"] = round(sum(entry.ru_utime + entry.ru_stime for entry in used), 2)
    print(json.dumps(about | {"mb_per_second": round(path.stat().st_size / 1e6 / seconds, 1)}))


def measured(folder: Path, name: str) -> str:
    """One reader in a process of its own: its line, with the peak of memory, or the end of what it said."""
    command = [sys.executable, __file__, str(folder), "--one", name]
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as wrong:
        run = subprocess.Popen(command, stdout=said, stderr=wrong)
        peak = 0.0
        while run.poll() is None:
            peak = max(peak, resident_mib(run.pid))
            time.sleep(0.1)
        said.seek(0)
        wrong.seek(0)
        lines = said.read().strip().splitlines()
        if run.returncode or not lines:
            return f"{name}: {wrong.read().strip()[-300:]}"
        return json.dumps(json.loads(lines[-1]) | {"peak_mib": round(peak)})


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
        timed(path, out, asked.one)
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_rows(path, int(asked.gigabytes * 1e9))
    libraries = ("mixwright", "orjson", "pyarrow", *sorted({name.split("_")[0] for name in asked.readers} - {"ours"}))
    print({name: metadata.version(name) for name in libraries})
    for number in range(asked.rounds):
        for reader in asked.readers:
            subprocess.run(["rm", "-rf", str(out)], check=True)
            print(number, measured(asked.folder, reader), flush=True)
    subprocess.run(["rm", "-rf", str(out)], check=True)


if __name__ == "__main__":
    main()
