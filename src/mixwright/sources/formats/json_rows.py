"""JSON Lines, and JSON that is one value.

orjson reads the lines: several times as fast as the standard library, and as strict as training data wants it (no NaN,
no half characters, no bytes that are not UTF-8). Two things it would change in silence - integers beyond 64 bits, which
it makes floats, and numbers beyond a float - go to the standard library instead, which also words the faults.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

import orjson

from mixwright.ground.errors import InputError
from mixwright.sources.formats.lines import Line, lines_of, shown
from mixwright.sources.formats.nested import rows_at, where_rows_lie
from mixwright.sources.formats.row import Row

LARGEST = 1 << 30  # bytes of JSON that is one value
LARGE = float(1 << 63)  # a float beyond it may have been an integer
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def jsonl_rows(file: IO[bytes]) -> Iterator[Row]:
    """A row for every line that is not blank."""
    return map(_row, lines_of(file))


def _row(line: Line) -> Row:
    if line.fault is not None:
        return Row(line.number, None, line.fault, shown(line.raw))
    raw = line.raw.removeprefix(BYTE_ORDER_MARK) if line.number == 1 else line.raw
    try:
        value = orjson.loads(raw)
        if _is_rounded(value):
            value = _exactly(raw)
    except ValueError:
        return _explained(line.number, raw)
    if isinstance(value, dict):
        return Row(line.number, value)
    return Row(line.number, None, f"a {type(value).__name__}, not an object", shown(raw))


def _is_rounded(value: Any) -> bool:
    """Whether there is a number in it that may have been an integer beyond 64 bits."""
    kind = type(value)
    if kind is float:
        return bool(abs(value) >= LARGE)
    if kind is not dict and kind is not list:
        return False
    for entry in value.values() if kind is dict else value:  # noqa: SIM110 - twice as fast as any()
        if type(entry) is not str and _is_rounded(entry):
            return True
    return False


def _exactly(raw: bytes) -> Any:
    value = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    _check_text(value)
    return value


def _check_text(value: Any) -> None:
    """Raise ValueError for what can be written and no text can hold: half characters, NaN, infinity."""
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _explained(number: int, raw: bytes) -> Row:
    """The row that orjson refused, with the fault in words."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
        _check_text(value)
    except UnicodeDecodeError as error:
        return Row(number, None, f"not UTF-8 (byte {error.start} of the line)", repr(raw[:500]))
    except UnicodeEncodeError:
        return Row(number, None, "half a character (a lone surrogate \\ud...)", shown(raw))
    except (ValueError, RecursionError) as error:
        array = "; the file is one array, JSONL holds one object in each line" if raw.strip() == b"[" else ""
        return Row(number, None, f"not valid JSON ({error}){array}", shown(raw))
    return Row(number, None, "nested too deeply, or with a number that no float holds", shown(raw))


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def json_rows(file: IO[bytes], where: str, rows: str | None) -> Iterator[Row]:
    """The rows of one JSON value; of JSON Lines too, which many call `.json`.

    rows: where they lie, found from the value when None. Raises InputError when it is not JSON, or too large.
    """
    raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        fix = "Write it as JSON Lines (.jsonl), an object in each line, which is read in pieces."
        raise InputError(f"JSON that is one value may have {LARGEST >> 20:,} MiB", where=where, fix=fix)
    raw = raw.removeprefix(BYTE_ORDER_MARK)
    first, _, rest = raw.lstrip().partition(b"\n")
    if first.startswith(b"{") and rest.lstrip().startswith(b"{"):
        lines = (Line(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip())
        yield from expanded(map(_row, lines), rows)
        return
    value = _value(raw, where)
    is_plain = not any(sign in raw for sign in (b"NaN", b"Infinity", b"\\u"))
    for number, (part, found) in enumerate(rows_at(value, where_rows_lie(value) if rows is None else rows), 1):
        if isinstance(found, str):
            yield Row(number, None, found, part=part)
        elif is_plain or _is_text(found):
            yield Row(number, found, part=part)
        else:
            yield Row(number, None, "NaN, infinity, or half a character", repr(found)[:500], part)


def expanded(whole: Iterator[Row], rows: str | None) -> Iterator[Row]:
    """The rows that lie inside each row; the rows themselves when they lie nowhere else."""
    for row in whole:
        if row.value is None or rows is None:
            yield row
            continue
        for part, value in rows_at(row.value, rows):
            yield Row(row.line, None, value, part=part) if isinstance(value, str) else Row(row.line, value, part=part)


def _value(raw: bytes, where: str) -> Any:
    try:
        return json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError("the file is not UTF-8", where=f"{where}:{line}", fix="Save it as UTF-8.") from None
    except json.JSONDecodeError as error:
        fix = "Mend it there, or fetch it again."
        raise InputError(f"not valid JSON ({error.msg})", where=f"{where}:{error.lineno}", fix=fix) from None
    except RecursionError:
        raise InputError("JSON nested too deeply", where=where, fix="Flatten it.") from None


def _is_text(value: Any) -> bool:
    try:
        _check_text(value)
    except ValueError:
        return False
    return True
