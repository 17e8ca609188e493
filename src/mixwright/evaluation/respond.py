"""The respond stage: one model answers every item of every suite. What it wrote is kept as it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json, text_digest
from mixwright.items.suite import read_items
from mixwright.models.handle import ModelHandle


def respond(
    arm: str, model: Path, suites: Sequence[Path], *, device: str, precision: str, batch_size: int, out: Path
) -> Mapping[str, Json]:
    """Write `responses.parquet`: item_id, suite, prompt_sha (of the rendered tokens), response, finished, num_tokens.

    Raises InputError when the chat template refuses a prompt or the model's context is too short for one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    handle = ModelHandle(model, device=device, precision=precision)
    items = [item for folder in suites for item in read_items(folder)]
    prompts = []
    context = getattr(handle.model.config.get_text_config(), "max_position_embeddings", None)
    for item in items:
        try:
            prompt = handle.tokenizer.prompt_ids(item.prompt)
        except ValueError as error:
            raise InputError(str(error), where=f"suites.{item.suite} (item {item.item_id})") from None
        if context and len(prompt) + item.max_new_tokens > context:
            raise InputError(
                f"a prompt of {len(prompt)} tokens and {item.max_new_tokens} new ones exceed the model's {context}",
                where=f"suites.{item.suite} (item {item.item_id})",
                fix="Lower max_new_tokens of the suite, or leave such items out.",
            )
        prompts.append(prompt)
    limits = [item.max_new_tokens for item in items]
    answers = handle.generate(prompts, max_new_tokens=limits, batch_size=batch_size, label=f"evaluate {arm}")
    table = pa.table(
        {
            "item_id": [item.item_id for item in items],
            "suite": [item.suite for item in items],
            "prompt_sha": [text_digest(" ".join(map(str, prompt))) for prompt in prompts],
            "response": [answer.text for answer in answers],
            "finished": [answer.finished for answer in answers],
            "num_tokens": [answer.num_tokens for answer in answers],
        }
    )
    pq.write_table(table, out / "responses.parquet", compression="zstd")
    return {"items": len(items), "unfinished": sum(not answer.finished for answer in answers)}
