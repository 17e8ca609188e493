"""The report as a specification: everything is on the page, and nothing on the page can act.

The page is judged by a parser, not by its text, because the question is what a browser would make of it.
"""

import json
from pathlib import Path

import pytest
from page_reader import Page, page_of
from run_writer import ABILITIES, LOCK, NASTY, SOURCES, write_run

from mixwright.ground.errors import InputError
from mixwright.reporting import write_report

FETCHING = {"src", "srcset", "poster", "data", "action", "formaction", "background", "xlink:href"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "full")


@pytest.fixture(scope="module")
def page(run: Path) -> Page:
    return page_of(run)


def test_text_of_a_model_never_becomes_markup(page: Page) -> None:
    assert page.tags["script"] == 1
    assert page.tags["style"] == 1
    assert not {"img", "iframe", "object", "embed", "link", "base", "form"} & page.tags.keys()
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert {name for tag, name, _ in page.attributes if tag == "svg"}.isdisjoint({"onload"})
    for nasty in NASTY:
        assert " ".join(nasty.split()) in page.text


def test_invisible_characters_of_a_model_are_made_visible(page: Page) -> None:
    assert "\u202e" not in page.text
    assert "\x1b" not in page.text
    assert "right\\u202eto left" in page.text


def test_the_page_requests_nothing(page: Page) -> None:
    fetching = [(tag, name, value) for tag, name, value in page.attributes if name in FETCHING]
    assert fetching == []
    assert all(value.startswith("#") for _, name, value in page.attributes if name == "href")
    policy = next(value for tag, name, value in page.attributes if name == "content" and "default-src" in value)
    assert "default-src 'none'" in policy
    assert not [value for _, name, value in page.attributes if "://" in value and name != "content"]


def test_every_arm_clause_source_and_drop_reason_is_on_the_page(page: Page) -> None:
    for name in ("base", "domain_only", "blend", "intents", "general", LOCK, *SOURCES):
        assert name in page.text
    for ability in ABILITIES:
        assert f"skills/{ability}" in page.text
    for reason in ("near duplicate", "too short", "leak: skills", "cc-by-4.0"):
        assert reason in page.text


def test_the_verdict_is_a_sentence_with_numbers(page: Page) -> None:
    assert "PASS – blend meets its contract" in page.text
    assert "better at intents (+72.5 points)" in page.text
    assert "no single ability lost by more than 10 points, at 95" in page.text
    assert "general lost 40.0 points (at most 4 allowed)" in page.text


def test_every_chart_is_labelled_and_every_table_captioned(page: Page) -> None:
    roles = [value for tag, name, value in page.attributes if tag == "svg" and name == "role"]
    labels = [value for tag, name, value in page.attributes if tag == "svg" and name == "aria-label"]
    assert len(roles) == len(labels) > 20
    assert all(labels)
    assert page.tags["caption"] == page.tags["table"]


def test_parse_rates_stand_beside_scores_and_a_fall_is_pointed_out(page: Page) -> None:
    assert "35.6 68.9" in page.text
    assert "Not so: the answers of domain_only can be parsed about as often" in page.text


def test_the_same_run_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    first, second = write_report(run, tmp_path / "a.html"), write_report(run, tmp_path / "deep" / "b.html")
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "deep"]


def test_a_run_without_contract_and_training_says_so(tmp_path: Path) -> None:
    page = page_of(write_run(tmp_path / "bare", bare=True))
    for part in ("Contract and certificates", "Blend", "Training", "Curation", "Lock", "Recipe"):
        assert f"{part}: not part of this run." in page.text
    assert "No verdict" in page.text
    assert page.tags["img"] == 0
    assert "The text of this item is not in the run." in page.text


def test_a_run_with_the_base_alone_is_shown(tmp_path: Path) -> None:
    page = page_of(write_run(tmp_path / "single", arms=("base",)))
    assert "General suites" in page.text
    assert all(ability in page.text for ability in ABILITIES)
    assert "Comparison with the base, item by item: not part of this run." in page.text


def test_a_directory_that_is_no_run_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no run\.json"):
        write_report(tmp_path)


def test_the_divergence_of_a_source_with_a_kl_term_stands_beside_its_loss(tmp_path: Path) -> None:
    text = page_of(write_run(tmp_path / "run")).text
    assert text.count("divergence from the base, nats") == 1  # of the blend; the domain alone has no such source
    assert "0.0321" in text


def test_a_damaged_file_is_named_with_its_line(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    metrics = run / "arms" / "blend" / "training" / "metrics.jsonl"
    lines = metrics.read_text().splitlines()
    metrics.write_text("\n".join([*lines[:2], "{broken", *lines[2:]]))
    with pytest.raises(InputError) as caught:
        write_report(run)
    assert caught.value.where == f"{metrics}:3"


def test_contradictions_between_files_are_told(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**facts, "verdict": "FAIL", "lock": "another"}))
    attrition = json.loads((run / "corpus" / "attrition.json").read_text())
    attrition["sources"]["replay"]["rows_kept"] += 1
    (run / "corpus" / "attrition.json").write_text(json.dumps(attrition))
    text = page_of(run).text
    assert "the run says FAIL, the certificate PASS" in text
    assert "another lock in domain_only, blend" in text
    assert "the counts do not add up in replay" in text
