"""What a file is by its first bytes, where its name says text and they say otherwise."""

from __future__ import annotations

import re

from mixwright.ground.errors import InputError
from mixwright.sources.files.data_file import TEXT

LOOKED_AT = 1024  # bytes
RENAME = "Rename it so that it ends in {}."
SIGNS = (
    (re.compile(rb"\x1f\x8b"), "a gzip file", RENAME.format(".gz")),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "a zstd file", RENAME.format(".zst")),
    (re.compile(rb"\xfd7zXZ\x00"), "an xz file", RENAME.format(".xz")),
    (re.compile(rb"BZh[1-9]1AY&SY"), "a bzip2 file", RENAME.format(".bz2")),
    (re.compile(rb"PAR1\x15"), "a Parquet file", RENAME.format(".parquet")),
    (re.compile(rb"ARROW1\0\0|\xff\xff\xff\xff"), "an Arrow file", RENAME.format(".arrow")),
    (re.compile(rb"PK\x03\x04"), "a zip archive or a spreadsheet", "Unpack it, or save its rows as .csv."),
    (re.compile(rb"%PDF-"), "a PDF", "Take its text out of it."),
    (re.compile(rb"version https://git-lfs"), "a pointer of Git LFS, not the file", "Fetch it with 'git lfs pull'."),
)
PAGE = re.compile(rb"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)


def check_beginning(beginning: bytes, kind: str, where: str) -> None:
    """Raise InputError for the first bytes of a file that is no text, or none in UTF-8. kind: what its name says."""
    for sign, what, fix in SIGNS:
        if sign.match(beginning):
            raise InputError(f"this is {what}, whatever its name says", where=where, fix=fix)
    if kind not in TEXT and PAGE.match(beginning):
        fix = "It may say why the file was not given: open it."
        raise InputError("this is a web page, whatever its name says", where=where, fix=fix)
    if _is_utf16(beginning[:LOOKED_AT]):
        raise InputError("this looks like UTF-16", where=f"{where}:1", fix="Save it as UTF-8.")


def _is_utf16(beginning: bytes) -> bool:
    """By its mark; or by what every second byte of Latin letters is there."""
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    shares = sorted(half.count(0) / max(len(half), 1) for half in (beginning[::2], beginning[1::2]))
    return shares[0] < 0.1 and shares[1] > 0.7
