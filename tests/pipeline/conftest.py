"""One small project, run to its certificates once for all tests of the pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_project import Finished, run_project, write_project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run from nothing. Tests may run the same recipe again in its `out`, but must not damage what lies there."""
    folder = tmp_path_factory.mktemp("project")
    file = write_project(folder)
    out = folder / "runs"
    return Finished(file, out, run_project(file, out))


@pytest.fixture
def notes() -> list[dict[str, str]]:
    """Rows of a file source."""
    return [{"prompt": f"Note {n}: what next?", "completion": f"Step {n}"} for n in range(30)]


@pytest.fixture
def project_with_files(tmp_path: Path, notes: list[dict[str, str]]) -> Path:
    """The recipe of a project that also reads a file and lies in a folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "notes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in notes))
    source = "  notes: {role: domain, path: notes.jsonl}\n"
    return write_project(folder, source=source, shares="{desk: 0.25, notes: 0.25, skills: 0.5}")
