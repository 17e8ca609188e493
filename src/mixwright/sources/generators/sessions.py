"""Generator `sessions`: two requests that have nothing to do with each other, one after the other.

Real conversations change their subject. A model that has only ever been asked once answers the second request of a
session with its last breath of the first; this is where the embedded base learns to start afresh. It is a generator of
its own, apart from `skills`, because a session holds requests of two skills: as replay it would rehearse skills that a
recipe leaves out on purpose.
"""

from random import Random

from mixwright.sources.generators.interface import Draft, Split, draw, register


@register("sessions", "two_requests")
def two_requests(rng: Random, split: Split) -> Draft:
    """Two requests of the skills, both of this side; the answer to the second is the gold one."""
    first, second = _request(rng, split), _request(rng, split)
    return second._replace(history=(*first.history, (first.prompt, first.answer), *second.history))


def _request(rng: Random, split: Split) -> Draft:
    """A draft without a system turn: there can be only one in a conversation, and it would rule both requests."""
    while (draft := draw("skills", rng, split)).system:
        pass
    return draft
