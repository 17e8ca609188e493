"""Plain English sentences with the words of shops, banks and help desks, and simple questions about the
sentence itself.

The answer never needs to know what a sentence means; the point is that the base has met the words (and the
token pairs) of ordinary requests before a domain brings them. The vocabulary is wide and each sentence is
rare, the opposite of the other skills. The sentence decides train or test, whatever is asked about it.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from mixwright.sources.generators.interface import Draft, Scorer, Split, register
from mixwright.sources.generators.skills.sentences import sentence


class Task(NamedTuple):
    """How to ask about a sentence, and the answer from its words."""

    phrases: tuple[str, ...]
    answer: Callable[[list[str]], str]
    scorer: Scorer


TASKS = (
    Task(("Say it again: {text}", "Read it back to me: {text}", "What did I say? {text}"), " ".join, "exact"),
    Task(("What is the first word? {text}", "First word of: {text}"), lambda words: words[0], "exact"),
    Task(("What is the last word? {text}", "Last word of: {text}"), lambda words: words[-1], "exact"),
    Task(
        ("How many words are there? {text}", "Count the words: {text}"),
        lambda words: str(len(words)),
        "numeric",
    ),
)
MOST_WORDS_COUNTED = 9


@register("skills", "english")
def english(rng: Random, split: Split) -> Draft:
    """One sentence and one of five questions: repeat it, or its first, last, following or number of words."""
    text = sentence(rng)
    words = text.split()
    kind = rng.randrange(len(TASKS) + 1)
    if kind == len(TASKS):
        position = rng.randrange(len(words) - 1)
        if words.count(words[position]) == 1:
            prompt = rng.choice(("Which word comes after {word}? {text}", "The word after {word} in: {text}"))
            return Draft(prompt.format(word=words[position], text=text), words[position + 1], content=text)
        kind = 0
    task = TASKS[kind]
    if task.scorer == "numeric" and len(words) > MOST_WORDS_COUNTED:
        task = TASKS[0]
    return Draft(rng.choice(task.phrases).format(text=text), task.answer(words), content=text, scorer=task.scorer)
