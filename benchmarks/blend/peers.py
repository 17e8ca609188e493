"""The blend beside loaders of the field, on the same tokens.

Task `rows`: six sources with shares of 40, 25, 15, 10, 7 and 3 % of rows of 1,024 tokens that are packed already;
batches of 16 rows. Task `chat`: six sources of chat records with loss masks, log-normal lengths of 180 tokens in the
mean, to be packed into rows of 1,024 with mask, segments and positions. Every loader and measure runs in a process of
its own, the loaders by turns, `--rounds` times; medians are printed. Each batch is really read: all its tokens are
summed, by all.

Every row names its source and its number in its first tokens, so shares are counted in what comes out. *worst share*:
the largest distance of any source from its share after any batch, in rows, over the first 2,000 batches. *resume*:
seconds from a saved state half-way to the first batch, in a fresh process. *same after restart*: the next 8 batches
bit for bit.

    python benchmarks/blend/peers.py --work /tmp/peers [--rounds 3] [--only NAME ...] [--python NAME=PYTHON ...]

A peer runs in the interpreter that `--python` names for it (each has requirements of its own), ours in the present
one; one that cannot be imported is left out with the reason. Rows are appended to `peers.jsonl` in --work and not
done again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

SHARES = (40, 25, 15, 10, 7, 3)
ROW, BATCH, NUM_ROWS = 1024, 16, 78_112
SECONDS = 6.0
MEASURES = ("speed", "workers", "state", "resume")


# ---------------------------------------------------------------------------------------------------- the data


def make(work: Path) -> None:
    if (work / "made").exists():
        return
    random = np.random.default_rng(0)
    for i, share in enumerate(SHARES):
        num = NUM_ROWS * share // 100
        lengths = np.full(num, ROW)
        tokens = random.integers(0, 65_000, (num, ROW), np.uint16)
        tokens[:, 0], tokens[:, 1], tokens[:, 2] = i, np.arange(num) & 0xFFFF, np.arange(num) >> 16
        _store(work / "rows" / f"s{i}", tokens.reshape(-1), np.ones(num * ROW, np.uint8), lengths)
        num = 400_000 * share // 100
        lengths = np.clip(random.lognormal(4.95, 0.7, num), 4, ROW).astype(np.int64)
        total = int(lengths.sum())
        _store(work / "chat" / f"s{i}", random.integers(0, 65_000, total, np.uint16), _loss(random, total), lengths)
    (work / "made").touch()


def _loss(random: np.random.Generator, total: int) -> np.ndarray:
    return (random.random(total) < 0.4).astype(np.uint8)


def _store(folder: Path, tokens: np.ndarray, loss: np.ndarray, lengths: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tokens.tofile(folder / "tokens.bin")
    loss.tofile(folder / "loss.bin")
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint64)
    np.save(folder / "offsets.npy", offsets)
    supervised = np.add.reduceat(loss, offsets[:-1].astype(np.int64), dtype=np.uint32)
    np.save(folder / "supervised.npy", np.maximum(supervised, 1))
    (folder / "store.json").write_text(json.dumps({"dtype": "uint16", "supervised_tokens": int(supervised.sum())}))


def arrays(work: Path) -> list[np.ndarray]:
    """The rows of each source as (num, 1024), mapped."""
    return [
        np.memmap(work / "rows" / f"s{i}" / "tokens.bin", np.uint16, "r").reshape(-1, ROW) for i in range(len(SHARES))
    ]


def probabilities() -> list[float]:
    return [share / 100 for share in SHARES]


# ---------------------------------------------------------------------------------------------------- the loaders
# Each gives (iterator of batches, state of it as bytes) for (work, workers, state).

Made = tuple[Iterator[Any], Any]


def ours(work: Path, workers: int, state: bytes | None, task: str = "rows") -> Made:
    from mixwright.blend.ahead import batches_ahead
    from mixwright.blend.batches import Assembler
    from mixwright.blend.mixer import Mixer, MixerState, MixPlan
    from mixwright.blend.stages import Stage
    from mixwright.tokens.store import TokenStore

    stores = {f"s{i}": TokenStore(work / task / f"s{i}") for i in range(len(SHARES))}
    shares = {f"s{i}": Fraction(share, 100) for i, share in enumerate(SHARES)}
    plan = MixPlan("tokens", (Stage(shares),), 0, BATCH, ROW, True, frozenset(), 1 << 60, None)
    mixer = Mixer(plan, stores, MixerState(**json.loads(state)) if state else None)
    assembler = Assembler(stores, mixer.names, pad_id=0)
    if workers:
        return (batch for batch, _ in batches_ahead(mixer, assembler)), None
    made = (assembler.tensors(batch, range(BATCH)) for batch in mixer)
    return made, lambda: json.dumps(mixer.state.as_json()).encode()


def memory_copy(work: Path, workers: int, state: bytes | None) -> Made:
    """The limit: random rows of one array."""
    rows = np.concatenate(arrays(work))
    order = np.random.default_rng(0).permutation(len(rows))

    def batches() -> Iterator[np.ndarray]:
        while True:
            for begin in range(0, len(rows) - BATCH, BATCH):
                yield rows[order[begin : begin + BATCH]]

    return batches(), None


class _Rows:
    """A source as a map-style data set."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.rows[index]


