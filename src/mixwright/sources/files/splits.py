"""What the names of a data set's files say of one another: which split they belong to, and which of them are not there.

A split stands in a name as the hub has it: `train`, `dev` or `eval` as a word of the path. Parts of one table are
called `train-00002-of-00005.parquet`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
PART = re.compile(r"(.*?)-(\d{5,})-of-(\d{5,})(.*)", re.DOTALL)


def split_of(path: str) -> str | None:
    """The split whose name stands between separators in a path; None where none does."""
    words = {*re.split(r"[^a-z]+", path.lower())}
    return next((split for split, names in SPLIT_NAMES.items() if not words.isdisjoint(names)), None)


def gaps(paths: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Tables of which parts are missing: the name that their parts share -> how many there are, and should be."""
    there: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for path in paths:
        part = PART.fullmatch(path)
        if part is not None:
            there[part[1], part[3], part[4]].add(int(part[2]))
    return {
        f"{beginning}-*-of-{whole}{end}": (len(numbers), int(whole))
        for (beginning, whole, end), numbers in there.items()
        if len(numbers) < int(whole)
    }
