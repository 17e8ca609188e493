"""Find what goes with a word in a short list of pairs.

The smallest form of reading: find the place that matches, say what stands behind it. Like repeating it is worth little
by itself; it is where a small model learns the circuit (match, then copy the next) that answers about passages, rules
and earlier turns are made of. The pairs decide train or test, whatever is asked about them.
"""

from random import Random

from mixwright.sources.generators.interface import Draft, Split, register
from mixwright.sources.generators.skills.words import NAMES, PLAIN

PHRASES = (
    "{pairs}. What goes with {key}?",
    "{pairs}. Find {key}.",
    "Look up {key}: {pairs}",
    "In this list, what belongs to {key}? {pairs}",
)
FORMS = (("{key} {value}", ", "), ("{key} = {value}", "; "), ("{key}: {value}", " | "))


@register("skills", "lookup")
def lookup(rng: Random, split: Split) -> Draft:
    """Two to six pairs of a word or name with a word, name or number; no word stands twice."""
    num_pairs = rng.choice((2, 2, 3, 3, 4, 5, 6))
    words = rng.sample(PLAIN + NAMES, 2 * num_pairs)
    keys, values = words[:num_pairs], words[num_pairs:]
    if rng.random() < 1 / 3:
        values = [str(number) for number in rng.sample(range(100), num_pairs)]
    form, separator = rng.choice(FORMS)
    pairs = [form.format(key=key, value=value) for key, value in zip(keys, values, strict=True)]
    asked = rng.randrange(num_pairs)
    prompt = rng.choice(PHRASES).format(pairs=separator.join(pairs), key=keys[asked])
    return Draft(prompt, values[asked], content="pairs " + " ".join(sorted(pairs)))
