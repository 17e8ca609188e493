"""Data sets of the hub, from repositories on this machine: configurations, splits, revisions, and what is refused."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mixwright.ground.errors import InputError
from mixwright.recipe.data import Source
from mixwright.sources.files.data_file import label_of
from mixwright.sources.files.data_sets import commit_of, files_of, found

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
    write(tmp_path, {"main/train-00000-of-00001.jsonl": "", "main/test-0.jsonl": "", "other/dev.jsonl": "", "a.py": ""})
    assert names(tmp_path, config="main") == ["train-00000-of-00001.jsonl"]
    assert names(tmp_path, split="validation") == ["dev.jsonl"]
    assert names(write(tmp_path / "plain", {"rows.jsonl": "", "README.md": "# Rows"})) == ["rows.jsonl"]


def refusal(folder: Path | str, **about: Any) -> str:
    with pytest.raises(InputError) as caught:
        names(folder, **about)
    return str(caught.value)


def notes(folder: Path | str, **about: Any) -> list[str]:
    return found(Source.model_validate({"role": "general", "hub": str(folder), **about}), "sources.x").notes


def test_a_file_is_known_by_its_path_in_the_data_set(tmp_path: Path) -> None:
    write(tmp_path, {"data/train/0.jsonl": "", "more/train/0.jsonl": ""})
    source = Source(role="general", hub=str(tmp_path))
    assert [label_of(file) for file in files_of(source, "x")] == ["data/train/0.jsonl", "more/train/0.jsonl"]


def test_what_lies_beside_the_data_is_no_data(tmp_path: Path) -> None:
    beside = ("dataset_infos.json", "config.json", "state.json", "requirements.txt", "LICENSE.txt", ".cache/x.jsonl")
    write(tmp_path, dict.fromkeys(beside, "{}") | {"rows.jsonl": "", "README.md": "# Rows"})
    assert names(tmp_path) == ["rows.jsonl"]
    assert notes(tmp_path) == []


def test_a_saved_data_set_is_read_without_what_is_said_about_it(tmp_path: Path) -> None:
    saved = ("data-00000-of-00001.arrow", "dataset_info.json", "state.json")
    assert names(write(tmp_path / "one", dict.fromkeys(saved, ""))) == ["data-00000-of-00001.arrow"]
    both = {f"{split}/{name}": "" for split in ("train", "test") for name in saved} | {"dataset_dict.json": ""}
    assert notes(write(tmp_path / "both", both)) == []
    files = files_of(Source(role="general", hub=str(tmp_path / "both"), split="test"), "x")
    assert [label_of(file) for file in files] == ["test/data-00000-of-00001.arrow"]


@pytest.mark.parametrize("has_card", [False, True])
def test_the_same_rows_in_several_kinds_are_not_read_twice(tmp_path: Path, has_card: bool) -> None:
    about = {"README.md": card([{"config_name": "default", "data_files": "train*"}])} if has_card else {}
    said = refusal(write(tmp_path, about | {"train.csv": "", "train.jsonl": ""}))
    assert "several kinds of files (1 .csv, 1 .jsonl)" in said
    assert f"{tmp_path}/**/*.jsonl or {tmp_path}/**/*.csv" in said


def test_texts_beside_tables_and_files_of_no_split_are_left_out_and_told(tmp_path: Path) -> None:
    write(tmp_path, {"train.csv": "", "train-notes.txt": "", "extra.csv": ""})
    assert names(tmp_path) == ["train.csv"]
    unnamed, beside = notes(tmp_path)
    assert unnamed.endswith("whose names say no split: extra.csv")
    assert beside.endswith("is read without train-notes.txt")


def test_a_data_set_with_nothing_to_read_says_what_it_holds(tmp_path: Path) -> None:
    said = refusal(write(tmp_path, {"README.md": "# Rows", "data.zip": "", "rows.py": ""}))
    assert "holds no file that can be read" in said
    assert "It holds data.zip, rows.py" in said


@pytest.mark.parametrize("about", [{}, {"README.md": card([{"config_name": "default", "data_files": "*.jsonl"}])}])
def test_a_copy_without_some_of_its_files_is_not_read_as_if_it_were_whole(
    tmp_path: Path, about: dict[str, str]
) -> None:
    folder = write(tmp_path / "rows", about | {"train-0.jsonl": ""})
    (folder / "train-1.jsonl").symlink_to("nowhere")
    assert "lacks train-1.jsonl" in refusal(folder)
    parts = {f"train-{number:05}-of-00005.jsonl": "" for number in (0, 3)}
    assert "lacks 3 of the parts train-*-of-00005.jsonl" in refusal(write(tmp_path / "parts", about | parts))


def test_parts_that_a_configuration_does_not_mean_are_not_missed(tmp_path: Path) -> None:
    parts = {f"train-{number:05}-of-00005.jsonl": "" for number in range(5)}
    configs = [
        {"config_name": "few", "data_files": "train-0000[01]-of-00005.jsonl"},
        {"config_name": "one", "data_files": "train-00000-of-00005.jsonl"},
    ]
    assert len(names(write(tmp_path, {"README.md": card(configs)} | parts), config="few")) == 2
    (tmp_path / "train-00004-of-00005.jsonl").unlink()
    assert names(tmp_path, config="one") == ["train-00000-of-00005.jsonl"]
    assert "lacks 1 of the parts" in refusal(tmp_path, config="few")


@pytest.mark.parametrize(
    "data_files",
    [
        5,
        [],
        [5, 6],
        [{"split": "train"}],
        [{"split": "train", "path": 5}],
        {"train": None},
        "a**b/*.jsonl",
    ],
)
def test_a_card_that_cannot_be_understood_is_said(tmp_path: Path, data_files: Any) -> None:
    configs = [{"config_name": "default", "data_files": data_files}]
    assert "the card of" in refusal(write(tmp_path, {"README.md": card(configs), "train.jsonl": ""}))


@pytest.mark.parametrize(
    "front", ["configs: 5", "configs: [5]", "configs: [{config_name: [x]}]", "configs: [", "x: 0-0-0"]
)
def test_front_matter_of_any_kind_is_no_traceback(tmp_path: Path, front: str) -> None:
    write(tmp_path, {"README.md": f"---\n{front}\n---\n", "train.jsonl": ""})
    if front.startswith("x"):
        assert names(tmp_path) == ["train.jsonl"]
    else:
        assert "cannot be understood" in refusal(tmp_path)


def test_a_card_that_names_no_files_leaves_it_to_their_names(tmp_path: Path) -> None:
    configs = [{"config_name": "default", "data_files": None}]
    assert names(write(tmp_path, {"README.md": card(configs), "train.jsonl": ""})) == ["train.jsonl"]


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


ROW = b'{"prompt": "2 + 2?", "completion": "4"}\n'
READ = """
import sys
from mixwright.recipe.data import Source
from mixwright.sources.files.data_sets import files_of
from mixwright.sources.rows.readers import read_rows

