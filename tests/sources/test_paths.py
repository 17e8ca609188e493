"""Links among the files of a recipe: followed where they stay, refused where they lead out; and what the lock says."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from mixwright.cli.main import main
from mixwright.ground.errors import InputError
from mixwright.ground.executor import LocalProcesses
from mixwright.ground.hashing import FileDigests
from mixwright.pipeline.lock import Lock, make_lock
from mixwright.recipe.load import load_recipe
from mixwright.sources.files.finding import find_files
from mixwright.sources.intake.ingest import ingest
from mixwright.sources.intake.records import read_records

ROW = '{"prompt": "2 + 2?", "completion": "4"}\n'
RECIPE = """\
mixwright: 1
name: sums
variables: {data: data}
base: {model: embedded:nano}
sources: {sums: {role: domain, WHAT}}
blend: {shares: {sums: 1}, budget: {tokens: 100}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with rows, and a folder of other rows outside it."""
    for name in ("project/data/a.jsonl", "project/kept/b.jsonl", "outside/c.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(ROW + f"{name}\n")
    return tmp_path / "project"


def locked(project: Path, what: str, settings: Sequence[str] = ()) -> Lock:
    (project / "recipe.yaml").write_text(RECIPE.replace("WHAT", what))
    return make_lock(load_recipe(project / "recipe.yaml", settings), FileDigests(project / "digests.json"), 1)


def names(lock: Lock) -> list[object]:
    return [file["name"] for file in lock.files["sources.sums"]]


@pytest.mark.parametrize("path", ["data", "data/*.jsonl", "data/**/*.jsonl"])
def test_a_link_out_of_the_project_is_refused_where_it_is_found(project: Path, path: str) -> None:
    (project / "data" / "c.jsonl").symlink_to(project.parent / "outside" / "c.jsonl")
    with pytest.raises(InputError, match=r"c\.jsonl is a link that leads out of the project") as caught:
        locked(project, f"path: {path}")
    assert caught.value.where == "sources.sums.path"
    assert str(project.parent / "outside" / "c.jsonl") in str(caught.value.fix)


@pytest.mark.parametrize("path", ["data", "data/**/*.jsonl"])
def test_so_is_a_file_behind_a_folder_that_is_such_a_link(project: Path, path: str) -> None:
    (project / "data" / "more").symlink_to(project.parent / "outside")
    with pytest.raises(InputError, match=r"c\.jsonl lies behind a link that leads out of the project"):
        locked(project, f"path: {path}")


@pytest.mark.parametrize("path", ["data", "data/**/*.jsonl"])
def test_links_that_stay_in_the_project_are_followed_and_each_file_is_read_once(project: Path, path: str) -> None:
    (project / "data" / "again.jsonl").symlink_to("a.jsonl")
    (project / "data" / "kept").symlink_to(project / "kept")
    (project / "data" / "round").symlink_to(project / "data")
    assert names(locked(project, f"path: {path}")) == ["a.jsonl", "kept/b.jsonl"]


@pytest.mark.parametrize("named", ["", "/*.jsonl"])
def test_in_a_folder_named_by_the_user_links_may_stay_or_lead_into_the_project(project: Path, named: str) -> None:
    outside = project.parent / "outside"
    (outside / "again.jsonl").symlink_to("c.jsonl")
    (outside / "kept.jsonl").symlink_to(project / "kept" / "b.jsonl")
    setting = f"sources.sums.path={outside}{named}"
    assert names(locked(project, "path: data", [setting])) == ["again.jsonl", "kept.jsonl"]
    (outside / "other.jsonl").symlink_to(Path(__file__).with_name("test_paths.py"))
    with pytest.raises(InputError, match=f"other.jsonl is a link that leads out of the folder {outside}"):
        locked(project, "path: data", [setting])


def test_what_the_user_names_may_itself_be_a_link(project: Path) -> None:
    (project / "mnt").symlink_to(project.parent / "outside")
    (project / "one.jsonl").symlink_to(project.parent / "outside" / "c.jsonl")
    for setting, name in (("mnt", "c.jsonl"), ("mnt/*.jsonl", "c.jsonl"), ("one.jsonl", "one.jsonl")):
        assert names(locked(project, "path: data", [f"sources.sums.path={project / setting}"])) == [name]


@pytest.mark.parametrize("path", ["", "*.jsonl"])
def test_a_link_that_leads_nowhere_is_not_passed_over(project: Path, path: str) -> None:
    (project / "data" / "gone.jsonl").symlink_to("nothing.jsonl")
    with pytest.raises(InputError, match=r"gone\.jsonl is a link that leads nowhere"):
        find_files(str(project / "data" / path), "sources.sums.path")


def test_the_lock_says_what_the_files_are_and_not_where(project: Path) -> None:
    (project / "data" / "a.jsonl").rename(project / "data" / "train.jsonl")
    outside = project.parent / "outside"
    (outside / "train.jsonl").write_text((project / "data" / "train.jsonl").read_text())
    (outside / "c.jsonl").unlink()
    for key in ("path", "hub"):
        inside = locked(project, f"{key}: ./data")
        assert inside.id == locked(project, f'{key}: "${{data}}"', [f"data={outside}"]).id
        assert str(project.parent) not in json.dumps(inside.as_json())


def test_files_of_one_name_are_told_apart_in_lock_and_records(project: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (project / "parts" / folder).mkdir(parents=True)
        (project / "parts" / folder / "part-0.jsonl").write_text(ROW * 5)
    lock = locked(project, "path: parts")
    assert names(lock) == ["a/part-0.jsonl", "b/part-0.jsonl"]
    with contextlib.closing(LocalProcesses(2)) as executor:
        for piece_bytes in (1, 1 << 20):  # divided among workers, and not
            ingest("sums", lock.recipe.sources["sums"], tmp_path, executor=executor, piece_bytes=piece_bytes)
            origins = [record.origin for record in read_records(tmp_path / "records.parquet")]
            assert origins == [f"{folder}/part-0.jsonl:{line}" for folder in "ab" for line in range(1, 6)]


def test_inspect_reads_what_it_is_given_and_its_lines_can_be_pasted(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    (project / "data" / "c.jsonl").symlink_to("../../outside/c.jsonl")
    for given, pasted in (("../outside", str(project.parent / "outside")), ("data/*.jsonl", "data/*.jsonl")):
        with pytest.raises(SystemExit):
            main(["inspect", given])
        out = capsys.readouterr().out
        (source,) = yaml.safe_load(out.partition("In a recipe:\n")[2])["sources"].values()
        assert source["path"] == pasted
