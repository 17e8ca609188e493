"""Statistics of paired comparisons: bounds, verdicts and plans, in pure numpy and scipy.

`paired_difference` measures one ability and `stratified_difference` a macro mean over several;
`noninferiority`, `superiority` and `combine` turn bounds into verdicts; `planning` says how many items a
verdict needs.
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

__all__ = [
    "PairedDifference",
    "Verdict",
    "combine",
    "composite_error",
    "error_of",
    "items_for_variance",
    "items_needed",
    "items_to_settle",
    "noninferiority",
    "paired_difference",
    "power_for_error",
    "power_of",
    "stratified_difference",
    "superiority",
]
