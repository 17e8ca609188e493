"""What became of a source's rows on their way from its files to the tokens that are learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any


def attrition(
    curated: Mapping[str, Mapping[str, Any]], tokenized: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """By source rows_in, rows_kept, rows_heldout and dropped by rule, which add up.

    curated: the same as curation leaves it. tokenized: counts of the token stores, where there are any; what they drop,
    records that the chat template refuses or that no row holds, is no longer kept.
    """
    found = {}
    for name, counts in curated.items():
        refused: Mapping[str, int] = tokenized.get(name, {}).get("dropped", {})
        found[name] = {
            **counts,
            "rows_kept": int(counts["rows_kept"]) - sum(refused.values()),
            "dropped": dict(sorted((Counter(counts["dropped"]) + Counter(refused)).items())),
        }
    return found
