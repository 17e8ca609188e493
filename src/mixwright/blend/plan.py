"""The blend stage: what an arm will realise, known before a token is trained on.

The mixer runs once over the lengths alone. That gives the number of steps, the realised mix in all three units beside
the requested one, and how often each source is repeated - and so shares that a source cannot meet under its
`max_repeats` are refused here, with the ways out.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from pathlib import Path

from mixwright.blend.mixer import Lengths, Mixer, MixPlan
from mixwright.ground.artefacts import write_json
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json
from mixwright.recipe.data import Source
from mixwright.recipe.training import Blend, Train

UNITS = ("tokens", "supervised_tokens", "records")


def mix_plan(blend: Blend, train: Train, sources: Mapping[str, Source], stores: Mapping[str, Lengths]) -> MixPlan:
    """The mixer's plan for one arm's blend."""
    domain = frozenset(name for name in blend.shares if sources[name].role == "domain")
    epochs = blend.budget.domain_epochs
    in_domain = sum(int(stores[name].lengths.sum()) for name in domain)
    return MixPlan(
        unit=blend.unit,
        shares=blend.shares,
        seed=blend.seed,
        row_tokens=train.sequence_length,
        packing=blend.packing,
        domain=domain,
        budget_tokens=blend.budget.tokens,
        budget_domain_tokens=None if epochs is None else ceil(Fraction(str(epochs)) * in_domain),
    )


def plan_blend(
    arm: str,
    blend: Blend,
    train: Train,
    sources: Mapping[str, Source],
    stores: Mapping[str, Lengths],
    out: Path,
) -> Mapping[str, Json]:
    """Write `realised.json` of one arm. Returns counts.

    Raises InputError when a source would be repeated more often than its `max_repeats` allows.
    """
    names = sorted(blend.shares)
    totals = {unit: dict.fromkeys(names, 0) for unit in UNITS}
    num_rows = 0
    for row in Mixer(mix_plan(blend, train, sources, stores), stores).rows():
        num_rows += 1
        for piece in row:
            totals["tokens"][piece.source] += piece.length
            totals["supervised_tokens"][piece.source] += int(stores[piece.source].supervised[piece.record])
            totals["records"][piece.source] += 1
    repeats = {name: totals["records"][name] / len(stores[name].lengths) for name in names}
    for name in names:
        _check_repeats(arm, name, blend, sources[name], repeats[name], len(stores[name].lengths))
    tokens = sum(totals["tokens"].values())
    num_steps = ceil(num_rows / (train.batch_tokens // train.sequence_length))
    realised: dict[str, Json] = {
        "unit": blend.unit,
        "requested": {name: float(blend.shares[name]) for name in names},
        "realised": {
            unit: {name: count / sum(counts.values()) for name, count in counts.items()}
            for unit, counts in totals.items()
        },
        "totals": totals,
        "available": {name: int(stores[name].lengths.sum()) for name in names},
        "repeats": {name: round(value, 4) for name, value in repeats.items()},
        "num_rows": num_rows,
        "num_steps": num_steps,
        "budget_tokens": tokens,
        "padding_share": 1 - tokens / (num_rows * train.sequence_length),
    }
    write_json(out / "realised.json", realised)
    return {"tokens": tokens, "steps": num_steps}


def _check_repeats(arm: str, name: str, blend: Blend, source: Source, repeats: float, records: int) -> None:
    allowed = source.max_repeats
    if allowed is None or repeats <= allowed + 1e-9:
        return
    share = float(blend.shares[name])
    raise InputError(
        f"arm '{arm}' would repeat each of the {records} records {repeats:.1f} times, max_repeats is {allowed:g}",
        where=f"sources.{name}",
        fix=f"Lower its share from {share:.3g} to about {share * allowed / repeats:.2g}, raise max_repeats, or shrink "
        "blend.budget.",
    )
