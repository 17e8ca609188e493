"""What the base expects at the learnt tokens of a batch, beside its tensors: the columns that a KL term needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mixwright.blend.mixer import BatchPlan
from mixwright.tokens.teacher import Teacher

NOTHING = np.finfo(np.float16).min  # the log-probability of what fills up a source that keeps fewer tokens


class Taught(NamedTuple):
    """The learnt tokens of taught sources in the rows of a batch, one row after the other.

    ids: int64 (T, K). log_probabilities: float16 (T, K + 1), the last of all other tokens together. first: int64
    (R + 1,), where the tokens of each row begin.
    """

    ids: npt.NDArray[np.int64]
    log_probabilities: npt.NDArray[np.float16]
    first: npt.NDArray[np.int64]

    def of_rows(self, rows: slice) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]:
        """ids and log_probabilities of some rows of the batch that follow each other."""
        part = slice(self.first[rows.start], self.first[min(rows.stop, len(self.first) - 1)])
        return self.ids[part], self.log_probabilities[part]


def taught_tokens(batch: BatchPlan, rows: range, teachers: Sequence[Teacher | None]) -> Taught | None:
    """What is taught in some rows of a global batch. teachers: by source; None where a source has none.

    None where no source of the mix is taught.
    """
    widest = max((teacher.k for teacher in teachers if teacher is not None), default=0)
    if widest == 0:
        return None
    found: list[tuple[int, Teacher, slice]] = []
    for piece in np.argsort(batch.row, kind="stable").tolist():  # of a row, records stand in the order of the plan
        teacher, row = teachers[batch.source[piece]], int(batch.row[piece]) - rows.start
        if teacher is not None and 0 <= row < len(rows):
            found.append((row, teacher, teacher.record(int(batch.record[piece]))))
    sizes = np.zeros(len(rows) + 1, np.int64)
    for row, _, part in found:
        sizes[row + 1] += part.stop - part.start
    first = np.cumsum(sizes)
    ids = np.empty((first[-1], widest), np.int64)
    log_probabilities = np.full((first[-1], widest + 1), NOTHING, np.float16)
    place = 0
    for _, teacher, part in found:
        here = slice(place, place := place + part.stop - part.start)
        ids[here, : teacher.k] = teacher.ids[part]
        ids[here, teacher.k :] = ids[here, :1]  # again: it counts for nothing, and is no other token
        log_probabilities[here, : teacher.k] = teacher.log_probabilities[part, :-1]
        log_probabilities[here, -1] = teacher.log_probabilities[part, -1]
    return Taught(ids, log_probabilities, first)
