"""The rules of the house hold: one direction, clean checks, a light start, short files, no pickle."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import mixwright

ROOT = Path(__file__).parent.parent
SOURCE = Path(mixwright.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 400


def succeeds(*command: str) -> None:
    done = subprocess.run([*command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_floor_imports_only_the_floors_below_it() -> None:
    succeeds(sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")


def test_ruff_finds_nothing() -> None:
    succeeds(sys.executable, "-m", "ruff", "check", "src", "tests")


def test_mypy_finds_nothing_in_the_package() -> None:
    succeeds(sys.executable, "-m", "mypy", "src")


def test_help_is_shown_without_anything_heavy() -> None:
    program = """
import contextlib, io, sys
from mixwright.cli.main import main
with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
    main(["--help"])
assert "Specialise any open-weight language model" in shown.getvalue(), shown.getvalue()
heavy = {"torch", "transformers", "pydantic", "numpy", "pyarrow", "scipy", "jinja2"} & set(sys.modules)
assert not heavy, heavy
"""
    succeeds(sys.executable, "-c", program)


def test_importing_the_package_imports_nothing_heavy_and_offers_its_names() -> None:
    program = """
import sys
import mixwright
assert not {"torch", "transformers", "pydantic", "numpy"} & set(sys.modules)
for name in mixwright.__all__:
    assert getattr(mixwright, name).__name__ == name
"""
    succeeds(sys.executable, "-c", program)


def test_a_file_can_be_read_in_one_sitting() -> None:
    lengths = {path.relative_to(SOURCE).as_posix(): len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_every_file_says_what_it_is_for() -> None:
    assert [str(path) for path in FILES if not path.read_text().startswith('"""')] == []


def test_nothing_is_pickled_and_no_foreign_code_is_trusted() -> None:
    forbidden = re.compile(
        r"^\s*(import|from)\s+(pickle|cloudpickle|dill|joblib)\b|torch\.(load|save)\(|trust_remote_code=True|allow_pickle=True",
        re.MULTILINE,
    )
    assert {path.name: forbidden.findall(text) for path in FILES if forbidden.search(text := path.read_text())} == {}
