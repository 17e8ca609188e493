"""Say it again: lists of words, numbers and made-up names.

Worth nothing as a product and much as practice: copying is the circuit on which reading, sorting and
formatting build, and lists without meaning are where it is learnt fastest. Made-up names keep the copying
honest, since no word list holds them.
"""

from random import Random

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.skills.words import NAMES, PLAIN, listed

PHRASES = ("Repeat: {items}", "Repeat this list: {items}", "Copy: {items}", "Write the same again: {items}")
SYLLABLES = listed("ba ko ri ten mal su vo dar pi lun ge fo")


@register("skills", "repeat")
def repeat(rng: Random, split: Split) -> Draft:
    """Two to eight items; words, numbers and names may be mixed."""
    kind = rng.randrange(4)
    items = [_item(rng, rng.randrange(3) if kind == 3 else kind) for _ in range(rng.randint(2, 8))]
    listed = rng.choice((" ", ", ")).join(items)
    return Draft(rng.choice(PHRASES).format(items=listed), listed, content=" ".join(items))


def _item(rng: Random, kind: int) -> str:
    if kind == 0:
        return rng.choice(PLAIN)
    if kind == 1:
        return str(rng.randrange(1000))
    if rng.random() < 0.5:
        return rng.choice(NAMES)
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((2, 3)))).capitalize()
