"""The promises of the blend on random mixes, checked on what enters the model and not on what the mixer says of itself.

Every token of the made stores names its source, its record and its place in it, so each tensor is read back into
records without the ledger. A mix is random in everything: 1 to 1,000 sources, log-normal lengths (one token, a whole
row), shares down to 1e-6, unit, rows, packing, one to four stages with or without ramps, repeats. Checked on each:

- share: after every batch, how far a source is from what is due to it, in rows (tokens, supervised tokens) or records;
- batch: how far a source with at least a row's share in a batch is from that share, in rows (unit tokens);
- appears: batches between two with a source that has less, over the most that its share allows (unit tokens);
- passes: the least w for which, after any batch, with n records of a source given, each was given
  floor((n - w) / size) to ceil((n + w) / size) times, at most the window of 8;
- ranks: the slices of 2, 3 and 8 ranks are the rows of one; resume: the rest of a stream from a state in JSON is the
  rest of the undisturbed one; ledger: `batch_at` has what the tensors hold; state: bytes over 1 KiB + 32 a source.

    python benchmarks/blend/invariants.py --mixes 200 --work /tmp/invariants

Resumable: rows are appended to `invariants.jsonl` in --work, and mixes that stand there are not done again. Prints
the worst of each as a Markdown table and fails when a promise is broken.
"""

from __future__ import annotations

import argparse
import json
import time
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mixwright.blend.batches import Assembler
from mixwright.blend.kernel import WINDOW
from mixwright.blend.ledger import batch_at
from mixwright.blend.mixer import Mixer, MixerState, MixPlan
from mixwright.blend.plan import STATES
from mixwright.blend.stages import Stage, ramp
from mixwright.ground.artefacts import write_json
from mixwright.tokens.store import TokenStore

ROW = 256
NUM_SOURCES = 1000
PLACE_BITS, RECORD_BITS = 12, 10  # of a token: place in the record, record in the source, and the source above


def make_stores(work: Path) -> None:
    """A thousand sources of 1 to 300 records of log-normal length, in uint32 tokens that name themselves."""
    if (work / "done").exists():
        return
    random = np.random.default_rng(0)
    for source in range(NUM_SOURCES):
        folder = work / f"s{source:03}"
        folder.mkdir(parents=True, exist_ok=True)
        size = int(np.exp(random.uniform(0, np.log(300))))
        lengths = np.clip(random.lognormal(random.uniform(1, 5), random.uniform(0.1, 1.2), size), 1, ROW).astype(int)
        lengths[random.random(size) < 0.05] = 1
        lengths[random.random(size) < 0.02] = ROW
        ids = [(source << PLACE_BITS + RECORD_BITS) | (r << PLACE_BITS) | np.arange(n) for r, n in enumerate(lengths)]
        loss = [random.random(n) < 0.4 for n in lengths]
        for mask in loss:
            mask[-1] = True
        np.concatenate(ids).astype(np.uint32).tofile(folder / "tokens.bin")
        np.concatenate(loss).astype(np.uint8).tofile(folder / "loss.bin")
        np.save(folder / "offsets.npy", np.cumsum([0, *lengths]).astype(np.uint64))
        supervised = np.array([mask.sum() for mask in loss], np.uint32)
        np.save(folder / "supervised.npy", supervised)
        write_json(folder / "store.json", {"dtype": "uint32", "supervised_tokens": int(supervised.sum())})
    (work / "done").touch()


def draw(seed: int) -> tuple[MixPlan, list[str]]:
    random = np.random.default_rng((1, seed))
    num = int(np.exp(random.uniform(0, np.log(NUM_SOURCES + 1))))
    names = [f"s{i:03}" for i in sorted(random.choice(NUM_SOURCES, num, replace=False))]

    def shares() -> dict[str, Fraction]:
        parts = np.maximum(random.dirichlet(np.full(num, random.choice([0.1, 1, 10]))), 1e-6)
        whole = [int(part * 10**9) for part in parts]
        return {name: Fraction(part, sum(whole)) for name, part in zip(names, whole, strict=True)}

    rows = int(random.choice([6, 8, 24, 48, 64, 96]))
    steps = int(random.integers(60, 400))
    stages = [Stage(shares())]
    for begin in sorted(random.choice(np.arange(2, steps), int(random.integers(0, 4)), replace=False).tolist()):
        last, after = stages[-1], shares()
        if random.random() < 0.5:
            stages += [Stage(mean, step) for step, mean in ramp(last.shares, after, last.from_step or 0, begin)]
        stages.append(Stage(after, begin))
    plan = MixPlan(
        unit=str(random.choice(["tokens", "supervised_tokens", "records"])),
        stages=tuple(stages),
        seed=seed,
        rows_per_batch=rows,
        row_tokens=ROW,
        packing=bool(random.random() < 0.8),
        domain=frozenset(),
        budget_tokens=steps * rows * ROW * 3 // 4,
        budget_domain_tokens=None,
    )
    return plan, names


