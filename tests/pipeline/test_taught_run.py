"""A source with a KL term, from the recipe to the weights: what it depends on, and what it leaves alone."""

from __future__ import annotations

import json

import pytest
from small_project import Finished, run_project, stages_that_ran, write_project

from mixwright.tokens.teacher import Teacher

OWN = """\
  own: {role: general, generate: self, records: 24, replay: {max_new_tokens: 40}, seed: 1, kl: {top_k: 4}}
"""


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("taught")
    file = write_project(folder, source=OWN, shares="{desk: 0.5, skills: 0.2, own: 0.3}")
    return Finished(file, folder / "out", run_project(file, folder / "out", until="train"))


def test_the_run_holds_what_the_base_expects_and_how_far_the_model_strays_from_it(taught: Finished) -> None:
    path = taught.result.path
    counted = json.loads((path / "tokens" / "own" / "manifest.json").read_text())["counts"]["supervised_tokens"]
    assert Teacher(path / "teachers" / "own").ids.shape == (counted, 4)
    metrics = [json.loads(line) for line in (path / "arms/blend/training/metrics.jsonl").read_text().splitlines()]
    strays = [line["kl_by_source"]["own"] for line in metrics if line.get("kl_by_source")]
    assert strays
    assert abs(strays[0]) < 0.01  # the base has not moved yet
    assert not (path / "teachers" / "desk").exists()


def test_another_weight_trains_again_and_draws_and_teaches_nothing(taught: Finished) -> None:
    again = run_project(taught.file, taught.out, ["sources.own.kl.weight=0.9"], until="train")
    assert stages_that_ran(again) == {"train blend"}


def test_more_tokens_kept_teaches_again_but_draws_nothing(taught: Finished) -> None:
    again = run_project(taught.file, taught.out, ["sources.own.kl.top_k=8"], until="train")
    assert stages_that_ran(again) == {"teach own", "train blend"}


def test_how_often_records_may_be_repeated_reads_nothing_again(taught: Finished) -> None:
    again = run_project(taught.file, taught.out, ["sources.skills.max_repeats=50"], until="blend")
    assert not {label for label in stages_that_ran(again) if label.startswith(("read", "replay", "tokenize"))}