def torchdata_nodes(work: Path, workers: int, state: bytes | None) -> Made:
    import torch
    import torchdata.nodes as nodes
    from torch.utils.data import RandomSampler

    def shuffled(rows: np.ndarray, seed: int) -> Any:
        return RandomSampler(rows, generator=torch.Generator().manual_seed(seed))

    sources = {f"s{i}": nodes.MapStyleWrapper(_Rows(rows), shuffled(rows, i)) for i, rows in enumerate(arrays(work))}
    weights = {f"s{i}": share for i, share in enumerate(probabilities())}
    mixed = nodes.MultiNodeWeightedSampler(sources, weights, stop_criteria="CYCLE_FOREVER", seed=0)
    node: Any = nodes.Batcher(mixed, BATCH)
    node = nodes.ParallelMapper(node, np.stack, num_workers=workers) if workers else nodes.Mapper(node, np.stack)
    loader = nodes.Loader(node)
    if state:
        loader.load_state_dict(pickle.loads(state))
    return iter(loader), lambda: pickle.dumps(loader.state_dict())


def hf_map(work: Path, workers: int, state: bytes | None) -> Made:
    from datasets import interleave_datasets
    from torch.utils.data import DataLoader, Subset

    sets = [one.shuffle(seed=0) for one in _arrow(work)]
    mixed = interleave_datasets(sets, probabilities(), seed=0, stopping_strategy="all_exhausted").with_format("numpy")
    begin = int(state or 0) * BATCH
    found = Subset(mixed, range(begin, len(mixed))) if begin else mixed
    loader = DataLoader(found, BATCH, num_workers=workers, collate_fn=_stacked)
    return _counted(loader, int(state or 0))


def hf_iterable(work: Path, workers: int, state: bytes | None) -> Made:
    from datasets import interleave_datasets
    from torch.utils.data import DataLoader

    sets = [one.to_iterable_dataset(num_shards=4) for one in _arrow(work)]
    mixed = interleave_datasets(sets, probabilities(), seed=0, stopping_strategy="all_exhausted").with_format("numpy")
    if state:
        mixed.load_state_dict(json.loads(state))
    loader = DataLoader(mixed, BATCH, num_workers=workers, collate_fn=_stacked)
    return iter(loader), lambda: json.dumps(mixed.state_dict()).encode()


def _stacked(rows: list[dict[str, Any]]) -> np.ndarray:
    return np.stack([row["ids"] for row in rows])


def _arrow(work: Path) -> list[Any]:
    import pyarrow as pa
    from datasets import Dataset, load_from_disk

    found = []
    for i, rows in enumerate(arrays(work)):
        folder = work / "arrow" / f"s{i}"
        if not folder.exists():
            ids = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), ROW)
            Dataset(pa.table({"ids": ids})).save_to_disk(folder)
        found.append(load_from_disk(folder))
    return found


def _counted(loader: Any, done: int) -> Made:
    """A loader whose state is the number of batches given."""
    given = [done]

    def batches() -> Iterator[Any]:
        for batch in loader:
            given[0] += 1
            yield batch

    return batches(), lambda: str(given[0]).encode()


