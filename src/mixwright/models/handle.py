"""One handle over any causal language model: log-probabilities, and batched generation, greedy or sampled.

Generation is our own loop over the model's key-value cache: prompts are padded on the left, finished sequences leave
the batch (and the cache) at once, and a batch holds prompts of like length, because padding is the main cost on
short prompts. Its result does not depend on the order in which prompts are given. Models that carry a state along the
row beside their attention are asked one prompt at a time. What it does not do: beams, models whose cache is of another
form (pure state-space models), which are refused.

Shapes: B prompts in a batch, P padded prompt length, V vocabulary.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import derive_seed
from mixwright.ground.progress import progress
from mixwright.models.device import autocast, choose_device
from mixwright.models.tokenizer import ChatTokenizer

if TYPE_CHECKING:
    import torch


Choose: TypeAlias = "Callable[[torch.Tensor], list[int]]"  # from logits (B, V) to one token for each row


class Written(NamedTuple):
    """ids: the tokens written. end: the token that closed them, None when the limit was reached first."""

    ids: list[int]
    end: int | None


class Generation(NamedTuple):
    """text: decoded answer without special tokens. finished: the model closed its turn within the limit."""

    text: str
    finished: bool
    num_tokens: int


def load_model(folder: Path, device: str) -> Any:
    """The model in fp32 on a device. Raises InputError when its weights do not load."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    quiet: Any = logging
    quiet.disable_progress_bar()
    quiet.set_verbosity_error()
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:  # whatever a broken model folder raises
        raise InputError(f"the model cannot be loaded ({error})", where=str(folder)) from None
    model, loading = loaded
    lost = sorted(map(str, [*loading["missing_keys"], *loading["mismatched_keys"]]))
    if lost:  # transformers would fill them with random numbers
        fix = "Fetch or save the model again."
        raise InputError(f"the weights lack {len(lost)} tensors, among them {lost[0]}", where=str(folder), fix=fix)
    return model.to(device)


