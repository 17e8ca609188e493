"""The log-probability of every option as the whole answer to a prompt.

All options of a prompt are computed in one row. Their tokens are merged into a tree that grows out of the prompt's end,
and an explicit mask lets every token see its ancestors only, at the position that it has when it stands alone (tree
attention: Miao et al., SpecInfer, arXiv:2305.09781). So the prompt, and every beginning that options share, is computed
once: `benchmarks/likelihood/options.py` compares it with one sequence for each option.

Options are computed one by one where that is not exact: architectures that fail the probe of `packing` (state space),
and prompts whose own tokens depend on the option, because the tokenizer merges across the boundary.

Shapes: R rows, L row length, N places that predict a token, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import fsum
from typing import Any, NamedTuple

import numpy as np

from mixwright.ground.errors import InputError
from mixwright.ground.progress import progress
from mixwright.models.device import autocast
from mixwright.models.handle import ModelHandle
from mixwright.models.packing import as_mask, check_packing
from mixwright.models.predictions import chosen_logits, head_stands_alone
from mixwright.models.tokenizer import Answer

MOST_ELEMENTS = {"cpu": 1 << 21, "cuda": 1 << 27}  # of a batch's masks and logits together, where it has several rows


class Tree(NamedTuple):
    """A prompt and its options in one row.

    ids, parents: (L,) tokens, and the place of the token before each; -1 for the first. answers: the tokens of every
    option. paths: for each of those, the place that predicts it. The last token of an option is predicted, never read,
    and so has no place of its own.
    """

    ids: list[int]
    parents: list[int]
    answers: list[list[int]]
    paths: list[list[int]]

    @property
    def first(self) -> int:
        """The place that predicts the first token of every option: the end of the prompt."""
        return self.paths[0][0]


def merge(options: Sequence[Answer]) -> Tree:
    """The options of one prompt as a tree."""
    ids = list(options[0].prompt)
    parents = list(range(-1, len(ids) - 1))
    paths = []
    places: dict[tuple[int, int], int] = {}  # (place, token after it) -> place of that token
    for option in options:
        path = [len(option.prompt) - 1]
        for token in option.ids[:-1]:
            edge = (path[-1], token)
            if edge not in places:
                places[edge] = len(ids)
                ids.append(token)
                parents.append(path[-1])
            path.append(places[edge])
        paths.append(path)
    return Tree(ids, parents, [option.ids for option in options], paths)


def option_log_probabilities(
    handle: ModelHandle, asked: Sequence[Sequence[Answer]], *, batch_size: int, label: str
) -> list[list[float]]:
    """For every prompt, the log-probability of each of its options: the sum over the option's tokens."""
    results: list[list[float]] = [[] for _ in asked]
    alike = [i for i, options in enumerate(asked) if all(option.prompt == options[0].prompt for option in options)]
    trees = {i: merge(asked[i]) for i in alike} if _sees_only_ancestors(handle.model, asked) else {}
    head_alone = head_stands_alone(handle.model) if trees else False
    with progress(label, len(asked)) as advance:
        for batch in _batches(handle, trees, batch_size):
            for i, found in zip(batch, _in_rows(handle, [trees[i] for i in batch], head_alone), strict=True):
                results[i] = found
            advance(len(batch), "")
        for i, options in enumerate(asked):
            if i not in trees:
                results[i] = _one_by_one(handle, options, batch_size)
                advance(1, "")
    return results


def _sees_only_ancestors(model: Any, asked: Sequence[Sequence[Answer]]) -> bool:
    longest = max((len(option.prompt) + len(option.ids) for options in asked for option in options), default=0)
    try:
        check_packing(model, longest)
    except InputError:
        return False
    return True


def _one_by_one(handle: ModelHandle, options: Sequence[Answer], batch_size: int) -> list[float]:
    whole = handle.log_probabilities([option.prompt + option.ids for option in options], batch_size=batch_size)
    return [fsum(logps[-len(option.ids) :].tolist()) for logps, option in zip(whole, options, strict=True)]


def _batches(handle: ModelHandle, trees: dict[int, Tree], batch_size: int) -> Iterator[list[int]]:
    """Rows of like length, longest first, ties by content, no more at once than `MOST_ELEMENTS` allows."""
    vocabulary = handle.model.get_input_embeddings().weight.shape[0]
    order = sorted(trees, key=lambda i: (-len(trees[i].ids), trees[i].ids))
    while order:
        sizes = [(len(trees[i].ids), len(trees[i].ids) - trees[i].first) for i in order[:batch_size]]
        elements = max(length**2 + places * vocabulary for length, places in sizes)
        size = min(batch_size, max(1, MOST_ELEMENTS[handle.device] // elements))
        yield order[:size]
        order = order[size:]


def _in_rows(handle: ModelHandle, trees: Sequence[Tree], head_alone: bool) -> list[list[float]]:
    import torch

    width = max(len(tree.ids) for tree in trees) + 1  # the last place of a row predicts nothing
    ids = torch.full((len(trees), width), handle.tokenizer.pad_id)
    chosen = torch.zeros(len(trees), width - 1, dtype=torch.bool)
    seen = torch.eye(width, dtype=torch.bool).repeat(len(trees), 1, 1)  # padding sees itself
    rows, tokens, start = [], [], 0  # of the logits (N, V), for every token of every option
    for row, tree in enumerate(trees):
        length = len(tree.ids)
        ids[row, :length] = torch.tensor(tree.ids)
        chosen[row, tree.first : length] = True
        seen[row, :length, :length] = torch.from_numpy(_ancestors(tree.parents))
        rows += [start + place - tree.first for path in tree.paths for place in path]
        tokens += [token for answer in tree.answers for token in answer]
        start += length - tree.first
    seen = seen.to(handle.device)
    mask, position = as_mask(handle.model, seen), seen.sum(-1) - 1
    inputs = {"input_ids": ids.to(handle.device), "attention_mask": mask, "position_ids": position}
    with torch.inference_mode(), autocast(handle.device, handle.precision):
        logits = chosen_logits(handle.model, inputs, chosen.to(handle.device), head_alone=head_alone).float()
        logps = (logits[rows, tokens] - logits.logsumexp(-1)[rows]).cpu()
    in_turn = iter(logps.tolist())
    return [[fsum(islice(in_turn, len(answer))) for answer in tree.answers] for tree in trees]


def _ancestors(parents: Sequence[int]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(L, L): which tokens lead to each, itself included."""
    seen = np.eye(len(parents), dtype=np.bool_)
    for place, parent in enumerate(parents[1:], start=1):
        seen[place] |= seen[parent]
    return seen
