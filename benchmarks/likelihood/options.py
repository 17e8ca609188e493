"""Options of one prompt in one row against one sequence for each option: items a second, and how far apart they are.

Items are messages of banking77, the options its 77 intents, the model `embedded:nano` or any folder. Three ways to the
same log-probabilities: each option recomputed with its prompt (`ModelHandle.log_probabilities`), and one row a prompt
(`option_log_probabilities`) for one item at a time and for many. The ways run in turn, `--rounds` times; the best round
of each is printed as JSON, with the seconds that making tokens takes, which is the same for all.

    python benchmarks/likelihood/options.py --data <folder with test.csv.gz> --items 64
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import time
from collections.abc import Callable
from math import fsum
from pathlib import Path

import torch

import mixwright.models
from mixwright.models.handle import ModelHandle
from mixwright.models.options import merge, option_log_probabilities

NANO = Path(mixwright.models.__file__).parent / "embedded" / "nano"
Found = list[list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with test.csv.gz (columns text, category)")
    parser.add_argument("--model", type=Path, default=NANO)
    parser.add_argument("--items", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    with gzip.open(arguments.data / "test.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    options = sorted({row["category"] for row in rows})
    handle = ModelHandle(arguments.model, device="cpu")
    texts = [row["text"] for row in rows[:: max(1, len(rows) // arguments.items)]][: arguments.items]
    started = time.perf_counter()
    asked = [handle.tokenizer.answers([{"role": "user", "content": text}], options) for text in texts]
    making_tokens = time.perf_counter() - started

    def recomputed() -> Found:
        found = []
        for answers in asked:
            sequences = [answer.prompt + answer.ids for answer in answers]
            logps = handle.log_probabilities(sequences, batch_size=arguments.batch_size)
            pairs = zip(logps, answers, strict=True)
            found.append([fsum(whole[-len(answer.ids) :].tolist()) for whole, answer in pairs])
        return found

    def in_rows(batch_size: int) -> Found:
        return option_log_probabilities(handle, asked, batch_size=batch_size, label="")

    ways: dict[str, Callable[[], Found]] = {
        "recomputed": recomputed,
        "one row a prompt, one at a time": lambda: in_rows(1),
        "one row a prompt, in batches": lambda: in_rows(arguments.batch_size),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    results: dict[str, Found] = {}
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            results[name] = way()
            seconds[name].append(time.perf_counter() - started)
    exact = [value for item in results["recomputed"] for value in item]
    padded = sum(max(len(answer.prompt + answer.ids) for answer in answers) * len(answers) for answers in asked)
    tokens = {"recomputed": padded} | dict.fromkeys(list(ways)[1:], sum(len(merge(answers).ids) for answers in asked))
    for name in ways:
        apart = max(abs(a - b) for a, b in zip(exact, [v for item in results[name] for v in item], strict=True))
        row = {
            "way": name,
            "items_per_second": round(len(asked) / min(seconds[name]), 1),
            "against_recomputed": round(min(seconds["recomputed"]) / min(seconds[name]), 2),
            "tokens_an_item": round(tokens[name] / len(asked)),
            "largest_difference": float(f"{apart:.1e}"),
        }
        print(json.dumps(row))
    about = {"items": len(asked), "options": len(options), "threads": arguments.threads, "torch": torch.__version__}
    print(json.dumps(about | {"making_tokens_items_per_second": round(len(asked) / making_tokens, 1)}))


if __name__ == "__main__":
    main()
