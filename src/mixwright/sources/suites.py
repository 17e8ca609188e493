"""Suites from data: five lines of YAML turn a file, held-out rows or a generator into evaluation items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json, canonical_json, derive_seed, text_digest
from mixwright.items.conversation import Message
from mixwright.items.suite import Item, options_fault, write_suite
from mixwright.recipe.data import Scorer, Suite, Template
from mixwright.sources.files.data_file import label_of
from mixwright.sources.files.data_sets import files_of
from mixwright.sources.forms.reading import from_template
from mixwright.sources.forms.templates import fill, look_up
from mixwright.sources.generators import Example, abilities_of, generate
from mixwright.sources.intake.records import CONVERSATION, PREFERENCE, Record, read_records
from mixwright.sources.rows.formats.row import LEFT_OUT
from mixwright.sources.rows.readers import read_rows
from mixwright.sources.rows.selection import nothing_belongs

SEARCH = "search"  # the folder, inside a suite's, of the items set aside for choosing
SPARE = 3  # examples generated for an item, to choose different ones of many groups from


def build_suite(
    name: str, suite: Suite, heldout: Path | None, out: Path, *, search_share: float = 0.0
) -> Mapping[str, Json]:
    """Write one suite, and beside it in `search/` the items set aside for choosing among candidates.

    heldout: `records.parquet` of the source for a suite of held-out rows. search_share: of the clusters; 0 for none.
    Raises InputError with file and line for a row that cannot become an item, for a suite without items, and for an
    ability with too few clusters to divide.
    """
    counts: Counter[str] = Counter()
    if suite.is_read:
        items: Iterable[Item] = _from_files(name, suite, counts)
    elif suite.generate is not None:
        items = _generated(name, suite)
    else:
        assert heldout is not None
        items = _from_heldout(name, suite, heldout, counts)
    chosen = list(items)
    if suite.limit is not None and len(chosen) > suite.limit:
        ranked = sorted(range(len(chosen)), key=lambda i: derive_seed("limit", suite.seed, chosen[i].item_id))
        chosen = [chosen[i] for i in sorted(ranked[: suite.limit])]
    if not chosen:
        if counts:
            raise _nothing_to_ask(name, suite, counts)
        fix = (
            f"Raise sources.{suite.source}.holdout." if suite.source else "Name a file with rows, or remove the suite."
        )
        raise InputError("the suite has no items", where=f"suites.{name}", fix=fix)
    about: dict[str, Json] = {"role": suite.role, "version": suite.version, "licence": suite.licence, **counts}
    if not search_share:
        return {**write_suite(out, name, about, chosen), **counts}
    searched = [item for item in chosen if _is_for_search(item, search_share)]
    certifying = [item for item in chosen if not _is_for_search(item, search_share)]
    for ability in sorted({item.ability for item in chosen}):
        for part, words in ((searched, "choose by"), (certifying, "certify with")):
            if not any(item.ability == ability for item in part):
                fix = "Give it items of more clusters, or another tune.search_share."
                raise InputError(f"no item of {name}/{ability} is left to {words}", where=f"suites.{name}", fix=fix)
    (out / SEARCH).mkdir()
    set_aside = write_suite(out / SEARCH, name, about, searched)
    return {**write_suite(out, name, about, certifying), "for_search": set_aside["items"], **counts}


def _is_for_search(item: Item, share: float) -> bool:
    """Whole clusters, by a hash: an item stays on its side whatever is added to the suite."""
    return derive_seed("search", item.cluster) / 2**63 < share


def _item(
    name: str,
    suite: Suite,
    scorer: Scorer,
    *,
    ability: str,
    cluster: str,
    prompt: list[dict[str, str]],
    target: str,
) -> Item:
    weighed = suite.answer == "likelihood"
    return Item(
        suite=name,
        ability=ability,
        cluster=cluster,
        prompt=tuple(prompt),
        target=target,
        scorer=scorer.name,
        options={**scorer.options, "likelihood": suite.normalise} if weighed else scorer.options,
        max_new_tokens=0 if weighed else suite.max_new_tokens,
    )


def _of_row(scorer: Scorer, row: Mapping[str, Any]) -> Scorer:
    """The scorer with this row's options: texts with fields, or `{column}` for a column that holds the list."""
    if scorer.name != "choice":
        return scorer
    options = scorer.options["options"]
    if isinstance(options, str):
        column = options.strip("{} ")
        if not isinstance(look_up(column, row), list):
            raise ValueError(f"the column '{column}' holds no list of options")
        options = [f"{{{column}.{n}}}" for n in range(len(look_up(column, row)))]
    options = [fill(option, row) for option in options]
    fault = options_fault(options)
    if fault:
        raise ValueError(fault)
    return Scorer(name=scorer.name, options={**scorer.options, "options": options})


