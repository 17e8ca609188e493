"""`write_report`: one self-contained HTML file from the files of a run.

Static on purpose: the file can be mailed, archived beside the model, printed and opened in ten years,
with no server and no request. What a live page could add (queries over many runs) belongs to the
dashboard.
"""

import os
from pathlib import Path

from mixwright.reporting.page import render
from mixwright.reporting.reading import read_run

REPORT_NAME = "report.html"


def write_report(run: Path, out: Path | None = None) -> Path:
    """Write the report of the run directory `run` to `out` (default: report.html inside it).

    The file appears whole or not at all; missing folders of `out` are made. Returns the path written.

    Raises:
        InputError: `run` is not a run directory, or one of its files is damaged.
    """
    target = run / REPORT_NAME if out is None else out
    page = render(read_run(run))
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    beside.write_text(page, encoding="utf-8", newline="\n")
    beside.replace(target)
    return target
