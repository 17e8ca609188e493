"""Records: the rows of a corpus, in Parquet, with identity and provenance.

Columns: `record_id` (128-bit hash of the content), `kind` (conversation | preference | document | excerpt, a document
that goes on beyond its text), `source`, `origin` (file and line), `licence`, `messages` (compact JSON text, keys in the
file's order; empty for a document), `tools` (JSON text of what a conversation may call), `rejected` (JSON text of the
turns that a preference pair likes less than the last of `messages`), `text` (of a document), `group` (what must not be
torn apart by a split), `split` (train | heldout), `num_chars`. Dropped rows keep `source`, `origin`, `rule`, `reason`,
`evidence` and the text.
"""

from __future__ import annotations

import itertools
import json
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from mixwright.ground.hashing import canonical_json, ordered_json, text_digest
from mixwright.items.conversation import Message
from mixwright.sources.forms.reading import Sample

BATCH_ROWS = 4096
BATCH_BYTES = 64 << 20  # of text
PACKED_ROWS = 256  # rows that become columns together, while the processor still has them at hand
CONVERSATION, DOCUMENT, PREFERENCE = "conversation", "document", "preference"
EXCERPT = "excerpt"  # a document that goes on beyond its text: learnt without an end
TEXTS = (DOCUMENT, EXCERPT)


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
    tools: str = ""
    rejected: str = ""
    text: str = ""

    def turns(self) -> list[Message]:
        """What is said in it, for whoever looks at words: a document is one turn of the role `document`."""
        if self.kind in TEXTS:
            return [{"role": DOCUMENT, "content": self.text}]
        turns: list[Message] = json.loads(self.messages)
        return turns


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
    return sample_record(Sample(messages), source=source, origin=origin, licence=licence, group=group, split=split)


def sample_record(sample: Sample, *, source: str, origin: str, licence: str, group: str | None, split: str) -> Record:
    """A record of what a row says. Without a group it is a group of its own."""
    messages, tools, rejected, text = sample
    if text:
        record_id, num_chars = text_digest(f"document\0{text}"), len(text)
        group = group or record_id
        return Record(record_id, DOCUMENT, source, origin, licence, "", group, split, num_chars, text=text)
    record_id = text_digest("\0".join([canonical_json(messages), *filter(None, (tools, rejected))]))
    kind = PREFERENCE if rejected else CONVERSATION
    num_chars = sum([len(str(message.get("content") or "")) for message in messages])
    turns, group = ordered_json(messages), group or record_id
    return Record(record_id, kind, source, origin, licence, turns, group, split, num_chars, tools, rejected)


def schema_of(kind: type[Record] | type[Dropped]) -> Any:
    """The columns of records or dropped rows, as Arrow has them."""
    import pyarrow as pa

    types = {"num_chars": pa.int64()}
    return pa.schema([(name, types.get(name, pa.string())) for name in kind._fields])