def _from_files(name: str, suite: Suite, counts: Counter[str]) -> Iterator[Item]:
    """counts: of the rows that `where` leaves out."""
    assert suite.prompt is not None
    assert suite.target is not None
    assert suite.scorer is not None
    template = suite.prompt if isinstance(suite.prompt, Template) else Template(user=suite.prompt)
    num_items, first = 0, ""
    for file in files_of(suite, f"suites.{name}"):
        for row in read_rows(file, suite):
            if row.rule == LEFT_OUT:
                counts["left_out"] += 1
                first = first or f"{label_of(file)}:{row.place}: {row.fault}"
                continue
            try:
                if row.value is None:
                    raise ValueError(row.fault)
                prompt = from_template(template, row.value)
                yield _item(
                    name,
                    suite,
                    _of_row(suite.scorer, row.value),
                    ability=fill(suite.ability or name, row.value),
                    cluster=fill(suite.cluster, row.value) if suite.cluster else text_digest(canonical_json(prompt)),
                    prompt=prompt,
                    target=fill(suite.target, row.value),
                )
            except ValueError as error:
                where = f"{file}:{row.place} (suites.{name})"
                fix = f"Mend the row, or the {{columns}} that suites.{name} names."
                raise InputError(f"this row makes no item: {error}", where=where, fix=fix) from None
            num_items += 1
    if first and not num_items:
        raise nothing_belongs(suite.where or {}, counts["left_out"], first, f"suites.{name}")


def _generated(name: str, suite: Suite) -> Iterator[Item]:
    assert suite.generate is not None
    for ability in suite.abilities or abilities_of(suite.generate):
        for example in _by_turns(suite, ability):
            yield _item(
                name,
                suite,
                Scorer(name=example.scorer),
                ability=example.ability,
                cluster=example.group,
                prompt=example.messages[:-1],
                target=example.messages[-1]["content"],
            )


def _by_turns(suite: Suite, ability: str) -> Sequence[Example]:
    """`items_per_ability` different questions of one ability, taken from the groups by turns.

    Some wordings are harder than others; were they left to chance, two suites would differ by which of them they drew.
    """
    assert suite.generate is not None
    assert suite.items_per_ability is not None
    drawn = generate(
        suite.generate,
        seed=suite.seed,
        num_records=SPARE * suite.items_per_ability,
        split="test",
        abilities=[ability],
    )
    different = {canonical_json(example.messages[:-1]): example for example in drawn}.values()
    seen: Counter[str] = Counter()
    turns: list[tuple[int, int, Example]] = []
    for example in different:
        turns.append((seen[example.group], len(turns), example))
        seen[example.group] += 1
    turns.sort(key=lambda turn: turn[:2])
    return [example for _, _, example in turns[: suite.items_per_ability]]


def _nothing_to_ask(name: str, suite: Suite, counts: Mapping[str, int]) -> InputError:
    reasons = ", ".join(f"{reason.replace('_', ' ')} {count}" for reason, count in counts.items())
    fix = "Ask what ends in a text: read items from a file with 'prompt' and 'target'."
    message = f"no held-out row of '{suite.source}' can be asked ({reasons})"
    return InputError(message, where=f"suites.{name}.source", fix=fix)


def _from_heldout(name: str, suite: Suite, records: Path, counts: Counter[str]) -> Iterator[Item]:
    """counts: of the held-out rows that are no question with a text as its answer."""
    assert suite.scorer is not None
    if isinstance(suite.scorer.options.get("options"), str):
        fix = "Write the options out: [first, second]."
        raise InputError("held-out rows have no columns left to take options from", where=f"suites.{name}", fix=fix)
    for record in read_records(records):
        messages = record.turns()
        if record.split != "heldout":
            continue
        reason = _unasked(record, messages)
        if reason:
            counts[reason] += 1
            continue
        yield _item(
            name,
            suite,
            suite.scorer,
            ability=suite.ability or name,
            cluster=record.group,
            prompt=messages[:-1],
            target=str(messages[-1].get("content") or ""),
        )


def _unasked(record: Record, messages: Sequence[Message]) -> str:
    """Why a held-out row is no item, in a word for its count; empty when it is one."""
    if record.kind != CONVERSATION and record.kind != PREFERENCE:
        return "documents"
    if record.tools or any(message.get("tool_calls") for message in messages):
        return "with_tools"  # items have no place for definitions: without them the question would be another
    last = messages[-1]
    is_answer = last["role"] == "assistant" and last.get("content") and "weight" not in last
    return "" if is_answer else "without_an_answer"
