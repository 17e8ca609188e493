"""How many items does a clause need, and what power does a suite have?

Idea: one number says how hard a clause is, the *distance* between the difference assumed true and the
decision threshold. For non-inferiority with margin m and an assumed difference D the threshold is -m and the
distance D + m; for superiority the threshold is the margin m and the distance D - m. With z-quantiles of
confidence and power,

    n = (z_confidence + z_power)^2 * variance per item / distance^2,   variance = (d - D^2) * design effect

where d is the share of items on which the two models differ. Equal models, 5 %, 80 %: 6.18 d / margin^2.

Trade-off: this first-order formula uses one variance for both hypotheses. The score test uses the variance
at the threshold, which is larger when the margin is not small against d: the power delivered (by
enumeration) at d = 0.10 is 79.6 % for a margin of 0.02 and 77.4 % for 0.05. `method="score"` plans with both
variances and delivers at least the planned power wherever about 50 items or more are needed; it assumes
binary scores.

Sources: Connor, Biometrics 43 (1987) 207-211 (first order); Nam, Biometrics 53 (1997) 1422-1430 (both
variances).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from scipy import special

from mixwright.statistics.paired import PairedDifference
from mixwright.statistics.score import check_confidence, normal_quantile, restricted_variance

Variance = Literal["plug-in", "score"]

MOST_ITEMS = 1_000_000
"""More items than this are not a realistic answer to "how many more?"."""


def items_needed(
    *,
    discordance: float,
    distance: float,
    true_difference: float = 0.0,
    confidence: float = 0.95,
    power: float = 0.8,
    design_effect: float = 1.0,
    method: Variance = "plug-in",
) -> int:
    """Items for which a clause on binary scores passes with probability `power`.

    discordance: share of items on which the models differ, in (0, 1]. distance: assumed true difference
    minus the threshold, > 0 (see the module docstring). true_difference: the assumed candidate - base, |D|
    <= discordance. confidence: one-sided, in (0.5, 1). power: in (0, 1). design_effect: > 0, variance
    relative to independent items. Raises ValueError naming the argument out of range.
    """
    _check_power(power)
    _check_distance(distance)
    at_threshold, at_truth = _variances(discordance, distance, true_difference, confidence, design_effect, method)
    for_confidence = normal_quantile(confidence) * math.sqrt(at_threshold)
    for_power = normal_quantile(power) * math.sqrt(at_truth)
    return _round_up((max(for_confidence + for_power, 0.0) / distance) ** 2)


def power_of(
    num_items: int,
    *,
    discordance: float,
    distance: float,
    true_difference: float = 0.0,
    confidence: float = 0.95,
    design_effect: float = 1.0,
    method: Variance = "plug-in",
) -> float:
    """Probability that a clause on binary scores passes with `num_items` items: the inverse of
    `items_needed`.

    Arguments as there, but the distance may be 0 (giving the error rate 1 - confidence) or negative.
    """
    if num_items < 1:
        raise ValueError(f"num_items is {num_items}: at least 1 item is needed")
    at_threshold, at_truth = _variances(discordance, distance, true_difference, confidence, design_effect, method)
    reach = distance * math.sqrt(num_items) - normal_quantile(confidence) * math.sqrt(at_threshold)
    if at_truth == 0.0:
        return 1.0 if reach > 0.0 else 0.0
    return float(special.ndtr(reach / math.sqrt(at_truth)))


def items_for_variance(variance: float, *, distance: float, confidence: float = 0.95, power: float = 0.8) -> int:
    """`items_needed` for any score whose variance of one item's difference is known (design effect included).

    From an earlier comparison: variance = standard_error^2 * num_items. This also serves composites, whose
    strata then grow in proportion. Raises ValueError naming the argument out of range.
    """
    if not (math.isfinite(variance) and variance > 0.0):
        raise ValueError(f"variance is {variance}: it must be positive")
    check_confidence(confidence)
    _check_power(power)
    _check_distance(distance)
    quantiles = max(normal_quantile(confidence) + normal_quantile(power), 0.0)
    return _round_up(variance * (quantiles / distance) ** 2)


def power_for_error(standard_error: float, *, distance: float, confidence: float = 0.95) -> float:
    """Probability that a clause passes when its difference has this standard error (> 0); any distance."""
    if not (math.isfinite(standard_error) and standard_error > 0.0):
        raise ValueError(f"standard_error is {standard_error}: it must be positive")
    check_confidence(confidence)
    return float(special.ndtr(distance / standard_error - normal_quantile(confidence)))


def error_of(num_items: int, *, discordance: float, true_difference: float = 0.0, design_effect: float = 1.0) -> float:
    """Planned standard error of a difference of binary scores; feeds `composite_error` and
    `power_for_error`."""
    if num_items < 1:
        raise ValueError(f"num_items is {num_items}: at least 1 item is needed")
    return math.sqrt(_variance(discordance, true_difference, design_effect) / num_items)


def composite_error(standard_errors: Sequence[float]) -> float:
    """Standard error of an equal-weight mean over independent strata. Raises ValueError if there are none."""
    if not standard_errors:
        raise ValueError("standard_errors is empty: a composite needs at least one stratum")
    return math.hypot(*standard_errors) / len(standard_errors)


def items_to_settle(difference: PairedDifference, threshold: float, *, power: float = 0.8) -> int | None:
    """How many MORE items would probably settle a clause, if what was observed is the truth.

    threshold: -margin for non-inferiority, +margin for superiority. 0 if the bounds already settle it,
    either way; None if the estimate lies so near the threshold that more than `MOST_ITEMS` would be needed.
    The observed variance, clustering included, is assumed to hold; for a composite the strata grow in
    proportion.
    """
    if not math.isfinite(threshold):
        raise ValueError(f"threshold is {threshold}: it must be finite")
    _check_power(power)
    if difference.low > threshold or difference.high < threshold:
        return 0
    distance = abs(difference.estimate - threshold)
    quantiles = max(normal_quantile(difference.confidence) + normal_quantile(power), 0.0)
    reach = quantiles * difference.standard_error
    if reach**2 * difference.num_items > (MOST_ITEMS + difference.num_items) * distance**2:
        return None
    total = math.ceil(difference.num_items * (reach / distance) ** 2)
    return max(total - difference.num_items, 1)


def _variances(
    discordance: float,
    distance: float,
    true_difference: float,
    confidence: float,
    design_effect: float,
    method: Variance,
) -> tuple[float, float]:
    """Variance per item, clustering included, as the test sees it at the threshold and as it is at the
    truth."""
    check_confidence(confidence)
    at_truth = _variance(discordance, true_difference, design_effect)
    if method == "plug-in":
        return at_truth, at_truth
    threshold = true_difference - distance
    if not -1.0 <= threshold <= 1.0:
        raise ValueError(f"true_difference - distance is {threshold}: a threshold on binary scores lies in [-1, 1]")
    gain, loss = (discordance + true_difference) / 2.0, (discordance - true_difference) / 2.0
    return design_effect * float(restricted_variance(gain, loss, threshold)), at_truth


def _variance(discordance: float, true_difference: float, design_effect: float) -> float:
    if not 0.0 < discordance <= 1.0:
        raise ValueError(f"discordance is {discordance}: the share of items on which the models differ lies in (0, 1]")
    if not abs(true_difference) <= discordance:
        raise ValueError(
            f"true_difference is {true_difference} but only a share of {discordance} of the items differs: "
            "a difference cannot exceed the discordance"
        )
    if not (math.isfinite(design_effect) and design_effect > 0.0):
        raise ValueError(f"design_effect is {design_effect}: it must be positive (1 for independent items)")
    return design_effect * (discordance - true_difference**2)


def _round_up(num_items: float) -> int:
    return max(math.ceil(num_items - 1e-9), 1)


def _check_power(power: float) -> None:
    if not 0.0 < power < 1.0:
        raise ValueError(f"power is {power}: it must lie between 0 and 1, for example 0.8")


def _check_distance(distance: float) -> None:
    if not (math.isfinite(distance) and distance > 0.0):
        raise ValueError(
            f"distance is {distance}: the assumed true difference must lie on the passing side of the "
            "threshold; at the threshold itself no number of items suffices"
        )
