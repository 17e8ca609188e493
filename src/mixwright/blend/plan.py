"""The blend stage: what an arm will realise, known before a token is trained on.

The mixer runs once over the lengths alone. That gives the number of steps, the realised mix in all three units beside
the requested one, and how often each source is repeated - and so shares that a source cannot meet under its
`max_repeats` are refused here, with the ways out. States of the mixer are kept on the way, from which any step can be
looked up later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mixwright.blend.kernel import UNITS
from mixwright.blend.mixer import Lengths, Mixer, MixerState, MixPlan, Supply
from mixwright.blend.stages import Stage, ramp
from mixwright.ground.artefacts import read_json, write_json
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json, canonical_json
from mixwright.recipe.data import Source
from mixwright.recipe.training import Blend, Train

START, STATES = "start.json", "states.jsonl"
RECORDS_BETWEEN_STATES = 1 << 21  # about a second of the mixer's work


def started(folder: Path) -> MixerState | None:
    """Where the plan of a blend stage's folder begins, None for the beginning."""
    return MixerState(**read_json(folder / START)) if (folder / START).exists() else None


def mix_plan(blend: Blend, train: Train, sources: Mapping[str, Source], stores: Mapping[str, Lengths]) -> MixPlan:
    """The mixer's plan for one arm's blend, from the beginning."""
    names = blend.source_names
    domain = frozenset(name for name in names if sources[name].role == "domain")
    epochs = blend.budget.domain_epochs
    in_domain = sum(int(stores[name].offsets[-1]) for name in domain)
    return MixPlan(
        unit=blend.unit,
        stages=stages_of(blend),
        seed=blend.seed,
        rows_per_batch=train.batch_tokens // train.sequence_length,
        row_tokens=train.sequence_length,
        packing=blend.packing,
        domain=domain,
        budget_tokens=blend.budget.tokens,
        budget_domain_tokens=None if epochs is None else ceil(Fraction(str(epochs)) * in_domain),
        supply={name: Supply(sources[name].max_repeats, sources[name].exhausted) for name in names},
    )


def stages_of(blend: Blend) -> tuple[Stage, ...]:
    """The stretches of a blend's schedule; a ramp becomes many."""
    stages = [Stage(blend.shares)]
    before, begin = blend.shares, 0
    for turn in blend.schedule:
        by_step = turn.step is not None
        if turn.ramp:
            stages += [_stage(shares, where, by_step) for where, shares in ramp(before, turn.shares, begin, turn.point)]
        stages.append(_stage(turn.shares, turn.point, by_step))
        before, begin = turn.shares, turn.point
    return tuple(stages)


def _stage(shares: Mapping[str, Fraction], point: int, by_step: bool) -> Stage:
    return Stage(shares, point, None) if by_step else Stage(shares, None, point)


