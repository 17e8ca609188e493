"""How often a certification split has been used.

Whoever judges many models on the same items and ships the best has chosen by them, and a bound at 95 % no longer holds
at 95 %. It cannot be forbidden - a team goes on working - but it can be counted and shown. What counts is a different
model, not a repeated command.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mixwright.ground.artefacts import write_json


def count_uses(ledger: Path, splits: Mapping[str, str], models: Mapping[str, str]) -> dict[str, int]:
    """Note that models were judged on splits, and say how many different ones each split has judged so far.

    ledger: a JSON file, made if absent; a damaged one begins anew. splits: hash of the items by suite. models: hash by
    what to call them. The caller keeps others from writing at the same time.
    """
    try:
        known = json.loads(ledger.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    for items in splits.values():
        judged = known.setdefault(items, {})
        for name, model in models.items():
            judged.setdefault(model, name)
    ledger.parent.mkdir(parents=True, exist_ok=True)
    write_json(ledger, known)
    return {suite: len(known[items]) for suite, items in splits.items()}
