"""What replay that the base writes itself is worth: how much is accepted, how varied it is, and which skills it covers.

    python benchmarks/sources/replay.py [--conversations 4096] [--threads 1]

The embedded base writes; then the same number of generated (curated) conversations is looked at in the same way.
Diversity: distinct word n-grams over all (Li et al. 2016) and share of different conversations. Coverage: a question of
a skill is known by its wording with numbers and names aside, as the generator of the base's own training words it; the
gold answer to exactly the same question, where the generator drew it too, says how often the base's answer is right.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import mixwright.models
from mixwright.ground.executor import InProcess
from mixwright.recipe.data import Replay, Source
from mixwright.sources.generators import abilities_of, generate
from mixwright.sources.replay import replay
from mixwright.sources.screening import screened

NANO = Path(mixwright.models.__file__).parent / "embedded" / "nano"
DRAWN = 4000  # questions of each ability to know it by


def distinct(texts: Sequence[str], n: int) -> float:
    grams = [gram for text in texts for gram in zip(*(text.split()[i:] for i in range(n)), strict=False)]
    return len(set(grams)) / max(len(grams), 1)


def wording(question: str) -> str:
    """The first words of a question without what changes from one to the next."""
    words = re.sub(r"[^a-z ]+", " ", question.lower()).split()
    return " ".join(words[:4])


def known_wordings() -> tuple[dict[str, str], dict[str, str]]:
    """wording -> the ability that uses it most; question -> its gold answer."""
    seen: dict[str, Counter[str]] = {}
    gold: dict[str, str] = {}
    for ability in abilities_of("skills"):
        for example in generate("skills", seed=7, num_records=DRAWN, split="train", abilities=[ability]):
            question = str(example.messages[-2]["content"])
            seen.setdefault(wording(question), Counter())[ability] += 1
            gold[json.dumps(example.messages[:-1])] = str(example.messages[-1]["content"])
    return {words: counts.most_common(1)[0][0] for words, counts in seen.items()}, gold


def described(name: str, conversations: list[list[dict[str, str]]]) -> dict[str, object]:
    texts = [" ".join(turn["content"] for turn in turns) for turns in conversations]
    by_wording, gold = known_wordings()
    covered: Counter[str] = Counter()
    checked = right = 0
    for turns in conversations:
        for place in range(1, len(turns), 2):
            covered[by_wording.get(wording(turns[place - 1]["content"]), "unknown")] += 1
            answer = gold.get(json.dumps(turns[:place]))
            checked += answer is not None
            right += answer == turns[place]["content"]
    skills = {skill: count for skill, count in covered.items() if skill != "unknown"}
    return {
        "name": name,
        "conversations": len(conversations),
        "different": len(set(texts)) / len(texts),
        "distinct_1": distinct(texts, 1),
        "distinct_2": distinct(texts, 2),
        "distinct_4": distinct(texts, 4),
        "skills_covered": f"{len(skills)} of {len(abilities_of('skills'))}",
        "turns_of_no_known_wording": covered["unknown"] / max(covered.total(), 1),
        "least_and_most_frequent": [min(skills.values()), max(skills.values())],
        "same_question_as_generated": checked,
        "answered_right": right / max(checked, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    source = Source(role="general", generate="self", records=asked.conversations, seed=1)
    started = time.perf_counter()
    written = replay(source, NANO, InProcess(), device="cpu", precision="fp32", threads=asked.threads)
    drawn = list(screened(written, Replay()))
    seconds = time.perf_counter() - started
    kept = [conversation.messages for conversation in drawn if not conversation.fault]
    faults = Counter(
        f"{conversation.rule}: {re.sub(r'turn [0-9]+ |:.*|[0-9]+%', '', conversation.fault).strip()}"
        for conversation in drawn
        if conversation.fault
    )
    acceptance = {
        "accepted": len(kept) / len(drawn),
        "records_per_second": len(drawn) / seconds,
        "faults": dict(faults),
    }
    print(json.dumps(described("written by the base", kept) | acceptance))
    curated = generate("skills", seed=11, num_records=len(kept), split="train")
    print(json.dumps(described("curated", [list(example.messages) for example in curated])))


if __name__ == "__main__":
    main()
