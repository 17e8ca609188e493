"""A full disk ends a run with one message, keeps what was finished, and lets the same command go on."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from mixwright.ground.errors import BrokenRun
from mixwright.ground.store import Store


class ErrorOfALibrary(Exception):
    """What a library written in another language raises: no errno, only words."""


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        ErrorOfALibrary("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
    ids=["space", "quota", "words only"],
)
def test_a_full_disk_is_a_broken_run_that_can_be_continued(tmp_path: Path, error: Exception) -> None:
    store = Store(tmp_path)

    def fill(out: Path) -> dict[str, int]:
        (out / "half").write_text("written")
        raise error

    with pytest.raises(BrokenRun, match="the disk is full"):
        store.build("stage", "stage", inputs={}, config={}, make=fill)

    def succeed(out: Path) -> dict[str, int]:
        assert list(out.iterdir()) == [], "nothing of the failed attempt may be left"
        (out / "whole").write_text("written")
        return {}

    assert store.build("stage", "stage", inputs={}, config={}, make=succeed).path.is_dir()


def test_any_other_error_stays_what_it_is(tmp_path: Path) -> None:
    def fail(out: Path) -> dict[str, int]:
        raise ErrorOfALibrary("something else")

    with pytest.raises(ErrorOfALibrary):
        Store(tmp_path).build("stage", "stage", inputs={}, config={}, make=fail)
