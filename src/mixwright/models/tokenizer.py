"""Conversations to token ids with a loss mask, for any chat template.

The mask must cover exactly what the model will have to write. It is found from the text: the conversation is
rendered up to each assistant turn (with the generation prompt) and through it, and what lies between the two is the
answer, closing token included. Rendering must therefore grow turn by turn; a template that rewrites earlier turns (some
drop old reasoning) is refused for conversations where it does so, because no mask would be right. The whole text is
tokenized once and character offsets carry the mask over to tokens, so tokenization is the one the model sees at
inference. An answer with `weight: 0` stands in the text, and not in the mask.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from mixwright.ground.errors import InputError
from mixwright.items.conversation import Message

Tools: TypeAlias = "Sequence[Mapping[str, Any]] | None"
REASONING_KEYS = ("reasoning_content", "thinking", "reasoning")
_EVERYTHING = 1 << 60  # beyond the end of any text


class Encoded(NamedTuple):
    """ids: int32 (num_tokens,). loss: bool (num_tokens,), true where the token is to be learnt."""

    ids: npt.NDArray[np.int32]
    loss: npt.NDArray[np.bool_]


class Answer(NamedTuple):
    """An answer where it is given. prompt: the ids before it. ids: its own, closing token included."""

    prompt: list[int]
    ids: list[int]


class ChatTokenizer:
    """A tokenizer with its chat template."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoTokenizer

        try:
            self.inner: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        except Exception as error:  # whatever a broken tokenizer file raises
            fix = "Save the tokenizer into the folder again."
            raise InputError(f"the tokenizer cannot be loaded ({error})", where=str(folder), fix=fix) from None
        if not self.inner.is_fast:
            raise InputError("a fast tokenizer (tokenizer.json) is needed", where=str(folder))

    @property
    def vocabulary_size(self) -> int:
        return len(self.inner)

    @property
    def pad_id(self) -> int:
        """The padding token, or the end token where there is none: padding is masked everywhere."""
        pad, end = self.inner.pad_token_id, self.inner.eos_token_id
        return int(pad if pad is not None else end if end is not None else self.closing_id)

    @property
    def start_id(self) -> int:
        """The token with which texts begin: the tokenizer's own, or the one that ends the text before (GPT-2's way).

        Raises InputError when there is neither.
        """
        begin, end = self.inner.bos_token_id, self.inner.eos_token_id
        if begin is None and end is None:
            fix = "Name a bos_token in tokenizer_config.json."
            raise InputError("the tokenizer has no token with which a text begins", where="base.model", fix=fix)
        return int(end if begin is None else begin)

    @cached_property
    def closing_id(self) -> int:
        """The token with which the template closes an answer: what a trained model writes to stop.

        It need not be the tokenizer's end token (ChatML closes with another). Raises InputError when the template
        closes answers with no token of their own: a model could then never learn to stop.
        """
        ends = set()
        for answer in ("yes", "a longer answer"):
            probe = [{"role": "user", "content": "?"}, {"role": "assistant", "content": answer}]
            (encoded,) = self.encode([probe], loss="assistant")
            if isinstance(encoded, ValueError):
                fix = "Mend the chat template in the model's folder."
                raise InputError(f"the chat template cannot be used: {encoded}", where="base.model", fix=fix)
            ends.add(int(encoded.ids[encoded.loss][-1]))
        if len(ends) > 1 or not ends <= self.special_ids:
            fix = "Close assistant turns with a special token, such as the tokenizer's end token."
            raise InputError("the chat template does not close an answer", where="base.model", fix=fix)
        return ends.pop()

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """The tokens that are no text: those marked special, and added ones with which the chat template frames turns.

        Other added tokens are words like any other. Raises ValueError when the template refuses a plain exchange.
        """
        exchange = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        framing = {*self.ids(self.render(exchange, answer_next=False)), *self.prompt_ids(exchange[:1])}
        return frozenset((*self.inner.all_special_ids, *(framing & {*self.inner.get_added_vocab().values()})))

    def render(self, messages: Sequence[Message], *, answer_next: bool, tools: Tools = None) -> str:
        """The conversation as text.

        tools: definitions of what it may call. Raises ValueError when the template refuses it, or has no place for
        something in it: what is left out in silence would be learnt wrong.
        """
        messages = [_without_weight(message) for message in messages]
        messages, tools = self._as_written(messages, tools), list(tools) if tools else None
        try:
            text = self.inner.apply_chat_template(
                messages, tools=tools, tokenize=False, add_generation_prompt=answer_next
            )
        except Exception as error:  # whatever the code in a template raises
            raise ValueError(f"the chat template refuses this conversation ({error})") from None
        return str(text)

    def _as_written(self, messages: Sequence[Message], tools: Tools) -> list[Message]:
        """The messages as this template wants them: reasoning under its own key, arguments as text or as objects."""
        called = any(message.get("tool_calls") for message in messages)
        reasoned = any(message.get("reasoning_content") for message in messages)
        if not (called or reasoned or tools):
            return list(messages)
        template = str(self.inner.get_chat_template(tools=list(tools) if tools else None))
        for present, word, what in (
            (bool(tools), "tools", "definitions of tools"),
            (called, "tool_calls", "calls of tools"),
        ):
            if present and word not in template:
                raise ValueError(f"the chat template has no place for {what}")
        if reasoned:
            key = next((key for key in REASONING_KEYS if key in template), None)
            if key is None:
                raise ValueError("the chat template has no place for reasoning; set the source's 'reasoning: drop'")
            messages = [_renamed(message, "reasoning_content", key) for message in messages]
        if called and not self._writes_arguments_as_given:
            messages = [_with_parsed_arguments(message) for message in messages]
        return list(messages)

    @cached_property
    def _writes_arguments_as_given(self) -> bool:
        """Whether arguments that are text come out as that text; other templates encode it once more."""
        arguments = '{"a":  1}'
        call = {"id": "call00000", "type": "function", "function": {"name": "f", "arguments": arguments}}
        probe = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "", "tool_calls": [call]}]
        try:
            return arguments in self.inner.apply_chat_template(probe, tokenize=False)
        except Exception:  # whatever the code in a template raises
            return False

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a prompt, up to where the model writes."""
        return self.ids(self.render(messages, answer_next=True))

    def ids(self, text: str) -> list[int]:
        """Token ids of a rendered text: nothing is added to it."""
        return list(self.inner(text, add_special_tokens=False, verbose=False)["input_ids"])

    def encode_documents(self, texts: Sequence[str], *, whole: Sequence[bool] = ()) -> list[Encoded | ValueError]:
        """Tokens of documents, all but the first of which are learnt, as in pretraining: with the tokens that the
        tokenizer puts around a text, and its end token behind it. whole: false for those that end only here, which are
        learnt without it; empty when all are whole."""
        end = self.inner.eos_token_id
        found: list[Encoded | ValueError] = []
        batch = self.inner(list(texts), verbose=False)["input_ids"]
        for ids, is_whole in zip(batch, whole or [True] * len(texts), strict=True):
            if end is not None and (ids[-1:] == [end]) != is_whole:
                ids = [*ids, end] if is_whole else ids[:-1]
            found.append(Encoded(np.asarray(ids, np.int32), np.arange(len(ids)) > 0))
        return found

    def encode(
        self, conversations: Sequence[Sequence[Message]], *, loss: str, tools: Sequence[Tools] = ()
    ) -> list[Encoded | ValueError]:
        """Tokens and masks of whole conversations; a ValueError in place of one that cannot be encoded.

        tools: what each may call; empty for none of them.
        loss: "assistant" for the assistant's turns, "all" for every token but the first; an end token then closes the
        text, as in pretraining, so that a model also learns when a text is over. Answers with `weight: 0` are not
        learnt either way.
        """
        texts: list[str] = []
        spans: list[list[tuple[int, int]] | ValueError] = []
        for messages, callable_here in zip(conversations, tools or [None] * len(conversations), strict=True):
            try:
                text = self.render(messages, answer_next=False, tools=callable_here)
                spans.append(self._learnt(messages, text, callable_here, loss))
            except ValueError as error:
                text = ""
                spans.append(error)
            end = self.inner.eos_token if loss == "all" and text else None
            texts.append(text if end is None or text.rstrip().endswith(end) else text + end)
        batch = self.inner(texts, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        return [
            span if isinstance(span, ValueError) else _masked(ids, offsets, span)
            for span, ids, offsets in zip(spans, batch["input_ids"], batch["offset_mapping"], strict=True)
        ]

    def pieces(self, encoded: Encoded) -> list[tuple[str, bool]]:
        """The text of a record in pieces, each with whether it is learnt: for people."""
        found: list[tuple[str, bool]] = []
        start = 0
        for end in (*(np.flatnonzero(np.diff(encoded.loss.astype(np.int8))) + 1), len(encoded.ids)):
            if end > start:
                found.append((str(self.inner.decode(encoded.ids[start:end])), bool(encoded.loss[start])))
            start = int(end)
        return found

    def answers(self, prompt: Sequence[Message], texts: Sequence[str]) -> list[Answer]:
        """Each text as the whole answer to a prompt. Raises ValueError where the template refuses or rewrites it.

        The prompt's ids differ between answers only where the tokenizer merges across the boundary.
        """
        start = self.render(prompt, answer_next=True)
        whole = [self.render([*prompt, {"role": "assistant", "content": text}], answer_next=False) for text in texts]
        batch = self.inner(whole, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        prompts: dict[tuple[int, ...], list[int]] = {}  # one list for all answers that share it
        found = []
        for text, ids, offsets in zip(whole, batch["input_ids"], batch["offset_mapping"], strict=True):
            loss = _masked(ids, offsets, [(len(start), len(text.rstrip()))]).loss
            if not text.startswith(start) or not loss.any():
                raise ValueError("the chat template rewrites the prompt once it is answered")
            first = int(loss.argmax())
            before = prompts.setdefault(tuple(ids[:first]), ids[:first])
            found.append(Answer(before, ids[first : first + int(loss.sum())]))
        return found

    def _learnt(self, messages: Sequence[Message], text: str, tools: Tools, loss: str) -> list[tuple[int, int]]:
        """Where in a text stands what is learnt."""
        answers = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
        left_out = [i for i in answers if messages[i].get("weight") == 0]
        if loss == "assistant":
            return self._spans(messages, text, tools, [i for i in answers if i not in left_out])
        spans = self._spans(messages, text, tools, left_out)
        edges = [0, *(edge for span in spans for edge in span), _EVERYTHING]
        return [*zip(edges[::2], edges[1::2], strict=True)]

    def _spans(
        self, messages: Sequence[Message], text: str, tools: Tools, turns: Sequence[int]
    ) -> list[tuple[int, int]]:
        """Where in a text the answers of some turns stand."""
        spans = []
        for i in turns:
            start = self.render(messages[:i], answer_next=True, tools=tools)
            end = self.render(messages[: i + 1], answer_next=False, tools=tools) if i + 1 < len(messages) else text
            if not (text.startswith(start) and text.startswith(end) and len(start) < len(end)):
                raise ValueError("the chat template rewrites earlier turns of this conversation")
            spans.append((len(start), len(end.rstrip())))
        return spans


def _without_weight(message: Message) -> Message:
    return {key: value for key, value in message.items() if key != "weight"} if "weight" in message else message


def _renamed(message: Message, old: str, new: str) -> Message:
    return {new if key == old else key: value for key, value in message.items()}


def _with_parsed_arguments(message: Message) -> Message:
    if not message.get("tool_calls"):
        return message
    calls = []
    for call in message["tool_calls"]:
        function = call.get("function", call)
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except (ValueError, RecursionError):
                raise ValueError("the arguments of a call are no JSON, and the chat template wants an object") from None
        inner = {**function, "arguments": arguments}
        calls.append({**call, "function": inner} if "function" in call else inner)
    return {**message, "tool_calls": calls}


def _masked(ids: list[int], offsets: list[tuple[int, int]], spans: list[tuple[int, int]]) -> Encoded:
    starts = np.fromiter((start for start, _ in offsets), np.int64, len(offsets))
    ends = np.fromiter((end for _, end in offsets), np.int64, len(offsets))
    loss = np.zeros(len(ids), np.bool_)
    for first, last in spans:
        loss |= (starts < last) & ((ends > first) | (starts >= first))  # tokens of blanks may have no width
    if len(loss):
        loss[0] = False  # nothing precedes the first token that could predict it
    return Encoded(np.asarray(ids, np.int32), loss)
