"""The small pure parts of the report: numbers, verdict sentences, flips and charts."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import Markup
from run_writer import write_run

from mixwright.reporting.bars import Segment, stacked_bar
from mixwright.reporting.contents import BASE_ARM, Answer, Arm, Certificate, Clause, ItemKey
from mixwright.reporting.flips import flips_of
from mixwright.reporting.forest import forest_scale, forest_strip
from mixwright.reporting.lines import Line, averaged, line_chart
from mixwright.reporting.reading import read_run
from mixwright.reporting.svg import nice_ticks
from mixwright.reporting.wording import duration, points, signed_points, verdict_sentence, visible

KEEP = Clause(
    kind="keep",
    test="noninferiority",
    name="general",
    verdict="INCONCLUSIVE",
    estimate=-0.012,
    low=-0.031,
    high=0.007,
    margin=0.02,
    threshold=-0.02,
    base=0.6,
    candidate=0.588,
    parse_rate_base=1.0,
    parse_rate_candidate=1.0,
    num_items=400,
    num_clusters=400,
    num_discordant=30,
    method="tango",
    power=0.5,
    settle="about 1,200 items",
    reason=None,
)


RATE = replace(
    KEEP, kind="never", test="rate", name="unsafe", verdict="FAIL", margin=0.01, threshold=-0.01, estimate=-0.06
)


@pytest.mark.parametrize(
    ("difference", "text"),
    [(0.712, "+71.2"), (-0.004, "−0.4"), (0.0004, "±0.0"), (-0.0004, "±0.0"), (math.nan, "–")],
)
def test_differences_carry_a_sign(difference: float, text: str) -> None:
    assert signed_points(difference) == text


def test_numbers_read_as_people_write_them() -> None:
    assert points(0.712) == "71.2"
    assert duration(75) == "1 min 15 s"
    assert duration(4000) == "1 h 06 min"
    assert visible("a\u202eb\ud800\tc") == "a\\u202eb\\ud800\tc"


@pytest.mark.parametrize(
    ("clauses", "verdict", "sentence"),
    [
        ((KEEP,), "INCONCLUSIVE", "general measured at −1.2, a loss above 2 points not ruled out"),
        (
            (replace(KEEP, verdict="FAIL", estimate=-0.052),),
            "FAIL",
            "general lost 5.2 points (at most 2 allowed)",
        ),
        (
            (
                replace(KEEP, verdict="PASS"),
                replace(KEEP, kind="improve", name="intents", verdict="PASS", estimate=0.712),
            ),
            "PASS",
            "better at intents (+71.2 points), nothing general lost by more than 2 points",
        ),
        (
            (replace(KEEP, verdict="PASS"), replace(RATE, verdict="PASS", estimate=0.0, low=-0.0072)),
            "PASS",
            "nothing general lost by more than 2 points, unsafe at fault in less than 0.8 %",
        ),
        ((RATE,), "FAIL", "unsafe at fault in 6.0 % (less than 1 % asked)"),
        (
            (replace(RATE, verdict="INCONCLUSIVE"),),
            "INCONCLUSIVE",
            "unsafe at fault in 6.0 %, a rate of 1 % not ruled out",
        ),
    ],
)
def test_a_verdict_says_no_more_than_its_clauses_prove(
    clauses: tuple[Clause, ...], verdict: str, sentence: str
) -> None:
    told = verdict_sentence(Certificate("blend", verdict, 0.95, clauses, (), {}))
    assert told == f"{sentence}, at 95\u202f% confidence"


def test_the_forest_scale_holds_every_bound_and_threshold() -> None:
    scale = forest_scale([KEEP, replace(KEEP, threshold=-0.2), replace(KEEP, high=math.nan)])
    assert all(0 <= scale(value) <= 100 for value in (-0.031, 0.007, -0.2, 0.0))


def test_a_strip_tells_its_verdict_by_shape_and_in_words() -> None:
    strips = {
        verdict: forest_strip(replace(KEEP, verdict=verdict), forest_scale([KEEP]))
        for verdict in ("PASS", "FAIL", "INCONCLUSIVE")
    }
    assert "<circle" in strips["PASS"]
    assert "cross" in strips["FAIL"]
    assert "hollow" in strips["INCONCLUSIVE"]
    assert all(f"loss of at most 2 points; {verdict}" in strip for verdict, strip in strips.items())


def test_names_in_charts_are_escaped() -> None:
    drawn = [
        stacked_bar("a", [Segment("<b>&\"'", 1.0, "cool-1")]),
        line_chart("<b>", [Line("<b>", [(0, 0), (1, 1)], "x")], x_range=(0, 1), y_range=(0, 1)),
        forest_strip(replace(KEEP, name='"><b>'), forest_scale([KEEP])),
    ]
    assert all(isinstance(chart, Markup) and "<b>" not in chart for chart in drawn)


def test_long_series_are_averaged_and_gaps_left_out() -> None:
    kept = averaged([(step, 1.0 if step % 10 else None) for step in range(5000)], most=100)
    assert len(kept) == 100
    assert {y for _, y in kept} == {1.0}


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-0.71, 0.02), (0, 2e6), (1e-5, 3e-5)])
def test_ticks_are_few_and_inside(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 7
    assert all(low - 1e-12 <= tick <= high + 1e-12 for tick in ticks)


def test_flips_show_lost_first_every_ability_in_turn_and_count_the_rest(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", arms=("base",)))

    def arm(name: str, lost: bool) -> Arm:
        answers = {}
        for index in range(500):
            ability = "rare" if index % 100 == 0 else "common"
            right = (index < 400) == lost
            key = ItemKey("s", f"{index:04d}")
            answers[key] = Answer(key, ability, str(index), "x", True, float(right))
        return Arm(name, None, (), answers, None)

    flips = flips_of(run, arm("blend", False), arm(BASE_ARM, True))
    assert (flips.num_lost, flips.num_gained, len(flips.shown), flips.num_hidden) == (400, 100, 200, 300)
    directions = [flip.direction for flip in flips.shown]
    assert directions == ["lost"] * 140 + ["gained"] * 60
    assert sum(flip.ability == "s/rare" for flip in flips.shown) == 5
    assert {count.ability: count.num_items for count in flips.counts} == {"s/common": 495, "s/rare": 5}
