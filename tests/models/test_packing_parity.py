"""Isolation: a record learns in a packed row what it learns alone, on every architecture and attention back end.

Every comparison is made to fail too: with records that see each other, with positions that do not begin anew, with a
window that is one token too wide or too narrow.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import packing_parity as parity
import pytest
import torch
from packing_parity import PACKED, REFUSED, ROW, TOLERANCE, WINDOW, WINDOWED, Blended, apart, build
from tiny_models import save_model

from mixwright.ground.errors import InputError
from mixwright.models.handle import ModelHandle
from mixwright.models.options import option_log_probabilities
from mixwright.models.packing import ATTENTION, check_packing
from mixwright.models.tokenizer import Answer

NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=NO_CUDA)]
FAR = 10 * TOLERANCE  # what a wrong mask or position must at least change


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Blended:
    return parity.blended(tmp_path_factory.mktemp("packed"), packing=True)


@pytest.fixture(scope="module")
def padded(tmp_path_factory: pytest.TempPathFactory) -> Blended:
    return parity.blended(tmp_path_factory.mktemp("padded"), packing=False)


def test_the_rows_hold_what_is_hard(packed: Blended, padded: Blended) -> None:
    """Records of one token and of a whole row, longer than a window, not learnt at their end; rows of many; padding."""
    batches, records = packed
    lengths = {len(record.ids) for record in records}
    assert {1, ROW} <= lengths
    assert any(WINDOW < length < ROW for length in lengths)
    assert sum(record.ids[-1] == parity.LAST for record in records) > 5
    assert max(int(batch.segment.max()) for batch in batches) >= 3
    assert any((batch.segment < 0).any() for batch in batches)
    assert all(batch.segment.max() == 0 for batch in padded.batches)


def test_loss_masks_survive_packing(packed: Blended) -> None:
    """The rows read back, record by record, are the records' own tokens and masks."""
    batches, records = packed
    expected = iter(records)
    for batch in batches:
        for row, segment in enumerate(batch.segment):
            for number in range(segment.max() + 1):
                here = segment == number
                record = next(expected)
                assert batch.ids[row, here].tolist() == record.ids
                assert batch.loss[row, here].tolist() == record.learnt
                assert batch.position[row, here].tolist() == list(range(len(record.ids)))
            assert not batch.loss[row, segment < 0].any()
    assert next(expected, None) is None


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize("architecture", PACKED)
def test_a_packed_record_learns_what_it_learns_alone(
    architecture: str, attention: str, device: str, packed: Blended
) -> None:
    model = build(architecture, attention, device)
    check_packing(model, ROW)
    alone = parity.learn_alone(model, packed.records)
    assert len(alone.losses) == sum(sum(record.learnt) for record in packed.records)
    loss, gradient = apart(parity.learn_packed(model, packed.batches), alone)
    assert loss < TOLERANCE
    assert gradient < TOLERANCE


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("architecture", REFUSED)
def test_a_model_that_is_refused_for_packing_learns_the_same_in_padded_rows(
    architecture: str, device: str, padded: Blended
) -> None:
    model = build(architecture, device=device)
    with pytest.raises(InputError, match=r"keep records apart|see each other"):
        check_packing(model, ROW)
    loss, gradient = apart(parity.learn_padded(model, padded.batches), parity.learn_alone(model, padded.records))
    assert loss < TOLERANCE
    assert gradient < TOLERANCE


@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize("architecture", PACKED)
def test_no_gradient_reaches_a_token_that_nothing_learnt_follows_in_its_record(
    architecture: str, attention: str, packed: Blended
) -> None:
    """Exactly zero, not merely small: not learnt ends, whatever record comes behind them, and padding."""
    model = build(architecture, attention)
    embedded: list[torch.Tensor] = []

    def keep(module: Any, given: Any, states: torch.Tensor) -> None:
        if states.requires_grad:  # not those of a probe
            states.retain_grad()
            embedded.append(states)

    model.get_input_embeddings().register_forward_hook(keep)
    parity.learn_packed(model, packed.batches)
    for batch, states in zip(packed.batches, embedded, strict=True):
        assert states.grad is not None
        reached = states.grad.abs().amax(-1).numpy() > 0
        assert not reached[~_followed(batch)].any()
        assert reached[:, :-1][batch.loss[:, 1:]].all()  # the place that predicts a learnt token
        assert not reached[batch.ids == parity.LAST].any()


