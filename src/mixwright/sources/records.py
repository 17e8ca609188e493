"""Records: the rows of a corpus, in Parquet, with identity and provenance.

Columns: `record_id` (128-bit hash of the conversation), `kind`, `source`, `origin` (file and line), `licence`,
`messages` (canonical JSON text), `group` (what must not be torn apart by a split), `split` (train | heldout),
`num_chars`. Dropped rows keep `source`, `origin`, `rule`, `reason`, `evidence` and the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from mixwright.ground.hashing import canonical_json, text_digest
from mixwright.items.conversation import Message

BATCH_ROWS = 4096


class Record(NamedTuple):
    record_id: str
    kind: str
    source: str
    origin: str
    licence: str
    messages: str
    group: str
    split: str
    num_chars: int


class Dropped(NamedTuple):
    record_id: str
    source: str
    origin: str
    rule: str
    reason: str
    evidence: str
    text: str


def conversation_record(
    messages: list[Message], *, source: str, origin: str, licence: str, group: str | None, split: str
) -> Record:
    """A record of a conversation. Without a group it is a group of its own."""
    text = canonical_json(messages)
    record_id = text_digest(text)
    num_chars = sum(len(str(message.get("content") or "")) for message in messages)
    return Record(record_id, "conversation", source, origin, licence, text, group or record_id, split, num_chars)


class RecordWriter:
    """Writes named tuples to one zstd Parquet file in batches; an empty file still has its columns."""

    def __init__(self, path: Path, kind: type[Record] | type[Dropped]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = {"num_chars": pa.int64()}
        self._schema = pa.schema([(name, types.get(name, pa.string())) for name in kind._fields])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[tuple[Any, ...]] = []
        self.count = 0

    def write(self, row: Record | Dropped) -> None:
        self._rows.append(row)
        self.count += 1
        if len(self._rows) == BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            columns = zip(*self._rows, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
            self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))
            self._rows.clear()

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()


def num_records(path: Path) -> int:
    """Records in a file, from its footer alone."""
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def read_record_batches(path: Path) -> Iterator[list[Record]]:
    """Records in batches of at most `BATCH_ROWS`, in order."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=list(Record._fields)):
            columns: Iterable[list[Any]] = (column.to_pylist() for column in batch.columns)
            yield [Record(*values) for values in zip(*columns, strict=True)]


def read_records(path: Path) -> Iterator[Record]:
    """Records one by one, in order."""
    for batch in read_record_batches(path):
        yield from batch