def plan_blend(
    arm: str,
    plan: MixPlan,
    blend: Blend,
    sources: Mapping[str, Source],
    stores: Mapping[str, Lengths],
    out: Path,
) -> Mapping[str, Json]:
    """Write `realised.json` and `states.jsonl` of one arm, and `start.json` where its plan has a start. Returns counts.

    Raises InputError when a source would be repeated more often than its `max_repeats` allows, or when the mix ends
    before its schedule does.
    """
    mixer = Mixer(plan, stores)
    names = mixer.names
    stretches: dict[tuple[int, tuple[str, ...]], _Stretch] = {}
    num_rows = since = 0
    before = mixer.state
    if plan.start is not None:
        write_json(out / START, plan.start.as_json())
    with (out / STATES).open("w") as states:
        for batch in mixer:
            stretch = (before.stage, tuple(before.gone))
            if stretch not in stretches:
                weights = [*plan.weights(before.stage, before.gone).values()]
                stretches[stretch] = _Stretch(before.step, weights, np.zeros((len(UNITS), len(names)), np.int64))
            for number, units in enumerate((batch.length, batch.supervised, None)):
                stretches[stretch].counted[number] += np.bincount(batch.source, units, len(names)).astype(np.int64)
            num_rows += batch.num_rows
            since += len(batch.source)
            if since >= RECORDS_BETWEEN_STATES:
                states.write(canonical_json(mixer.state.as_json()) + "\n")
                since = 0
            before = mixer.state
    _check_schedule(arm, mixer)
    parts = list(stretches.values())
    whole = _mix(names, parts, UNITS.index(blend.unit))
    records: dict[str, int] = whole["totals"]["records"]
    sizes = {name: len(stores[name].supervised) for name in names}
    for name in names:
        share = whole["requested"][name]
        _check_repeats(arm, name, share, blend, sources[name], records[name] / sizes[name], sizes[name])
    tokens = sum(whole["totals"]["tokens"].values())
    realised: dict[str, Json] = {
        "unit": blend.unit,
        **whole,
        "stages": [{"after_step": part.step, **_mix(names, [part], UNITS.index(blend.unit))} for part in parts],
        "available": {name: int(stores[name].offsets[-1]) for name in names},
        "repeats": {name: round(records[name] / sizes[name], 4) for name in names},
        "num_rows": num_rows,
        "num_steps": mixer.state.step,
        "budget_tokens": mixer.state.tokens,
        "padding_share": 1 - tokens / (num_rows * plan.row_tokens),
    }
    write_json(out / "realised.json", realised)
    return {"tokens": tokens, "steps": mixer.state.step}


class _Stretch(NamedTuple):
    """Steps with the same shares. step: the first. counted: units and sources, int64 (3, S)."""

    step: int
    weights: list[int]
    counted: npt.NDArray[np.int64]


def _mix(names: Sequence[str], stretches: Sequence[_Stretch], unit: int) -> dict[str, Any]:
    """What stretches of a run asked for, in the declared unit, and what they hold in all three."""
    counted = sum((stretch.counted for stretch in stretches), np.zeros((len(UNITS), len(names)), np.int64))
    due = [
        sum(Fraction(int(s.counted[unit].sum()) * s.weights[i], sum(s.weights)) for s in stretches)
        for i in range(len(names))
    ]
    return {
        "requested": {name: float(part / int(counted[unit].sum())) for name, part in zip(names, due, strict=True)},
        "realised": {
            each: dict(zip(names, (counts / counts.sum()).tolist(), strict=True))
            for each, counts in zip(UNITS, counted, strict=True)
        },
        "totals": {
            each: dict(zip(names, counts.tolist(), strict=True)) for each, counts in zip(UNITS, counted, strict=True)
        },
    }


def _check_schedule(arm: str, mixer: Mixer) -> None:
    end, following = mixer.state, mixer.plan.stages[mixer.state.stage + 1 :]
    if following:
        first = following[0]
        point = f"step {first.from_step}" if first.from_tokens is None else f"{first.from_tokens:,} tokens"
        raise InputError(
            f"arm '{arm}' ends after {end.step:,} steps ({end.tokens:,} tokens), before its shares from {point} on",
            where="blend.schedule" if arm == "blend" else f"arms.{arm}.schedule",
            fix="Let its points come earlier, or raise the budget.",
        )


def _check_repeats(
    arm: str, name: str, share: float, blend: Blend, source: Source, repeats: float, records: int
) -> None:
    allowed, epochs = source.max_repeats, blend.budget.domain_epochs
    if source.exhausted != "fail" or allowed is None or repeats <= allowed + 1e-9:
        return
    if epochs is not None and source.role == "domain":
        less = f"Lower blend.budget.domain_epochs from {epochs:g} to {epochs * allowed / repeats:.3g}"
    else:
        less = f"Lower its share from {share:.3g} to about {share * allowed / repeats:.2g}, shrink blend.budget"
    raise InputError(
        f"arm '{arm}' would repeat each of the {records} records {repeats:.1f} times, max_repeats is {allowed:g}",
        where=f"sources.{name}",
        fix=f"{less}, raise max_repeats, or say with exhausted: what then happens.",
    )
