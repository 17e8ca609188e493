"""Learning-rate schedules as pure functions of the step: nothing to save, nothing to restore."""

from __future__ import annotations

from math import cos, pi

FLOOR = 0.1  # `cosine` ends at this share of the peak


def learning_rate(
    step: int, num_steps: int, *, peak: float, schedule: str, warmup: float, cooldown: float = 0.2
) -> float:
    """Rate of step `step` (from 0) of `num_steps`.

    warmup: share of the steps with a linear rise to the peak. cooldown: share of the steps in which `wsd` falls to 0
    (warm-up, stable, decay: Hu et al. 2024, MiniCPM).
    """
    warm = round(warmup * num_steps)
    if step < warm:
        return peak * (step + 1) / (warm + 1)
    done = (step - warm) / max(1, num_steps - warm)
    match schedule:
        case "constant":
            return peak
        case "linear":
            return peak * (1 - done)
        case "cosine":
            return peak * (FLOOR + (1 - FLOOR) * 0.5 * (1 + cos(pi * done)))
        case "wsd":
            return peak * min(1.0, (num_steps - step) / (cooldown * num_steps))
    raise ValueError(f"unknown schedule '{schedule}'")
