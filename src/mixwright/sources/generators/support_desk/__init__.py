"""Generator `support_desk`: the help desk of Brindle & Moor, an outdoor outfitter that does not exist.

A customer's message is answered in one strict line, `<intent> -> <action>`. Twenty-four intents say what the
customer wants; what the desk does about it follows from the intent, unless a rule of the house finds its
condition in the text (see `rules`). The line can be read off no base model: the format, the names and the
rules are the domain.

Two abilities: `intent` (a plain message, so the usual action holds) and `policy` (a message with a condition,
of which most change the action). Intents and conditions are the same in train and test, their wordings are
not: no wording of a request or condition occurs on both sides, so a score says how well the desk is understood
in words that it was not taught. Messages with the same wording of the request share a group: a wording that is
not understood is missed in all of them.
"""

from random import Random

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.support_desk.messages import Message, conditional_message, plain_message
from mixwright.sources.generators.support_desk.rules import action_for


@register("support_desk", "intent")
def intent(rng: Random, split: Split) -> Draft:
    """A message that meets no condition."""
    return _draft(plain_message(rng, split), split)


@register("support_desk", "policy")
def policy(rng: Random, split: Split) -> Draft:
    """A message with one condition; in some the condition is there but changes nothing for that intent."""
    return _draft(conditional_message(rng, split), split)


def _draft(message: Message, split: Split) -> Draft:
    action = action_for(message.intent, message.condition)
    answer = f"{message.intent} -> {action}".replace("_", " ")
    return Draft(message.text, answer, content=message.template, group=message.wording, side=split)
