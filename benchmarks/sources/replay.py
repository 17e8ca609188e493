"""What replay that the base writes itself is worth: how much is accepted, how varied it is, and which skills it covers.

    python benchmarks/sources/replay.py [--conversations 4096] [--threads 1]

The embedded base writes; then the same number of generated (curated) conversations is looked at in the same way.

Diversity: distinct word n-grams over all (Li et al. 2016), and the share of different conversations. Coverage: which of
the sixteen skills a question belongs to, by naive Bayes on its words, learnt from what the generator of the base's own
training asks; a question less probable than all but one in a thousand of those is of no known skill. How often it is
right on questions of the generator that it has not seen is printed beside. Answers: where the generator, drawn long
enough, asks exactly the same, the scorer with which that skill is examined compares the base's answer with gold.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import mixwright.models
from mixwright.evaluation.scorers import SCORERS, Response
from mixwright.ground.executor import InProcess
from mixwright.items.suite import Item
from mixwright.recipe.data import Replay, Source
from mixwright.sources.generators import abilities_of, generate
from mixwright.sources.generators.interface import Example
from mixwright.sources.replay.drawing import replay
from mixwright.sources.replay.screening import screened

NANO = Path(mixwright.models.__file__).parent / "embedded" / "nano"
LEARNT_FROM, TESTED_ON, LOOKED_UP = 4000, 500, 40_000  # questions of each skill
SKILLS = abilities_of("skills")
Turns = list[dict[str, str]]


def distinct(texts: Sequence[str], n: int) -> float:
    grams = [gram for text in texts for gram in zip(*(text.split()[i:] for i in range(n)), strict=False)]
    return len(set(grams)) / max(len(grams), 1)


def drawn(skill: str, num: int, seed: int) -> Iterator[Example]:
    """Questions of one skill, of both sides of its split: the base knows of none."""
    for split in ("train", "test"):
        yield from generate("skills", seed=seed, num_records=num // 2, split=split, abilities=[skill])


class Classifier:
    """Which skill a question belongs to, by its words and their pairs, with numbers as one word."""

    def __init__(self) -> None:
        asked = {s: [str(e.messages[-2]["content"]) for e in drawn(s, LEARNT_FROM, 7)] for s in SKILLS}
        counts = {skill: Counter(part for text in texts for part in self.parts(text)) for skill, texts in asked.items()}
        self.place = {part: i for i, part in enumerate({part for each in counts.values() for part in each})}
        table = np.full((len(SKILLS), len(self.place) + 1), 0.1)  # the last column is whatever was never seen
        for row, skill in enumerate(SKILLS):
            for part, count in counts[skill].items():
                table[row, self.place[part]] += count
        self.logs = np.log(table / table.sum(1, keepdims=True))
        self.least = {s: np.quantile([self.fit(text)[1] for text in asked[s]], 0.001) for s in SKILLS}

    @staticmethod
    def parts(text: str) -> list[str]:
        words = re.findall(r"[a-z]+|[^a-z\s]", re.sub(r"[0-9]+", " # ", text.lower()))
        return [*words, *map(" ".join, itertools.pairwise(words))]

    def fit(self, text: str) -> tuple[int, float]:
        """The likeliest skill's row, and the mean log-probability of a part under it."""
        places = [self.place.get(part, len(self.place)) for part in self.parts(text)]
        sums = self.logs[:, places].sum(1) / max(len(places), 1)
        return int(sums.argmax()), float(sums.max())

    def skill(self, text: str) -> str | None:
        row, fit = self.fit(text)
        return SKILLS[row] if fit >= self.least[SKILLS[row]] else None

    def accuracy(self) -> float:
        tested = [(skill, str(e.messages[-2]["content"])) for skill in SKILLS for e in drawn(skill, TESTED_ON, 8)]
        return sum(self.skill(text) == skill for skill, text in tested) / len(tested)


class Gold(NamedTuple):
    answer: str
    scorer: str


def looked_up() -> dict[str, tuple[str, Gold]]:
    """What comes before an answer, as JSON -> skill and gold."""
    return {
        json.dumps(example.messages[:-1]): (skill, Gold(str(example.messages[-1]["content"]), example.scorer))
        for skill in SKILLS
        for example in drawn(skill, LOOKED_UP, 9)
    }


def score(answer: str, skill: str, gold: Gold) -> float:
    item = Item("replay", skill, "", (), gold.answer, gold.scorer, {}, 64)
    return SCORERS[gold.scorer].function(Response(answer, True), item).value


def described(
    name: str, found: list[Turns], known: Classifier, golds: dict[str, tuple[str, Gold]]
) -> dict[str, object]:
    texts = [" ".join(turn["content"] for turn in turns) for turns in found]
    covered: Counter[str] = Counter()
    scores: dict[str, list[float]] = {}
    for turns in found:
        for place in range(1, len(turns), 2):
            covered[known.skill(turns[place - 1]["content"]) or "unknown"] += 1
            gold = golds.get(json.dumps(turns[:place]))
            if gold is not None:
                scores.setdefault(gold[0], []).append(score(turns[place]["content"], *gold))
    skills = {skill: covered[skill] for skill in SKILLS}
    checked = [value for each in scores.values() for value in each]
    return {
        "name": name,
        "conversations": len(found),
        "turns": covered.total(),
        "different": len(set(texts)) / len(texts),
        "distinct_1": distinct(texts, 1),
        "distinct_2": distinct(texts, 2),
        "distinct_4": distinct(texts, 4),
        "skills_covered": f"{sum(count > 0 for count in skills.values())} of {len(SKILLS)}",
        "turns_by_skill": skills,
        "turns_of_no_known_skill": covered["unknown"] / covered.total(),
        "answers_scored": len(checked),
        "answered_right": float(np.mean(checked)),
        "right_by_skill": {s: f"{sum(scores[s]):g} of {len(scores[s])}" for s in SKILLS if s in scores},
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    source = Source(role="general", generate="self", records=asked.conversations, seed=1)
    started = time.perf_counter()
    written = replay(source, NANO, InProcess(), device="cpu", precision="fp32", threads=asked.threads)
    found = list(screened(written, Replay()))
    seconds = time.perf_counter() - started
    kept = [conversation.messages for conversation in found if not conversation.fault]
    faults = Counter(
        f"{conversation.rule}: {re.sub(r'turn [0-9]+ |:.*|[0-9]+%', '', conversation.fault).strip()}"
        for conversation in found
        if conversation.fault
    )
    known, golds = Classifier(), looked_up()
    acceptance = {
        "accepted": len(kept) / len(found),
        "conversations_per_second": len(found) / seconds,
        "faults": dict(faults),
        "classifier_accuracy": known.accuracy(),
    }
    print(json.dumps(described("written by the base", kept, known, golds) | acceptance, indent=1))
    curated = generate("skills", seed=11, num_records=len(kept), split="train")
    print(json.dumps(described("curated", [list(e.messages) for e in curated], known, golds), indent=1))


if __name__ == "__main__":
    main()
