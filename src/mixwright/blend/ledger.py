"""The ledger: what any step saw, worked out again from the plan alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mixwright.blend.mixer import Lengths, Mixer, MixerState, MixPlan
from mixwright.blend.plan import STATES
from mixwright.ground.errors import InputError


class Entry(NamedTuple):
    """One record in a global batch. record: index in its source's token store; row: of the batch."""

    row: int
    source: str
    record: int
    tokens: int
    supervised_tokens: int


def batch_at(step: int, plan: MixPlan, sources: Mapping[str, Lengths], blend: Path) -> list[Entry]:
    """The records of a step, from 1, row by row.

    blend: the folder of the blend stage, whose kept states make a late step cost no more than an early one.
    Raises InputError for a step that the plan does not have.
    """
    first = plan.start.step + 1 if plan.start else 1
    mixer = Mixer(plan, sources, _state_before(step, blend / STATES))
    for batch in mixer:
        if mixer.state.step == step:
            columns = (batch.row, batch.source, batch.record, batch.length, batch.supervised)
            found = zip(*(column.tolist() for column in columns), strict=True)
            entries = [Entry(row, mixer.names[source], *rest) for row, source, *rest in found]
            return sorted(entries, key=lambda entry: entry.row)
    raise InputError(
        f"there is no step {step}", where="--step", fix=f"The run has steps {first} to {mixer.state.step}."
    )


def _state_before(step: int, states: Path) -> MixerState | None:
    """The last kept state from which the step is still to come, None for the beginning."""
    found = None
    with states.open() as lines:
        for line in lines:
            state = MixerState(**json.loads(line))
            if state.step >= step:
                break
            found = state
    return found
