"""Sums of two numbers, carries included.

The hard part for a small model is the carry, because it writes the highest digit first. A third of the
instances are sums of small numbers, on which the digit facts are learnt. The unordered pair of operands
decides train or test, so that 27 + 64 is never tested on a model that has seen 64 + 27.
"""

from random import Random

from mixwright.sources.generators.interface import Draft, Split, register

PHRASES = (
    "{a} + {b} =",
    "Add {a} and {b}.",
    "What is {a} + {b}?",
    "What is {a} plus {b}?",
    "Find the sum of {a} and {b}.",
)


@register("skills", "addition")
def addition(rng: Random, split: Split) -> Draft:
    """Two numbers of 0 to 99 each; one instance in three has both below 20."""
    limit = 20 if rng.random() < 1 / 3 else 100
    a, b = rng.randrange(limit), rng.randrange(limit)
    pair = f"sum of {min(a, b)} and {max(a, b)}"
    return Draft(rng.choice(PHRASES).format(a=a, b=b), str(a + b), pair, scorer="numeric")
