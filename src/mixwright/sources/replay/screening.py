"""What is kept of replay that a model wrote itself: neither broken records, nor one answer to everything.

A model that is sampled without a question sometimes falls into a loop, changes its language, or refuses more than it
was ever asked to. Each conversation that goes has a rule and a reason, and is counted. Repetition is Gopher's rule (Rae
et al. 2021) on word n-grams; refusals are known by how answers open, languages by py3langid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.recipe.data import Replay
from mixwright.sources.replay.replayed import Replayed

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
        rule, reason = _broken(conversation, settings)
        if not rule and speaks is not None:
            language = speaks(conversation)
            if language not in settings.languages:
                rule, reason = "language", f"it is written in '{language}'"
        refuses = not rule and any(REFUSAL.match(text) for text in _answers(conversation))
        if refuses and refusals and refusals + 1 > settings.max_refusals * (kept + 1):
            rule, reason = "refusals", f"refusals are more than {settings.max_refusals:.0%} of what is kept so far"
        if rule:
            yield conversation._replace(fault=reason, rule=rule)
            continue
        kept += 1
        refusals += refuses
        yield conversation


def check_languages(settings: Replay, where: str) -> None:
    """Raise InputError for languages that cannot be told, before anything is written in them. where: the `replay` that
    names them."""
    if not settings.languages:
        return
    known = {str(language) for language, _ in _langid(where).rank("")}
    unknown = [language for language in settings.languages if language not in known]
    if unknown:
        fix = f"{did_you_mean(unknown[0], known)} ISO 639-1 codes are meant: en, de, fr."
        raise InputError(f"the language '{unknown[0]}' cannot be told", where=f"{where}.languages", fix=fix)


def _broken(written: Replayed, settings: Replay) -> tuple[str, str]:
    for what, text in _texts(written):
        share = repetition(text)
        if share > settings.max_repetition:
            return "repetition", f"{share:.0%} of {what} repeats itself"
    what, texts = ("the document", [written.text]) if written.text else ("an answer", _answers(written))
    shortest = min(map(len, texts))
    if shortest < settings.min_answer_characters:
        return "length", f"{what} has {shortest} characters, fewer than {settings.min_answer_characters}"
    return "", ""


def repetition(text: str) -> float:
    """The share of a text's word n-grams that stand in it before; 0 for a text too short to tell."""
    words = text.lower().split()
    grams = [tuple(words[i : i + NGRAM]) for i in range(len(words) - NGRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if len(grams) > NGRAM else 0.0


def _texts(written: Replayed) -> list[tuple[str, str]]:
    """Everything that is said, each with what it is."""
    if written.text:
        return [("the document", written.text)]
    return [(f"a turn of the {message['role']}", message["content"]) for message in written.messages]


def _answers(written: Replayed) -> list[str]:
    return [message["content"] for message in written.messages if message["role"] == "assistant"]


def _language_of(written: Replayed) -> str:
    """The ISO 639-1 code of the language in which most of it is written."""
    return str(_langid().classify("\n".join(text for _, text in _texts(written)))[0])


def _langid(where: str = "replay") -> Any:
    try:
        import py3langid
    except ImportError:
        fix = "pip install 'mixwright[language]'"
        message = "telling languages apart needs a library that is not installed"
        raise InputError(message, where=f"{where}.languages", fix=fix) from None
    return py3langid
