"""Data sets of the hub, from repositories on this machine: configurations, splits, revisions, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mixwright.ground.errors import InputError
from mixwright.recipe.data import Source
from mixwright.sources.data_sets import commit_of, files_of

COMMIT, OLDER = "a" * 40, "b1" * 20


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def card(configs: Any) -> str:
    return f"---\nlicense: mit\nconfigs: {json.dumps(configs)}\n---\n# A data set\n"


def names(folder: Path | str, **about: Any) -> list[str]:
    source = Source.model_validate({"role": "general", "hub": str(folder), **about})
    return [file.name for file in files_of(source, "sources.x")]


def test_the_card_says_which_files_make_up_a_split(tmp_path: Path) -> None:
    train = [{"split": "train", "path": ["data/a-*.jsonl", "data/b.jsonl"]}, {"split": "test", "path": "data/t.jsonl"}]
    configs = [{"config_name": "main", "data_files": train, "default": True}, {"config_name": "own", "data_dir": "own"}]
    files = {"README.md": card(configs), "own/x.jsonl": "", "data/deep/a-3.jsonl": ""}
    write(tmp_path, files | {f"data/{name}.jsonl": "" for name in ("a-2", "a-1", "b", "t")})
    assert names(tmp_path) == ["a-1.jsonl", "a-2.jsonl", "b.jsonl"]
    assert names(tmp_path, split="test") == ["t.jsonl"]
    assert names(tmp_path, config="own") == ["x.jsonl"]


def test_without_a_card_the_split_stands_in_the_names(tmp_path: Path) -> None:
    write(tmp_path, {"main/train-00000-of-00002.jsonl": "", "main/test-0.jsonl": "", "other/dev.jsonl": "", "a.py": ""})
    assert names(tmp_path, config="main") == ["train-00000-of-00002.jsonl"]
    assert names(tmp_path, split="validation") == ["dev.jsonl"]
    assert names(write(tmp_path / "plain", {"rows.jsonl": "", "README.md": "# Rows"})) == ["rows.jsonl"]


def cached(home: Path) -> Path:
    """A hub's cache with two snapshots of one data set."""
    root = home / "datasets--someone--rows"
    write(
        root, {f"snapshots/{COMMIT}/train.jsonl": '{"a": 1}', f"snapshots/{OLDER}/train.jsonl": "", "refs/main": COMMIT}
    )
    (root / "blobs").mkdir()
    blob = root / "blobs" / "0"
    blob.write_text("")
    (root / "snapshots" / OLDER / "extra-train.jsonl").symlink_to(blob)
    return root


def test_a_name_is_found_in_the_cache_at_its_commit_branch_or_beginning_of_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert names("someone/rows") == ["train.jsonl"]
    assert names("someone/rows", revision=OLDER[:7]) == ["extra-train.jsonl", "train.jsonl"]
    source = Source(role="general", hub="someone/rows", revision="main")
    assert commit_of(source, "sources.x") == COMMIT


@pytest.mark.parametrize(
    ("about", "where", "words"),
    [
        ({"hub": "someone/rows", "revision": "c" * 40}, "revision", "no revision"),
        ({"hub": "someone/rows", "split": "trian"}, "split", "Did you mean 'train'"),
        ({"hub": "someone/rows", "config": "mani"}, "config", "no configuration 'mani'"),
        ({"hub": "someone/other"}, "hub", "not in the local cache"),
        ({"hub": "rows"}, "hub", "owner/name"),
    ],
)
def test_what_is_not_there_is_said_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, about: dict[str, str], where: str, words: str
) -> None:
    cached(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError) as caught:
        files_of(Source.model_validate({"role": "general", **about}), "sources.x")
    assert caught.value.where == f"sources.x.{where}"
    assert words in str(caught.value)


@pytest.mark.parametrize("pattern", ["../secret.jsonl", "/etc/*.jsonl", "s3://elsewhere/x.jsonl"])
def test_a_card_cannot_lead_out_of_its_data_set(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, {"set/README.md": card([{"config_name": "default", "data_files": pattern}]), "secret.jsonl": ""})
    with pytest.raises(InputError, match="outside the data set"):
        names(tmp_path / "set")


def test_a_link_cannot_lead_out_of_a_data_set(tmp_path: Path) -> None:
    write(tmp_path, {"set/README.md": "# Rows", "secret.jsonl": ""})
    (tmp_path / "set" / "rows.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(InputError, match="leads out"):
        names(tmp_path / "set")


def test_loading_scripts_never_run(tmp_path: Path) -> None:
    write(tmp_path, {"README.md": card([{"config_name": "default", "data_files": "rows.py"}]), "rows.py": "boom"})
    with pytest.raises(InputError, match="no kind that can be read"):
        names(tmp_path)
