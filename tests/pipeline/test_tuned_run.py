"""A run that chooses rates and weights, rehearses what the base wrote itself, and is made by one process or by two."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small_project import Finished, stages_that_ran, statuses

import mixwright.sources.replay.drawing as replay_module
from mixwright.evidence.choose import choose
from mixwright.ground.artefacts import read_json
from mixwright.ground.executor import Result, Task
from mixwright.ground.hashing import file_digest
from mixwright.ground.store import Store
from mixwright.items.suite import Item, read_items, suite_about
from mixwright.models.tokenizer import ChatTokenizer
from mixwright.pipeline.parallel import build_arms
from mixwright.pipeline.run import RunResult, run_recipe
from mixwright.pipeline.stages import Stages
from mixwright.recipe.contract import Contract
from mixwright.recipe.load import load_recipe
from mixwright.reporting import write_report

RECIPE = """\
mixwright: 1
name: tuned
base: {model: embedded:nano}
sources:
  desk: {role: domain, generate: support_desk, records: 40, seed: 1}
  own: {role: general, generate: self, records: 24, replay: {max_new_tokens: 40}, seed: 1}
suites:
  desk: {role: domain, generate: support_desk, items_per_ability: 8, seed: 2}
  skills: {role: general, generate: skills, abilities: [addition, repeat], items_per_ability: 16, seed: 2}
blend: {shares: {desk: 0.5, own: 0.5}, budget: {tokens: 1000}}
arms:
  domain_only: {shares: domain}
  steady: {shares: domain, learning_rate: 1.0e-4}
  back: {interpolate: domain_only, weights: [0.25, 1.0]}
train: {sequence_length: 256, batch_tokens: 512, precision: fp32, device: cpu}
tune: {learning_rates: [1.0e-3, 4.0e-3], search_share: 0.4}
contract: {improve: {desk: 0.5}, keep: {general: 0.3, each_ability: 0.5}}
"""
TUNED = {
    "domain_only": ["lr=0.001", "lr=0.004"],
    "back": ["weight=0.25", "weight=1"],
    "blend": ["lr=0.001", "lr=0.004"],
}
SUITES = ("desk", "skills")


def run_with(file: Path, out: Path, num_workers: int) -> RunResult:
    return run_recipe(load_recipe(file), out=out, threads=1, num_workers=num_workers)


@pytest.fixture(scope="module", autouse=True)
def small_chunks() -> Iterator[None]:
    """So that several processes have something to draw."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay_module, "CHUNK", 12)
        yield


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("tuned")
    file = folder / "recipe.yaml"
    file.write_text(RECIPE)
    return Finished(file, folder / "runs", run_with(file, folder / "runs", 1))


