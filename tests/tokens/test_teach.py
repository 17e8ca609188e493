"""What the base expects at every learnt token: the right rows, and the same bytes however often it was broken off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_sources import write_store
from tiny_models import save_model
from transformers import AutoModelForCausalLM

from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError
from mixwright.models import predictions
from mixwright.tokens import teach as teaching
from mixwright.tokens.store import TokenStore
from mixwright.tokens.teach import teach
from mixwright.tokens.teacher import IDS, LOG_PROBABILITIES, Teacher

TOP_K = 5


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    save_model(folder, "llama")
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TokenStore:
    """Records of 2 to 40 tokens, in some of which nothing is learnt."""
    random = np.random.default_rng(1)
    lengths = random.integers(2, 40, 50)
    records = [(random.integers(0, 2048, n).tolist(), [i > 0 and bool(random.random() < 0.4) for i in range(n)])
               for n in lengths]  # fmt: skip
    return write_store(tmp_path_factory.mktemp("store") / "replay", records)


def taught(store: TokenStore, base: Path, out: Path, top_k: int = TOP_K) -> Teacher:
    out.mkdir(exist_ok=True)
    teach("replay", store, base, top_k=top_k, device="cpu", precision="fp32", out=out)
    return Teacher(out)


def test_every_learnt_token_has_the_probabilities_of_the_base_in_its_place(
    base: Path, store: TokenStore, tmp_path: Path
) -> None:
    teacher = taught(store, base, tmp_path)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    assert len(teacher.ids) == store.num_supervised
    for i in range(len(store)):
        tokens, loss = store.record(i)
        with torch.no_grad():
            logits = model(torch.from_numpy(tokens.astype(np.int64))[None]).logits[0]
        expected = logits.log_softmax(-1)[:-1][torch.from_numpy(loss[1:].astype(bool))]
        values, ids = expected.topk(TOP_K)
        rest = torch.log1p(-values.double().exp().sum(-1))
        rows = teacher.record(i)
        assert teacher.ids[rows].tolist() == ids.tolist()
        np.testing.assert_allclose(teacher.log_probabilities[rows, :-1], values, rtol=1e-3)
        np.testing.assert_allclose(teacher.log_probabilities[rows, -1], rest, rtol=1e-3, atol=1e-5)


def test_a_pass_that_was_broken_off_anywhere_ends_with_the_same_bytes(
    base: Path, store: TokenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teaching, "CHUNK", 8)
    whole = tmp_path / "whole"
    taught(store, base, whole)
    for file, cut in ((IDS, 0.0), (IDS, 0.55), (LOG_PROBABILITIES, 0.31), (LOG_PROBABILITIES, 0.999)):
        broken = tmp_path / f"broken-{file}-{cut}"
        broken.mkdir()
        for name in (IDS, LOG_PROBABILITIES):
            content = (whole / name).read_bytes()
            (broken / name).write_bytes(content[: int(len(content) * cut)] if name == file else content)
        taught(store, base, broken)
        for name in (IDS, LOG_PROBABILITIES):
            assert (broken / name).read_bytes() == (whole / name).read_bytes()


def test_a_wide_vocabulary_is_looked_through_in_parts(
    base: Path, store: TokenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = taught(store, base, tmp_path / "whole")
    monkeypatch.setattr(predictions, "MOST_LOGITS", 3 * 2056)
    parts = taught(store, base, tmp_path / "parts")
    assert (parts.ids == whole.ids).mean() > 0.999  # of equally probable tokens either may come first
    np.testing.assert_allclose(parts.log_probabilities, whole.log_probabilities, rtol=1e-3, atol=1e-3)


def test_more_tokens_than_the_vocabulary_has_are_refused(base: Path, store: TokenStore, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        taught(store, base, tmp_path, top_k=5000)
    assert caught.value.where == "sources.replay.kl.top_k"


def test_a_damaged_teacher_is_refused(base: Path, store: TokenStore, tmp_path: Path) -> None:
    taught(store, base, tmp_path)
    assert read_json(tmp_path / "teacher.json") == {"dtype": "uint16", "k": TOP_K}
    (tmp_path / IDS).write_bytes((tmp_path / IDS).read_bytes()[:-4])
    with pytest.raises(InputError, match="damaged"):
        Teacher(tmp_path)
