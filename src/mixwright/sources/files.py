"""Which files a recipe's `path` means: files, folders, globs and URLs, always in the same order.

A file lies on this machine (a `Path`) or elsewhere (a `RemoteFile`, read through fsspec while it is needed, never
copied whole). Both are told apart by content: a local file by its SHA-256, a remote one by what its store calls its
version (ETag, checksum, blob id), so that the lock knows when it has changed without reading it.
"""

from __future__ import annotations

import contextlib
import glob
import gzip
import hashlib
import io
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeAlias, cast

from mixwright.ground.errors import InputError

TEXT = (".txt", ".md", ".markdown", ".rst")
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".feather", *TEXT)
COMPRESSIONS = (".gz", ".zst")
WHOLE = (".parquet", ".arrow", ".feather")  # compressed inside, read by seeking
NOT_DATA = {"dataset_info.json", "dataset_dict.json", "dataset_infos.json", "state.json"}  # beside saved data sets
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "http": "http", "https": "http"}
VERSION_KEYS = ("ETag", "etag", "md5Hash", "blob_id", "generation", "checksum")

for library in ("gcsfs", "fsspec.prefetcher"):  # they log, with a traceback, what they raise as well
    logging.getLogger(library).setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class RemoteFile:
    """A file behind a URL. size: in bytes, None where the store does not say. version: its store's mark of its content;
    empty where there is none."""

    url: str
    size: int | None = None
    version: str = ""

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    def open(self, mode: str) -> IO[bytes]:
        """Raises InputError when the store does not answer or refuses, now or while it is read."""
        with reached(self.url, self.url):
            system, path = _system(self.url, self.url)
            return cast(IO[bytes], _Reached(self.url, system.open(path, mode)))

    def __str__(self) -> str:
        return self.url


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


DataFile: TypeAlias = Path | RemoteFile


def is_url(path: str) -> bool:
    return "://" in path


def kind_of(file: DataFile | PurePosixPath) -> str | None:
    """The suffix that says what a file holds, through `.gz` and `.zst`; None when the name says nothing known."""
    name = PurePosixPath(file.name)
    packed = name.suffix in COMPRESSIONS
    suffix = PurePosixPath(name.stem).suffix if packed else name.suffix
    return suffix if suffix in SUFFIXES and not (packed and suffix in WHOLE) else None


def find_files(path: str | Sequence[str], where: str, project: Path | None = None) -> list[DataFile]:
    """The files of a path, sorted within each glob or folder. where: the recipe path for messages.

    project: where given, a link that leads out of it is refused, unless it stays in the folder that the path names.
    Raises InputError when a path does not exist, matches nothing, is of an unknown kind, is a folder of several kinds,
    or cannot be reached.
    """
    found: dict[str, DataFile] = {}  # by real path: a link inside a ** would count its rows again
    for pattern in (path,) if isinstance(path, str) else path:
        matches: Sequence[DataFile] = _remote(pattern, where) if is_url(pattern) else _local(pattern, where)
        if project is not None and not is_url(pattern):
            _check_links(matches, pattern, project, where)
        for match in matches:
            if kind_of(match) is None:
                raise InputError(
                    f"{match} is of no kind that can be read",
                    where=where,
                    fix=f"Known: {', '.join(SUFFIXES)}; all but {', '.join(WHOLE)} also compressed as .gz or .zst.",
                )
            found.setdefault(str(match.resolve() if isinstance(match, Path) else match), match)
    if not found:
        fix = "Name a file, or a pattern such as data/*.jsonl."
        raise InputError("the list of files is empty", where=where, fix=fix)
    return list(found.values())


def _local(pattern: str, where: str) -> list[Path]:
    if os.path.isdir(pattern):  # os.path: no exception for a name that no file system can hold
        return _in_folder(Path(pattern), where)
    if glob.has_magic(pattern) and not os.path.exists(pattern):
        matches = sorted(Path(name) for name in glob.glob(pattern, recursive=True) if _is_file(name, where))
        if not matches:
            raise InputError(f"no file matches {pattern}", where=where, fix=_nearest(Path(pattern)))
        return matches
    is_file = _is_file(pattern, where)
    if not os.path.exists(pattern):
        raise InputError(f"there is no file {pattern}", where=where, fix=_nearest(Path(pattern)))
    if not is_file:
        fix = "It is read more than once: write its content into a file."
        raise InputError(f"{pattern} is a pipe or device, not a regular file", where=where, fix=fix)
    return [Path(pattern)]


def _is_file(path: str | Path, where: str) -> bool:
    if os.path.islink(path) and not os.path.exists(os.path.realpath(path)):
        fix = "Mend the link, or name the file itself."
        raise InputError(f"{path} is a link that leads nowhere", where=where, fix=fix)
    return os.path.isfile(path)


def _in_folder(folder: Path, where: str) -> list[Path]:
    """All files of a folder and those below it, hidden ones aside. They must be of one kind: notes beside the data are
    not guessed to be data."""
    files = sorted(
        entry for entry in _below(folder) if kind_of(entry) and entry.name not in NOT_DATA and _is_file(entry, where)
    )
    kinds = Counter(kind_of(file) for file in files)
    if len(kinds) > 1:
        listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        fix = f"Write {folder}/**/*{kinds.most_common(1)[0][0]} for the files of one kind."
        raise InputError(f"the folder {folder} holds several kinds of files ({listed})", where=where, fix=fix)
    if not files:
        fix = f"Readable are {', '.join(SUFFIXES)}."
        raise InputError(f"the folder {folder} holds no file that can be read", where=where, fix=fix)
    return files


