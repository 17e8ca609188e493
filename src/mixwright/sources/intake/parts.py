"""The rows of a source in pieces that worker processes read: stretches of lines, row groups of Parquet, whole files.

A piece is named, not read: a path with where it begins and ends. Cutting looks for line ends, no more, so that one
process can keep many busy. Cut are JSON Lines and texts of a document per line, uncompressed and on this machine, and
local Parquet; whatever else there is, a row of nested JSON or a conversation told over several rows, needs its file
whole.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias, cast

from mixwright.recipe.data import Source
from mixwright.sources.files.data_file import TEXT, DataFile, LocalFile, RemoteFile, kind_of, label_of
from mixwright.sources.rows.formats.row import Row
from mixwright.sources.rows.readers import read_rows

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE_BYTES = 8 << 20
WORTHWHILE = 8  # pieces: less is read here before other processes have started


@dataclass(frozen=True)
class _OfFile:
    """A part of a file, which readers take for a file of its own."""

    path: Path | LocalFile

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def label(self) -> str:
        return label_of(self.path)

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class FilePart(_OfFile):
    """Whole lines of a file: its bytes from `begin` up to `end`, to its end where that is None. first_line: the number
    of the line that begins there."""

    begin: int
    end: int | None
    first_line: int

    @property
    def lines_before(self) -> int:
        """What is added to the number of a line read from here to have that in the file."""
        return self.first_line - 2 if self.begin else 0

    def open(self, mode: str) -> IO[bytes]:
        """Its bytes. Behind the beginning of the file an empty line comes first: no reader then takes what follows for
        the first line of a file, where a byte order mark may stand."""
        file = cast(io.FileIO, self.path.open(mode, buffering=0))
        file.seek(self.begin)
        stretch = _Stretch(file, None if self.end is None else self.end - self.begin, b"\n" if self.begin else b"")
        return io.BufferedReader(stretch, 1 << 18)


class _Stretch(io.RawIOBase):
    """The next `size` bytes of a file, behind a head."""

    def __init__(self, file: io.FileIO, size: int | None, head: bytes) -> None:
        self._file, self._left, self._head = file, size, head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        view = memoryview(buffer).cast("B")
        if self._head:
            count = min(len(view), len(self._head))
            view[:count], self._head = self._head[:count], self._head[count:]
            return count
        count = self._file.readinto(view if self._left is None else view[: self._left]) or 0
        if self._left is not None:
            self._left -= count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


@dataclass(frozen=True)
class RowGroups(_OfFile):
    """Row groups of a Parquet file, from `begin` up to `end`. rows_before: in those before them. size: in bytes,
    compressed."""

    begin: int
    end: int
    rows_before: int
    size: int

    @property
    def row_groups(self) -> range:
        return range(self.begin, self.end)

    def open(self, mode: str) -> IO[bytes]:
        return cast(IO[bytes], self.path.open(mode))


Part: TypeAlias = DataFile | FilePart | RowGroups


def is_worthwhile(files: Sequence[DataFile], source: Source, piece_bytes: int) -> bool:
    """Whether there is so much to read that it pays to divide it among processes that have to start first."""
    if len(files) == 1 and not _is_cut(files[0], source):
        return False
    return sum(_size(file, piece_bytes) for file in files) >= WORTHWHILE * piece_bytes


def pieces_of(files: Sequence[DataFile], source: Source, piece_bytes: int) -> Iterator[tuple[Part, ...]]:
    """All rows of a source in order, in pieces of about as many bytes; small files come several together."""
    piece: list[Part] = []
    size = 0
    for file in files:
        for part in _parts(file, source, piece_bytes):
            piece.append(part)
            size += _size(part, piece_bytes)
            if 2 * size > piece_bytes:
                yield tuple(piece)
                piece, size = [], 0
    if piece:
        yield tuple(piece)


def _parts(file: DataFile, source: Source, piece_bytes: int) -> Iterator[Part]:
    if not _is_cut(file, source):
        return iter((file,))
    assert not isinstance(file, RemoteFile)
    return row_groups(file, piece_bytes) if kind_of(file) == ".parquet" else cut(file, piece_bytes)


def _is_cut(file: DataFile, source: Source) -> bool:
    if isinstance(file, RemoteFile) or source.rows is not None or source.threads is not None:
        return False
    lines = (".jsonl", ".ndjson", *(TEXT if source.documents == "line" else ()))
    return file.suffix.lower() in (*lines, ".parquet")  # a compressed file ends in another


def _size(part: Part, unknown: int) -> int:
    """Bytes of a part on its disk."""
    if isinstance(part, FilePart):
        return unknown if part.end is None else part.end - part.begin
    if isinstance(part, Path | LocalFile):
        try:
            return part.stat().st_size
        except OSError:
            return 0
    return unknown if part.size is None else part.size


def cut(path: Path | LocalFile, piece_bytes: int) -> Iterator[FilePart]:
    """A file of lines in parts that end where a line ends, of about so many bytes.

    What cannot be read is a part as well: whoever reads it says what is wrong, when its turn comes.
    """
    begin = position = 0
    line = 1
    try:
        with path.open("rb", buffering=0) as file:
            block = bytearray(min(piece_bytes, path.stat().st_size + 1))
            while count := file.readinto(block):
                size = block.rfind(b"\n", 0, count) + 1
                if size:
                    yield FilePart(path, begin, position + size, line)
                    begin, line = position + size, line + block.count(b"\n", 0, size)
                position += count
    except OSError:
        yield FilePart(path, begin, None, line)
        return
    if begin < position:
        yield FilePart(path, begin, position, line)


def row_groups(path: Path | LocalFile, piece_bytes: int) -> Iterator[Part]:
    """A Parquet file in parts of whole row groups, of about so many bytes; the file where it has but one, or cannot be
    read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        about = pq.read_metadata(path)
        groups = [about.row_group(number) for number in range(about.num_row_groups)]
    except (pa.ArrowException, OSError):
        groups = []
    if len(groups) < 2:
        yield path
        return
    begin = before = row = size = 0
    for number, group in enumerate(groups, 1):
        row += group.num_rows
        size += sum(group.column(column).total_compressed_size for column in range(group.num_columns))
        if 2 * size > piece_bytes or number == len(groups):
            yield RowGroups(path, begin, number, before, size)
            begin, before, size = number, row, 0


def rows_of(part: Part, source: Source) -> Iterator[Row]:
    """The rows of a part with their places in the file, as `read_rows` has them."""
    rows = read_rows(cast(DataFile, part), source)
    before = part.lines_before if isinstance(part, FilePart) else part.rows_before if isinstance(part, RowGroups) else 0
    return (Row(row.line + before, *row[1:]) for row in rows) if before else rows
