"""The words around a request: openings, greetings, closings, and what the shop sells.

They carry no information about intent or action. Openings are shared by train and test; test adds greetings
and closings of its own.
"""

from mixwright.sources.generators.support_desk.wordings import Sides, wordings

# By the kind of request that they introduce, see `wordings.Request`.
OPENINGS = {
    "act": (
        "I want to {request}.",
        "I would like to {request}.",
        "I need to {request}.",
        "How do I {request}?",
        "Can you help me to {request}?",
        "Is it possible to {request}?",
        "I am trying to {request}.",
        "What must I do to {request}?",
        "Please tell me how to {request}.",
        "My wish is to {request}.",
    ),
    "fact": (
        "{request}.",
        "Just so you know, {request}.",
        "I have a problem: {request}.",
        "I am writing because {request}.",
        "I must tell you that {request}.",
        "Please help me, {request}.",
        "The thing is that {request}.",
        "What can I do? {request}.",
        "It is like this: {request}.",
        "I am not happy, {request}.",
    ),
    "ask": (
        "Can you tell me {request}?",
        "I would like to know {request}.",
        "Do you know {request}?",
        "Please tell me {request}.",
        "I wonder {request}.",
        "Could you check {request}?",
        "My question is {request}.",
        "I want to ask {request}.",
        "Please let me know {request}.",
        "I cannot find out {request}.",
    ),
}

_GREETINGS = ("", "", "Hi.", "Hello.", "Good morning.", "Hi there.", "Dear team.", "")
GREETINGS: Sides[str] = {"train": _GREETINGS, "test": (*_GREETINGS, "Good evening.", "Good day.")}

_CLOSINGS = (
    "",
    "",
    "Thanks.",
    "Thank you.",
    "Please answer soon.",
    "Best wishes.",
    "Many thanks.",
)
CLOSINGS: Sides[str] = {"train": _CLOSINGS, "test": (*_CLOSINGS, "Thanks for your help.", "Kind wishes.")}

# All are singular, so that "the {item} is ..." is English.
WEAR = wordings(
    "rain jacket | fleece | down coat | sun hat | pair of (wool socks / hiking boots / trail shoes / winter gloves)"
)
ITEMS = WEAR + wordings(
    "tent | sleeping bag | rucksack | head torch | camp stove | set of walking poles | water bottle | "
    "climbing rope | camping chair | gas lamp | compass | hammock"
)