def examine(seed: int, work: Path) -> dict[str, Any]:
    plan, names = draw(seed)
    random = np.random.default_rng((2, seed))
    stores = {name: TokenStore(work / name) for name in names}
    mixer = Mixer(plan, stores)
    assembler = Assembler(stores, mixer.names, pad_id=0)
    number = {int(name[1:]): i for i, name in enumerate(mixer.names)}
    due, placed = np.zeros(len(names)), np.zeros(len(names))
    seen: list[list[list[int]]] = [[] for _ in names]
    worst = dict.fromkeys(("share", "batch", "appears", "passes", "state"), 0.0)
    last = np.zeros(len(names))
    states: list[tuple[int, str]] = [(0, json.dumps(mixer.state.as_json()))]
    streams: list[bytes] = []
    found: list[list[tuple[int, int, int]]] = []  # of each step: row, source, record
    weights_of: dict[int, np.ndarray] = {}
    begun = time.perf_counter()
    before = mixer.state
    longest = max(int(np.diff(store.offsets).max()) for store in stores.values())
    for planned in mixer:
        batch = assembler.tensors(planned, range(plan.rows_per_batch))
        records, units = read(batch.ids, batch.loss, batch.segment, plan.unit, stores, number)
        found.append(records)
        streams.append(b"".join(array.tobytes() for array in (batch.ids, batch.loss, batch.segment, batch.position)))
        for ranks in (r for r in (2, 3, 8) if plan.rows_per_batch % r == 0 and random.random() < 0.1):
            size = plan.rows_per_batch // ranks
            parts = [assembler.tensors(planned, range(k * size, (k + 1) * size)).ids for k in range(ranks)]
            assert np.array_equal(np.concatenate(parts), batch.ids), "ranks"
        if before.stage not in weights_of:
            weights = [*plan.weights(before.stage).values()]
            weights_of[before.stage] = np.array([float(Fraction(w, sum(weights))) for w in weights])
        share = weights_of[before.stage]
        due += share * units.sum()
        placed += units
        row = 1 if plan.unit == "records" else ROW
        worst["share"] = max(worst["share"], float(np.abs(placed - due).max()) / row)
        if plan.unit == "tokens" and not mixer.state.finished:
            large = share * plan.rows_per_batch >= 1
            if large.any():
                worst["batch"] = max(worst["batch"], float(np.abs(units - share * units.sum())[large].max()) / ROW)
            step = mixer.state.step
            if len(plan.stages) == 1 and plan.packing:
                here = units > 0
                small = ~large & here
                allowed = np.ceil(1 / (share[small] * plan.rows_per_batch)) + 1
                if small.any():
                    worst["appears"] = max(worst["appears"], float(((step - last[small]) / allowed).max()))
                last[here] = step
        for source in {source for _, source, _ in records}:
            seen[source].append([record for _, other, record in records if other == source])
        text = json.dumps(mixer.state.as_json())
        worst["state"] = max(worst["state"], len(text) / (1024 + 32 * len(names)))
        if not mixer.state.finished and random.random() < 0.05:
            states.append((mixer.state.step, text))
        before = mixer.state
    seconds = time.perf_counter() - begun
    for source, name in enumerate(mixer.names):
        worst["passes"] = max(worst["passes"], stray(seen[source], len(stores[name])))
    for step, text in [states[i] for i in random.choice(len(states), min(3, len(states)), replace=False)]:
        again = Mixer(plan, stores, MixerState(**json.loads(text)))
        for k, planned in enumerate(islice(again, 20)):
            batch = assembler.tensors(planned, range(plan.rows_per_batch))
            arrays = (batch.ids, batch.loss, batch.segment, batch.position)
            assert b"".join(array.tobytes() for array in arrays) == streams[step + k], "resume"
    (work / STATES).write_text("".join(f"{text}\n" for _, text in states[1:]))
    for step in random.integers(1, len(found) + 1, 5).tolist():
        entries = batch_at(step, plan, stores, work)
        told = sorted((entry.row, mixer.names.index(entry.source), entry.record) for entry in entries)
        assert told == sorted(found[step - 1]), "ledger"
    promised = (2 if plan.unit == "records" else 1) + (1 if plan.unit == "records" else longest / ROW)
    assert worst["share"] <= promised + 1e-6, (worst, plan.unit)
    assert worst["passes"] <= WINDOW
    assert worst["batch"] < 2
    facts = {
        "seed": seed,
        "sources": len(names),
        "unit": plan.unit,
        "rows": plan.rows_per_batch,
        "packing": plan.packing,
    }
    smallest = float(min(min(stage.shares.values()) for stage in plan.stages))
    facts |= {"stages": len(plan.stages), "steps": len(found), "smallest_share": smallest, "seconds": round(seconds, 2)}
    return facts | worst


