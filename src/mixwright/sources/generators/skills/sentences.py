"""Everyday sentences from slots: grammar without meaning, several hundred words, millions of sentences.

Free text would be richer, but it brings a licence, a size and an unknown content; slots bring none of them.
"""

import re
from random import Random

from mixwright.sources.generators.skills.words import listed

SLOTS: dict[str, tuple[str, ...]] = {
    "object": listed(
        "card account payment transfer refund parcel order invoice statement receipt balance password code "
        "pin app phone number address email name passport cheque voucher discount coupon fee charge price "
        "rate limit loan deposit salary subscription contract plan form ticket message letter delivery "
        "package label box jacket coat shirt dress shoe boot size zip button bag tent lamp chair table sofa "
        "mattress kettle cable charger battery screen laptop printer router camera watch ring book toy bike "
        "helmet bottle cup plate machine setting profile login branch cash note coin currency exchange "
        "top-up withdrawal purchase item product warranty repair gift insurance membership booking "
        "appointment request complaint question answer mistake problem bill"
    ),
    "kind": listed(
        "new old first second last wrong right missing broken lost stolen damaged late early open closed "
        "pending free cheap expensive small large blue green red black white virtual physical monthly weekly "
        "yearly extra double foreign international direct online final next same other different whole spare "
        "torn wet faulty empty full"
    ),
    "verb": listed(
        "activate add ask book buy cancel change charge check choose claim close collect compare confirm "
        "contact copy cover delay delete deliver download exchange explain extend find fix freeze get keep "
        "link lose make move order pay print receive refund register remove renew repair replace report "
        "request return review save see sell send share ship show sign split start stop swap track transfer "
        "trust update upgrade use verify withdraw"
    ),
    "state": listed(
        "pending late missing broken empty blocked declined failed rejected approved cancelled delayed "
        "damaged ready gone wrong correct open closed locked lost stolen expired charged refunded delivered "
        "wet torn slow frozen paid working stuck visible safe"
    ),
    "who": listed(
        "I | we | my friend | my wife | my son | the shop | the bank | the courier | the driver | "
        "someone | nobody | a customer | your team | the machine | my boss | the seller",
        separator="|",
    ),
    "place": listed(
        "shop bank office branch station market kitchen garden airport hotel warehouse school city country "
        "machine website app basket cart door house street mail list"
    ),
    "time": listed(
        "today | yesterday | tomorrow | this morning | last night | last week | two days ago | on Monday | "
        "on Friday | a month ago | just now | again | already | twice | last year | three weeks ago | soon",
        separator="|",
    ),
    "why": listed(
        "by mistake | without a reason | for a friend | for my holiday | from abroad | "
        "because it is broken | because I moved | before the weekend | after the update | "
        "instead of cash | but nothing happened | and it does not work | since I need it | with my phone | "
        "in another currency | if that is possible",
        separator="|",
    ),
    "past": listed(
        "bought sent lost found paid opened closed returned ordered received changed cancelled used broke "
        "forgot checked moved kept sold took left saw made got gave"
    ),
    "near": ("in", "at", "near", "from", "to", "on", "into", "outside"),
}

PATTERNS = (
    "I want to {verb} my {object}",
    "I need to {verb} the {kind} {object}",
    "How do I {verb} my {object}?",
    "How can I {verb} a {kind} {object} {why}?",
    "Can you {verb} the {object} for me?",
    "Could you please {verb} my {kind} {object} {time}?",
    "Why is my {object} {state}?",
    "Why was the {kind} {object} {state} {time}?",
    "My {object} is still {state}",
    "The {object} I {past} {time} is {state}",
    "I {past} a {kind} {object} {time}",
    "I {past} my {object} {near} the {place} {why}",
    "Where is the {object} that {who} {past} {time}?",
    "When will my {kind} {object} be {state}?",
    "What is the {object} {near} the {place}?",
    "Is there a {object} for the {kind} {object}?",
    "Please {verb} my {object} {why}.",
    "It looks like {who} {past} my {object} {time}.",
    "There is a {kind} {object} {near} my {place}",
    "What should I do if my {object} is {state}?",
    "Do I have to {verb} the {object} {near} the {place}?",
    "I think {who} {past} the wrong {object}, so it was {state}",
    "You told me that the {object} would be {state} {time}",
    "I did not {verb} this {object}",
    "I am not able to {verb} my {object} {why}",
    "{who} cannot {verb} the {object}",
    "Has the {object} been {state}?",
    "Which {object} does {who} {verb}?",
    "How long does it take to {verb} a {object}?",
    "Hello, are you open? {who} {past} my {object}",
)


def sentence(rng: Random) -> str:
    """One sentence of 4 to about 16 words; a third of them all in lower case, as people type."""
    text = rng.choice(PATTERNS)
    while "{" in text:
        start, end = text.index("{"), text.index("}")
        text = text[:start] + rng.choice(SLOTS[text[start + 1 : end]]) + text[end + 1 :]
    text = re.sub(r"\ba (?=[aeiou])", "an ", text)
    return text.lower() if rng.random() < 1 / 3 else text[0].upper() + text[1:]
