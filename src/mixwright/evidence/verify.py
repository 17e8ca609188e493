"""Is a certificate what the records say? Not a checksum alone: the whole judgement is made again.

The seal finds a number changed by hand. Whoever seals the changed certificate anew is found by the second check, which
judges the records once more and compares every figure; whoever changes the records too, by their hashes, which the
certificate of a run shares with the run's manifests.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mixwright.evidence.certify import SEAL, certificate, sealed
from mixwright.evidence.records import Records
from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError
from mixwright.recipe.contract import Contract

ROUNDING = 1e-6  # between machines
FREE = {"probability": 0.02, "posterior_low": 0.005, "posterior_high": 0.005}  # from random draws


class Finding(NamedTuple):
    """One thing checked. found: what was wrong with it."""

    holds: bool
    what: str
    found: str = ""


def read_certificate(file: Path) -> dict[str, Any]:
    """Raises InputError for what is no certificate."""
    found = read_json(file)
    if not isinstance(found, dict) or not {"verdict", "clauses", "contract", "evidence", SEAL} <= found.keys():
        fix = "Give a certificate.json, or the run that it belongs to."
        raise InputError("this is no certificate", where=str(file), fix=fix)
    return found


def about_records(records: Records, roles: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What `suite.json` says of a suite, from its records: role, items and clusters of each ability."""
    about: dict[str, dict[str, Any]] = {}
    abilities = Counter((record.suite, record.ability) for record in records.rows.values())
    clusters = Counter((s, a) for s, a, _ in {(r.suite, r.ability, r.cluster) for r in records.rows.values()})
    for suite, ability in sorted(abilities):
        entry = about.setdefault(suite, {"role": roles[suite], "abilities": {}, "clusters": {}})
        entry["abilities"][ability] = abilities[suite, ability]
        entry["clusters"][ability] = clusters[suite, ability]
    return about


def verify_certificate(made: Mapping[str, Any], candidate: Records, base: Records) -> Iterator[Finding]:
    """Check seal and figures of a certificate against the records that it was made of."""
    intact = sealed(made)[SEAL] == made[SEAL]
    yield Finding(intact, "the certificate is as it was written", "its seal does not fit: it was edited")
    try:
        about = about_records(base, made["suites"])
        again = certificate(
            str(made["recipe"]),
            str(made["arm"]),
            Contract.model_validate(made["contract"]),
            about,
            candidate,
            base,
            made["evidence"],
            repeats=made["repeats"],
            ignore=tuple(made["ignored"]),
        )
    except (InputError, KeyError, ValueError) as error:
        yield Finding(False, "the records can be judged again", str(error).splitlines()[0])
        return
    differences = list(_differences(made, again))
    found = "; ".join(differences[:3]) + (f" and {len(differences) - 3} more" if len(differences) > 3 else "")
    yield Finding(not differences, "judged again, the records give the same certificate", found)


def _differences(made: Any, again: Any, path: str = "") -> Iterator[str]:
    if isinstance(made, Mapping) and isinstance(again, Mapping):
        for key in [*made, *(key for key in again if key not in made)]:
            if path or key != SEAL:
                yield from _differences(made.get(key), again.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(made, list) and isinstance(again, list) and len(made) == len(again):
        for number, (one, other) in enumerate(zip(made, again, strict=True)):
            name = one.get("name", number) if isinstance(one, Mapping) else number
            yield from _differences(one, other, f"{path}[{name}]")
    elif isinstance(made, float | int) and isinstance(again, float | int) and not isinstance(made, bool):
        allowed = FREE.get(path.rpartition(".")[2], ROUNDING)
        if not math.isclose(made, again, rel_tol=1e-9, abs_tol=allowed):
            yield f"{path} is {made:g}, the records give {again:g}"
    elif made != again:
        yield f"{path} is {made!r}, the records give {again!r}"
