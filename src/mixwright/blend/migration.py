"""Going on with another plan: what a mixer's state becomes when the shares or the sources change in the middle."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mixwright.blend.mixer import MixerState, MixPlan, Place
from mixwright.blend.stages import carried
from mixwright.ground.errors import InputError


def carry_over(
    state: MixerState, unit: str, weights: Mapping[str, int], after: MixPlan, kept: Collection[str]
) -> MixerState:
    """The state from which the plan `after` goes on where another one, with such weights, has come to `state`.

    Steps and tokens count on. Sources in `kept` keep their place in their order and what they were owed; every other
    one of the new plan begins at its start. Where the unit changes, nothing is owed any more. Raises InputError when
    the new budget is spent already.
    """
    done = state.tokens if after.budget_tokens is not None else state.domain_tokens
    if done >= (after.budget_tokens or after.budget_domain_tokens or 0):
        unit = "tokens" if after.budget_tokens is not None else "domain tokens"
        fix = "Raise it: it counts what is done and what is still to come."
        raise InputError(f"the run has seen {done:,} {unit}, and the budget ends before", where="blend.budget", fix=fix)
    stage = max(number for number, one in enumerate(after.stages) if one.begins(state.step, state.tokens))
    owed = {name: place.lag for name, place in state.places.items()} if unit == after.unit else {}
    lags = carried(owed, weights, after.weights(stage))
    places = {name: (state.places[name] if name in kept else Place())._replace(lag=lags[name]) for name in after.names}
    return MixerState(places, state.step, state.tokens, state.domain_tokens, stage)
