"""Choose the tool that a request needs and fill in its argument, `weather(place=harbour)`, or say `none`.

A tool call in its barest form. Most tools have a rival with the same argument (find or buy a thing, call or
mail somebody), so the kind of the argument does not give the choice away; hard instances list that rival.
One time in four the tool that would fit is not listed, so the list must be read and not only the request.
The request with its argument decides train or test, whatever the tools listed beside it.
"""

from random import Random
from typing import NamedTuple

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.skills.words import COLOURS, DAYS, FRUIT, NAMES, PLACES, THINGS


class Tool(NamedTuple):
    """A tool with one argument, the values it takes, and the requests that call for it."""

    name: str
    argument: str
    values: tuple[str, ...]
    requests: tuple[str, ...]


NUMBERS = tuple(str(number) for number in range(2, 100))

TOOLS = (
    Tool(
        "weather",
        "place",
        PLACES,
        (
            "Is it cold in the {value}?",
            "Will it rain near the {value}?",
            "How windy is it outside the {value}?",
            "Do I need a coat in the {value}?",
            "Tell me how warm the {value} is.",
        ),
    ),
    Tool(
        "route",
        "place",
        PLACES,
        (
            "How do I get to the {value}?",
            "Show me the way to the {value}.",
            "Which road leads to the {value}?",
            "I am lost, bring me to the {value}.",
            "How far is it to the {value}?",
        ),
    ),
    Tool(
        "find",
        "thing",
        THINGS,
        (
            "I cannot see my {value}.",
            "Where did the {value} go?",
            "Help me look for the {value}.",
            "Somebody moved my {value}.",
            "I have lost the {value}.",
        ),
    ),
    Tool(
        "buy",
        "thing",
        THINGS,
        (
            "Order a new {value}.",
            "Get me a {value} from the shop.",
            "My {value} is broken, I want another.",
            "I would like to own a {value}.",
            "Pay for the {value} and bring it here.",
        ),
    ),
    Tool(
        "call",
        "name",
        NAMES,
        (
            "I must speak to {value}.",
            "Let me talk with {value}.",
            "Ring {value} now.",
            "Put me through to {value}.",
            "Get {value} on the phone.",
        ),
    ),
    Tool(
        "mail",
        "name",
        NAMES,
        (
            "Send a letter to {value}.",
            "Write to {value} for me.",
            "Post these pages to {value}.",
            "{value} should have my answer on paper.",
            "Put a stamp on the card for {value}.",
        ),
    ),
    Tool(
        "remind",
        "day",
        DAYS,
        (
            "Remind me on {value}.",
            "Do not let me forget it on {value}.",
            "I must think of this on {value}.",
            "Tell me again on {value}.",
            "Bring it back to my mind by {value}.",
        ),
    ),
    Tool(
        "reserve",
        "day",
        DAYS,
        (
            "I want a table for {value}.",
            "Keep a seat for me on {value}.",
            "We are four guests on {value}.",
            "Is a room free on {value}?",
            "Get two tickets for {value}.",
        ),
    ),
    Tool(
        "convert",
        "number",
        NUMBERS,
        (
            "How much silver is {value} coins?",
            "Change {value} coins into notes.",
            "What are {value} coins worth in gold?",
            "Turn {value} coins into silver.",
        ),
    ),
    Tool(
        "timer",
        "number",
        NUMBERS,
        (
            "Wait for {value} minutes.",
            "Let me know after {value} minutes.",
            "The soup needs {value} minutes.",
            "Wake me in {value} minutes.",
        ),
    ),
    Tool(
        "price",
        "fruit",
        FRUIT,
        (
            "What does one {value} cost?",
            "How much is a kilo of {value}?",
            "Is the {value} cheap today?",
            "What do they ask for the {value}?",
        ),
    ),
    Tool(
        "light",
        "colour",
        COLOURS,
        (
            "Make the room {value}.",
            "I want the lamp to shine {value}.",
            "Fill the house with {value}.",
            "Let it be {value} in here.",
        ),
    ),
)

NO_TOOL = "none"


@register("skills", "tools")
def tools(rng: Random, split: Split) -> Draft:
    """Two to four tools, ahead of the request or (one instance in five) in a system message."""
    tool = rng.choice(TOOLS)
    value = rng.choice(tool.values)
    request = rng.choice(tool.requests).format(value=value)
    fits = rng.random() < 0.75
    others = rng.sample(TOOLS, len(TOOLS))
    others.remove(tool)
    if rng.random() < 0.5:
        others.sort(key=lambda other: other.argument != tool.argument)
    offered = [tool] * fits + others
    offered = offered[: rng.choice((2, 3, 4))]
    rng.shuffle(offered)
    listed = "Tools: " + ", ".join(f"{tool.name}({tool.argument})" for tool in offered)
    answer = f"{tool.name}({tool.argument}={value})" if fits else NO_TOOL
    if rng.random() < 0.2:
        return Draft(request, answer, content=request, scorer="format", system=listed)
    return Draft(f"{listed}\nRequest: {request}", answer, content=request, scorer="format")
