"""Replay that the base model writes itself, to keep what it can without the data it was trained on.

At temperature 1 a model writes what it was taught to write, in about those proportions: `conversations` where it is
given the opening of a user's turn, `documents` where it is given the token with which texts begin.

They are drawn in chunks, each with random numbers of its own, so that chunks can be drawn in any process. Method: Huang
et al. 2024, "Mitigating catastrophic forgetting in large language models with self-synthesized rehearsal".
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mixwright.ground.artefacts import read_json, write_json
from mixwright.ground.executor import Executor
from mixwright.ground.hashing import derive_seed
from mixwright.models.handle import ModelHandle
from mixwright.models.tokenizer import ChatTokenizer
from mixwright.recipe.data import Replay, Source
from mixwright.sources.replay.conversations import Conversations, frame_of
from mixwright.sources.replay.documents import documents
from mixwright.sources.replay.replayed import Draw, Replayed
from mixwright.sources.replay.screening import check_languages

CHUNK = 1024  # conversations or documents drawn together


class Chunk(NamedTuple):
    model: Path
    device: str
    precision: str
    threads: int
    opening: str
    draw: Draw


def replay(
    source: Source,
    model: Path,
    executor: Executor,
    *,
    device: str,
    precision: str,
    threads: int,
    finished: Path | None = None,
    where: str = "replay",
) -> Iterator[Replayed]:
    """What the model writes for a source `generate: self`, in an order that does not depend on the executor.

    finished: a folder of chunks that an earlier, interrupted call has drawn; those drawn now are added to it. where: of
    the source's `replay`, for messages.
    Raises InputError when the chat template does not mark where a user's turn ends, no token begins a text, or a
    language cannot be told.
    """
    assert source.records is not None
    settings = source.replay or Replay()
    check_languages(settings, where)
    tokenizer = ChatTokenizer(model)  # what cannot be begun is refused here, not in a process
    _ = frame_of(tokenizer) if settings.opening == "user" else tokenizer.start_id
    chunks = [
        Chunk(
            model=model,
            device=device,
            precision=precision,
            threads=threads,
            opening=settings.opening,
            draw=Draw(
                seed=derive_seed(source.seed, "replay", start),
                num=min(CHUNK, source.records - start),
                temperature=settings.temperature,
                turns=settings.turns,
                max_new_tokens=settings.max_new_tokens,
            ),
        )
        for start in range(0, source.records, CHUNK)
    ]
    kept = [None if finished is None else _finished(finished / f"{chunk.draw.seed}.json") for chunk in chunks]
    missing = [chunk for chunk, known in zip(chunks, kept, strict=True) if known is None]
    drawn = zip(missing, executor.map(_drawn, missing), strict=True)
    for known in kept:
        if known is None:
            chunk, known = next(drawn)
            if finished is not None:
                finished.mkdir(parents=True, exist_ok=True)
                write_json(finished / f"{chunk.draw.seed}.json", [list(entry) for entry in known])
        yield from known


def _finished(file: Path) -> list[Replayed] | None:
    """A chunk drawn before; files are written whole or not at all."""
    return [Replayed(*entry) for entry in read_json(file)] if file.is_file() else None


@functools.lru_cache(maxsize=1)
def _handle(model: Path, device: str, precision: str) -> ModelHandle:
    return ModelHandle(model, device=device, precision=precision)


def _drawn(chunk: Chunk) -> list[Replayed]:
    import torch

    torch.set_num_threads(chunk.threads)
    handle = _handle(chunk.model, chunk.device, chunk.precision)
    return Conversations(chunk.draw, handle).drawn() if chunk.opening == "user" else documents(chunk.draw, handle)
