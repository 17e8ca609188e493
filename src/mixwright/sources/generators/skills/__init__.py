"""Generator `skills`: what the embedded base can do, one ability per function.

Every skill mixes easy and hard instances: a model of a million parameters learns the easy ones first and
climbs from there, while hard instances alone leave it at chance. Add a skill by writing one registered
function and importing its module below.
"""

from mixwright.sources.generators.skills import (
    arithmetic,
    comparing,
    everyday_english,
    formatting,
    knowledge,
    lookup,
    memory,
    ordering,
    reading,
    reasoning,
    repeating,
    safety,
    strings,
    tools,
)

MODULES = (
    arithmetic,
    ordering,
    knowledge,
    reading,
    formatting,
    repeating,
    safety,
    everyday_english,
    memory,
    tools,
    comparing,
    strings,
    reasoning,
    lookup,
)
