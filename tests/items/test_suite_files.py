"""A suite on disk: versioned, hashed, and the same whoever wrote it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from mixwright.items.leaks import leaked_item
from mixwright.items.suite import Item, read_items, suite_about, write_suite

ITEM = Item(
    suite="support",
    ability="intent",
    cluster="customer 7",
    prompt=({"role": "system", "content": "One word."}, {"role": "user", "content": "Wo ist mein Paket? 📦"}),
    target="delivery",
    scorer="exact",
    options={"labels": ["delivery", "refund"]},
    max_new_tokens=8,
)
ABOUT = {"role": "domain", "version": 2, "licence": "CC0-1.0"}


def written(folder: Path, items: list[Item]) -> Path:
    folder.mkdir()
    write_suite(folder, "support", ABOUT, items)
    return folder


def test_items_read_back_as_they_were_written(tmp_path: Path) -> None:
    items = [ITEM, replace(ITEM, target="refund"), replace(ITEM, prompt=({"role": "user", "content": "x\u2028y"},))]
    found = read_items(written(tmp_path / "suite", items))
    assert found == items
    assert [item.item_id for item in found] == [item.item_id for item in items]


def test_whatever_changes_the_question_changes_the_item() -> None:
    changed = [
        replace(ITEM, prompt=ITEM.prompt[1:]),
        replace(ITEM, target="refund"),
        replace(ITEM, ability="topic"),
        replace(ITEM, cluster="customer 8"),
        replace(ITEM, scorer="choice"),
        replace(ITEM, options={}),
        replace(ITEM, max_new_tokens=9),
    ]
    assert len({item.item_id for item in (ITEM, *changed)}) == 8
    assert replace(ITEM, suite="another name").item_id == ITEM.item_id


def test_a_repeated_item_is_kept_once_and_counted(tmp_path: Path) -> None:
    counts = write_suite(tmp_path, "support", ABOUT, [ITEM, replace(ITEM, target="refund"), ITEM])
    assert counts == {"items": 2, "repeated": 1}
    assert len(read_items(tmp_path)) == 2


def test_the_suite_says_what_it_is(tmp_path: Path) -> None:
    items = [
        ITEM,
        replace(ITEM, ability="topic", scorer="choice"),
        replace(ITEM, ability="topic", cluster="customer 8"),
    ]
    about = suite_about(written(tmp_path / "suite", items))
    assert about["name"] == "support"
    assert about["num_items"] == 3
    assert about["num_clusters"] == 2
    assert about["abilities"] == {"intent": 1, "topic": 2}
    assert about["scorer"] == "choice, exact"
    assert {key: about[key] for key in ABOUT} == ABOUT


def test_the_hash_of_a_suite_is_that_of_its_items_in_any_order(tmp_path: Path) -> None:
    items = [ITEM, replace(ITEM, target="refund")]
    one = suite_about(written(tmp_path / "one", items))
    turned = suite_about(written(tmp_path / "turned", items[::-1]))
    other = suite_about(written(tmp_path / "other", [ITEM, replace(ITEM, target="cancel")]))
    assert one["sha256"] == turned["sha256"] != other["sha256"]


def test_a_suite_brings_what_training_rows_must_not_hold(tmp_path: Path) -> None:
    protected = json.loads((written(tmp_path / "suite", [ITEM]) / "protected.json").read_text())
    assert leaked_item([{"role": "user", "content": "wo ist mein paket"}], protected) == ITEM.item_id
