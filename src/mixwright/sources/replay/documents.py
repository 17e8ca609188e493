"""Documents that a model writes given the token with which texts begin, and nothing else.

For a base model that is what it was trained on, as far as it remembers; a chat model was hardly ever seen to begin so.
A document that reaches the limit is kept as far as it goes: it is learnt without an end, where a whole one is closed.
"""

from __future__ import annotations

from mixwright.ground.hashing import derive_seed
from mixwright.models.handle import ModelHandle, Written
from mixwright.sources.replay.replayed import BATCH_SIZE, Draw, Replayed, spelled


def documents(draw: Draw, handle: ModelHandle) -> list[Replayed]:
    """The documents of one draw. A model's context limits them as `max_new_tokens` does."""
    start = handle.tokenizer.start_id
    limit = min(draw.max_new_tokens, handle.context - 1) if handle.context else draw.max_new_tokens
    written = handle.sample(
        [[start]] * draw.num,
        max_new_tokens=limit,
        temperature=draw.temperature,
        ends=handle.tokenizer.special_ids,
        seed=derive_seed(draw.seed, "document"),
        batch_size=BATCH_SIZE,
    )
    return [_document(each, handle) for each in written]


def _document(written: Written, handle: ModelHandle) -> Replayed:
    tokenizer = handle.tokenizer
    text = tokenizer.inner.decode(written.ids).strip()
    fault = "" if text else "the document is empty"
    if not fault and written.end not in (None, tokenizer.inner.eos_token_id):
        fault = f"the document breaks off with {tokenizer.inner.convert_ids_to_tokens(written.end)}, which ends none"
    if not fault and (found := spelled(tokenizer, text)):
        fault = f"the document {found}: {text[:80]!r}"
    return Replayed([], fault, text=text, whole=written.end is not None)