def _followed(batch: parity.Rows) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(R, L): places behind which their record has a learnt token."""
    after = np.triu(np.ones((batch.ids.shape[1],) * 2, np.bool_), 1)
    same = batch.segment[:, :, None] == batch.segment[:, None, :]
    return (same & after & batch.loss[:, None, :]).any(-1)


@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize("architecture", PACKED)
def test_the_comparison_fails_where_records_see_each_other(architecture: str, attention: str, packed: Blended) -> None:
    model = build(architecture, attention)
    alone = parity.learn_alone(model, packed.records)
    leaking = apart(parity.learn_packed(model, parity.merged(packed.batches)), alone)
    assert leaking.loss > FAR
    assert leaking.gradient > FAR


@pytest.mark.parametrize("architecture", PACKED)
def test_the_comparison_fails_where_positions_are_wrong(architecture: str, packed: Blended) -> None:
    """Learned positions must begin anew. Rotary ones are relative - a record further along has the same logits - so
    there only wrong distances can tell."""
    model = build(architecture)
    alone = parity.learn_alone(model, packed.records)

    def wrong(batch: parity.Rows) -> parity.Rows:
        if architecture == "gpt2":  # as if the row were one record
            return batch._replace(position=np.broadcast_to(np.arange(batch.ids.shape[1]), batch.ids.shape).copy())
        return batch._replace(position=np.zeros_like(batch.position))

    found = apart(parity.learn_packed(model, [wrong(batch) for batch in packed.batches]), alone)
    assert found.loss > FAR
    assert found.gradient > FAR


@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("architecture", WINDOWED)
def test_the_comparison_fails_where_a_window_is_one_token_off(architecture: str, change: int, packed: Blended) -> None:
    model = build(architecture)
    alone = parity.learn_alone(model, packed.records)
    model.config.sliding_window += change
    wrong = apart(parity.learn_packed(model, packed.batches), alone)
    assert wrong.loss > FAR
    assert wrong.gradient > FAR


@pytest.mark.parametrize("architecture", WINDOWED)
def test_the_probe_sees_windows_that_the_mask_has_wrong(architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the window left out of the mask, the model would be refused and not trained on other logits than it has."""
    model = build(architecture)
    monkeypatch.setattr("mixwright.models.packing._layers", lambda model: ({"full_attention"}, WINDOW))
    with pytest.raises(InputError, match="see each other"):
        check_packing(model, ROW)


@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize("architecture", WINDOWED)
def test_options_in_one_row_of_a_model_with_a_window_are_what_they_are_alone(
    tmp_path: Path, architecture: str, attention: str
) -> None:
    """A branch of the tree counts its window along the branch, over the prompt and not over the branches beside it."""
    handle = ModelHandle(save_model(tmp_path), device="cpu")
    handle.model = build(architecture, attention).eval()
    prompt = list(range(10, 20))
    answers = [[5], [5, 6], [5, 6, 7, 8, 9, 10, 11, 12], [5, 9, 9], [8, 7, 6, 5, 4, 3, 2]]
    rows: list[int] = []
    handle.model.base_model.register_forward_pre_hook(
        lambda module, given, named: rows.append(len(named["input_ids"])), with_kwargs=True
    )
    asked = [[Answer(prompt, answer) for answer in answers]]
    (found,) = option_log_probabilities(handle, asked, batch_size=8, label="test")
    assert max(rows) == 1  # one by one, they would be rows of a batch
    for answer, logp in zip(answers, found, strict=True):
        with torch.no_grad():
            logps = handle.model(input_ids=torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
        expected = sum(float(logps[len(prompt) - 1 + i, token]) for i, token in enumerate(answer))
        assert logp == pytest.approx(expected, abs=1e-4)
