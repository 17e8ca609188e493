"""A suite: a versioned, hashed set of evaluation items.

An item is what a model is asked, what the right answer is, which ability it measures and which other items it hangs
together with. Its identity is the hash of all that, so results can only be paired when they answer the same question.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mixwright.ground.artefacts import read_json, write_json
from mixwright.ground.hashing import Json, canonical_json, digest, text_digest
from mixwright.items.conversation import Message
from mixwright.items.leaks import protect


@dataclass(frozen=True)
class Item:
    """One question.

    prompt: conversation up to the turn to be written. target: the gold answer as text. ability: what it measures.
    cluster: items of one cluster (passage, customer, template) are not independent. scorer, options: how it is scored.
    An option `likelihood` says that nothing is written: the most probable of the options is the answer.
    """

    suite: str
    ability: str
    cluster: str
    prompt: tuple[Message, ...]
    target: str
    scorer: str
    options: Mapping[str, Json]
    max_new_tokens: int

    @cached_property
    def item_id(self) -> str:
        """128-bit hash of everything but the suite's name."""
        parts = {key: value for key, value in self.as_json().items() if key not in ("suite", "item_id")}
        return text_digest(canonical_json(parts))

    @property
    def normalise(self) -> str | None:
        """What the likelihoods of its options are divided by: none, tokens, characters. None where the model writes."""
        value = self.options.get("likelihood") if self.scorer == "choice" else None
        return None if value is None else str(value)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "prompt": list(self.prompt)}


def options_fault(options: Sequence[str]) -> str | None:
    """What makes a list of options no choice, in words."""
    if len(options) < 2:
        return f"a choice needs at least two options, found {len(options)}"
    if not all(option.strip() for option in options):
        return "an option is empty"
    twice = [option for option, count in Counter(options).items() if count > 1]
    return f"the option '{twice[0]}' stands there twice" if twice else None


def write_suite(folder: Path, name: str, about: Mapping[str, Json], items: Iterable[Item]) -> dict[str, Json]:
    """Write `items.jsonl`, `suite.json` and `protected.json` (what training rows must not hold). Returns counts."""
    kept: dict[str, Item] = {}
    repeated = 0
    for item in items:
        repeated += item.item_id in kept
        kept.setdefault(item.item_id, item)
    with (folder / "items.jsonl").open("w", encoding="utf-8") as file:
        for item_id, item in kept.items():
            file.write(canonical_json({"item_id": item_id, **item.as_json()}) + "\n")
    abilities = dict(sorted(Counter(item.ability for item in kept.values()).items()))
    clusters: dict[str, set[str]] = {}
    for item in kept.values():
        clusters.setdefault(item.ability, set()).add(item.cluster)
    scorers: list[str] = sorted(
        {item.scorer if item.normalise is None else f"{item.scorer} by likelihood" for item in kept.values()}
    )
    write_json(
        folder / "suite.json",
        {
            "name": name,
            **about,
            "num_items": len(kept),
            "num_clusters": len({item.cluster for item in kept.values()}),
            "abilities": abilities,
            "clusters": {ability: len(clusters[ability]) for ability in abilities},
            "scorer": ", ".join(scorers),
            "sha256": digest(sorted(kept)),
        },
    )
    write_json(folder / "protected.json", protect((item_id, item.prompt) for item_id, item in kept.items()))
    return {"items": len(kept), "repeated": repeated}


def read_items(folder: Path) -> list[Item]:
    """The items of a suite written by `write_suite`, in order."""
    items = []
    with (folder / "items.jsonl").open(encoding="utf-8") as file:
        for line in file:
            fields = json.loads(line)
            del fields["item_id"]
            items.append(Item(**{**fields, "prompt": tuple(fields["prompt"])}))
    return items


def suite_about(folder: Path) -> dict[str, Any]:
    """The content of `suite.json`."""
    about: dict[str, Any] = read_json(folder / "suite.json")
    return about
