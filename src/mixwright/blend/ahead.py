"""Batches made a few ahead of who uses them, by a thread: what makes them is compiled and holds no lock of Python's."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeAlias

from mixwright.blend.batches import Assembler, Batch
from mixwright.blend.mixer import Mixer, MixerState

DEPTH = 4
_LOOK_SECONDS = 0.1  # between looks at whether anybody still waits

Made: TypeAlias = tuple[Batch, MixerState]


def batches_ahead(mixer: Mixer, assembler: Assembler, *, depth: int = DEPTH) -> Generator[Made, None, None]:
    """Every batch still to come with the mixer's state behind it, at most `depth` of them made before they are asked
    for. Errors of the mixer are raised where their batch would have come. Closing the iterator ends the thread."""
    made: Queue[Made | Exception | None] = Queue(depth)
    closed = Event()

    def put(item: Made | Exception | None) -> None:
        while not closed.is_set():
            with suppress(Full):
                made.put(item, timeout=_LOOK_SECONDS)
                return

    def make() -> None:
        try:
            for planned in mixer:
                batch = assembler.tensors(planned, range(planned.num_rows))
                _ = batch.position  # made now, and not where it is waited for
                put((batch, mixer.state))
                if closed.is_set():
                    return
            put(None)
        except Exception as error:
            put(error)

    thread = Thread(target=make, name="batches", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        closed.set()
        with suppress(Empty):
            made.get_nowait()
        thread.join()
