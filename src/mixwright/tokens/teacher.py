"""What the base expects in place of each learnt token of a store: its k most probable tokens and their probabilities.

`ids.bin` (in the type of the store's tokens, (num_supervised, k)), `log_probabilities.bin` (float16, (num_supervised,
k + 1): the last column is that of all other tokens together), `offsets.npy` (uint64, num_records + 1: where each
record's learnt tokens begin), `teacher.json` (dtype, k). Half precision keeps a probability to a part in two thousand
near 1 and in a hundred near e-16; whoever uses them lets them sum to 1 again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError
from mixwright.tokens.mapping import map_array, map_file

IDS, LOG_PROBABILITIES, OFFSETS, ABOUT = "ids.bin", "log_probabilities.bin", "offsets.npy", "teacher.json"


class Teacher:
    """Read access to what the base expects at the learnt tokens of one source.

    ids: (num_supervised, k). log_probabilities: float16 (num_supervised, k + 1). Raises InputError when a file is
    shorter than its offsets say.
    """

    def __init__(self, folder: Path) -> None:
        about = read_json(folder / ABOUT)
        self.k = int(about["k"])
        self.offsets: npt.NDArray[np.uint64] = map_array(folder / OFFSETS)
        self.ids = _rows(folder / IDS, about["dtype"], self.k)
        self.log_probabilities = _rows(folder / LOG_PROBABILITIES, "float16", self.k + 1)
        if not len(self.ids) == len(self.log_probabilities) == self.offsets[-1]:
            fix = "Remove the folder and run again: it is made anew."
            raise InputError("what the base expects is damaged", where=str(folder), fix=fix)

    def record(self, index: int) -> slice:
        """The rows of one record's learnt tokens, in their order."""
        return slice(int(self.offsets[index]), int(self.offsets[index + 1]))


def _rows(file: Path, dtype: str, width: int) -> npt.NDArray[np.generic]:
    flat = map_file(file, dtype)
    return flat[: len(flat) // width * width].reshape(-1, width)
