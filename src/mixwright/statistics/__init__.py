"""Statistics of paired comparisons: bounds, verdicts and plans, in pure numpy and scipy.

`paired_difference` measures one ability and `stratified_difference` a macro mean over several; `noninferiority`,
`superiority` and `combine` turn bounds into verdicts. `planning` and `exact` say how many items a verdict needs,
`sequential` decides while answers come in, `tripwires` look where the contract does not, and `posterior` puts a
difference into the words of probability.
"""

from mixwright.statistics.decision import Verdict, combine, noninferiority, superiority
from mixwright.statistics.paired import PairedDifference, paired_difference, stratified_difference
from mixwright.statistics.planning import (
    composite_error,
    error_of,
    items_for_variance,
    items_needed,
    items_to_settle,
    power_for_error,
    power_of,
)
from mixwright.statistics.posterior import posterior_difference
from mixwright.statistics.sequential import Assumption, sequential_plan, sequential_test
from mixwright.statistics.tripwires import drop_p_value, holm

__all__ = [
    "Assumption",
    "PairedDifference",
    "Verdict",
    "combine",
    "composite_error",
    "drop_p_value",
    "error_of",
    "holm",
    "items_for_variance",
    "items_needed",
    "items_to_settle",
    "noninferiority",
    "paired_difference",
    "posterior_difference",
    "power_for_error",
    "power_of",
    "sequential_plan",
    "sequential_test",
    "stratified_difference",
    "superiority",
]
