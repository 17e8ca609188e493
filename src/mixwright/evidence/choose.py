"""Choosing among an arm's candidates, on items that no certificate is made of.

Every arm gets its best chance to meet the contract: the candidate whose worst clause comes closest to being certified,
or is so by the widest margin, is taken. What counts is the bound that a certificate would be decided by, not the
estimate: of two candidates that look alike the one that is known better is preferred. Only the clauses that the
contract names count, since the abilities behind `each_ability` are measured too coarsely on the few items of a search
split to choose by.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mixwright.evidence.clauses import clauses
from mixwright.evidence.differences import strata_difference
from mixwright.evidence.importers import read_records
from mixwright.evidence.pairing import pair
from mixwright.ground.artefacts import write_json
from mixwright.ground.hashing import Json
from mixwright.recipe.contract import Contract


def choose(
    contract: Contract,
    suites: Mapping[str, Mapping[str, Any]],
    candidates: Mapping[str, Path],
    base: Path,
    out: Path,
) -> Mapping[str, Json]:
    """Write `choice.json`: the candidates with their clauses, and the one chosen; of equals the first.

    suites: `suite.json` of each search split. candidates: `records.parquet` on it by label. base: likewise.
    """
    found: list[dict[str, Json]] = []
    slacks: dict[str, float] = {}
    before = read_records(base)
    for label, records in candidates.items():
        strata = pair(read_records(records), before).strata
        judged: list[dict[str, Json]] = []
        for clause in clauses(contract, suites):
            rate = clause.test == "rate"
            difference = strata_difference(clause.strata, clause.metric, strata, contract.confidence, rate=rate)
            judged.append(
                {
                    "kind": clause.kind,
                    "name": clause.name,
                    "named": clause.named,
                    "base": difference.base_mean,
                    "candidate": difference.candidate_mean,
                    "estimate": difference.estimate,
                    "low": difference.low,
                    "threshold": clause.threshold,
                    "slack": difference.low - clause.threshold,
                    "num_items": difference.num_items,
                }
            )
        counted = [entry for entry in judged if entry["named"]] or judged
        slacks[label] = min(float(entry["slack"]) for entry in counted)  # type: ignore[arg-type]
        found.append({"label": label, "slack": slacks[label], "clauses": judged})
    chosen = max(slacks, key=lambda label: slacks[label])
    write_json(out / "choice.json", {"chosen": chosen, "candidates": found})
    return {"chosen": chosen, "candidates": len(found)}
