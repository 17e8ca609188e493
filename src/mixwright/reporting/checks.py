"""What the page verifies about its own run before it shows it.

A report that only prints what it was given can be wrong in silence. These checks are cheap, read only
the files already loaded, and are printed whether they hold or not. They recompute no hash.
"""

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

from mixwright.reporting.contents import BASE_ARM, RunContents
from mixwright.reporting.intake import SourceIntake
from mixwright.reporting.shares import BlendView
from mixwright.reporting.wording import percent, whole

LARGEST_GAP = 0.01
LARGEST_PARSE_DROP = 0.05


class Check(NamedTuple):
    """One promise, whether the files keep it, and what was found (told when it is broken)."""

    holds: bool
    promise: str
    finding: str = ""


def checks(run: RunContents, blends: Sequence[BlendView], sources: Sequence[SourceIntake]) -> list[Check]:
    """All checks that apply to this run, failed ones first."""
    found = [*_verdicts(run), *_answers(run), *_shares(blends), *_intake(sources)]
    return sorted(found, key=lambda check: check.holds)


def _verdicts(run: RunContents) -> Iterator[Check]:
    main = run.arm(run.main_arm)
    if main and main.certificate:
        found = main.certificate.verdict
        promise = f"the verdict of the run is the verdict of the certificate of {run.main_arm}"
        yield Check(run.verdict in (None, found), promise, f"the run says {run.verdict}, the certificate {found}")
    locks = {
        arm.name: arm.certificate.evidence["lock"]
        for arm in run.arms
        if arm.certificate and "lock" in arm.certificate.evidence
    }
    if locks:
        strays = [name for name, lock in locks.items() if lock != run.lock_hash]
        promise = "every certificate was made under the lock of this run"
        yield Check(not strays, promise, f"another lock in {', '.join(strays)}")


def _answers(run: RunContents) -> Iterator[Check]:
    base = run.arm(BASE_ARM)
    for arm in run.arms:
        if not (base and base.answers and arm.answers) or arm is base:
            continue
        missing = len(base.answers.keys() ^ arm.answers.keys())
        yield Check(
            missing == 0,
            f"{arm.name} and the base answered the same {whole(len(base.answers))} items",
            f"{whole(missing)} items have only one of the two answers",
        )
        before, after = (fmean(answer.parsed for answer in each.answers.values()) for each in (base, arm))
        yield Check(
            before - after <= LARGEST_PARSE_DROP,
            f"the answers of {arm.name} can be parsed about as often as those of the base",
            f"{percent(after)} against {percent(before)}: part of a lower score may be format, not knowledge",
        )


def _shares(blends: Sequence[BlendView]) -> Iterator[Check]:
    for blend in blends:
        if blend.largest_gap is not None:
            yield Check(
                blend.largest_gap <= LARGEST_GAP,
                f"{blend.arm}: every realised share is within {percent(LARGEST_GAP, 0)} of the request, "
                f"in {blend.unit.replace('_', ' ')}",
                f"the largest distance is {percent(blend.largest_gap, 2)}",
            )


def _intake(sources: Sequence[SourceIntake]) -> Iterator[Check]:
    if not sources:
        return
    odd = [source.source for source in sources if not source.adds_up]
    promise = "every row read was kept, held out or dropped for a named reason"
    yield Check(not odd, promise, f"the counts do not add up in {', '.join(odd)}")
    bare = [source.source for source in sources if not source.licence]
    yield Check(not bare, "every source states a licence", f"none for {', '.join(bare)}")
