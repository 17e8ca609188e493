"""Scorers: from a raw response to a score and to whether it could be read at all.

*Parse failure is never mixed with a wrong answer*: a model that has been captured by another format fails to parse,
which is another finding than not knowing. A scorer is one decorated function; its name and version are written into
every record, and records of different versions are not compared.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.ground.hashing import text_digest
from mixwright.items.suite import Item, options_fault


class Response(NamedTuple):
    """What a model wrote. finished: it closed its turn within the limit."""

    text: str
    finished: bool


class Score(NamedTuple):
    """value: 0 to 1; 0 whenever the response could not be parsed. parsed: an answer of the asked form was found."""

    value: float
    parsed: bool


ScorerFunction: TypeAlias = Callable[[Response, Item], Score]


@dataclass(frozen=True)
class RegisteredScorer:
    """function: from response to score. fault: what makes an item's target impossible to score, in words, or None."""

    name: str
    version: int
    options: frozenset[str]
    function: ScorerFunction
    fault: Callable[[Item], str | None]

    @property
    def source_digest(self) -> str:
        """Hash of the function's source, so that an edited scorer scores again even under its old version."""
        try:
            return text_digest(inspect.getsource(self.function))
        except OSError:  # defined where there is no file, such as an interactive session
            return text_digest(repr(self.function.__code__.co_code))


SCORERS: dict[str, RegisteredScorer] = {}


def scorer(
    name: str,
    *,
    version: int = 1,
    options: tuple[str, ...] = (),
    fault: Callable[[Item], str | None] = lambda item: None,
) -> Callable[[ScorerFunction], ScorerFunction]:
    """Register a function as the scorer `name`. options: the keys it understands in the recipe. fault: see above."""

    def register(function: ScorerFunction) -> ScorerFunction:
        if name in SCORERS:
            raise ValueError(f"a scorer called '{name}' exists already")
        SCORERS[name] = RegisteredScorer(name, version, frozenset(options), function, fault)
        return function

    return register


COLUMN = re.compile(r"\{[^{}]+\}")  # in place of a list: the column that holds it


def check_scorer(name: str, options: Mapping[str, Any], where: str) -> None:
    """Raise InputError for an unknown scorer, an unknown option or a value it cannot use."""
    if name not in SCORERS:
        raise InputError(f"there is no scorer '{name}'", where=where, fix=did_you_mean(name, SCORERS))
    known = SCORERS[name].options
    for key in options:
        if key not in known:
            raise InputError(f"the scorer '{name}' has no option '{key}'", where=where, fix=did_you_mean(key, known))
    tolerance = options.get("tolerance", 0)
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance < math.inf:
        fix = "Write {numeric: {tolerance: 0.01}}, or leave it out for exact numbers."
        raise InputError(f"tolerance is a number of at least 0, found {tolerance!r}", where=where, fix=fix)
    for key in ("labels", "options"):
        values = options.get(key, ["any"])
        if name == "choice" and isinstance(values, str) and COLUMN.fullmatch(values):
            continue
        if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
            fix = f"Write {{{name}: {{{key}: [first, second]}}}}."
            raise InputError(f"'{key}' is a list of texts, found {values!r}", where=where, fix=fix)
    if name == "choice" and "options" not in options:
        fix = "Write {choice: {options: [red, green]}}."
        raise InputError("the scorer 'choice' needs 'options', the list of answers", where=where, fix=fix)
    if name == "choice" and isinstance(options["options"], list):
        fault = options_fault(options["options"])
        if fault:
            raise InputError(fault, where=where, fix="Give at least two different options.")
    if "regex" in options:
        try:
            re.compile(options["regex"])
        except (re.error, TypeError) as error:
            fix = "Mend the pattern; it must match the whole answer."
            message = f"'{options['regex']}' is no regular expression ({error})"
            raise InputError(message, where=where, fix=fix) from None


