"""Generated data sets: endless, licence-free examples whose every answer is known to be right.

What they buy: an offline base and demo, test items that cannot leak, and gold answers without labelling. What
they cost: their language is narrow, so a score on them says little about real text.

Use `generate(name, seed=..., num_records=..., split=...)` and `abilities_of(name)`. A generator of your own
is one decorated function per ability (see `interface.register`).
"""

from mixwright.sources.generators import sessions as _sessions
from mixwright.sources.generators import skills as _skills
from mixwright.sources.generators import support_desk as _support_desk
from mixwright.sources.generators.interface import (
    Draft,
    Example,
    Message,
    Split,
    abilities_of,
    generate,
    generator_names,
    normalised,
    register,
)

_REGISTERED = (_skills, _sessions, _support_desk)  # imported for the abilities that they register

__all__ = [
    "Draft",
    "Example",
    "Message",
    "Split",
    "abilities_of",
    "generate",
    "generator_names",
    "normalised",
    "register",
]