def read(
    ids: np.ndarray,
    loss: np.ndarray,
    segment: np.ndarray,
    unit: str,
    stores: dict[str, TokenStore],
    number: dict[int, int],
) -> tuple[list[tuple[int, int, int]], np.ndarray]:
    """What tensors hold: (row, source, record) of each record, whole and in order, and units by source."""
    units = np.zeros(len(number))
    records = []
    names = sorted(stores)
    for row in range(len(ids)):
        held = segment[row]
        used = int((held >= 0).sum())
        if not used:
            continue
        assert (held[:used] >= 0).all(), "padding stands at the end"
        starts = np.flatnonzero(np.diff(held[:used], prepend=-1))
        for begin, end in zip(starts, [*starts[1:], used], strict=True):
            tokens = ids[row, begin:end]
            source = number[int(tokens[0]) >> PLACE_BITS + RECORD_BITS]
            record = (int(tokens[0]) >> PLACE_BITS) & ((1 << RECORD_BITS) - 1)
            wanted, mask = stores[names[source]].record(record)
            assert np.array_equal(tokens, wanted), "a record is whole"
            assert np.array_equal(loss[row, begin:end], mask.astype(bool)), "its mask too"
            records.append((row, source, record))
            units[source] += {"records": 1, "tokens": end - begin}.get(unit, int(mask.sum()))
    return records, units


def stray(batches: list[list[int]], size: int) -> int:
    """The least w for which, after any batch, with n records given, each was given floor((n - w) / size) to
    ceil((n + w) / size) times."""
    counts = np.zeros(size, int)
    given, worst = 0, 0
    for records in batches:
        np.add.at(counts, records, 1)
        given += len(records)
        worst = max(worst, (int(counts.max()) - 1) * size + 1 - given, given - (int(counts.min()) + 1) * size + 1)
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mixes", type=int, default=200)
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args()
    make_stores(given.work)
    rows_file = given.work / "invariants.jsonl"
    rows = [json.loads(line) for line in rows_file.read_text().splitlines()] if rows_file.exists() else []
    done = {row["seed"] for row in rows}
    for seed in range(given.mixes):
        if seed not in done:
            rows.append(examine(seed, given.work))
            with rows_file.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    print(
        f"{len(rows)} mixes, {sum(row['steps'] for row in rows):,} batches,",
        f"up to {max(row['sources'] for row in rows)} sources",
    )
    print("| unit | mixes | share | batch | appears | passes | state |\n|---|---:|---:|---:|---:|---:|---:|")
    for unit in ("tokens", "supervised_tokens", "records"):
        mine = [row for row in rows if row["unit"] == unit]
        worst = [f"{max(row[key] for row in mine):.2f}" for key in ("share", "batch", "appears", "passes", "state")]
        print(f"| {unit} | {len(mine)} | " + " | ".join(worst) + " |")


if __name__ == "__main__":
    main()
