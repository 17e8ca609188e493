"""A finished run, looked at again: its files against their manifests, its certificates against its records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mixwright.evidence.importers import read_records
from mixwright.evidence.verify import Finding, read_certificate, verify_certificate
from mixwright.ground.artefacts import MANIFEST, read_json
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import digest, file_digest
from mixwright.ground.progress import progress
from mixwright.pipeline.finished import arm_records
from mixwright.recipe.schema import BASE_ARM


def arm_certificate(run: Path, arm: str) -> tuple[dict[str, Any], list[Finding]]:
    """The certificate of an arm and what checking it against the records of the run gave."""
    file = run / "arms" / arm / "certificate" / "certificate.json"
    if not file.is_file():
        fix = "Its recipe needs a contract; then run 'mixwright certify' or 'mixwright run'."
        raise InputError(f"the arm '{arm}' has no certificate", where=str(run), fix=fix)
    made = read_certificate(file)
    candidate, base = (read_records(arm_records(run, name)) for name in (arm, BASE_ARM))
    return made, [*verify_certificate(made, candidate, base), *_evidence(run, arm, made)]


def verify_run(run: Path) -> Iterator[Finding]:
    """Hash every file of a run again, and judge its records again."""
    manifests = sorted(run.rglob(MANIFEST))
    with progress("verify", len(manifests)) as advance:
        for manifest in manifests:
            yield from _files(manifest)
            advance(1, "")
    for file in sorted(run.glob("arms/*/certificate/certificate.json")):
        arm = file.parent.parent.name
        for holds, what, found in arm_certificate(run, arm)[1]:
            yield Finding(holds, f"{arm}: {what}", found)


def _files(manifest: Path) -> Iterator[Finding]:
    folder, about = manifest.parent, read_json(manifest)
    hashes: dict[str, str] = {}
    for name, entry in about["files"].items():
        file = folder / name
        if not file.is_file():
            yield Finding(False, f"{file} is there", "it is missing")
            continue
        hashes[name] = file_digest(file)
        if hashes[name] != entry["sha256"]:
            yield Finding(False, f"{file} is as it was written", "its contents changed")
    intact = digest(hashes) == about["digest"]
    what = f"the {len(hashes)} files of {folder} are those of its manifest"
    yield Finding(intact, what, "" if intact else "the manifest does not fit them")


def _evidence(run: Path, arm: str, made: dict[str, Any]) -> Iterator[Finding]:
    """What the certificate says it rests on, against what lies in the run."""
    found = {
        "lock": digest(read_json(run / "lock.json")),
        "candidate_records": _digest(run / "arms" / arm / "evaluation"),
        "base_records": _digest(run / "arms" / BASE_ARM / "evaluation"),
        "corpus": _digest(run / "corpus"),
    }
    again = {
        name: read_certificate(run / "arms" / name / "certificate" / "certificate.json")["verdict"]
        for name in made["repeats"]
    }
    yield Finding(
        again == made["repeats"], "the further trainings have the verdicts that it names", f"they have {again}"
    )
    wrong = [name for name, value in found.items() if value is not None and made["evidence"].get(name) != value]
    yield Finding(not wrong, "it rests on the records, corpus and lock of this run", f"another {', '.join(wrong)}")


def _digest(folder: Path) -> str | None:
    manifest = folder / MANIFEST
    return str(read_json(manifest)["digest"]) if manifest.is_file() else None
