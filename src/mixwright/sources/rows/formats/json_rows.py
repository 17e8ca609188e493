"""JSON Lines, and JSON that is one value.

orjson reads: several times as fast as the standard library, and as strict as training data wants it (no NaN, no half
characters, no bytes that are not UTF-8). Two things it would change in silence - integers beyond 64 bits, which
it makes floats, and numbers beyond a float - go to the standard library instead, which also words the faults.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import IO, Any, NamedTuple

import orjson

from mixwright.ground.errors import InputError
from mixwright.sources.rows.formats.lines import Line, lines_of, shown
from mixwright.sources.rows.formats.names import name_twice
from mixwright.sources.rows.formats.nested import rows_at, where_rows_lie
from mixwright.sources.rows.formats.row import NOT_UTF8, Row

LARGEST = 1 << 30  # bytes of JSON that is one value
LARGE = float(1 << 63)  # a float beyond it may have been an integer
DEEPEST = 200  # levels of a row; beyond some more, what becomes of it would overflow the stack
TOO_DEEP = f"JSON nested more than {DEEPEST} levels deep"
ONE_A_LINE = "an object that goes on in the next line: JSON Lines hold one in each"
TWICE = "the name '{}' stands twice in one object"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def jsonl_rows(file: IO[bytes], where: str, *, closely: bool = False) -> Iterator[Row]:
    """A row for every line that is not blank. closely: a name that stands twice in one is its note.

    Raises InputError for what is one array.
    """
    lines = lines_of(file)
    first = next(lines, None)
    if first is None:
        return iter(())
    if first.number == 1 and first.raw.removeprefix(BYTE_ORDER_MARK).startswith(b"["):
        lines = _no_array(first, lines, where)
    else:
        lines = chain([first], lines)
    return map(_looked_at if closely else _row, lines)


def _no_array(first: Line, lines: Iterator[Line], where: str) -> Iterator[Line]:
    """All lines, unless they are an array of objects: the first is no value, or the only line."""
    raw = first.raw.removeprefix(BYTE_ORDER_MARK)
    second = next(lines, None)
    try:
        is_array = any(isinstance(entry, dict) for entry in orjson.loads(raw)) and second is None
    except ValueError:
        is_array = raw[1:].lstrip()[:1] in (b"", b"{")
    if is_array:
        fix = "Rename it so that it ends in .json: JSON Lines hold one object in each line."
        raise InputError("the file is one array", where=f"{where}:1", fix=fix)
    return chain([first], [] if second is None else [second], lines)


def _row(line: Line) -> Row:
    if line.fault is not None:
        return Row(line.number, None, line.fault, shown(line.raw))
    raw = line.raw.removeprefix(BYTE_ORDER_MARK) if line.number == 1 else line.raw
    try:
        value = orjson.loads(raw)
        if type(value) is not dict:
            return Row(line.number, None, f"a {type(value).__name__}, not an object", shown(raw))
        if _is_rounded(value):
            value = _exactly(raw)
    except RecursionError:
        return Row(line.number, None, TOO_DEEP, shown(raw))
    except ValueError:
        return _explained(line.number, raw)
    return Row(line.number, value)


def _looked_at(line: Line) -> Row:
    row = _row(line)
    if row.value is None:
        return row
    twice = name_twice(line.raw.removeprefix(BYTE_ORDER_MARK), _survey(row.value).num_names)
    return row if twice is None else row._replace(note=f"{TWICE.format(twice)}; the last is taken")


def _is_rounded(value: dict[str, Any]) -> bool:
    """Whether there is a number in it that may have been an integer beyond 64 bits. Raises RecursionError for more than
    `DEEPEST` levels."""
    found = False
    holders: list[Any] = [value]
    for holder in holders:  # which grows as it is gone through: faster than a function that calls itself
        for entry in holder.values() if type(holder) is dict else holder:
            kind = type(entry)
            if kind is str:
                continue
            if kind is dict or kind is list:
                holders.append(entry)
            elif kind is float and abs(entry) >= LARGE:
                found = True
    if len(holders) > DEEPEST and _survey(value).levels > DEEPEST:
        raise RecursionError
    return found


class _Survey(NamedTuple):
    """levels: of objects and lists. num_names: of all objects. is_rounded: as `_is_rounded` has it."""

    levels: int
    num_names: int
    is_rounded: bool


def _survey(value: Any) -> _Survey:
    levels = num_names = 0
    is_rounded = False
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    while level:
        inner: list[Any] = []
        for holder in level:
            is_object = type(holder) is dict
            num_names += len(holder) if is_object else 0
            for entry in holder.values() if is_object else holder:
                kind = type(entry)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    inner.append(entry)
                elif kind is float and abs(entry) >= LARGE:
                    is_rounded = True
        level = inner
        levels += 1
    return _Survey(levels, num_names, is_rounded)


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
        return Row(number, None, f"{NOT_UTF8} (byte {error.start} of the line)", repr(raw[:500]))
    except UnicodeEncodeError:
        return Row(number, None, "half a character (a lone surrogate \\ud...)", shown(raw))
    except RecursionError:
        return Row(number, None, TOO_DEEP, shown(raw))
    except ValueError as error:
        why = ONE_A_LINE if raw.strip() == b"{" else error
        return Row(number, None, f"not valid JSON ({why})", shown(raw))
    return Row(number, None, f"{TOO_DEEP}, or with a number that no float holds", shown(raw))


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def json_rows(file: IO[bytes], where: str, rows: str | None, *, closely: bool = False) -> Iterator[Row]:
    """The rows of one JSON value; of JSON Lines too, which many call `.json`.

    rows: where they lie, found from the value when None. closely: as for JSON Lines. Raises InputError when it is not
    JSON, too large, or a name stands twice in it.
    """
    raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        fix = "Write it as JSON Lines (.jsonl), an object in each line, which is read in pieces."
        raise InputError(f"JSON that is one value may have {LARGEST >> 20:,} MiB", where=where, fix=fix)
    raw = raw.removeprefix(BYTE_ORDER_MARK)
    if not raw or raw.isspace():
        raise InputError("the file is empty", where=where, fix="Fetch it again, or leave it out.")
    first, _, rest = raw.lstrip().partition(b"\n")
    if first.startswith(b"{") and rest.lstrip().startswith(b"{"):
        lines = (Line(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip())
        yield from expanded(map(_looked_at if closely else _row, lines), rows)
        return
    value, survey, is_good = _value(raw, where)
    twice = name_twice(raw, survey.num_names)
    if twice is not None:
        raise InputError(TWICE.format(twice), where=where, fix="Rename or remove one of the two.")
    for number, (part, found) in enumerate(rows_at(value, where_rows_lie(value, where) if rows is None else rows), 1):
        if isinstance(found, str):
            yield Row(number, None, found, part=part)
            continue
        fault = None if is_good else _fault(found)
        if fault is None:
            yield Row(number, found, part=part)
        else:
            yield Row(number, None, fault, "" if fault is TOO_DEEP else repr(found)[:500], part)


def _fault(value: dict[str, Any]) -> str | None:
    """What is wrong with a row of JSON that is one value."""
    try:
        if _survey(value).levels > DEEPEST:
            return TOO_DEEP
        _check_text(value)
    except ValueError:
        return "NaN, infinity, or half a character"
    return None


def expanded(whole: Iterator[Row], rows: str | None) -> Iterator[Row]:
    """The rows that lie inside each row; the rows themselves when they lie nowhere else."""
    for row in whole:
        if row.value is None or rows is None:
            yield row
            continue
        for part, value in rows_at(row.value, rows):
            if isinstance(value, str):
                yield Row(row.line, None, value, part=part)
            else:
                yield Row(row.line, value, part=part, note=row.note)


def _value(raw: bytes, where: str) -> tuple[Any, _Survey, bool]:
    """The value, what is in it, and whether all that can be learnt, as far as that is known."""
    try:
        value = orjson.loads(raw)
    except ValueError:
        pass
    else:
        survey = _survey(value)
        if not survey.is_rounded:
            return value, survey, survey.levels <= DEEPEST
    try:
        value = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError("the file is not UTF-8", where=f"{where}:{line}", fix="Save it as UTF-8.") from None
    except json.JSONDecodeError as error:
        fix = "Mend it there, or fetch it again."
        raise InputError(f"not valid JSON ({error.msg})", where=f"{where}:{error.lineno}", fix=fix) from None
    except RecursionError:
        raise InputError("JSON nested too deeply", where=where, fix="Flatten it.") from None
    return value, _survey(value), False
