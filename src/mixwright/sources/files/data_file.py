"""A file of rows: what its name says of it, and its bytes, unpacked.

A file lies on this machine (a `LocalFile`, or a plain `Path`) or elsewhere (a `RemoteFile`, read through fsspec while
it is needed, never copied whole). Both are told apart by content: a local file by its SHA-256, a remote one by what its
store calls its version (ETag, checksum, blob id), so that the lock knows when it has changed without reading it.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias, cast
from urllib.parse import urlsplit

from mixwright.ground.errors import InputError
from mixwright.sources.files.stores import is_web, reached, system_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TEXT = (".txt", ".md", ".markdown", ".rst")
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".feather", *TEXT)
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}
WHOLE = (".parquet", ".arrow", ".feather")  # compressed inside, read by seeking
ALIKE = {".ndjson": ".jsonl", ".feather": ".arrow", ".markdown": ".md"}  # two names of one form


class Named(Protocol):
    """Whatever has the name of a file."""

    @property
    def name(self) -> str: ...


class Labelled(Named, Protocol):
    """Whatever has a label as well; its name when that is empty."""

    @property
    def label(self) -> str: ...


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine. label: its path from what was named, which tells it from the others there."""

    path: Path
    label: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def suffix(self) -> str:
        return self.path.suffix

    def stat(self) -> os.stat_result:
        return self.path.stat()

    def open(self, mode: str, buffering: int = -1) -> Any:
        return self.path.open(mode, buffering)

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class RemoteFile:
    """A file behind a URL. size: in bytes, None where the store does not say. version: its store's mark of its content;
    empty where there is none. label: as a local file's; its name when empty."""

    url: str
    size: int | None = None
    version: str = ""
    label: str = ""

    @property
    def name(self) -> str:
        """The last part of its path, without the query that a web server is asked with."""
        return (urlsplit(self.url).path if is_web(self.url) else self.url).rpartition("/")[2]

    def open(self, mode: str) -> IO[bytes]:
        """Raises InputError when the store does not answer or refuses, now or while it is read."""
        with reached(self.url, self.url):
            system, path = system_of(self.url, self.url)
            return cast(IO[bytes], _Reached(self.url, system.open(path, mode)))

    def __str__(self) -> str:
        return self.url


DataFile: TypeAlias = Path | LocalFile | RemoteFile


def label_of(file: Path | Labelled) -> str:
    """By what the rows of a file say where they come from: never an absolute path, and no two files of a source alike,
    as they are found."""
    return file.name if isinstance(file, Path) else file.label or file.name


def ending_of(file: Named) -> str:
    """The end of a name that says what a file holds, as it is spelled: `.jsonl`, `.csv.gz`; empty for no known one."""
    name = PurePosixPath(file.name)
    packed = name.suffix.lower() in COMPRESSIONS
    suffix = PurePosixPath(name.stem).suffix if packed else name.suffix
    kind = suffix.lower()
    known = kind in SUFFIXES and not (packed and kind in WHOLE)
    return f"{suffix}{name.suffix if packed else ''}" if known else ""


def kind_of(file: Named) -> str | None:
    """The suffix that says what a file holds, through any compression, in small letters; None when the name says
    nothing known."""
    kinds = PurePosixPath(f"x{ending_of(file)}").suffixes
    return kinds[0].lower() if kinds else None


def compression_of(file: Named) -> str | None:
    """What a file is compressed with: `gzip`."""
    return COMPRESSIONS.get(PurePosixPath(file.name).suffix.lower())


class _Reached(io.RawIOBase):
    """The bytes of a remote file. A connection that breaks is bad input, whatever its library raises."""

    def __init__(self, url: str, stream: IO[bytes]) -> None:
        self._url = url
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        with reached(self._url, self._url):
            return self._stream.read(size)

    def readinto(self, buffer: Any) -> int:
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with reached(self._url, self._url):
            return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def close(self) -> None:
        self._stream.close()
        super().close()


class Damaged(Exception):
    """A compressed file that cannot be unpacked from here on."""


class _Unpacked(io.RawIOBase):
    """The bytes inside a compressed file. faults: what its library raises of damage, which is `Damaged` here."""

    def __init__(self, stream: Any, faults: tuple[type[Exception], ...]) -> None:
        self._stream, self._faults = stream, faults

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            return int(self._stream.readinto(buffer))
        except self._faults as error:
            if isinstance(error, OSError) and error.errno is not None:  # of the disk, not of what lies on it
                raise
            raise Damaged(error) from None

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextlib.contextmanager
def opened(file: DataFile) -> Iterator[io.BufferedReader]:
    """The bytes of a file, unpacked. Raises OSError as `open` does, InputError for a remote one, `Damaged`."""
    with contextlib.ExitStack() as stack:
        raw: Any = stack.enter_context(file.open("rb"))
        if isinstance(file, RemoteFile):  # whose own lines have no limit
            raw = io.BufferedReader(raw, 1 << 20)
        packing = compression_of(file)
        if packing is not None:
            raw = stack.enter_context(io.BufferedReader(_unpacked(packing, raw), 1 << 20))
        yield raw


def _unpacked(packing: str, raw: Any) -> _Unpacked:
    if packing == "gzip":
        return _Unpacked(gzip.GzipFile(fileobj=raw), (EOFError, zlib.error, gzip.BadGzipFile))
    if packing == "bzip2":
        import bz2

        return _Unpacked(bz2.BZ2File(raw), (EOFError, OSError))
    if packing == "xz":
        import lzma

        return _Unpacked(lzma.LZMAFile(raw), (EOFError, lzma.LZMAError))
    import pyarrow as pa

    return _Unpacked(pa.CompressedInputStream(raw, "zstd"), (OSError,))


def content_digest(file: RemoteFile) -> str:
    """SHA-256 of a remote file's bytes, read once through, for a store that keeps no versions."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def check_names(names: Iterable[str], where: str) -> None:
    """Raise InputError for a name that is no UTF-8: no lock, report or JSON could hold it."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            fix = "Rename it."
            raise InputError(f"the name {printable(name)} is not UTF-8", where=where, fix=fix) from None


def printable(name: str) -> str:
    """A name with what is no UTF-8 in it written out."""
    return name.encode("utf-8", "backslashreplace").decode()
