"""The token store of one source: flat arrays on disk, mapped into memory, never loaded.

`tokens.bin` (uint16 for vocabularies up to 65,536, else uint32), `loss.bin` (uint8, 1 where a token is learnt),
`offsets.npy` (uint64, num_records + 1), `supervised.npy` (uint32, learnt tokens per record), `records.parquet`
(`record_id` per row), `store.json` (tokenizer and template hashes, dtype). Opening costs a few file handles whatever
the number of records.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError


class TokenStore:
    """Read access to the tokens of one source.

    lengths, supervised: int64 (num_records,), tokens and learnt tokens of each record.
    Raises InputError when a file is shorter than its offsets say.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        about = read_json(folder / "store.json")
        dtype = np.dtype(about["dtype"])
        self._offsets: npt.NDArray[np.uint64] = np.load(folder / "offsets.npy", mmap_mode="r")
        size = int(self._offsets[-1])
        for name, width in (("tokens.bin", dtype.itemsize), ("loss.bin", 1)):
            found = (folder / name).stat().st_size
            if found != size * width:
                raise InputError(
                    f"the file has {found} bytes where {size * width} are due: it is damaged",
                    where=str(folder / name),
                    fix="Remove the folder and run again: it is made anew.",
                )
        self._tokens: npt.NDArray[np.unsignedinteger] = np.memmap(folder / "tokens.bin", dtype, "r", shape=(size,))
        self._loss: npt.NDArray[np.uint8] = np.memmap(folder / "loss.bin", np.uint8, "r", shape=(size,))
        self.lengths: npt.NDArray[np.int64] = np.diff(self._offsets.astype(np.int64))
        self.supervised: npt.NDArray[np.int64] = np.load(folder / "supervised.npy", mmap_mode="r").astype(np.int64)

    def __len__(self) -> int:
        return len(self.lengths)

    def record(self, index: int) -> tuple[npt.NDArray[np.unsignedinteger], npt.NDArray[np.uint8]]:
        """Tokens and loss mask of one record, views into the files."""
        place = slice(int(self._offsets[index]), int(self._offsets[index + 1]))
        return self._tokens[place], self._loss[place]