class ModelHandle:
    """A model with its tokenizer, ready to answer.

    folder: a model in Hugging Face format. precision: "fp32" or "bf16" (autocast over fp32 weights). Its `context` is
    the most tokens it takes, None where its configuration does not limit them.
    """

    def __init__(self, folder: Path, *, device: str = "auto", precision: str = "fp32") -> None:
        self.device = choose_device(device)
        self.precision = precision
        self.tokenizer = ChatTokenizer(folder)
        self.model = load_model(folder, self.device)
        self.model.eval()
        self.context: int | None = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        self._end_ids = _end_ids(self.model, self.tokenizer)

    def log_probabilities(self, sequences: Sequence[Sequence[int]], *, batch_size: int = 64) -> list[torch.Tensor]:
        """Log-probability of every token given those before it: for each sequence a float tensor (length - 1,)."""
        import torch

        results: list[torch.Tensor] = [torch.empty(0)] * len(sequences)
        for batch in _batches(sequences, batch_size):
            ids, mask = self._padded([sequences[i] for i in batch], left=False)
            with torch.inference_mode(), autocast(self.device, self.precision):
                logits = self.model(input_ids=ids, attention_mask=mask, use_cache=False).logits  # (B, P, V)
            logps = logits[:, :-1].float().log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]  # (B, P - 1)
            for row, i in enumerate(batch):
                results[i] = logps[row, : len(sequences[i]) - 1].cpu()
        return results

    def generate(
        self, prompts: Sequence[Sequence[int]], *, max_new_tokens: Sequence[int], batch_size: int, label: str
    ) -> list[Generation]:
        """Greedy answers to tokenized prompts, in the order given. max_new_tokens: one limit for each prompt.

        Raises InputError for a model without a key-value cache.
        """
        results: list[Generation | None] = [None] * len(prompts)
        with progress(label, len(prompts)) as advance:
            for batch in self._batches_of(prompts, batch_size):
                limits = [max_new_tokens[i] for i in batch]
                for i, written in zip(
                    batch, self._write([prompts[i] for i in batch], limits, _likeliest, self._end_ids), strict=True
                ):
                    text = self.tokenizer.inner.decode(written.ids, skip_special_tokens=True)
                    results[i] = Generation(text, written.end is not None, len(written.ids))
                advance(len(batch), "")
        return [result for result in results if result is not None]

    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        temperature: float,
        ends: frozenset[int],
        seed: int,
        batch_size: int,
    ) -> list[Written]:
        """Continuations of tokenized prompts drawn at a temperature, up to one of the tokens `ends`.

        The draws of a batch come from a generator of its own, on the CPU: the same on every device that computes the
        same probabilities. Raises InputError for a model without a key-value cache.
        """
        import torch

        results: list[Written] = [Written([], None)] * len(prompts)
        for number, batch in enumerate(self._batches_of(prompts, batch_size)):
            generator = torch.Generator().manual_seed(derive_seed(seed, "sample", number))

            def draw(logits: torch.Tensor, generator: torch.Generator = generator) -> list[int]:
                probabilities = (logits.float() / temperature).softmax(-1).cpu()
                return list(torch.multinomial(probabilities, 1, generator=generator)[:, 0].tolist())

            limits = [max_new_tokens] * len(batch)
            for i, written in zip(batch, self._write([prompts[i] for i in batch], limits, draw, ends), strict=True):
                results[i] = written
        return results

    def _batches_of(self, prompts: Sequence[Sequence[int]], batch_size: int) -> list[list[int]]:
        if self._cache_argument is None:
            fix = "Choose a model with attention layers."
            raise InputError("this architecture has no key-value cache to answer with", where="base.model", fix=fix)
        return _batches(prompts, batch_size if self._padding_is_free() else 1)

    @cached_property
    def _cache_argument(self) -> str | None:
        """What the model calls its key-value cache (`cache` from transformers 5.24 on); None where it has none, but a
        state in which tokens have no positions."""
        taken = inspect.signature(self.model.forward).parameters
        name = next((name for name in ("past_key_values", "cache") if name in taken), None)
        without_positions = getattr(self.model, "_is_stateful", False) and "position_ids" not in taken
        return None if without_positions else name

    def _padding_is_free(self) -> bool:
        """False for layers that carry a state along the row (linear attention, state space): padding would enter it."""
        from transformers import DynamicCache

        layers = DynamicCache(config=self.model.config).layers
        return all(hasattr(layer, "batch_select_indices") for layer in layers)

    def _write(
        self, prompts: Sequence[Sequence[int]], limits: Sequence[int], choose: Choose, ends: frozenset[int]
    ) -> list[Written]:
        import torch
        from transformers import DynamicCache

        ids, mask = self._padded(prompts, left=True)
        written: list[list[int]] = [[] for _ in prompts]
        closed: list[int | None] = [None] * len(prompts)
        alive = list(range(len(prompts)))
        with torch.inference_mode(), autocast(self.device, self.precision):
            cache = DynamicCache(config=self.model.config)
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            while alive:
                logits = self.model(
                    input_ids=ids,
                    attention_mask=mask,
                    position_ids=positions,
                    use_cache=True,
                    logits_to_keep=1,
                    **{str(self._cache_argument): cache},
                ).logits[:, -1]
                chosen = choose(logits)
                staying = []
                for row, (i, token) in enumerate(zip(alive, chosen, strict=True)):
                    if token in ends:
                        closed[i] = token
                        continue
                    written[i].append(token)
                    if len(written[i]) < limits[i]:
                        staying.append(row)
                if len(staying) < len(alive):
                    keep = torch.tensor(staying, dtype=torch.long, device=self.device)
                    alive = [alive[row] for row in staying]
                    mask, positions = mask[keep], positions[keep]
                    if alive:
                        cache.batch_select_indices(keep)
                ids = torch.tensor([[chosen[row]] for row in staying], device=self.device)
                mask = torch.cat([mask, mask.new_ones(len(alive), 1)], dim=1)
                positions = positions[:, -1:] + 1
        return [Written(ids, end) for ids, end in zip(written, closed, strict=True)]

    def _padded(self, sequences: Sequence[Sequence[int]], *, left: bool) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        width = max(map(len, sequences))
        ids = torch.full((len(sequences), width), self.tokenizer.pad_id, dtype=torch.long)
        mask = torch.zeros(len(sequences), width, dtype=torch.long)
        for row, sequence in enumerate(sequences):
            place = slice(width - len(sequence), width) if left else slice(0, len(sequence))
            ids[row, place] = torch.as_tensor(sequence)
            mask[row, place] = 1
        return ids.to(self.device), mask.to(self.device)


def _likeliest(logits: torch.Tensor) -> list[int]:
    return list(logits.argmax(-1).tolist())


def _batches(sequences: Sequence[Sequence[int]], batch_size: int) -> list[list[int]]:
    """Indices in batches of like length, longest first, ties by content: the order given plays no part."""
    order = sorted(range(len(sequences)), key=lambda i: (-len(sequences[i]), list(sequences[i])))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def _end_ids(model: Any, tokenizer: ChatTokenizer) -> frozenset[int]:
    """The tokens that close a turn: the chat template's, the generation configuration's and the tokenizer's."""
    ends = getattr(model.generation_config, "eos_token_id", None)
    listed = ends if isinstance(ends, list) else [ends]
    return frozenset(
        int(end) for end in (*listed, tokenizer.inner.eos_token_id, tokenizer.closing_id) if end is not None
    )
