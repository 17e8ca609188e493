"""Parquet and Arrow, a batch at a time.

Typed columns give every struct all keys that any row has. As such a row comes out of its file, so that conditions can
be asked of it; what is learnt is the row without them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mixwright.ground.errors import InputError
from mixwright.sources.files.data_file import DataFile, RemoteFile
from mixwright.sources.rows.formats.row import Row
from mixwright.sources.rows.formats.signs import check_disguise

BATCH_ROWS = 1024
END = b"\xff\xff\xff\xff\0\0\0\0"  # of a stream
UNREADABLE = (ValueError, OverflowError, LookupError, TypeError)  # what a cell raises; Arrow's own are among them


def parquet_rows(file: DataFile) -> Iterator[Row]:
    """All rows, or those of the file's `row_groups` where it has such.

    Raises InputError when it is not Parquet, damaged, or two columns have one name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    groups = getattr(file, "row_groups", None)
    try:
        with file.open("rb") as stream, pq.ParquetFile(stream) as parquet:
            _check_names(parquet.schema_arrow, file)
            yield from _rows(parquet.iter_batches(batch_size=BATCH_ROWS, row_groups=groups and [*groups]))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, "Parquet", error) from None


def arrow_rows(file: DataFile) -> Iterator[Row]:
    """Arrow's file and stream forms. Raises InputError when it is neither, damaged, or two columns have one name."""
    import pyarrow as pa

    try:
        with file.open("rb") as stream:
            source = pa.memory_map(str(file)) if not isinstance(file, RemoteFile) else stream
            try:
                reader = pa.ipc.open_file(source)
            except pa.ArrowInvalid:
                source.seek(0)
                reader = pa.ipc.open_stream(source)
                _check_names(reader.schema, file)
                yield from _rows(reader)
                _check_end(source, file)
            else:
                _check_names(reader.schema, file)
                yield from _rows(reader.get_batch(number) for number in range(reader.num_record_batches))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, "Arrow", error) from None


def _check_end(source: Any, file: DataFile) -> None:
    """Refuse a stream that ends where a batch does: only the mark of the end tells that no more was to come."""
    end = source.tell()
    source.seek(max(0, end - len(END)))
    if source.read(len(END)) == END:
        return
    source.seek(0)
    is_old = source.read(4) != END[:4]  # before Arrow 0.15 messages had no mark, and the end was a length of zero
    source.seek(max(0, end - 4))
    if not (is_old and source.read(4) == END[4:]):
        fix = "Write it again, and close the writer; or fetch it again."
        raise InputError("the Arrow stream was not finished: its end is missing", where=str(file), fix=fix)


def name_twice(fields: Any) -> str | None:
    """A name that two columns of a schema have, or two fields of a struct."""
    names = [field.name for field in fields]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    return twice or next(filter(None, (name_twice(_inner(field.type)) for field in fields)), None)


def _inner(kind: Any) -> list[Any]:
    """The fields inside a type."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return [kind.field(number) for number in range(kind.num_fields)]
    if pa.types.is_map(kind):
        return [kind.key_field, kind.item_field]
    return [kind.value_field] if pa.types.is_nested(kind) and hasattr(kind, "value_field") else []


def _check_names(schema: Any, file: DataFile) -> None:
    twice = name_twice(schema)
    if twice is not None:
        raise InputError(f"two columns are called '{twice}'", where=str(file), fix="Rename one of them.")


def _rows(batches: Any) -> Iterator[Row]:
    number = 0
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            part = batch.slice(start, BATCH_ROWS)
            try:
                values = part.to_pylist()
            except UNREADABLE:
                yield from (_row(part, position, number + position + 1) for position in range(part.num_rows))
            else:
                yield from map(Row, range(number + 1, number + 1 + part.num_rows), values)
            number += part.num_rows


def _row(batch: Any, position: int, number: int) -> Row:
    """A row of a batch in which some cell is nothing that Python can hold: a date in the year 100,000, a text that is
    not UTF-8."""
    value = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            value[name] = column[position].as_py()
        except UNREADABLE as error:
            return Row(number, None, f"the column '{name}' cannot be read ({column.type}: {error})")
    return Row(number, value)


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
    """The error for a damaged file. Raises another for one that is not what its name says."""
    check_disguise(file)
    fix = "Fetch or write it again."
    return InputError(f"this is not a readable {form} file ({error})", where=str(file), fix=fix)
