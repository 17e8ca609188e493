"""Parquet and Arrow, a batch at a time.

Typed columns give every struct all keys that any row has. As such a row comes out of its file, so that conditions can
be asked of it; what is learnt is the row without them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mixwright.ground.errors import InputError
from mixwright.sources.files import DataFile, RemoteFile
from mixwright.sources.formats.row import Row

BATCH_ROWS = 1024


def parquet_rows(file: DataFile) -> Iterator[Row]:
    """Raises InputError when it is not Parquet, or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open("rb") as stream, pq.ParquetFile(stream) as parquet:
            yield from _rows(parquet.iter_batches(batch_size=BATCH_ROWS))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, "Parquet", error) from None


def arrow_rows(file: DataFile) -> Iterator[Row]:
    """Arrow's file and stream forms. Raises InputError when it is neither, or damaged."""
    import pyarrow as pa

    try:
        with file.open("rb") as stream:
            source = pa.memory_map(str(file)) if not isinstance(file, RemoteFile) else stream
            try:
                reader = pa.ipc.open_file(source)
            except pa.ArrowInvalid:
                source.seek(0)
                yield from _rows(pa.ipc.open_stream(source))
            else:
                yield from _rows(reader.get_batch(number) for number in range(reader.num_record_batches))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, "Arrow", error) from None


def _rows(batches: Any) -> Iterator[Row]:
    number = 0
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            for value in batch.slice(start, BATCH_ROWS).to_pylist():
                number += 1
                yield Row(number, value)


def without_typing(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows with their cells as JSON would hold them: a null in a struct is no key, NaN is null."""
    for row in rows:
        if row.value is None:
            yield row
        else:
            yield Row(row.line, {name: _plain(entry) for name, entry in row.value.items()}, part=row.part)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _unreadable(file: DataFile, form: str, error: Exception) -> InputError:
    fix = "Fetch or write it again."
    return InputError(f"this is not a readable {form} file ({error})", where=str(file), fix=fix)
