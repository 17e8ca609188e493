"""Sums and differences of two numbers, carries and borrows included.

The hard part for a small model is the carry, because it writes the highest digit first. A third of the
instances are on small numbers, on which the digit facts are learnt. The unordered pair of operands decides
train or test, for both signs alike: 27 + 64 is never tested on a model that has seen 64 + 27, and since
prompts are compared without their signs, 64 - 27 must live on that side too.
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
DIFFERENCE_PHRASES = (
    "{a} - {b} =",
    "Subtract {b} from {a}.",
    "What is {a} - {b}?",
    "What is {a} minus {b}?",
    "Take {b} away from {a}.",
    "Find the difference of {a} and {b}.",
)


@register("skills", "addition")
def addition(rng: Random, split: Split) -> Draft:
    """Two numbers of 0 to 99 each; one instance in three has both below 20."""
    a, b = _operands(rng, _limit(rng))
    return Draft(rng.choice(PHRASES).format(a=a, b=b), str(a + b), _content(a, b), scorer="numeric")


@register("skills", "subtraction")
def subtraction(rng: Random, split: Split) -> Draft:
    """The smaller of two such numbers from the larger; of two draws the one that needs a borrow is taken."""
    limit = _limit(rng)
    draws = [sorted(_operands(rng, limit), reverse=True) for _ in range(2)]
    a, b = max(draws, key=lambda pair: pair[0] % 10 < pair[1] % 10)
    return Draft(rng.choice(DIFFERENCE_PHRASES).format(a=a, b=b), str(a - b), _content(a, b), scorer="numeric")


def _limit(rng: Random) -> int:
    return 20 if rng.random() < 1 / 3 else 100


def _operands(rng: Random, limit: int) -> tuple[int, int]:
    return rng.randrange(limit), rng.randrange(limit)


def _content(a: int, b: int) -> str:
    return f"sum of {min(a, b)} and {max(a, b)}"
