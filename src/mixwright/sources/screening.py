"""What is kept of replay that a model wrote itself: neither broken records, nor one answer to everything.

A model that is sampled without a question sometimes falls into a loop, changes its language, or refuses more than it
was ever asked to. Each conversation that goes has a rule and a reason, and is counted. Repetition is Gopher's rule (Rae
et al. 2021) on word n-grams; refusals are known by how answers open, languages by py3langid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mixwright.ground.errors import InputError
from mixwright.items.conversation import Message
from mixwright.recipe.data import Replay
from mixwright.sources.replayed import Replayed

NGRAM = 4
REFUSAL = re.compile(
    r"\W*(i['’]?m (very )?sorry|i am (very )?sorry|sorry,|i (can(no|['’])t|cannot|won['’]t|will not)|"
    r"i['’]?m (unable|not able)|i am (unable|not able)|i must (decline|refuse)|as an ai\b)",
    re.IGNORECASE,
)


def screened(conversations: Iterable[Replayed], settings: Replay) -> Iterator[Replayed]:
    """Every conversation in its order, with rule and reason where it is not kept.

    A refusal is kept as long as refusals are at most `max_refusals` of what is kept, the first one always.
    """
    speaks = _language_of if settings.languages else None
    kept = refusals = 0
    for conversation in conversations:
        if conversation.fault:
            yield conversation
            continue
        rule, reason = _broken(conversation.messages, settings)
        if not rule and speaks is not None:
            language = speaks(conversation.messages)
            if language not in settings.languages:
                rule, reason = "language", f"it is written in '{language}'"
        refuses = not rule and any(REFUSAL.match(text) for text in _said(conversation.messages, "assistant"))
        if refuses and refusals and refusals + 1 > settings.max_refusals * (kept + 1):
            rule, reason = "refusals", f"refusals are more than {settings.max_refusals:.0%} of what is kept so far"
        if rule:
            yield Replayed(conversation.messages, reason, rule)
            continue
        kept += 1
        refusals += refuses
        yield conversation


def _broken(messages: Sequence[Message], settings: Replay) -> tuple[str, str]:
    for message in messages:
        share = repetition(message["content"])
        if share > settings.max_repetition:
            return "repetition", f"{share:.0%} of a turn of the {message['role']} repeats itself"
    shortest = min(len(text) for text in _said(messages, "assistant"))
    if shortest < settings.min_answer_characters:
        return "length", f"an answer has {shortest} characters, fewer than {settings.min_answer_characters}"
    return "", ""


def repetition(text: str) -> float:
    """The share of a text's word n-grams that stand in it before; 0 for a text too short to tell."""
    words = text.lower().split()
    grams = [tuple(words[i : i + NGRAM]) for i in range(len(words) - NGRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if len(grams) > NGRAM else 0.0


def _said(messages: Sequence[Message], role: str) -> list[str]:
    return [message["content"] for message in messages if message["role"] == role]


def _language_of(messages: Sequence[Message]) -> str:
    """The ISO 639-1 code of the language in which most of it is written."""
    try:
        from py3langid import classify
    except ImportError:
        fix = "pip install 'mixwright[language]'"
        message = "telling languages apart needs a library that is not installed"
        raise InputError(message, where="sources.replay.languages", fix=fix) from None
    return str(classify("\n".join(message["content"] for message in messages))[0])