def _below(folder: Path) -> Iterator[Path]:
    """What is in a folder and those below it, through links, each folder once."""
    seen: set[str] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        folders[:] = [] if real in seen else sorted(name for name in folders if not name.startswith("."))
        names = [] if real in seen else names
        seen.add(real)
        yield from (Path(here, name) for name in names if not name.startswith("."))


def _check_links(files: Sequence[DataFile], pattern: str, project: Path, where: str) -> None:
    """Raise InputError for a link out of the project and of the folder, before its first wildcard, of the pattern."""
    named = pattern
    while glob.has_magic(named) and not os.path.exists(named):
        named = os.path.dirname(named)
    folder = Path(os.path.realpath(named))
    for file in files:
        real = Path(os.path.realpath(str(file)))
        if not (real.is_relative_to(project) or real.is_relative_to(folder)):
            left = f"project {project}" if folder.is_relative_to(project) else f"folder {folder}"
            how = "is" if os.path.islink(str(file)) else "lies behind"
            fix = f"Copy it there, or name {real} itself."
            raise InputError(f"{file} {how} a link that leads out of the {left}", where=where, fix=fix)


def _nearest(path: Path) -> str:
    folder = path.parent
    if not os.path.isdir(folder):
        while not os.path.isdir(folder) and folder != folder.parent:
            folder = folder.parent
        return f"The folder {path.parent} does not exist; {folder} does."
    names = sorted(entry.name for entry in folder.iterdir() if kind_of(entry))
    if not names:
        return f"The folder {folder} holds no file that can be read ({', '.join(SUFFIXES)})."
    return f"The folder holds: {', '.join(names[:8])}."


def _remote(url: str, where: str) -> list[RemoteFile]:
    with reached(url, where):
        system, path = _system(url, where)
        system.invalidate_cache()  # what it was asked before may have changed since
        if glob.has_magic(path):
            entries = system.glob(path, detail=True)
        elif system.isdir(path):
            entries = system.find(path, detail=True)
            entries = {name: about for name, about in entries.items() if kind_of(PurePosixPath(name))}
        else:
            entries = {path: system.info(path)}
        files = [
            RemoteFile(system.unstrip_protocol(name), about.get("size"), version_of(about))
            for name, about in sorted(entries.items())
            if about.get("type") != "directory"
        ]
    if not files:
        raise InputError(f"no file matches {url}", where=where, fix="Check the bucket, the name and the pattern.")
    return files


def version_of(about: dict[str, Any]) -> str:
    """What a store's entry for a file says of its content; empty when it says nothing that is kept."""
    lfs = about.get("lfs")
    if lfs is not None:  # of a Hugging Face repository: the SHA-256 of a large file
        return str(lfs["sha256"] if isinstance(lfs, dict) else lfs.sha256)
    return next((str(about[key]).strip('"') for key in VERSION_KEYS if about.get(key)), "")


def _system(url: str, where: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it. Raises InputError when the library for it is missing."""
    from fsspec.core import url_to_fs

    scheme = url.partition("://")[0]
    try:
        return url_to_fs(url)  # type: ignore[no-any-return]
    except ImportError:
        extra = EXTRAS.get(scheme)
        fix = f"pip install 'mixwright[{extra}]'" if extra else "Install the fsspec implementation that serves it."
        raise InputError(f"reading {scheme}:// needs a library that is not installed", where=where, fix=fix) from None
    except ValueError as error:
        fix = "Known are s3://, gs://, hf://, https:// and whatever else fsspec knows."
        raise InputError(f"{scheme}:// is not understood ({error})", where=where, fix=fix) from None


@contextlib.contextmanager
def reached(url: str, where: str) -> Iterator[None]:
    """What a remote store raises, as bad input: every library has exceptions of its own, so any is caught."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        fix = "Check the bucket, the name and the pattern."
        raise InputError(f"there is no file {url}", where=where, fix=fix) from None
    except Exception as error:
        if _is_refusal(error):
            fix = "Check the credentials in the environment (for S3 AWS_*, for GCS GOOGLE_APPLICATION_CREDENTIALS)."
            raise InputError(f"{url} may not be read ({_brief(error)})", where=where, fix=fix) from None
        fix = "Check the address and the network (for S3 also AWS_ENDPOINT_URL), and give the same command again."
        raise InputError(f"{url} cannot be reached ({_brief(error)})", where=where, fix=fix) from None


def _is_refusal(error: Exception) -> bool:
    status = getattr(error, "status", getattr(error, "code", None))  # of HTTP, as aiohttp and gcsfs tell it
    said = str(error).lower()
    return isinstance(error, PermissionError) or status in (401, 403) or "credentials" in said or "forbidden" in said


def _brief(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__


@contextlib.contextmanager
def opened(file: DataFile) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked. Raises OSError as `open` does, InputError for a remote one."""
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(file.open("rb"))
        if isinstance(file, RemoteFile):  # whose own lines have no limit
            raw = cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, raw), 1 << 20))
        if file.name.endswith(".gz"):
            yield cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=raw)))
        elif file.name.endswith(".zst"):
            import pyarrow as pa

            yield stack.enter_context(io.BufferedReader(pa.CompressedInputStream(raw, "zstd"), 1 << 20))
        else:
            yield raw


def content_digest(file: RemoteFile) -> str:
    """SHA-256 of a remote file's bytes, read once through, for a store that keeps no versions."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