files = files_of(Source(role="general", hub="someone/rows"), "sources.x")
print(*files, sum(1 for file in files for row in read_rows(file) if row.value))
"""


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of a hub as it takes to read one data set of two files."""

    def log_message(self, *about: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/datasets/someone/rows/tree/"):
            files = ("train-0.jsonl", "train-1.jsonl")
            about = [{"type": "file", "path": name, "oid": "1" * 40, "size": len(ROW)} for name in files]
            self.answer(json.dumps(about).encode())
        elif path.startswith("/api/datasets/someone/rows"):
            self.answer(json.dumps({"id": "someone/rows", "sha": COMMIT}).encode())
        elif "/resolve/" in path:
            self.answer(ROW)
        else:
            self.send_error(404)

    def answer(self, content: bytes) -> None:
        self.send_response(200)
        for name, value in {"Content-Length": str(len(content)), "ETag": '"e"', "X-Repo-Commit": COMMIT}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def half_cached(home: Path) -> Path:
    """A hub's cache in which the second of two files was never fetched."""
    root = write(home / "datasets--someone--rows", {"refs/main": COMMIT, "blobs/0": ROW.decode()})
    for number in (0, 1):
        link = root / "snapshots" / COMMIT / f"train-{number}.jsonl"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"../../blobs/{number}")
    return home


def read_by_another_process(cache: Path, address: str) -> subprocess.CompletedProcess[str]:
    """Which has asked no hub before."""
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    environment |= {"HF_ENDPOINT": address, "HF_HUB_CACHE": str(cache)}
    return subprocess.run([sys.executable, "-c", READ], env=environment, capture_output=True, text=True)


def test_a_hub_that_is_reached_gives_what_the_cache_lacks(tmp_path: Path, hub: str) -> None:
    done = read_by_another_process(half_cached(tmp_path), hub)
    root = f"hf://datasets/someone/rows@{COMMIT}"
    assert done.stdout.split() == [f"{root}/train-0.jsonl", f"{root}/train-1.jsonl", "2"], done.stderr


def test_a_hub_that_is_not_reached_leaves_the_cache_not_whole(tmp_path: Path) -> None:
    done = read_by_another_process(half_cached(tmp_path), "http://127.0.0.1:9")
    assert "this copy of someone/rows is not whole: it lacks train-1.jsonl, and " in done.stderr
    assert "cannot be reached" in done.stderr


def test_half_a_cache_is_refused_where_the_hub_is_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(half_cached(tmp_path)))
    assert "this copy of someone/rows is not whole: it lacks train-1.jsonl" in refusal("someone/rows")
