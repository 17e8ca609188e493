"""Records: the rows of a corpus, in Parquet, with identity and provenance.

Columns: `record_id` (128-bit hash of the content), `kind` (conversation | document | preference), `source`, `origin`
(file and line), `licence`, `messages` (compact JSON text, keys in the file's order; empty for a document), `tools`
(JSON text of what a conversation may call), `rejected` (JSON text of the turns that a preference pair likes less than
the last of `messages`), `text` (of a document), `group` (what must not be torn apart by a split), `split` (train |
heldout), `num_chars`. Dropped rows keep `source`, `origin`, `rule`, `reason`, `evidence` and the text.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from mixwright.ground.hashing import canonical_json, ordered_json, text_digest
from mixwright.items.conversation import Message
from mixwright.sources.forms import Sample

BATCH_ROWS = 4096
CONVERSATION, DOCUMENT, PREFERENCE = "conversation", "document", "preference"


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
        if self.kind == DOCUMENT:
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
    about = {"source": source, "origin": origin, "licence": licence, "split": split}
    if sample.text:
        record_id = text_digest(f"document\0{sample.text}")
        num_chars = len(sample.text)
        return Record(
            record_id, DOCUMENT, messages="", group=group or record_id, num_chars=num_chars, text=sample.text, **about
        )
    beside = [part for part in (sample.tools, sample.rejected) if part]
    record_id = text_digest("\0".join([canonical_json(sample.messages), *beside]))
    return Record(
        record_id,
        PREFERENCE if sample.rejected else CONVERSATION,
        messages=ordered_json(sample.messages),
        group=group or record_id,
        num_chars=sum(len(str(message.get("content") or "")) for message in sample.messages),
        tools=sample.tools,
        rejected=sample.rejected,
        **about,
    )


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


def holds_documents(path: Path) -> bool:
    """Whether the first record of a file is a document, as all others are then."""
    return any(batch[0].kind == DOCUMENT for batch in itertools.islice(read_record_batches(path), 1))


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