def check_targets(items: Iterable[Item]) -> None:
    """Raise InputError for the first item whose target its scorer could never find in an answer."""
    for item in items:
        fault = SCORERS[item.scorer].fault(item)
        if fault:
            raise InputError(
                f"the scorer '{item.scorer}' cannot use the target {item.target[:60]!r}: {fault}",
                where=f"suites.{item.suite}",
                fix="Mend the target of the item, or choose another scorer.",
            )


def score(response: Response, item: Item) -> Score:
    """The score of one response by its item's scorer."""
    return SCORERS[item.scorer].function(response, item)


def _normal(text: str) -> str:
    return " ".join(text.split())


def _no_label(item: Item) -> str | None:
    labels = item.options.get("labels")
    if isinstance(labels, list) and _normal(item.target) not in map(_normal, labels):
        return "it is none of 'labels'"
    return None


@scorer("exact", options=("labels",), fault=_no_label)
def exact(response: Response, item: Item) -> Score:
    """The target and nothing else, blanks aside. With `labels`, only a label counts as an answer."""
    text = _normal(response.text)
    labels = item.options.get("labels")
    readable = text in map(_normal, labels) if isinstance(labels, list) else bool(text)
    parsed = response.finished and readable
    return Score(float(parsed and text == _normal(item.target)), parsed)


def _no_option(item: Item) -> str | None:
    options = item.options["options"]
    return "it is none of 'options'" if isinstance(options, list) and item.target not in options else None


@scorer("choice", options=("options",), fault=_no_option)
def choice(response: Response, item: Item) -> Score:
    """The one option that the response names as a whole word; none or several is no answer."""
    options: list[str] = list(item.options["options"])  # type: ignore[arg-type]
    named = [option for option in options if re.search(rf"(?<!\w){re.escape(option)}(?!\w)", response.text)]
    # an option inside a longer one ("blue" in "dark blue") is not named by it
    named = [option for option in named if not any(option != other and option in other for other in named)]
    if len(named) != 1:
        return Score(0.0, False)
    return Score(float(named[0] == item.target), True)


NUMBER = re.compile(r"(?:(?<![\w.])[-+])?(?:\d[\d,]*(?:\.\d+)?|(?<!\d)\.\d+)(?:[eE][-+]?\d+)?")


def _no_number(item: Item) -> str | None:
    return None if NUMBER.search(item.target) else "it holds no number"


@scorer("numeric", options=("tolerance",), fault=_no_number)
def numeric(response: Response, item: Item) -> Score:
    """The last number of the response against the target, within an absolute `tolerance` (default 0)."""
    found = NUMBER.findall(response.text)
    wanted = NUMBER.findall(item.target)
    if not found or not response.finished:
        return Score(0.0, False)
    value, target = (float(numbers[-1].replace(",", "")) for numbers in (found, wanted))
    tolerance = float(item.options.get("tolerance", 0))  # type: ignore[arg-type]
    return Score(float(math.isfinite(value) and abs(value - target) <= tolerance), True)


def _no_json(item: Item) -> str | None:
    try:
        return None if not item.options.get("json") or json.loads(item.target) is not None else "it is null"
    except ValueError:
        return "it is not JSON"


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)  # 1 and true are equal in Python, not in JSON


@scorer("format", options=("regex", "json"), fault=_no_json)
def format_(response: Response, item: Item) -> Score:
    """The form of an answer. `regex`: the whole response matches; `json: true`: it is JSON equal to the target's.

    Without an option the response must equal the target to the letter, line breaks included, ends trimmed. What is not
    finished has no form yet, even where what stands there would do ("12" of "123" is JSON).
    """
    text = response.text.strip()
    if not response.finished or not text:
        return Score(0.0, False)
    if "regex" in item.options:
        matches = re.fullmatch(str(item.options["regex"]), text) is not None
        return Score(float(matches), matches)
    if item.options.get("json"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return Score(0.0, False)
        return Score(float(_canonical(value) == _canonical(json.loads(item.target))), True)
    return Score(float(text == item.target.strip()), True)
