"""Ctrl-C: one line that says how to go on, the exit code shells expect, and nothing left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path, workers: str) -> None:
    command = [sys.executable, "-m", "mixwright", "demo", "--workers", workers]
    with (tmp_path / "log").open("w") as log:
        run = subprocess.Popen(command, cwd=tmp_path, stderr=log, stdout=log, start_new_session=True)
    try:
        for _ in range(600):
            if "curate" in (tmp_path / "log").read_text():
                break
            time.sleep(0.1)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        assert run.wait(30) == 130
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    said = (tmp_path / "log").read_text()
    assert said.endswith("interrupted: the same command goes on from here\n")
    assert "Traceback" not in said
