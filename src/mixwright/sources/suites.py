"""Suites from data: five lines of YAML turn a file, held-out rows or a generator into evaluation items."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mixwright.ground.errors import InputError
from mixwright.ground.hashing import Json, canonical_json, derive_seed, text_digest
from mixwright.items.suite import Item, write_suite
from mixwright.recipe.parts import Scorer, Suite, Template
from mixwright.sources.files import find_files
from mixwright.sources.forms import from_template
from mixwright.sources.generators import abilities_of, generate
from mixwright.sources.readers import read_rows
from mixwright.sources.records import read_records
from mixwright.sources.templates import fill


def build_suite(name: str, suite: Suite, heldout: Path | None, out: Path) -> Mapping[str, Json]:
    """Write one suite. heldout: `records.parquet` of the source for a suite of held-out rows.

    Raises InputError with file and line for a row that cannot become an item, and for a suite without items.
    """
    if suite.path is not None:
        items: Iterable[Item] = _from_files(name, suite)
    elif suite.generate is not None:
        items = _generated(name, suite)
    else:
        assert heldout is not None
        items = _from_heldout(name, suite, heldout)
    chosen = list(items)
    if suite.limit is not None and len(chosen) > suite.limit:
        ranked = sorted(range(len(chosen)), key=lambda i: derive_seed("limit", suite.seed, chosen[i].item_id))
        chosen = [chosen[i] for i in sorted(ranked[: suite.limit])]
    if not chosen:
        fix = (
            f"Raise sources.{suite.source}.holdout." if suite.source else "Name a file with rows, or remove the suite."
        )
        raise InputError("the suite has no items", where=f"suites.{name}", fix=fix)
    about: dict[str, Json] = {"role": suite.role, "version": suite.version, "licence": suite.licence}
    return write_suite(out, name, about, chosen)


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
    return Item(
        suite=name,
        ability=ability,
        cluster=cluster,
        prompt=tuple(prompt),
        target=target,
        scorer=scorer.name,
        options=scorer.options,
        max_new_tokens=suite.max_new_tokens,
    )


def _from_files(name: str, suite: Suite) -> Iterator[Item]:
    assert suite.path is not None
    assert suite.prompt is not None
    assert suite.target is not None
    assert suite.scorer is not None
    template = suite.prompt if isinstance(suite.prompt, Template) else Template(user=suite.prompt)
    for file in find_files(suite.path, f"suites.{name}.path"):
        for row in read_rows(file):
            try:
                if row.value is None:
                    raise ValueError(row.fault)
                prompt = from_template(template, row.value)
                yield _item(
                    name,
                    suite,
                    suite.scorer,
                    ability=fill(suite.ability or name, row.value),
                    cluster=fill(suite.cluster, row.value) if suite.cluster else text_digest(canonical_json(prompt)),
                    prompt=prompt,
                    target=fill(suite.target, row.value),
                )
            except ValueError as error:
                where = f"{file}:{row.line} (suites.{name})"
                fix = f"Mend the row, or the {{columns}} that suites.{name} names."
                raise InputError(f"this row makes no item: {error}", where=where, fix=fix) from None


def _generated(name: str, suite: Suite) -> Iterator[Item]:
    assert suite.generate is not None
    assert suite.items_per_ability is not None
    abilities = suite.abilities or abilities_of(suite.generate)
    examples = generate(
        suite.generate,
        seed=suite.seed,
        num_records=suite.items_per_ability * len(abilities),
        split="test",
        abilities=abilities,
    )
    for example in examples:
        yield _item(
            name,
            suite,
            Scorer(name=example.scorer),
            ability=example.ability,
            cluster=example.group,
            prompt=example.messages[:-1],
            target=example.messages[-1]["content"],
        )


def _from_heldout(name: str, suite: Suite, records: Path) -> Iterator[Item]:
    assert suite.scorer is not None
    for record in read_records(records):
        messages = json.loads(record.messages)
        if record.split != "heldout" or messages[-1]["role"] != "assistant":
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
