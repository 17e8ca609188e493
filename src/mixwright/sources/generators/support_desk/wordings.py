"""Wordings written down briefly: `a (b / c) d | e` stands for "a b d", "a c d" and "e".

Requests and conditions are lists of wordings, one list for train and one for test. The lists are explicit
because a reader should see what a test asks; the price is that the author must keep them apart, which a test
checks on generated text.
"""

import re
from itertools import product
from typing import NamedTuple, TypeAlias, TypeVar

from mixwright.sources.generators.interface import Split

_Wording = TypeVar("_Wording")
Sides: TypeAlias = dict[Split, tuple[_Wording, ...]]


class Request(NamedTuple):
    """The core of a message. `kind` says which openings can precede it: `act` ("I want to ..."), `fact` ("I am
    writing because ...") or `ask` ("can you tell me ...").
    """

    kind: str
    text: str


def requests(**listed_by_kind: str) -> tuple[Request, ...]:
    """The wordings of one intent on one side."""
    return tuple(Request(kind, text) for kind, listed in listed_by_kind.items() for text in wordings(listed))


def wordings(listed: str) -> tuple[str, ...]:
    """Every wording that `listed` stands for, in order; `|` parts patterns, `(x / y)` gives a choice in one."""
    return tuple(wording for pattern in listed.split("|") for wording in _expanded(pattern.strip()))


def _expanded(pattern: str) -> list[str]:
    fixed_and_choices = re.split(r"\(([^)]*)\)", pattern)
    pieces = [
        [choice.strip() for choice in piece.split("/")] if place % 2 else [piece]
        for place, piece in enumerate(fixed_and_choices)
    ]
    return ["".join(chosen) for chosen in product(*pieces)]