def grain_mix(work: Path, workers: int, state: bytes | None) -> Made:
    import grain.python as grain

    sets = [grain.MapDataset.source(_Rows(rows)).shuffle(seed=i).repeat() for i, rows in enumerate(arrays(work))]
    mixed = grain.MapDataset.mix(sets, probabilities()).batch(BATCH, batch_fn=np.stack)
    stream = mixed.to_iter_dataset(grain.ReadOptions(num_threads=0, prefetch_buffer_size=0) if not workers else None)
    if workers:
        stream = stream.mp_prefetch(grain.MultiprocessingOptions(num_workers=workers))
    made = iter(stream)
    if state:
        made.set_state(pickle.loads(state))
    return made, lambda: pickle.dumps(made.get_state())


def litdata_combined(work: Path, workers: int, state: bytes | None) -> Made:
    from litdata import CombinedStreamingDataset, StreamingDataLoader, StreamingDataset, TokensLoader, optimize

    for i in range(len(SHARES)):
        folder = work / "litdata" / f"s{i}"
        if not (folder / "index.json").exists():
            optimize(
                _lit_rows,
                [(str(work), i)],
                str(folder),
                chunk_size=ROW * 4096,
                item_loader=TokensLoader(),
                num_workers=1,
            )
    sets = [
        StreamingDataset(
            str(work / "litdata" / f"s{i}"), item_loader=TokensLoader(block_size=ROW), shuffle=True, seed=i
        )
        for i in range(len(SHARES))
    ]
    mixed = CombinedStreamingDataset(sets, seed=0, weights=probabilities(), iterate_over_all=False)
    loader = StreamingDataLoader(mixed, batch_size=BATCH, num_workers=workers)
    if state:
        loader.load_state_dict(pickle.loads(state))
    return iter(loader), lambda: pickle.dumps(loader.state_dict())


def _lit_rows(given: tuple[str, int]) -> Iterator[Any]:
    import torch

    for row in arrays(Path(given[0]))[given[1]]:
        yield torch.from_numpy(row.astype(np.int32))


LOADERS = {
    "mixwright": ours,
    "memory copy": memory_copy,
    "torchdata nodes": torchdata_nodes,
    "HF interleave, map": hf_map,
    "HF interleave, iterable": hf_iterable,
    "grain mix": grain_mix,
    "litdata": litdata_combined,
}


# ---------------------------------------------------------------------------------------------------- chat, packed


def ours_chat(work: Path) -> Iterator[tuple[int, int]]:
    """(tokens, sum) of each batch, with mask, segments and positions made."""
    for batch in ours(work, 0, None, "chat")[0]:
        yield batch.num_tokens, int(batch.ids.sum()) + int(batch.segment[0, 0]) + int(batch.loss[0, 0])


def ours_chat_thread(work: Path) -> Iterator[tuple[int, int]]:
    for batch in ours(work, 1, None, "chat")[0]:
        yield batch.num_tokens, int(batch.ids.sum()) + int(batch.segment[0, 0]) + int(batch.loss[0, 0])


def _chat(work: Path, num: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Records of one mix as lists of ids and of labels, a fixed number from each source by its share."""
    ids, labels = [], []
    for i, share in enumerate(SHARES):
        folder = work / "chat" / f"s{i}"
        offsets = np.load(folder / "offsets.npy").astype(np.int64)[: num * share // 100 + 1]
        tokens = np.fromfile(folder / "tokens.bin", np.uint16, int(offsets[-1])).astype(np.int32)
        loss = np.fromfile(folder / "loss.bin", np.uint8, int(offsets[-1]))
        ids += np.split(tokens, offsets[1:-1])
        labels += np.split(np.where(loss, tokens, -100).astype(np.int32), offsets[1:-1])
    order = np.random.default_rng(0).permutation(len(ids))
    return [ids[k] for k in order], [labels[k] for k in order]


def trl_packing(work: Path) -> Iterator[tuple[int, int]]:
    """`pack_dataset` (bfd) over the mixed records, then the collator; the time of packing is part of the stream's."""
    import pyarrow as pa
    from datasets import Dataset
    from trl import pack_dataset
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    ids, labels = _chat(work, 60_000)
    made = Dataset(pa.table({"input_ids": pa.array(ids), "labels": pa.array(labels)}))
    yield 0, 0  # the data are there; from here on packing
    packed = pack_dataset(made, ROW, strategy="bfd")
    collate = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)
    for begin in range(0, len(packed) - BATCH, BATCH):
        rows = packed[begin : begin + BATCH]
        batch = collate([dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)])
        yield int(batch["input_ids"].numel()), int(batch["input_ids"].sum())


