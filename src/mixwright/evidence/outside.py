"""Models trained and asked elsewhere: a verdict from a contract file and two sets of records, and their files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mixwright.evidence.certify import certificate
from mixwright.evidence.pairing import pair
from mixwright.evidence.records import Records
from mixwright.evidence.verify import Finding, about_records
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json, file_digest
from mixwright.recipe.contract_file import LoadedContract


def judge_records(
    contract: LoadedContract, candidate: Records, base: Records, name: str = "candidate"
) -> dict[str, Any]:
    """The certificate of `candidate` against `base`. name: of the candidate, in the certificate.

    Raises InputError for records that cannot be compared, and for names of the contract that lead nowhere.
    """
    roles = contract.roles({record.suite for record in base.rows.values()})
    evidence: dict[str, Json] = {"contract_file": file_digest(contract.file)}
    for label, records in (("candidate", candidate), ("base", base)):
        evidence |= {f"{label}_form": records.form, f"{label}_records": files_digest(records.origin)}
    try:
        return certificate(
            contract.name, name, contract.contract, about_records(base, roles), candidate, base, evidence
        )
    except InputError as error:
        raise contract.located(error) from None


def files_digest(origin: Path) -> Json:
    """Hash of a file, or of every file of a folder by name."""
    if origin.is_file():
        return file_digest(origin)
    return {
        path.relative_to(origin).as_posix(): file_digest(path) for path in sorted(origin.rglob("*")) if path.is_file()
    }


def verify_origins(made: dict[str, Any], candidate: Path, base: Path) -> Iterator[Finding]:
    """Check the files of records against the hashes that a certificate holds."""
    for label, origin in (("candidate", candidate), ("base", base)):
        asked = made["evidence"].get(f"{label}_records")
        same = origin.exists() and files_digest(origin) == asked
        yield Finding(same, f"{origin} is what was judged as {label}", "" if same else "its contents are others")


def write_pending(candidate: Records, base: Records, file: Path) -> int:
    """Write what the candidate has yet to be asked, in order, one JSON object a line. Returns how many."""
    pending = pair(candidate, base, partial=True).pending
    with file.open("w", encoding="utf-8") as lines:
        for record in pending:
            entry = {"suite": record.suite, "ability": record.ability, "item_id": record.item_id}
            lines.write(json.dumps({**entry, "cluster": record.cluster}, ensure_ascii=False) + "\n")
    return len(pending)
