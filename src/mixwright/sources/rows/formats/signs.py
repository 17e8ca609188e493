"""What a file is by its first bytes, where its name says one thing and they say another."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from mixwright.ground.errors import InputError
from mixwright.sources.files.data_file import ALIKE, TEXT, DataFile, compression_of, kind_of

LOOKED_AT = 1024  # bytes
SIGNS = (  # of what, and the end of its name, or what to do with it
    (re.compile(rb"\x1f\x8b"), "a gzip file", ".gz"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "a zstd file", ".zst"),
    (re.compile(rb"\xfd7zXZ\x00"), "an xz file", ".xz"),
    (re.compile(rb"BZh[1-9]1AY&SY"), "a bzip2 file", ".bz2"),
    (re.compile(rb"PAR1\x15"), "a Parquet file", ".parquet"),
    (re.compile(rb"ARROW1\0\0|\xff\xff\xff\xff"), "an Arrow file", ".arrow"),
    (re.compile(rb"PK\x03\x04"), "a zip archive or a spreadsheet", "Unpack it, or save its rows as .csv."),
    (re.compile(rb"%PDF-"), "a PDF", "Take its text out of it."),
    (re.compile(rb"version https://git-lfs"), "a pointer of Git LFS, not the file", "Fetch it with 'git lfs pull'."),
)
PAGE = re.compile(rb"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)


def check_beginning(beginning: bytes, kind: str, where: str) -> None:
    """Raise InputError for the first bytes of a file that is no text, or none in UTF-8. kind: what its name says."""
    _check_signs(beginning, kind, where)
    if _is_utf16(beginning[:LOOKED_AT]):
        raise InputError("this looks like UTF-16", where=f"{where}:1", fix="Save it as UTF-8.")


def check_disguise(file: DataFile) -> None:
    """Raise InputError for a file that cannot be read since it is not what the end of its name says."""
    packing = compression_of(file)
    suffix = PurePosixPath(file.name).suffix.lower() if packing else kind_of(file) or ""
    own = next(sign for sign, _, ending in SIGNS if ending == ALIKE.get(suffix, suffix))
    with file.open("rb") as stream:
        beginning = stream.read(LOOKED_AT)
    if own.match(beginning):
        return
    _check_signs(beginning, suffix, str(file))
    if packing:
        fix = "Give it the name of what it is, or fetch it again."
        raise InputError(f"this is no {packing} file, whatever its name says", where=str(file), fix=fix)


def _check_signs(beginning: bytes, kind: str, where: str) -> None:
    for sign, what, then in SIGNS:
        if sign.match(beginning):
            fix = f"Rename it so that it ends in {then}." if then.startswith(".") else then
            raise InputError(f"this is {what}, whatever its name says", where=where, fix=fix)
    if kind not in TEXT and PAGE.match(beginning):
        fix = "It may say why the file was not given: open it."
        raise InputError("this is a web page, whatever its name says", where=where, fix=fix)


def _is_utf16(beginning: bytes) -> bool:
    """By its mark; or by what every second byte of Latin letters is there."""
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    shares = sorted(half.count(0) / max(len(half), 1) for half in (beginning[::2], beginning[1::2]))
    return shares[0] < 0.1 and shares[1] > 0.7