def flattening(work: Path) -> Iterator[tuple[int, int]]:
    """transformers' `DataCollatorWithFlattening` on about as many records as 16 rows hold: no rows, no packing."""
    from transformers import DataCollatorWithFlattening

    ids, labels = _chat(work, 60_000)
    rows = [{"input_ids": one.tolist(), "labels": other.tolist()} for one, other in zip(ids, labels, strict=True)]
    collate = DataCollatorWithFlattening(return_flash_attn_kwargs=True)
    size = BATCH * ROW * len(ids) // sum(map(len, ids))
    yield 0, 0
    for begin in range(0, len(rows) - size, size):
        batch = collate(rows[begin : begin + size])
        yield int(batch["input_ids"].numel()), int(batch["input_ids"].sum())


def grain_packing(work: Path) -> Iterator[tuple[int, int]]:
    """grain's first-fit packing of the mixed records, with segment ids and positions."""
    import grain.python as grain
    from grain.experimental import FirstFitPackIterDataset

    ids, labels = _chat(work, 60_000)
    records = [{"ids": one, "labels": other} for one, other in zip(ids, labels, strict=True)]
    stream = grain.MapDataset.source(records).to_iter_dataset(grain.ReadOptions(num_threads=0, prefetch_buffer_size=0))
    packed = FirstFitPackIterDataset(stream, length_struct={"ids": ROW, "labels": ROW}, num_packing_bins=BATCH)
    yield 0, 0
    for batch in packed.batch(BATCH):
        yield int((batch["ids_segment_ids"] > 0).sum()), int(batch["ids"].sum())


CHAT = {
    "mixwright": ours_chat,
    "mixwright, a thread ahead": ours_chat_thread,
    "TRL bfd + collator": trl_packing,
    "transformers flattening": flattening,
    "grain first fit": grain_packing,
}


# ---------------------------------------------------------------------------------------------------- measures


def ids_of(batch: Any) -> np.ndarray:
    return np.asarray(batch.ids if hasattr(batch, "ids") else batch)


def measure(work: Path, name: str, what: str) -> dict[str, Any]:
    if what == "chat":
        stream = CHAT[name](work)
        warm = 0
        while not warm:  # the data are read, and a first batch is made
            warm, _ = next(stream)
        begun, tokens = time.perf_counter(), 0
        for count, _ in stream:
            tokens += count
            if time.perf_counter() - begun > SECONDS:
                break
        return {"tokens_per_s": tokens / (time.perf_counter() - begun), "peak_mb": _peak()}
    make_loader, saved = LOADERS[name], work / f"{name}.state"
    begun = time.perf_counter()
    state = saved.read_bytes() if what == "resume" else None
    batches, state_of = make_loader(work, 2 if what == "workers" else 0, state)
    first = ids_of(next(batches))
    to_first = time.perf_counter() - begun
    int(first.sum())
    if what == "resume":
        shown = [_hash(first), *(_hash(ids_of(next(batches))) for _ in range(7))]
        return {"resume_s": to_first, "same": shown == json.loads((work / f"{name}.next").read_text())}
    if what == "state":
        counts, worst = np.zeros(len(SHARES)), 0.0
        batch = first
        for number in range(2000):
            counts += np.bincount(batch[:, 0], minlength=len(SHARES))[: len(SHARES)]
            worst = max(worst, float(np.abs(counts - counts.sum() * np.array(SHARES) / 100).max()))
            if number < 1999:
                batch = ids_of(next(batches))
        kept = state_of()
        saved.write_bytes(kept)
        (work / f"{name}.next").write_text(json.dumps([_hash(ids_of(next(batches))) for _ in range(8)]))
        return {"state_bytes": len(kept), "worst_share_rows": worst}
    begun, rows = time.perf_counter(), 0
    for batch in batches:
        rows += BATCH
        int(ids_of(batch).sum())
        if time.perf_counter() - begun > SECONDS:
            break
    seconds = time.perf_counter() - begun
    return {"first_batch_s": to_first, "rows_per_s": rows / seconds, "peak_mb": _peak()}


