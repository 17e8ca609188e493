"""`run`: a recipe to certificates, never doing twice what is done, and the same whoever runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_project import Finished, run_project, stages_that_ran, statuses, write_project

from mixwright.cli.main import main
from mixwright.cli.output import show_event
from mixwright.cli.tables import plan_lines
from mixwright.ground.artefacts import read_json
from mixwright.ground.hashing import file_digest
from mixwright.pipeline.run import plan_recipe
from mixwright.recipe.load import load_recipe
from mixwright.reporting import write_report
from mixwright.sources.generators import abilities_of

ARMS = {"domain_only", "blend"}


def test_a_run_does_every_stage_once(finished: Finished) -> None:
    asked = ["suite desk", "suite skills", "read desk", "read skills", "curate", "tokenize desk", "tokenize skills"]
    asked += [f"{stage} {arm}" for arm in ARMS for stage in ("blend", "train", "respond", "score", "certify")]
    asked += [f"session {arm}" for arm in ARMS] + ["respond base", "score base", "session base"]
    assert statuses(finished.result) == dict.fromkeys(asked, "ran")
    assert len(finished.result.events) == len(asked)


def test_a_run_ends_with_scores_certificates_and_a_verdict(finished: Finished) -> None:
    result = finished.result
    assert {row["arm"] for row in result.summary} == ARMS | {"base"}
    assert all(0 <= row["score"] <= 1 for row in result.summary)
    assert set(result.certificates) == ARMS
    assert result.verdict == result.certificates["blend"]["verdict"] == "FAIL"
    assert result.certificates["blend"]["evidence"]["lock"] == result.lock.id


def test_the_same_run_again_is_found_done(finished: Finished) -> None:
    again = run_project(finished.file, finished.out)
    assert set(statuses(again).values()) == {"cached"}
    assert again.path == finished.result.path
    assert again.certificates == finished.result.certificates


def test_a_run_elsewhere_gives_the_same_corpus_weights_answers_and_certificate(
    finished: Finished, tmp_path: Path
) -> None:
    other = run_project(finished.file, tmp_path / "runs")
    assert other.lock.id == finished.result.lock.id
    assert {event.label: event.key for event in other.events} == {
        event.label: event.key for event in finished.result.events
    }
    for name in (
        "corpus/desk.parquet",
        "tokens/skills/tokens.bin",
        "arms/blend/training/model/model.safetensors",
        "arms/blend/training/metrics.jsonl",
        "arms/blend/evaluation/records.parquet",
        "arms/blend/certificate/certificate.json",
    ):
        assert file_digest(other.path / name) == file_digest(finished.result.path / name), name


def test_a_filter_that_drops_nothing_sets_nothing_off_below_the_corpus(finished: Finished) -> None:
    changed = run_project(finished.file, finished.out, ["curate.filters.max_characters=99999"])
    # certificates name the corpus they rest on
    assert stages_that_ran(changed) == {"curate", "certify domain_only", "certify blend"}
    assert changed.lock.id != finished.result.lock.id
    assert changed.path != finished.result.path


def test_a_filter_that_drops_rows_of_one_source_leaves_the_tokens_of_the_other(finished: Finished) -> None:
    changed = run_project(finished.file, finished.out, ["curate.filters.min_answer_characters=3"], until="blend")
    assert read_json(changed.path / "corpus" / "attrition.json")["sources"]["desk"]["dropped"] == {}
    assert stages_that_ran(changed) == {"curate", "tokenize skills", "blend blend"}


def test_another_learning_rate_reads_and_tokenizes_nothing_again(finished: Finished) -> None:
    changed = run_project(finished.file, finished.out, ["arms.domain_only.learning_rate=0.002"], until="train")
    assert stages_that_ran(changed) == {"train domain_only"}


@pytest.mark.parametrize(
    ("artefact", "floors"),
    [
        ("corpus", {"items", "sources", "curation"}),
        ("tokens/desk", {"sources", "models", "tokens"}),
        ("arms/blend/blend", {"tokens", "blend"}),
        ("arms/blend/training", {"tokens", "blend", "models", "training"}),
        ("arms/blend/responses", {"items", "models", "evaluation/respond.py"}),
        ("arms/blend/certificate", {"statistics", "evidence"}),
    ],
)
def test_the_code_that_makes_an_artefact_is_part_of_its_key(
    finished: Finished, artefact: str, floors: set[str]
) -> None:
    assert set(read_json(finished.result.path / artefact / "manifest.json")["code"]) >= floors


def test_a_run_goes_only_as_far_as_asked(finished: Finished, tmp_path: Path) -> None:
    short = run_project(finished.file, tmp_path / "runs", until="blend")
    assert not any(label.startswith(("train", "respond", "certify")) for label in statuses(short))
    assert (short.verdict, short.summary, short.certificates) == (None, [], {})
    realised = read_json(short.path / "arms" / "blend" / "blend" / "realised.json")
    assert realised["realised"]["tokens"]["desk"] == pytest.approx(0.5, abs=256 / 3000)


@pytest.mark.parametrize(
    ("verdict", "code", "settings"),
    [
        ("FAIL", 1, []),
        ("PASS", 0, ["contract.improve={}"]),
        ("INCONCLUSIVE", 3, ["contract.improve={desk: 0.01}", "contract.keep={general: 0.01}"]),
    ],
)
def test_the_exit_code_is_that_of_the_verdict(
    finished: Finished, capsys: pytest.CaptureFixture[str], verdict: str, code: int, settings: list[str]
) -> None:
    given = [argument for setting in settings for argument in ("--set", setting)]
    with pytest.raises(SystemExit) as ended:
        main(["run", str(finished.file), "--out", str(finished.out), "--threads", "1", *given])
    assert ended.value.code == code
    printed = capsys.readouterr()
    assert f"\n{verdict}  tiny / blend" in printed.out
    assert "train blend" in printed.err


def test_a_plan_says_what_the_suites_can_certify_before_anything_is_trained(finished: Finished, tmp_path: Path) -> None:
    events = []
    plan = plan_recipe(load_recipe(finished.file), out=tmp_path / "runs", threads=1, on_event=events.append)
    assert not any(event.stage in ("train", "respond") for event in events)
    assert set(plan.arms) == ARMS
    assert plan.attrition["desk"]["rows_in"] == 60
    improve, keep = plan.clauses
    assert (improve.clause.name, improve.num_items) == ("desk", 10)
    assert (keep.clause.name, keep.num_items) == ("general", 3 * len(abilities_of("skills")))
    assert keep.power is not None
    assert 0 < keep.power <= 1
    assert improve.detectable is None or improve.detectable > 0.9


def test_what_no_row_of_training_holds_is_told_beside_what_curation_drops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = " ".join(f"word{number}" for number in range(400))
    rows = [{"prompt": f"Question {n}", "completion": long if n < 4 else f"Answer {n}"} for n in range(12)]
    (tmp_path / "notes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[-1]]))
    source = "  notes: {role: general, path: notes.jsonl}\n"
    file = write_project(tmp_path, source=source, shares="{desk: 0.5, skills: 0.4, notes: 0.1}")
    plan = plan_recipe(load_recipe(file), out=tmp_path / "runs", threads=1, on_event=show_event)
    assert plan.attrition["notes"] == {
        "rows_in": 13,
        "rows_kept": 8,
        "rows_heldout": 0,
        "dropped": {"duplicate": 1, "longer_than_a_row": 4},
    }
    assert "duplicate 1, longer_than_a_row 4" in "\n".join(plan_lines(plan))
    assert "dropped: longer than a row 4" in capsys.readouterr().err


def test_a_plan_asks_for_the_items_with_which_the_contract_has_its_power(finished: Finished, tmp_path: Path) -> None:
    asked = ["contract.keep={skills/sorting: 0.1}"]
    short = plan_recipe(load_recipe(finished.file, asked), out=finished.out, threads=1)
    assert short.ask_for.keys() == {"skills"}
    more = [*asked, f"suites.skills.items_per_ability={short.ask_for['skills']}", "suites.skills.abilities=[sorting]"]
    enough = plan_recipe(load_recipe(finished.file, more), out=tmp_path / "runs", threads=1)
    assert not enough.ask_for
    assert enough.clauses[-1].power is not None
    assert enough.clauses[-1].power >= 0.8


def test_a_shorter_command_keeps_the_verdict_that_stands(finished: Finished) -> None:
    run_project(finished.file, finished.out, until="train")
    assert read_json(finished.result.path / "run.json")["verdict"] == "FAIL"


def test_a_file_lost_from_a_run_folder_comes_back(finished: Finished) -> None:
    lost = finished.result.path / "arms" / "blend" / "evaluation" / "records.parquet"
    before = file_digest(lost)
    lost.unlink()
    run_project(finished.file, finished.out)
    assert file_digest(lost) == before


def test_certify_alone_exits_with_the_verdict(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["certify", str(finished.file), "--out", str(finished.out), "--threads", "1"])
    assert stop.value.code == 1
    assert "FAIL" in capsys.readouterr().out


def test_every_arm_stands_in_the_summary_for_programs_and_on_the_terminal(
    finished: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["certify", str(finished.file), "--out", str(finished.out), "--threads", "1"]
    for more in ([], ["--json"]):
        with pytest.raises(SystemExit):
            main([*command, *more])
    shown, _, printed = capsys.readouterr().out.partition("{")
    answer = json.loads("{" + printed)
    assert answer.keys() == {"run", "lock", "verdict", "summary", "certificates", "uses"}
    assert answer["summary"] == [*finished.result.summary] == read_json(finished.result.path / "summary.json")["rows"]
    head, *table = shown.split("\n\n")[0].splitlines()
    assert head.split() == ["arm", "desk", "skills", "parsed", "certificate"]
    assert [line.split()[0] for line in table[:-1]] == ["base", "domain_only", "blend"]
    assert shown.index("FAIL  tiny / domain_only") < shown.index("FAIL  tiny / blend")


def test_a_suite_that_no_clause_names_may_be_of_one_cluster(finished: Finished, tmp_path: Path) -> None:
    """It cannot be certified, but it can be shown: the run goes to its end."""
    (tmp_path / "one.jsonl").write_text('{"q": "Repeat: tin fox", "a": "tin fox"}\n')
    one = f'  one: {{role: domain, path: {tmp_path}/one.jsonl, prompt: "{{q}}", target: "{{a}}", scorer: exact}}\n'
    file = tmp_path / "recipe.yaml"
    file.write_text(finished.file.read_text().replace("suites:\n", "suites:\n" + one))
    result = run_project(file, finished.out)
    rows = {(row["arm"], row["suite"]): row for row in result.summary}
    assert rows["blend", "one"]["num_items"] == 1
    assert rows["blend", "one"]["low"] is None
    assert rows["blend", "desk"]["low"] is not None
    assert write_report(result.path).exists()
