"""What a tuned run adds to the report: the session, arms by suites, the frontier, the choice of settings."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_reader import Page, page_of
from run_writer import NASTY, write_run
from tuned_writer import ANSWERS, ARMS, FORM, REQUESTS, SETTINGS, write, write_tuned_run

from mixwright.ground.errors import InputError
from mixwright.reporting import write_report
from mixwright.reporting.frontier import frontier
from mixwright.reporting.frontier_plot import frontier_plot
from mixwright.reporting.labels import Box, Wanted, around, placed
from mixwright.reporting.origins import origins
from mixwright.reporting.reading import read_run

REFERENCE = (Path(__file__).parents[2] / "docs" / "run-directory.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tuned_run(tmp_path_factory.mktemp("runs") / "tuned")


@pytest.fixture(scope="module")
def html(run: Path) -> str:
    return write_report(run).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def section(html: str, name: str) -> str:
    return Page(html.partition(f'<section id="{name}"')[2].partition("</section>")[0]).text


def test_the_page_opens_with_the_session_before_any_number(page: Page) -> None:
    before, _, after = page.text.partition("The same conversation with every arm")
    assert not re.search(r"\d", before)
    assert after.index(FORM) < after.index("In numbers")


def test_the_session_shows_every_answer_under_its_request_base_first(html: str) -> None:
    text = section(html, "session")
    places = [text.index(" ".join(request.split())) for request in REQUESTS]
    assert places == sorted(places)
    between = text[places[1] : places[2]]
    assert re.findall(r"Twelve\.|Twelve; action=refund|intent=billing; action=refund", between) == [
        ANSWERS[arm][1] for arm in ARMS
    ]
    assert text.count("unfinished") == 1
    assert "(empty answer)" in text


def test_answers_of_a_session_never_become_markup(page: Page, html: str) -> None:
    assert page.tags["script"] == 1
    assert page.tags["img"] == 0
    for nasty in NASTY[:2]:
        assert nasty in section(html, "session")


def test_without_a_session_there_is_no_section(tmp_path: Path) -> None:
    page = page_of(write_run(tmp_path / "run"))
    assert ("section", "id", "session") not in page.attributes
    assert ("section", "id", "chosen") not in page.attributes
    assert "same conversation" not in page.text


def test_every_arm_stands_against_every_suite_domain_first(html: str) -> None:
    text = section(html, "scores")
    assert text.index("intents domain, n 120") < text.index("skills general, n 180")
    table = text[text.index("Arms and suites") : text.index("domain score")]
    found = re.findall(r"(base|domain_only|halfway|blend) (?:interpolated .*? not trained )?\d+\.\d", table)
    assert found == list(ARMS)
    assert table.count("parsed") == 2 * len(ARMS)
    assert "✕ FAIL" in table
    assert "✓ PASS" in table


def test_an_interpolated_arm_is_said_to_be_one_and_has_no_blend_or_training(run: Path, html: str) -> None:
    assert {arm: each.parent for arm, each in origins(read_run(run)).items()} == {"halfway": "domain_only"}
    told = "interpolated 0.5 of the way from the base to domain_only, not trained"
    for name in ("contract", "scores", "blend"):
        assert told in section(html, name)
    assert "Shares and amounts per source – halfway" not in html
    assert "halfway: loss by source" not in html


def test_search_items_are_not_items_of_the_suite(run: Path) -> None:
    contents = read_run(run)
    assert [suite.name for suite in contents.suites] == ["intents", "skills"]
    assert len(contents.items) == 300


def test_every_setting_is_listed_with_its_slack_and_the_one_taken(html: str) -> None:
    text = section(html, "chosen")
    assert "none of its items is among those of the certificates" in text
    for label in (label for settings in SETTINGS.values() for label in settings):
        assert label in text
    assert text.count("✓ taken") == len(SETTINGS)
    assert "weight=0.5 ✓ taken −2.2 general loss of at most 4 −6.2 60" in text


def test_the_frontier_holds_arms_with_bounds_settings_in_order_and_what_is_asked(run: Path) -> None:
    shown = frontier(read_run(run))
    assert shown is not None
    assert [arm.arm for arm in shown.arms] == list(ARMS)
    base, blend = shown.arms[0], shown.arms[-1]
    assert blend.domain.low is not None
    assert blend.domain.high is not None
    assert blend.domain.low < blend.domain.value < blend.domain.high
    assert base.domain.low is None
    assert shown.asked == pytest.approx((base.domain.value + 0.3, base.general.value - 0.04))
    curves = {curve.arm: [(p.label, p.domain, p.general) for p in curve.points] for curve in shown.curves}
    assert curves == {
        arm: [(label, *scores) for label, scores in settings.items()] for arm, settings in SETTINGS.items()
    }
    plot = frontier_plot(shown)
    assert plot.count('r="4"') == sum(map(len, SETTINGS.values()))
    assert plot.count("chosen-ring") == len(SETTINGS)
    assert "asked-for" in plot


def test_every_number_of_the_plot_is_in_a_table(html: str) -> None:
    text = section(html, "scores")
    table = text[text.index("The numbers of this plot") :]
    assert "domain_only, lr=0.001 search split 64.0 58.0" in table
    assert "halfway, weight=0.25 search split 30.0 78.4" in table
    assert "asked by the contract above 41.7 78.2" in table


def test_without_a_contract_the_frontier_is_one_of_means(tmp_path: Path) -> None:
    shown = frontier(read_run(write_run(tmp_path / "run", bare=True)))
    assert shown is not None
    assert (shown.curves, shown.asked) == ((), None)
    assert [arm.arm for arm in shown.arms] == ["base", "domain_only", "blend"]


def test_labels_meet_neither_points_nor_each_other() -> None:
    crowd = [Wanted(100 + 4 * index, 100 + 3 * index, f"setting {index}", 5, 11) for index in range(12)]
    marks = [around(label.x, label.y, label.radius) for label in crowd]
    area = Box(0, 0, 300, 220)
    boxes = [box for box in placed(crowd, marks, area) if box]
    assert len(boxes) > 5
    assert all(area.holds(box) for box in boxes)
    assert not any(box.meets(mark) for box in boxes for mark in marks)
    assert not any(one.meets(other) for one in boxes for other in boxes if one is not other)


def without_response(value: dict[str, Any]) -> None:
    del value["turns"][0]["response"]


def other_request(value: dict[str, Any]) -> None:
    value["turns"][0]["request"] = "something else"


def no_turns(value: dict[str, Any]) -> None:
    value["turns"] = 7


def unknown_choice(value: dict[str, Any]) -> None:
    value["chosen"] = "lr=7"


def word_for_slack(value: dict[str, Any]) -> None:
    value["candidates"][0]["slack"] = "much"


def row_without_suite(value: dict[str, Any]) -> None:
    del value["rows"][0]["suite"]


def rows_of_text(value: dict[str, Any]) -> None:
    value["rows"] = ["base"]


@pytest.mark.parametrize(
    ("place", "damage"),
    [
        ("arms/blend/session/session.json", without_response),
        ("arms/blend/session/session.json", other_request),
        ("arms/base/session/session.json", no_turns),
        ("arms/blend/choice/choice.json", unknown_choice),
        ("arms/blend/choice/choice.json", word_for_slack),
        ("summary.json", row_without_suite),
        ("summary.json", rows_of_text),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, place: str, damage: Callable[[dict[str, Any]], None]) -> None:
    run = write_tuned_run(tmp_path / "run")
    value = json.loads((run / place).read_text())
    damage(value)
    write(run / place, value)
    with pytest.raises(InputError) as caught:
        write_report(run)
    assert caught.value.where == str(run / place)


def test_every_key_of_the_new_files_is_documented(run: Path) -> None:
    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value) | set().union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    for place in ("summary.json", "arms/blend/choice/choice.json", "arms/blend/session/session.json"):
        missing = [key for key in keys(json.loads((run / place).read_text())) if f"`{key}`" not in REFERENCE]
        assert not missing, place
