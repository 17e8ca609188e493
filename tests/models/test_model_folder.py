"""Which folder a model is, and what identifies it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny_models import CHATML, LLAMA_2, NANO, save_model

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import file_digest
from mixwright.models.folder import ModelFolder, find_model
from mixwright.models.handle import ModelHandle
from mixwright.recipe.data import Base


def found(model: Path | str) -> ModelFolder:
    return find_model(Base(model=str(model)), file_digest)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def copied(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "tiny"))


def test_the_embedded_model_is_found_by_name_and_answers() -> None:
    folder = found("embedded:nano")
    assert (folder.name, folder.path) == ("embedded:nano", NANO)
    handle = ModelHandle(folder.path, device="cpu")
    prompt = handle.tokenizer.prompt_ids([{"role": "user", "content": "Repeat: tin fox"}])
    (answer,) = handle.generate([prompt], max_new_tokens=[8], batch_size=1, label="test")
    assert answer.num_tokens <= 8


def test_a_model_is_the_same_wherever_it_lies(model: Path, copied: Path) -> None:
    here, there = found(model), found(copied)
    assert here.path != there.path
    assert (here.name, here.sha256) == (there.name, there.sha256)


def test_its_weights_tokenizer_and_template_have_hashes_of_their_own(model: Path, copied: Path) -> None:
    before = found(model)
    (copied / "chat_template.jinja").write_text(LLAMA_2)
    other_template = found(copied)
    assert other_template.template_sha256 != before.template_sha256
    assert other_template.tokenizer_sha256 == before.tokenizer_sha256
    shutil.copy(model / "chat_template.jinja", copied)
    save_model(copied, seed=1)
    other_weights = found(copied)
    assert other_weights.template_sha256 == before.template_sha256
    assert other_weights.tokenizer_sha256 == before.tokenizer_sha256
    assert len({folder.sha256 for folder in (before, other_template, other_weights)}) == 3


def test_files_that_are_no_part_of_the_model_do_not_count(model: Path, copied: Path) -> None:
    (copied / "README.md").write_text("A model.")
    assert found(copied).sha256 == found(model).sha256


def test_a_template_inside_the_tokenizers_configuration_is_found(model: Path, copied: Path) -> None:
    (copied / "chat_template.jinja").unlink()
    config = json.loads((copied / "tokenizer_config.json").read_text())
    (copied / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": CHATML}))
    assert found(copied).template_sha256 == found(model).template_sha256


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"])
def test_a_folder_that_lacks_a_part_of_a_model_is_refused(copied: Path, missing: str) -> None:
    (copied / missing).unlink()
    with pytest.raises(InputError) as caught:
        found(copied)
    assert caught.value.where == "base.model"


def test_a_pickle_is_never_taken_for_weights(copied: Path) -> None:
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(InputError, match="safetensors") as caught:
        found(copied)
    assert "pytorch_model.bin" in str(caught.value.fix)


def test_weights_that_are_cut_off_are_refused(copied: Path) -> None:
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError):
        found(copied)


@pytest.mark.parametrize("name", ["embedded:nona", "/nowhere/model"])
def test_a_model_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        found(name)
    assert caught.value.where == "base.model"


def test_a_model_that_writes_no_text_is_refused(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"architectures": ["BertForMaskedLM"]}))
    with pytest.raises(InputError, match="causal"):
        found(copied)


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\ntags: [text]\n---\n# A model\n", "apache-2.0"),
        ("---\ntags: [text]\n---\n", "unknown"),
        ("---\nlicense: [a, b]\n---\n", "unknown"),
        ("---\nlicense: {\n---\n", "unknown"),
        ("# A model without front matter\n", "unknown"),
        (None, "unknown"),
    ],
)
def test_the_licence_is_that_of_the_model_card(copied: Path, card: str | None, licence: str) -> None:
    before = found(copied)
    if card is not None:
        (copied / "README.md").write_text(card)
    assert found(copied).licence == licence
    assert found(copied).sha256 == before.sha256
