"""Conversations that a chat model holds with itself, given the opening of a user's turn and nothing else.

It asks what it was taught to be asked, in about the proportions it was taught; then it answers; and whether a further
question follows, it decides itself, by the token that it writes behind the answer. A conversation is kept up to its
last well-formed answer: every turn closed by its own token within the limit, none of them empty. One without any is
dropped with its reason. Method: Xu et al. 2024, "Magpie".
"""

from __future__ import annotations

from typing import NamedTuple

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import derive_seed
from mixwright.items.conversation import Message
from mixwright.models.handle import ModelHandle, Written
from mixwright.models.tokenizer import ChatTokenizer
from mixwright.sources.replay.replayed import BATCH_SIZE, Draw, Replayed, spelled


class Frame(NamedTuple):
    """The token ids with which a chat template surrounds what is said.

    opening: up to the first user's words. answer: from their end to the answer. again: from the end of an answer to the
    next user's words, empty where no token tells that a user speaks again.
    """

    opening: list[int]
    answer: list[int]
    again: list[int]


def frame_of(tokenizer: ChatTokenizer) -> Frame:
    """The frame of a tokenizer's chat template. Raises InputError when turns are not closed by special tokens."""
    said = ("first question", "first answer", "second question")
    messages = [
        {"role": role, "content": words} for role, words in zip(("user", "assistant", "user"), said, strict=True)
    ]
    try:
        one = tokenizer.render(messages[:1], answer_next=True)
        all_three = tokenizer.render(messages, answer_next=True)
    except ValueError as error:
        raise InputError(str(error), where="base.model") from None
    opening, _, answer = one.partition(said[0])
    again = all_three.partition(said[1])[2].partition(said[2])[0]
    # the blanks around the words are the model's to write: those before belong to the first token of a word
    frame = Frame(*(tokenizer.ids(text.strip(" ")) for text in (opening, answer, again)))
    special = tokenizer.special_ids
    if not frame.opening or not frame.answer or frame.answer[0] not in special:
        fix = "Set replay.opening: start, and it writes documents; or use curated replay."
        raise InputError("the chat template does not mark where a user's turn ends", where="base.model", fix=fix)
    if frame.again[:1] == [tokenizer.closing_id] and any(token in special for token in frame.again[1:]):
        return frame
    return frame._replace(again=[])


class Conversations:
    """Conversations that are drawn together and take the same step at a time; `open` holds the ids of those that go
    on."""

    def __init__(self, draw: Draw, handle: ModelHandle) -> None:
        self.draw, self.handle = draw, handle
        self.frame, self.special = frame_of(handle.tokenizer), handle.tokenizer.special_ids
        self.messages: list[list[Message]] = [[] for _ in range(draw.num)]
        self.faults = [""] * draw.num
        self.open = {i: list(self.frame.opening) for i in range(draw.num)}

    def drawn(self) -> list[Replayed]:
        frame, answer_end = self.frame, self.handle.tokenizer.closing_id
        for turn in range(self.draw.turns):
            if turn:
                self._ask_whether_to_go_on(turn)
            self._say("user", turn, frame.answer[0], frame.answer)
            self._say("assistant", turn, answer_end, [])
            if not frame.again:
                break
        complete = [messages[: len(messages) // 2 * 2] for messages in self.messages]
        return [
            Replayed(messages, "" if messages else fault) for messages, fault in zip(complete, self.faults, strict=True)
        ]

    def _ask_whether_to_go_on(self, turn: int) -> None:
        again = self.frame.again
        speaks = next(place for place, token in enumerate(again) if place and token in self.special)
        self.open = {i: [*ids, *again[:speaks]] for i, ids in self.open.items()}
        written = self._written(f"again {turn}", 1)
        self.open = {i: [*ids, *again[speaks:]] for i, ids in self.open.items() if written[i].end == again[speaks]}

    def _say(self, role: str, turn: int, end: int, then: list[int]) -> None:
        """Everybody says something and goes on, or leaves with what is wrong with it."""
        going_on: dict[int, list[int]] = {}
        for i, written in self._written(f"{role} {turn}", self.draw.max_new_tokens).items():
            text = self.handle.tokenizer.inner.decode(written.ids).strip()
            fault = _fault(written, end, text) or spelled(self.handle.tokenizer, text)
            if fault:
                self.faults[i] = f"the {role}'s turn {turn + 1} {fault}: {text[:80]!r}"
            else:
                self.messages[i].append({"role": role, "content": text})
                going_on[i] = [*self.open[i], *written.ids, *then]
        self.open = going_on

    def _written(self, step: str, limit: int) -> dict[int, Written]:
        context = self.handle.context
        for i in [i for i, ids in self.open.items() if context and len(ids) + limit > context]:
            self.faults[i] = f"{len(self.open.pop(i))} tokens and {limit} more exceed the model's {context}"
        written = self.handle.sample(
            list(self.open.values()),
            max_new_tokens=limit,
            temperature=self.draw.temperature,
            ends=self.special,
            seed=derive_seed(self.draw.seed, step),
            batch_size=BATCH_SIZE,
        )
        return dict(zip(self.open, written, strict=True))


def _fault(written: Written, end: int, text: str) -> str:
    if written.end is None:
        return "is longer than max_new_tokens"
    if written.end != end:
        return "is not closed as the chat template closes it"
    return "" if text else "is empty"
