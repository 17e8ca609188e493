"""One function per ability, and a split that follows content instead of chance.

An ability is a function `(rng, split) -> Draft` that invents one question with its gold answer. The registry
turns such functions into a data set of any length:

- **Determinism.** Example `index` of an ability is drawn from a generator seeded by (seed, name, ability,
  split, index), so asking for more records, or for other abilities beside it, changes nothing about it.
- **Train and test never share a prompt.** A draft names its `content`: the operands, the passages, the fact
  with its phrasing. A hash of that content says on which side it lives, for every seed and in every ability
  alike; a draft that falls on the other side is thrown away and drawn again. The price is that one draw in
  five (or four in five, for the test side) is wasted, which costs microseconds; a random split would be free
  and would leak. An ability whose material is written for one side or the other names the `side` instead.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Literal, NamedTuple, TypeAlias, TypeVar

Message: TypeAlias = dict[str, str]
Split: TypeAlias = Literal["train", "test"]
Scorer: TypeAlias = Literal["exact", "numeric", "choice", "format"]

TEST_ONE_IN = 5
_MAX_DRAWS = 1000


class Example(NamedTuple):
    """One conversation whose last message is the gold answer of the assistant.

    `scorer` names how an answer is compared with gold: `exact` (the same text after trimming), `numeric` (the
    same number), `choice` (the same option), `format` (the same text, letter case, line breaks and
    punctuation included). `group` is the unit for clustered errors: examples of one group share a fact, a
    passage set or a template.
    """

    messages: list[Message]
    ability: str
    group: str
    scorer: str


class Draft(NamedTuple):
    """What an ability function returns.

    `content` decides train or test. It must be a function of the prompt: equal prompts have equal content.
    `group` is the content itself unless said. `system` becomes a system message ahead of the prompt, `history`
    the (user, assistant) turns between the two. `side` replaces the hash of the content for drafts made of
    material that is listed by side; it too must be a function of the prompt.
    """

    prompt: str
    answer: str
    content: str
    group: str = ""
    scorer: Scorer = "exact"
    system: str = ""
    history: tuple[tuple[str, str], ...] = ()
    side: Split | None = None


AbilityFunction: TypeAlias = Callable[[Random, Split], Draft]
_Function = TypeVar("_Function", bound=AbilityFunction)
_GENERATORS: dict[str, dict[str, AbilityFunction]] = {}


def register(name: str, ability: str) -> Callable[[_Function], _Function]:
    """Add the decorated function to generator `name` as `ability`; the order of registration is the
    round-robin order.

    Raises ValueError when that ability is already taken by another function.
    """

    def decorate(function: _Function) -> _Function:
        abilities = _GENERATORS.setdefault(name, {})
        if ability in abilities:
            raise ValueError(f"generator {name!r} already has an ability {ability!r}: choose another name")
        abilities[ability] = function
        return function

    return decorate


def generator_names() -> tuple[str, ...]:
    """All registered generators, in order of registration."""
    return tuple(_GENERATORS)


def abilities_of(name: str) -> tuple[str, ...]:
    """The abilities of generator `name`. Raises ValueError for an unknown name, listing what exists."""
    if name not in _GENERATORS:
        raise ValueError(f"unknown generator {name!r}: choose one of {', '.join(_GENERATORS)}")
    return tuple(_GENERATORS[name])


def generate(
    name: str,
    *,
    seed: int,
    num_records: int,
    split: Split,
    abilities: Sequence[str] | None = None,
) -> Iterator[Example]:
    """Yield `num_records` examples, record i from ability i mod k of the k chosen (all of them unless said).

    Raises ValueError at once, before the first example, for an unknown name, ability or split, for an ability
    named twice and for a negative number of records.
    """
    known = abilities_of(name)
    chosen = known if abilities is None else tuple(abilities)
    unknown = [ability for ability in chosen if ability not in known]
    if unknown or not chosen:
        found = ", ".join(map(repr, unknown)) or "an empty list"
        raise ValueError(f"generator {name!r} has no ability {found}: choose from {', '.join(known)}")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"generator {name!r}: an ability is named twice in {list(chosen)}")
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r}: choose train or test")
    if num_records < 0:
        raise ValueError(f"num_records must not be negative, found {num_records}")
    return (
        _example(name, chosen[record % len(chosen)], seed, split, record // len(chosen))
        for record in range(num_records)
    )


def split_of(content: str) -> Split:
    """The side on which `content` lives: about one in `TEST_ONE_IN` is test. Case and punctuation do not
    matter.
    """
    return "test" if _number(f"split:{normalised(content)}") % TEST_ONE_IN == 0 else "train"


def normalised(text: str) -> str:
    """Lower-case words and digits separated by single spaces: the form in which prompts are compared for
    overlap.
    """
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def draw(name: str, rng: Random, split: Split) -> Draft:
    """A draft of this side from any ability of generator `name`: for generators that build on another one."""
    return _draft(name, rng.choice(abilities_of(name)), rng, split)


def _example(name: str, ability: str, seed: int, split: Split, index: int) -> Example:
    draft = _draft(name, ability, Random(_number(f"{seed}:{name}:{ability}:{split}:{index}")), split)
    return Example(_messages(draft), ability, f"{ability}:{_digest(draft.group or draft.content)}", draft.scorer)


def _draft(name: str, ability: str, rng: Random, split: Split) -> Draft:
    function = _GENERATORS[name][ability]
    for _ in range(_MAX_DRAWS):
        draft = function(rng, split)
        if (draft.side or split_of(draft.content)) == split:
            return draft
    raise AssertionError(
        f"{name}/{ability} drew {_MAX_DRAWS} drafts and none was {split}: its content varies too little"
    )


def _messages(draft: Draft) -> list[Message]:
    messages = [{"role": "system", "content": draft.system}] if draft.system else []
    for asked, answered in (*draft.history, (draft.prompt, draft.answer)):
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return messages


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
