"""Training metrics: loss in all and per source, averaged over a window of steps, as JSON lines.

The loss is the cross-entropy of what stands there, also of sources with a KL term, so that arms can be compared; the
divergence from the base stands beside it (`kl_by_source`).

Sums are part of the checkpoint, and lines behind a checkpoint are cut off on resume, so the file of a killed and
resumed run equals that of an undisturbed one. Wall times differ between runs and stand apart in `timing.jsonl`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mixwright.ground.hashing import canonical_json

LINES = 200  # about this many lines in a run, whatever its length


class Metrics:
    """Collects per-token losses and appends a line for every window of steps.

    sources: their names, in the order of the indices given to `add`. state: from a checkpoint.
    """

    def __init__(self, folder: Path, sources: Sequence[str], num_steps: int, state: dict[str, Any] | None) -> None:
        self._file = folder / "metrics.jsonl"
        self._timing = folder / "timing.jsonl"
        self._sources = sources
        self._window = max(1, num_steps // LINES)
        self._num_steps = num_steps
        self._losses = _Means(len(sources), state["losses"] if state else None)
        self._divergences = _Means(len(sources), state["divergences"] if state else None)
        self.tokens = int(state["tokens"]) if state else 0
        self._earlier = float(state["seconds"]) if state else 0.0
        self._started = time.perf_counter()
        self.loss = float("nan")
        step = int(state["step"]) if state else 0
        for path in (self._file, self._timing):
            lines = path.read_text().splitlines() if path.exists() else []
            kept = [line for line in lines if _step_of(line) <= step]
            beside = path.with_name(f".{path.name}")  # a kill here must not lose the lines before
            beside.write_text("".join(f"{line}\n" for line in kept))
            beside.replace(path)

    def state(self) -> dict[str, Any]:
        """For the checkpoint, which relies on the lines so far: flushes them. Seconds are information only."""
        for path in (self._file, self._timing):
            with path.open("rb") as file:
                os.fsync(file.fileno())
        return {
            "losses": self._losses.state(),
            "divergences": self._divergences.state(),
            "tokens": self.tokens,
            "seconds": self._seconds(),
        }

    def add(
        self,
        step: int,
        losses: npt.NDArray[np.float64],
        sources: npt.NDArray[np.int64],
        divergences: npt.NDArray[np.float64],
        taught: npt.NDArray[np.int64],
        num_tokens: int,
        learning_rate: float,
    ) -> None:
        """One step (from 1). losses: of supervised tokens (N,). sources: their source indices (N,).

        divergences, taught: the same of the tokens with a KL term (T,).
        """
        self._losses.add(losses, sources)
        self._divergences.add(divergences, taught)
        self.tokens += num_tokens
        if step % self._window and step != self._num_steps:
            return
        self.loss = self._losses.of_all()
        line = {
            "step": step,
            "tokens": self.tokens,
            "loss": round(self.loss, 6),
            "loss_by_source": dict(zip(self._sources, self._losses.of_each(), strict=True)),
            "learning_rate": learning_rate,
        }
        by_source = zip(self._sources, self._divergences.of_each(), strict=True)
        if found := {name: value for name, value in by_source if value is not None}:
            line["kl_by_source"] = found
        _append(self._file, line)
        _append(self._timing, {"step": step, "seconds": round(self._seconds(), 3)})
        self._losses.clear()
        self._divergences.clear()

    def _seconds(self) -> float:
        return self._earlier + time.perf_counter() - self._started


class _Means:
    """Means by source of what has come since they were cleared."""

    def __init__(self, num_sources: int, state: dict[str, Any] | None) -> None:
        self._sums = np.asarray(state["sums"] if state else [0.0] * num_sources)
        self._counts = np.asarray(state["counts"] if state else [0] * num_sources)

    def state(self) -> dict[str, Any]:
        return {"sums": self._sums.tolist(), "counts": self._counts.tolist()}

    def add(self, values: npt.NDArray[np.float64], sources: npt.NDArray[np.int64]) -> None:
        self._sums += np.bincount(sources, weights=values, minlength=len(self._sums))
        self._counts += np.bincount(sources, minlength=len(self._sums))

    def of_all(self) -> float:
        return float(self._sums.sum() / max(1, self._counts.sum()))

    def of_each(self) -> list[float | None]:
        """None for a source of which nothing came."""
        pairs = zip(self._sums, self._counts, strict=True)
        return [round(float(total / count), 6) if count else None for total, count in pairs]

    def clear(self) -> None:
        self._sums[:] = 0.0
        self._counts[:] = 0


def _append(path: Path, line: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(canonical_json(line) + "\n")


def _step_of(line: str) -> float:
    """The step of a line; a line torn by a kill belongs to no step."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
