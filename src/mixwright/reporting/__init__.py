"""One HTML file that convinces a practitioner and answers a compliance reviewer, from the files of a
run."""

from mixwright.reporting.report import write_report

__all__ = ["write_report"]