class BatchWriter(ABC):
    """Makes Arrow batches of `BATCH_ROWS` rows, or of fewer that fill `BATCH_BYTES`: the same whether rows come one by
    one or as batches of other sizes. A subclass says what becomes of one."""

    def __init__(self, kind: type[Record] | type[Dropped]) -> None:
        self._schema = schema_of(kind)
        self._rows: list[Record | Dropped] = []  # the last ones, not yet columns
        self._letters = 0  # of these, about
        self._parts: list[Any] = []  # what comes before them in the next batch
        self._num_rows = self._num_bytes = 0  # of these
        self.count = 0

    def write(self, row: Record | Dropped) -> None:
        self._rows.append(row)
        self._letters += len(row.messages) + len(row.text) if isinstance(row, Record) else len(row.text)
        self.count += 1
        if len(self._rows) == PACKED_ROWS or self._letters >= BATCH_BYTES:
            self._pack()

    def write_batch(self, batch: Any) -> None:
        """Rows that are columns already."""
        self._pack()
        self.count += batch.num_rows
        self._add(batch)

    def _pack(self) -> None:
        import pyarrow as pa

        if self._rows:
            columns = [_column(values) for values in zip(*self._rows, strict=True)]
            self._rows.clear()
            self._letters = 0
            self._add(pa.record_batch(columns, schema=self._schema))

    def _add(self, batch: Any) -> None:
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, BATCH_ROWS - self._num_rows)
            if self._num_bytes + _num_bytes(part) >= BATCH_BYTES:
                part = batch.slice(start, 1)
            self._parts.append(part)
            self._num_rows += part.num_rows
            self._num_bytes += _num_bytes(part)
            start += part.num_rows
            if self._num_rows == BATCH_ROWS or self._num_bytes >= BATCH_BYTES:
                self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._parts:
            (whole,) = pa.Table.from_batches(self._parts).combine_chunks().to_batches()
            self._parts, self._num_rows, self._num_bytes = [], 0, 0
            self._put(whole)

    @abstractmethod
    def _put(self, batch: Any) -> None: ...

    @abstractmethod
    def _close(self) -> None:
        """End the file. Raises what went wrong with what was put."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._pack()
                self._flush()
        finally:
            self._close()


def _column(values: Sequence[Any]) -> Any:
    """Texts, or integers, as an Arrow column: what `pa.array` makes of them, without the time and memory that it takes
    to import pandas where that is installed."""
    import pyarrow as pa

    if not isinstance(values[0], str):
        return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(array("q", values))])
    joined = "".join(values)
    encoded = values if joined.isascii() else [value.encode() for value in values]
    ends = array("i", accumulate(map(len, encoded), initial=0))
    texts = joined.encode()
    return pa.Array.from_buffers(pa.string(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(texts)])


def _num_bytes(batch: Any) -> int:
    """Of the texts in a batch."""
    import pyarrow as pa

    texts = [column for column in batch.columns if column.type == pa.string()]
    ends = [memoryview(column.buffers()[1]).cast("i") for column in texts]
    return sum(end[text.offset + len(text)] - end[text.offset] for text, end in zip(texts, ends, strict=True))


class RecordWriter(BatchWriter):
    """Writes to one zstd Parquet file; an empty file still has its columns. A thread beside compresses one batch while
    the next one is made."""

    def __init__(self, path: Path, kind: type[Record] | type[Dropped]) -> None:
        import pyarrow.parquet as pq

        super().__init__(kind)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._beside = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None

    def _put(self, batch: Any) -> None:
        self._wait()
        self._writing = self._beside.submit(self._writer.write_batch, batch)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()

    def _close(self) -> None:
        try:
            self._wait()
        finally:
            self._beside.shutdown()
            self._writer.close()


class BatchFile(BatchWriter):
    """Writes to one Arrow file, from which `batches_of` reads: what a worker process hands over."""

    def __init__(self, path: Path, kind: type[Record] | type[Dropped], *, packed: bool) -> None:
        import pyarrow as pa

        super().__init__(kind)
        options = pa.ipc.IpcWriteOptions(compression="zstd" if packed else None)
        self._writer = pa.ipc.new_file(str(path), self._schema, options=options)

    def _put(self, batch: Any) -> None:
        self._writer.write_batch(batch)

    def _close(self) -> None:
        self._writer.close()


def batches_of(path: Path) -> Iterator[Any]:
    """The batches of a `BatchFile`."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as stream:
        reader = pa.ipc.open_file(stream)
        yield from (reader.get_batch(number) for number in range(reader.num_record_batches))


def num_records(path: Path) -> int:
    """Records in a file, from its footer alone."""
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def holds_documents(path: Path) -> bool:
    """Whether the first record of a file is a document or an excerpt of one, as all others are then."""
    return any(batch[0].kind in TEXTS for batch in itertools.islice(read_record_batches(path), 1))


def read_record_batches(path: Path) -> Iterator[list[Record]]:
    """Records as `RecordWriter` had them together, in order."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=list(Record._fields))
            columns: Iterable[list[Any]] = (column.to_pylist() for column in table.columns)
            yield [Record(*values) for values in zip(*columns, strict=True)]


def read_records(path: Path) -> Iterator[Record]:
    """Records one by one, in order."""
    for batch in read_record_batches(path):
        yield from batch
