"""Conversations out of message trees: rows that are messages, each with the id of what it answers.

The messages of a tree follow one another in the file: one tree is in memory at a time, and the ids of those before. Of
a tree becomes the conversation that its readers liked best: from the first message down, each time the answer of the
lowest rank (none is last, of equals the first in the file), up to the last turn that is not the user's. It is a row at
the line of the first message, `{messages: [{role, content}, ...]}` beside that message's other columns.

Conditions (`where`) are asked of each message before. One that is left out takes along all that answers it; where the
first message of a tree is left out, the tree is. What has no place in its tree - an unknown parent, a circle, a second
beginning, an id that stands there twice - is malformed, with what answers it, and so is a tree that goes on elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mixwright.recipe.selection import Threads
from mixwright.sources.forms.templates import look_up
from mixwright.sources.forms.turns import role_of
from mixwright.sources.rows.formats.row import LEFT_OUT, MALFORMED, Row
from mixwright.sources.rows.selection import Condition, as_number, reason_against

MESSAGES = "messages"
LAST = float("inf")  # the rank of a message without one


@dataclass
class _Message:
    """A message of a tree. fault: why it has no place in it, with the rule; None while it has one."""

    row: Row
    id: str
    parent: str | None
    rank: float = LAST
    fault: tuple[str, str] | None = None
    answers: list[_Message] = field(default_factory=list)
    is_placed: bool = False

    @property
    def column(self) -> Mapping[str, Any]:
        assert self.row.value is not None
        return self.row.value


def threaded(rows: Iterator[Row], threads: Threads, asked: list[Condition], roles: Mapping[str, str]) -> Iterator[Row]:
    """A row for every tree. asked: the conditions on messages. roles: names of roles beyond the usual ones."""
    tree: list[_Message] = []
    current: str | None = None
    began: dict[str, str] = {}  # tree -> its first line
    for row in rows:
        if row.value is None:
            yield row
            continue
        try:
            of = _key(row.value, threads.tree)
            if of is None:
                raise ValueError(f"the column '{threads.tree}' is null")
            message = _message(row, threads, asked)
        except ValueError as error:
            yield row.without_value(str(error))
            continue
        if of != current:
            yield from _conversation(tree, threads, roles)
            tree, current = [], None if of in began else of
        if current is None:
            fault = f"the tree '{of}' began in line {began[of]}, and rows of others came between"
            rule, reason = message.fault or (MALFORMED, fault)
            yield row.without_value(reason, rule)
        else:
            began.setdefault(of, row.place)
            tree.append(message)
    yield from _conversation(tree, threads, roles)


def _key(value: Mapping[str, Any], path: str) -> str | None:
    """An id; None for null, which is an empty cell in CSV."""
    found = look_up(path, value)
    return None if found is None or found == "" else str(found)


def _message(row: Row, threads: Threads, asked: list[Condition]) -> _Message:
    """Raises ValueError for a message whose place cannot be told."""
    assert row.value is not None
    found = _key(row.value, threads.id)
    if found is None:
        raise ValueError(f"the column '{threads.id}' is null")
    message = _Message(row, found, _key(row.value, threads.parent))
    try:
        reason = reason_against(row.value, asked)
        if reason is not None:
            message.fault = (LEFT_OUT, reason)
        for column in (threads.role, threads.text):
            look_up(column, row.value)
        message.rank = _rank(row.value, threads)
    except ValueError as error:
        message.fault = message.fault or (MALFORMED, str(error))
    return message


def _rank(value: Mapping[str, Any], threads: Threads) -> float:
    rank = look_up(threads.rank, value) if threads.rank is not None else None
    if rank is None or rank == "" or rank != rank:
        return LAST
    number = as_number(rank)
    if number is None:
        raise ValueError(f"the column '{threads.rank}' is {rank!r}, no number")
    return number


def _conversation(tree: list[_Message], threads: Threads, roles: Mapping[str, str]) -> Iterator[Row]:
    """The rows of a tree, in the order of the file: its conversation, and every message that has no place."""
    root = _placed(tree)
    for message in tree:
        if message.fault is not None:
            rule, reason = message.fault
            yield message.row.without_value(reason, rule)
        elif message is root:
            yield _best(root, threads, roles, any(other.fault and other.fault[0] == LEFT_OUT for other in tree))


def _placed(tree: list[_Message]) -> _Message | None:
    """The first message of a tree. Every other hangs below what it answers, or has a fault then."""
    by_id: dict[str, _Message] = {}
    for message in tree:
        first = by_id.setdefault(message.id, message)
        if first is not message:
            message.fault = message.fault or (MALFORMED, f"its id '{message.id}' is that of line {first.row.place}")
    root: _Message | None = None
    beginnings = []
    for message in tree:
        parent = by_id.get(message.parent) if message.parent is not None else None
        if parent is not None:
            parent.answers.append(message)
            continue
        beginnings.append(message)
        if message.fault is not None:
            continue
        if message.parent is not None:
            message.fault = (MALFORMED, f"it answers '{message.parent}', which is not in its tree")
        elif root is not None:
            message.fault = (MALFORMED, f"it is a second beginning of its tree; the first is line {root.row.place}")
        else:
            root = message
    _spread(beginnings)
    for message in tree:
        if not message.is_placed:
            message.fault = message.fault or (MALFORMED, "what it answers leads round in a circle")
    return root


def _spread(waiting: list[_Message]) -> None:
    """Down from the beginnings of a tree: what answers a message without a place has none either."""
    while waiting:
        message = waiting.pop()
        message.is_placed = True
        for answer in message.answers:
            if message.fault is not None and answer.fault is None:
                rule = message.fault[0]
                what = "left out" if rule == LEFT_OUT else "malformed"
                answer.fault = (rule, f"it answers line {message.row.place}, which is {what}")
        waiting += message.answers


def _best(root: _Message, threads: Threads, roles: Mapping[str, str], is_pruned: bool) -> Row:
    """The conversation that was liked best. is_pruned: whether conditions took messages out of the tree."""
    path = [root]
    while answers := [answer for answer in path[-1].answers if answer.fault is None]:
        path.append(min(answers, key=lambda answer: answer.rank))  # of equals the first
    while path and role_of(look_up(threads.role, path[-1].column), roles) == "user":
        path.pop()
    if not path:
        reason = "no answer to it is left" if is_pruned else "nothing in its tree answers the user"
        return root.row.without_value(reason, LEFT_OUT if is_pruned else MALFORMED)
    turns = [
        {"role": look_up(threads.role, message.column), "content": look_up(threads.text, message.column)}
        for message in path
    ]
    beside = {name: value for name, value in root.column.items() if name not in (threads.role, threads.text)}
    return Row(root.row.line, {**beside, MESSAGES: turns}, part=root.row.part)