def _hash(ids: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(ids, np.int64).tobytes()).hexdigest()[:16]


def _peak() -> float:
    """Of this process, in MB, with the pages of mapped files that it has touched."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--python", nargs="+", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--measure", nargs=2, metavar=("NAME", "WHAT"), help="used by itself")
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.work, *given.measure)), flush=True)
        os._exit(0)  # some loaders keep threads
    make(given.work)
    pythons = dict(one.split("=", 1) for one in given.python)
    rows_file = given.work / "peers.jsonl"
    done = [json.loads(line) for line in rows_file.read_text().splitlines()] if rows_file.exists() else []
    stateless = ("memory copy",)
    measures = [(name, what) for what in MEASURES for name in LOADERS if name not in stateless or what == "speed"]
    tasks = [*measures, *((name, "chat") for name in CHAT)]
    for number in range(given.rounds):
        for name, what in tasks:
            key = {"name": name, "what": what, "round": number}
            if (given.only and name not in given.only) or any(key.items() <= row.items() for row in done):
                continue
            command = [pythons.get(name, sys.executable), __file__, "--work", str(given.work), "--measure", name, what]
            found = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
            lines = found.stdout.strip().splitlines()
            error = (found.stderr.strip().splitlines() or ["no output"])[-1]
            row = key | (json.loads(lines[-1]) if found.returncode == 0 and lines else {"error": error[:200]})
            print(row, file=sys.stderr, flush=True)
            done.append(row)
            with rows_file.open("a") as file:
                file.write(json.dumps(row) + "\n")
    show(done)


def show(rows: list[dict[str, Any]]) -> None:
    def of(name: str, what: str, key: str) -> Any:
        found = [row[key] for row in rows if row["name"] == name and row["what"] == what and key in row]
        return found[0] if found and isinstance(found[0], bool) else median(found) if found else None

    base = of("mixwright", "speed", "rows_per_s")
    columns = (
        "first batch s",
        "rows/s",
        "ours / it",
        "rows/s, 2 workers",
        "peak MB",
        "worst share, rows",
        "state bytes",
    )
    columns += ("resume s", "same after restart")
    print(f"| loader | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for name in LOADERS:
        speed = of(name, "speed", "rows_per_s")
        cells = [
            _text(of(name, "speed", "first_batch_s"), "{:.3f}"),
            _text(speed, "{:,.0f}"),
            _text(base / speed if base and speed else None, "{:.1f}"),
            _text(of(name, "workers", "rows_per_s"), "{:,.0f}"),
            _text(of(name, "speed", "peak_mb"), "{:,.0f}"),
            _text(of(name, "state", "worst_share_rows"), "{:.1f}"),
            _text(of(name, "state", "state_bytes"), "{:,.0f}"),
            _text(of(name, "resume", "resume_s"), "{:.3f}"),
            {True: "yes", False: "no", None: "-"}[of(name, "resume", "same")],
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")
    base = of("mixwright", "chat", "tokens_per_s")
    print("\n| chat, packed with masks | M tokens/s | ours / it | peak MB |\n|---|---:|---:|---:|")
    for name in CHAT:
        speed = of(name, "chat", "tokens_per_s")
        ratio = _text(base / speed if base and speed else None, "{:.1f}")
        peak = _text(of(name, "chat", "peak_mb"), "{:,.0f}")
        print(f"| {name} | {_text(speed and speed / 1e6, '{:.2f}')} | {ratio} | {peak} |")
    for row in rows:
        if "error" in row and row["round"] == 0:
            print(f"{row['name']}, {row['what']}: {row['error']}")


def _text(value: Any, form: str) -> str:
    return "-" if value is None else form.format(value)


if __name__ == "__main__":
    main()
