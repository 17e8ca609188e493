"""Which of several files are the data: those of one kind, without what lies beside saved data sets.

What is left out is told, not passed over, and where there are several kinds the patterns for each are said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from mixwright.ground.errors import InputError
from mixwright.sources.files.data_file import ALIKE, SUFFIXES, TEXT, DataFile, ending_of, kind_of

SAVED = {"dataset_info.json", "dataset_dict.json", "dataset_infos.json", "state.json"}  # part of a saved data set
BESIDE = {"config.json", "requirements.txt", "license.txt"}  # no data under any name like theirs
ABOUT = re.compile(  # names of texts about what they lie beside
    r"(README|SOURCE|LICEN[CS]E|NOTICE|TERMS|CITATION|AUTHORS|CREDITS|CHANGELOG|CONTRIBUTING|DATASHEET)[^A-Za-z]"
)
LISTED = 4  # names that a note tells


class Found(NamedTuple):
    """files: in their order. notes: what somebody who reads them should know of their choice, a sentence each."""

    files: list[DataFile]
    notes: list[str]


class Choice(NamedTuple):
    """chosen: paths of data, of one form. left_out: paths of what else there is and may have been meant."""

    chosen: list[str]
    left_out: list[str]


def is_data(path: str) -> bool:
    """Whether a name is that of data; of no file that every data set may have beside it."""
    name = PurePosixPath(path)
    return kind_of(name) is not None and name.name.lower() not in SAVED | BESIDE


def chosen(paths: Sequence[str], what: str, root: str, where: str) -> Choice:
    """The data among the files of a folder. what: it, for messages. root: what patterns for it begin with.

    Texts like README.md are no data beside files of other forms. Raises InputError when there is none, or files of
    several forms: what other texts are is not guessed.
    """
    data = [path for path in paths if is_data(path)]
    kinds = {_form_of(path) for path in data if not _is_about(path)}
    data = [path for path in data if not _is_about(path) or not kinds or _form_of(path) in kinds]
    read = {*data}
    left_out = [path for path in paths if path not in read and PurePosixPath(path).name not in SAVED]
    if not data:
        here = f"; here are {listed(left_out)}" if left_out else ""
        message = f"{what} holds no file that can be read"
        raise InputError(message, where=where, fix=f"Readable are {', '.join(SUFFIXES)}{here}.")
    check_one_kind(data, what, root, where)
    return Choice(data, left_out)


def _is_about(path: str) -> bool:
    return kind_of(PurePosixPath(path)) in TEXT and ABOUT.match(PurePosixPath(path).name) is not None


def _form_of(path: str) -> str:
    kind = str(kind_of(PurePosixPath(path)))
    return ALIKE.get(kind, kind)


def check_one_kind(paths: Sequence[str], what: str, root: str, where: str) -> None:
    """Raise InputError for files of several forms."""
    kinds = Counter(kind_of(PurePosixPath(path)) for path in paths)
    if len({ALIKE.get(str(kind), kind) for kind in kinds}) > 1:
        found = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        fix = f"Write {_patterns(paths, root)} for the files of one kind."
        raise InputError(f"{what} holds several kinds of files ({found})", where=where, fix=fix)


def _patterns(paths: Sequence[str], root: str) -> str:
    """Patterns for the kind that most files are of; for each where several are as common. Text is the data only where
    there is nothing else."""
    kinds = [str(kind_of(PurePosixPath(path))) for path in paths]
    counts = Counter(ALIKE.get(kind, kind) for kind in kinds)
    likely = {kind: count for kind, count in counts.items() if kind not in TEXT} or counts
    most = [kind for kind, count in likely.items() if count == max(likely.values())]
    said = []
    for one in sorted(most, key=SUFFIXES.index):
        of_kind = (path for path, kind in zip(paths, kinds, strict=True) if ALIKE.get(kind, kind) == one)
        endings = sorted({ending_of(PurePosixPath(path)) for path in of_kind})
        patterns = [f"{root}/**/*{ending}" for ending in endings]
        said.append(patterns[0] if len(patterns) == 1 else f"[{', '.join(patterns)}]")
    return " or ".join(said)


def listed(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
