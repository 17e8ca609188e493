"""Errors for the person at the keyboard: what, where, what to do."""

from __future__ import annotations

import pickle

from mixwright.ground.errors import BrokenRun, InputError, did_you_mean


def test_an_error_reads_place_then_fault_then_remedy() -> None:
    assert str(InputError("no rows", where="sources.tickets", fix="Check the path.")) == (
        "sources.tickets: no rows\n  Check the path."
    )
    assert str(InputError("no rows")) == "no rows"


def test_bad_input_and_a_broken_run_have_their_own_exit_codes() -> None:
    assert InputError("x").exit_code == 2
    assert BrokenRun("x").exit_code == 4
    assert BrokenRun("x", where="here").as_json() == {"error": "x", "where": "here", "fix": None, "exit_code": 4}


def test_an_error_crosses_processes_whole() -> None:
    error = pickle.loads(pickle.dumps(InputError("no rows", where="a.csv:3", fix="Mend it.")))
    assert str(error) == "a.csv:3: no rows\n  Mend it."


def test_a_near_match_is_suggested_and_otherwise_what_exists_is_listed() -> None:
    assert did_you_mean("ticket", ["tickets", "skills"]) == "Did you mean 'tickets'?"
    assert did_you_mean("zzz", ["tickets", "skills"]) == "Known: skills, tickets."
    assert did_you_mean("zzz", (f"s{i:02}" for i in range(20))).endswith("s11 and 8 more.")
    assert did_you_mean("zzz", []) == "There is none to choose from."