@pytest.fixture(scope="module")
def side_by_side(tuned: Finished, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The same run in a store of its own, by two processes."""
    out = tmp_path_factory.mktemp("two") / "runs"
    return Finished(tuned.file, out, run_with(tuned.file, out, 2))


def items(run: Path, suite: str, part: str = "") -> list[Item]:
    return read_items(run / "suites" / suite / part)


def made_once(result: RunResult) -> bool:
    """Nothing was there before: a stage is found only where another with the same inputs was made in this run."""
    made: set[tuple[str, str]] = set()
    for event in result.events:
        if (event.status == "cached") != ((event.stage, event.key) in made):
            return False
        made.add((event.stage, event.key))
    return True


def answered(folder: Path) -> set[str]:
    return {row["item_id"] for row in pq.read_table(folder / "records.parquet").to_pylist()}


def test_every_candidate_is_made_once_and_judged_on_the_search_items(tuned: Finished) -> None:
    expected = {f"{stage} base{part}" for stage in ("respond", "score") for part in ("", " search")}
    for arm, labels in TUNED.items():
        made = "interpolate" if arm == "back" else "train"
        expected |= {f"{made} {arm} {label}" for label in labels} | {f"choose {arm}"}
        expected |= {f"{stage} {arm} {label} search" for label in labels for stage in ("respond", "score")}
    found = statuses(tuned.result)
    assert {label for label in found if label.startswith(("train", "interpolate", "choose"))} | {
        label for label in found if label.endswith("search") or "base" in label
    } == expected | {"train steady", "session base"}
    assert made_once(tuned.result)


def test_the_items_that_choose_are_none_of_those_that_certify(tuned: Finished) -> None:
    run = tuned.result.path
    certifying = {item.item_id for suite in SUITES for item in items(run, suite)}
    searching = {item.item_id for suite in SUITES for item in items(run, suite, "search")}
    assert certifying
    assert searching
    assert not certifying & searching
    for arm in ("base", "steady", *TUNED):
        assert answered(run / "arms" / arm / "evaluation") == certifying
    for arm in TUNED:
        found = read_json(run / "arms" / arm / "choice" / "choice.json")["candidates"]
        assert [candidate["label"] for candidate in found] == TUNED[arm]
        for suite, clause in zip(SUITES, found[0]["clauses"], strict=False):
            assert clause["num_items"] == len(items(run, suite, "search"))
        certificate = tuned.result.certificates[arm]
        for suite, clause in zip(SUITES, certificate["clauses"], strict=False):
            assert clause["num_items"] == len(items(run, suite))


def test_the_chosen_model_is_the_one_that_answers_and_is_kept(tuned: Finished) -> None:
    run, store = tuned.result.path, tuned.out / "store"
    keys = {event.label: event.key for event in tuned.result.events}
    for arm in TUNED:
        chosen = read_json(run / "arms" / arm / "choice" / "choice.json")["chosen"]
        stage = "interpolate" if arm == "back" else "train"
        made = store / stage / keys[f"{stage} {arm} {chosen}"] / "model" / "model.safetensors"
        assert file_digest(run / "arms" / arm / "training" / "model" / "model.safetensors") == file_digest(made)
    assert not (run / "arms" / "steady" / "choice").exists()


def test_the_choice_can_be_made_again_from_what_the_store_holds(tuned: Finished, tmp_path: Path) -> None:
    store, run = tuned.out / "store", tuned.result.path
    keys = {event.label: event.key for event in tuned.result.events}
    scored = {
        label: store / "score" / keys[f"score blend {label} search"] / "records.parquet" for label in TUNED["blend"]
    }
    contract = Contract.model_validate(read_json(run / "lock.json")["recipe"]["contract"])
    about = {suite: suite_about(run / "suites" / suite / "search") for suite in SUITES}
    choose(contract, about, scored, store / "score" / keys["score base search"] / "records.parquet", tmp_path)
    assert read_json(tmp_path / "choice.json") == read_json(run / "arms" / "blend" / "choice" / "choice.json")


def test_the_whole_way_back_is_the_arm_itself(tuned: Finished) -> None:
    keys = {event.label: event.key for event in tuned.result.events}
    whole = tuned.out / "store" / "interpolate" / keys["interpolate back weight=1"] / "model" / "model.safetensors"
    arm = tuned.result.path / "arms" / "domain_only" / "training" / "model" / "model.safetensors"
    assert file_digest(whole) == file_digest(arm)


def test_an_interpolated_arm_shows_the_blend_of_the_arm_that_it_goes_back_from(tuned: Finished) -> None:
    arms = tuned.result.path / "arms"
    assert read_json(arms / "back" / "blend" / "realised.json") == read_json(
        arms / "domain_only" / "blend" / "realised.json"
    )


def test_what_the_base_wrote_is_trained_on_and_accounted_for(tuned: Finished) -> None:
    run = tuned.result.path
    attrition = read_json(run / "corpus" / "attrition.json")["sources"]["own"]
    assert attrition["rows_in"] == 24
    assert attrition["rows_kept"] == 24 - sum(attrition["dropped"].values()) > 0
    assert read_json(run / "arms" / "blend" / "blend" / "realised.json")["realised"]["tokens"]["own"] > 0.2
    rows = pq.read_table(run / "corpus" / "own.parquet").to_pylist()
    assert all(row["origin"].startswith("self:") for row in rows)
    tokenizer = ChatTokenizer(run / "arms" / "blend" / "training" / "model")
    markers = tokenizer.inner.all_special_tokens
    for row in rows:
        messages = json.loads(row["messages"])
        assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2)
        assert all(message["content"].strip() for message in messages)
        assert not any(marker in message["content"] for message in messages for marker in markers)


def test_every_arm_holds_the_same_session(tuned: Finished) -> None:
    asked = {
        arm: [turn["request"] for turn in read_json(tuned.result.path / "arms" / arm / "session/session.json")["turns"]]
        for arm in ("base", "steady", *TUNED)
    }
    desk, skills = (items(tuned.result.path, suite) for suite in SUITES)
    assert all(requests == asked["base"] for requests in asked.values())
    assert asked["base"][1] in [item.prompt[-1]["content"] for item in skills]
    assert {asked["base"][0], asked["base"][2]} <= {item.prompt[-1]["content"] for item in desk}


def test_the_summary_is_in_the_run_folder_and_the_report_can_be_written(tuned: Finished) -> None:
    summary = read_json(tuned.result.path / "summary.json")
    assert summary["rows"] == [*tuned.result.summary]
    assert summary["confidence"] == 0.95
    assert {(row["arm"], row["suite"]) for row in summary["rows"]} == {
        (arm, suite) for arm in ("base", "steady", *TUNED) for suite in SUITES
    }
    assert "weight=" in write_report(tuned.result.path).read_text()


def test_two_processes_make_what_one_makes(tuned: Finished, side_by_side: Finished) -> None:
    one, two = tuned.result, side_by_side.result
    assert two.lock.id == one.lock.id
    assert {event.label: event.key for event in two.events} == {event.label: event.key for event in one.events}
    assert made_once(two), "what a worker made is told as made"
    assert len(two.events) == len(one.events)
    assert (two.certificates, two.summary) == (one.certificates, one.summary)
    for name in ("model/model.safetensors", "choice/choice.json", "certificate/certificate.json"):
        for arm in TUNED:
            path = f"arms/{arm}/training/{name}" if name.startswith("model") else f"arms/{arm}/{name}"
            assert file_digest(two.path / path) == file_digest(one.path / path), path
    assert file_digest(two.path / "corpus" / "own.parquet") == file_digest(one.path / "corpus" / "own.parquet")


class NoProcesses:
    """An executor that refuses work."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        raise AssertionError(f"{function} was to be started for {list(tasks)}")

    def close(self) -> None:
        pass


def test_the_same_run_again_is_found_done_and_starts_no_process(side_by_side: Finished) -> None:
    again = run_with(side_by_side.file, side_by_side.out, 2)
    assert set(statuses(again).values()) == {"cached"}
    stages = Stages(again.lock, Store(side_by_side.out / "store"), NoProcesses())
    build_arms(stages, train_only=False)


def test_another_rate_of_one_arm_sets_nothing_off_in_the_others(tuned: Finished) -> None:
    """Their certificates are written anew, because they name the lock."""
    text = tuned.file.read_text()
    changed = tuned.file.with_name("changed.yaml")
    changed.write_text(text.replace("learning_rate: 1.0e-4", "learning_rate: 2.0e-4"))
    again = run_with(changed, tuned.out, 2)
    steady = {f"{stage} steady" for stage in ("train", "respond", "score", "session", "certify")}
    assert stages_that_ran(again) == steady | {f"certify {arm}" for arm in TUNED}


def leaky(folder: Path, **sources: list[dict[str, Any]]) -> Path:
    """A project whose suite asks the rows of a file, some of them on the search side."""
    for name, rows in sources.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    file = folder / "leaky.yaml"
    exam = '  exam: {role: domain, path: exam.jsonl, prompt: "{prompt}", target: "{completion}", scorer: exact}\n'
    text = RECIPE.replace("suites:\n", "suites:\n" + exam).replace("name: tuned", "name: leaky")
    if "notes" in sources:
        text = text.replace("sources:\n", "sources:\n  notes: {role: domain, path: notes.jsonl}\n")
        text = text.replace("desk: 0.5, own: 0.5", "desk: 0.25, notes: 0.25, own: 0.5")
    file.write_text(text)
    return file


def test_neither_part_of_a_suite_may_be_trained_on(tuned: Finished, tmp_path: Path) -> None:
    exam = [{"prompt": f"Which drawer holds the letter number {n}?", "completion": f"The {n}th"} for n in range(30)]
    fresh = [{"prompt": f"Who wrote the letter number {n}?", "completion": f"Writer {n}"} for n in range(5)]
    file = leaky(tmp_path, exam=exam, notes=[*exam, *fresh])
    result = run_recipe(load_recipe(file), out=tuned.out, until="curate", threads=1)
    assert items(result.path, "exam")
    assert items(result.path, "exam", "search")
    notes = read_json(result.path / "corpus" / "attrition.json")["sources"]["notes"]
    assert (notes["dropped"], notes["rows_kept"]) == ({"leak": 30}, 5)


def test_what_the_base_wrote_of_a_suite_is_dropped_as_a_leak(tuned: Finished, tmp_path: Path) -> None:
    """A base may have been taught the very items that it is asked afterwards."""
    wrote = [
        json.loads(row["messages"]) for row in pq.read_table(tuned.result.path / "corpus" / "own.parquet").to_pylist()
    ]
    exam = [{"prompt": messages[0]["content"], "completion": messages[1]["content"]} for messages in wrote[:10]]
    result = run_recipe(load_recipe(leaky(tmp_path, exam=exam)), out=tuned.out, until="curate", threads=1)
    own = read_json(result.path / "corpus" / "attrition.json")["sources"]["own"]
    assert own["dropped"]["leak"] >= 10
