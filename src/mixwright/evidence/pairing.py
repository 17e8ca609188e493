"""Two models' records, paired item by item - or a refusal to compare what must not be compared."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mixwright.evidence.clauses import Stratum
from mixwright.evidence.records import FACTS, Record, Records
from mixwright.ground.errors import InputError
from mixwright.ground.hashing import derive_seed

DIFFERS = {
    "prompt_sha": "was asked with another prompt, template or tokenizer",
    "decoding": "was decoded with other settings",
    "build": "was answered by another build, device, number format, thread count or batch size",
    "scorer": "was scored by another scorer or version",
}


@dataclass(frozen=True)
class Pairs:
    """Scores of the same items of one ability, in the same order. All arrays (n,): scores and parse status 0 to 1.

    A missing verdict counts as wrong for the candidate and as right for the base; `num_missing` are both. The metric
    `human` is what people said, NaN where they did not look.
    """

    candidate: Mapping[str, npt.NDArray[np.float64]]  # by metric: score, parse_rate, human
    base: Mapping[str, npt.NDArray[np.float64]]
    clusters: npt.NDArray[np.str_]
    num_missing: int

    def against_no_fault(self) -> Pairs:
        """The candidate beside a model that makes no mistake."""
        return replace(self, base={metric: np.ones_like(scores) for metric, scores in self.candidate.items()})

    def human_differences(self) -> npt.NDArray[np.float64] | None:
        """(n,) candidate - base as people scored them, NaN where they did not score both; None if they never did."""
        differences = self.candidate["human"] - self.base["human"]
        return None if bool(np.isnan(differences).all()) else differences


@dataclass(frozen=True)
class Pairing:
    """Pairs by (suite, ability). unrecorded: which of `FACTS` neither file tells, so that nobody could compare them.

    pending: items that the candidate has yet to answer, in the order in which they are to be asked; none unless the
    comparison stops early.
    """

    strata: Mapping[Stratum, Pairs]
    unrecorded: tuple[str, ...]
    pending: tuple[Record, ...] = ()


def pair(candidate: Records, base: Records, *, partial: bool = False, ignore: Sequence[str] = ()) -> Pairing:
    """Pair the records of two models. partial: the candidate may have answered only the first clusters of
    `asking_order`. ignore: facts that may differ (an A/A run differs in its build on purpose).

    Raises InputError when the files are not about the same items, or an item differs in anything of `DIFFERS`.
    """
    new, old = candidate.rows, base.rows
    where = str(candidate.origin)
    pending: list[Record] = []
    if partial and new.keys() < old.keys():
        pending = _pending(new.keys(), base, where)
    elif new.keys() != old.keys():
        raise _other_items(new.keys() - old.keys(), old.keys() - new.keys(), where)
    keys: dict[Stratum, list[tuple[str, str]]] = {}
    unrecorded: set[str] = set(FACTS) - set(ignore)
    for key in sorted(new):
        mine, other = new[key], old[key]
        if (mine.ability, mine.cluster) != (other.ability, other.cluster):
            fix = "Ability and cluster belong to the item: give both files the same."
            raise InputError(f"item {'/'.join(key)} has another ability or cluster in the base", where=where, fix=fix)
        for name, value, base_value in zip(FACTS, mine.facts, other.facts, strict=True):
            if name in ignore:
                continue
            if value != base_value:
                raise _differs(key, name, value, base_value, where)
            if value is not None:
                unrecorded.discard(name)
        keys.setdefault((mine.suite, mine.ability), []).append(key)
    return Pairing(
        {stratum: _pairs([new[key] for key in some], [old[key] for key in some]) for stratum, some in keys.items()},
        tuple(name for name in FACTS if name in unrecorded),
        tuple(pending),
    )


def asking_order(cluster: str) -> int:
    """Where a cluster comes when answers are looked at before all are in: by a hash of its name, so that the order has
    nothing to do with the answers, and anybody can check it."""
    return derive_seed("asking order", cluster)


def _pending(answered: Container[tuple[str, str]], base: Records, where: str) -> list[Record]:
    records = sorted(base.rows.values(), key=lambda record: (asking_order(record.cluster), record.cluster, record.key))
    done = [record.key in answered for record in records]
    number = done.index(False)
    cut = number > 0 and records[number - 1].cluster == records[number].cluster
    if any(done[number:]) or cut:
        fix = "Ask whole clusters in the order of 'mixwright gate --pending', and none out of turn."
        message = f"item {'/'.join(records[number].key)} comes before others that were answered"
        raise InputError(message, where=where, fix=fix)
    return records[number:]


def _other_items(only_new: set[tuple[str, str]], only_old: set[tuple[str, str]], where: str) -> InputError:
    count, example = len(only_new) + len(only_old), "/".join(min(only_new or only_old))
    whose = "the candidate" if only_new else "the base"
    return InputError(
        f"{count:,} items were answered by one of the two models only (for one, {example} by {whose})",
        where=where,
        fix="Ask both models the same items: an item left out may be the one that was lost.",
    )


def _differs(key: tuple[str, str], name: str, value: str | None, other: str | None, where: str) -> InputError:
    if value is None or other is None:
        side = "base" if value is None else "candidate"
        message = f"only the {side} records '{name}' (item {'/'.join(key)})"
        return InputError(message, where=where, fix=f"Record '{name}' for both models, or for neither.")
    return InputError(
        f"the two models cannot be compared: item {'/'.join(key)} {DIFFERS[name]}",
        where=where,
        fix=f"Candidate: {value[:80]}; base: {other[:80]}. Run both with the same.",
    )


def _pairs(new: Sequence[Record], old: Sequence[Record]) -> Pairs:
    return Pairs(
        candidate=_metrics(new, missing=0.0),
        base=_metrics(old, missing=1.0),
        clusters=np.asarray([record.cluster for record in new]),
        num_missing=sum(record.score is None for record in (*new, *old)),
    )


def _metrics(rows: Sequence[Record], missing: float) -> dict[str, npt.NDArray[np.float64]]:
    return {
        "score": np.asarray([missing if row.score is None else row.score for row in rows]),
        "parse_rate": np.asarray([row.parsed for row in rows]),
        "human": np.asarray([np.nan if row.human is None else row.human for row in rows]),
    }
