"""The respond stage: one model answers every item of every suite. What it wrote is kept as it came.

Of an item whose options are weighed nothing is written: its response is the most probable option, and the
log-probability of every option is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json, text_digest
from mixwright.items.suite import Item, read_items
from mixwright.models.handle import Generation, ModelHandle
from mixwright.models.options import option_log_probabilities
from mixwright.models.tokenizer import Answer, ChatTokenizer


def respond(
    arm: str, model: Path, suites: Sequence[Path], *, device: str, precision: str, batch_size: int, out: Path
) -> Mapping[str, Json]:
    """Write `responses.parquet`: item_id, suite, prompt_sha (of the rendered tokens), response, finished, num_tokens,
    log_probabilities (of the options, natural logarithm; null where the model wrote).

    Raises InputError when the chat template refuses a prompt, the model's context is too short for one, or two options
    are the same tokens.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    handle = ModelHandle(model, device=device, precision=precision)
    items = [item for folder in suites for item in read_items(folder)]
    asked = [_question(handle.tokenizer, item, handle.context) for item in items]
    answers: dict[int, Generation] = {}
    weighed = [i for i, question in enumerate(asked) if question.options]
    log_probabilities: dict[int, list[float]] = {}
    if weighed:
        options = [asked[i].options for i in weighed]
        found = option_log_probabilities(handle, options, batch_size=batch_size, label=f"evaluate {arm} (options)")
        log_probabilities.update(zip(weighed, found, strict=True))
        answers.update((i, _most_probable(items[i], asked[i].options, log_probabilities[i])) for i in weighed)
    written = [i for i, question in enumerate(asked) if not question.options]
    if written:
        generated = handle.generate(
            [asked[i].prompt for i in written],
            max_new_tokens=[items[i].max_new_tokens for i in written],
            batch_size=batch_size,
            label=f"evaluate {arm}",
        )
        answers.update(zip(written, generated, strict=True))
    ordered = [answers[i] for i in range(len(items))]
    table = pa.table(
        {
            "item_id": [item.item_id for item in items],
            "suite": [item.suite for item in items],
            "prompt_sha": [text_digest(" ".join(map(str, prompt))) for prompt, _ in asked],
            "response": [answer.text for answer in ordered],
            "finished": [answer.finished for answer in ordered],
            "num_tokens": [answer.num_tokens for answer in ordered],
            "log_probabilities": pa.array(map(log_probabilities.get, range(len(items))), pa.list_(pa.float64())),
        }
    )
    pq.write_table(table, out / "responses.parquet", compression="zstd")
    return {"items": len(items), "unfinished": sum(not answer.finished for answer in ordered)}


class Question(NamedTuple):
    """An item in tokens. options: empty where the model writes."""

    prompt: list[int]
    options: list[Answer]


def _question(tokenizer: ChatTokenizer, item: Item, context: int | None) -> Question:
    where = f"suites.{item.suite} (item {item.item_id})"
    try:
        prompt = tokenizer.prompt_ids(item.prompt)
        options = tokenizer.answers(item.prompt, _texts(item)) if item.normalise is not None else []
    except ValueError as error:
        raise InputError(str(error), where=where) from None
    known: dict[tuple[int, ...], str] = {}
    for text, answer in zip(_texts(item) if options else [], options, strict=True):
        same = known.setdefault((*answer.prompt, *answer.ids), text)
        if same != text:  # neither could ever be more probable
            fix = "Give options that differ after the chat template has rendered them."
            raise InputError(f"the options {same!r} and {text!r} are the same tokens", where=where, fix=fix)
    longest = max((len(answer.prompt) + len(answer.ids) for answer in options), default=len(prompt))
    if context and longest + item.max_new_tokens > context:
        end, fix = f"{item.max_new_tokens} new ones", "Lower max_new_tokens of the suite, or leave such items out."
        if options:
            end, fix = "the longest of its options", "Leave such items out."
        raise InputError(
            f"a prompt of {len(prompt)} tokens and {end} exceed the model's {context}", where=where, fix=fix
        )
    return Question(prompt, options)


def _texts(item: Item) -> list[str]:
    return list(item.options["options"])  # type: ignore[arg-type]


def _most_probable(item: Item, answers: Sequence[Answer], log_probabilities: Sequence[float]) -> Generation:
    """The option with the highest log-probability, divided as the item says; of equals the first."""
    texts = _texts(item)
    lengths = {
        "none": [1] * len(texts),
        "tokens": [len(answer.ids) for answer in answers],
        "characters": [len(text) for text in texts],
    }[str(item.normalise)]
    best = max(range(len(texts)), key=lambda n: log_probabilities[n] / lengths[n])
    return Generation(texts[best], True, len(answers[best].ids))
