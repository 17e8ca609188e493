"""The token store of one source: flat arrays on disk, mapped into memory, never loaded.

`tokens.bin` (uint16 for vocabularies up to 65,536, else uint32), `loss.bin` (uint8, 1 where a token is learnt),
`offsets.npy` (uint64, num_records + 1), `supervised.npy` (uint32, learnt tokens per record), `records.parquet`
(`record_id` per row), `store.json` (tokenizer and template hashes, dtype, learnt tokens in all). Opening costs the same
whatever the number of records, and leaves no file open.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import digest
from mixwright.tokens.mapping import map_array, map_file


class TokenStore:
    """Read access to the tokens of one source.

    offsets: uint64 (num_records + 1,), where each record begins in `tokens` and `loss`, (num_tokens,). supervised:
    uint32 (num_records,), learnt tokens of each record; num_supervised of all. identity: a hash of what the store says
    of itself, tokenizer and template included.
    Raises InputError when a file is shorter than its offsets say.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        about = read_json(folder / "store.json")
        try:
            self.offsets: npt.NDArray[np.uint64] = map_array(folder / "offsets.npy")
            self.supervised: npt.NDArray[np.uint32] = map_array(folder / "supervised.npy")
        except ValueError as error:
            raise _damaged(folder, str(error)) from None
        self.tokens: npt.NDArray[np.unsignedinteger] = map_file(folder / "tokens.bin", about["dtype"])
        self.loss: npt.NDArray[np.uint8] = map_file(folder / "loss.bin")
        self.num_supervised: int = about["supervised_tokens"]
        self.identity = digest({**about, "records": len(self), "tokens": self.num_tokens})
        for name, array, due in (
            ("tokens.bin", self.tokens, self.num_tokens),
            ("loss.bin", self.loss, self.num_tokens),
            ("supervised.npy", self.supervised, len(self)),
        ):
            if len(array) != due:
                raise _damaged(folder / name, f"{len(array)} elements where {due} are due")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def num_tokens(self) -> int:
        return int(self.offsets[-1])

    def record(self, index: int) -> tuple[npt.NDArray[np.unsignedinteger], npt.NDArray[np.uint8]]:
        """Tokens and loss mask of one record, views into the files."""
        place = slice(int(self.offsets[index]), int(self.offsets[index + 1]))
        return self.tokens[place], self.loss[place]


def _damaged(where: Path, found: str) -> InputError:
    fix = "Remove the folder and run again: it is made anew."
    return InputError(f"the token store is damaged: {found}", where=str(where), fix=fix)
