"""The catalogue: what is in it, what a name stands for, and what a recipe has to allow."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from mixwright.ground.errors import InputError
from mixwright.pipeline.explicit import explicit
from mixwright.recipe.data import Source
from mixwright.recipe.schema import Recipe
from mixwright.sources.catalogue import BALANCED, entries, named, skills, sources_named
from mixwright.sources.imports.nova import COUNTERPARTS


def recipe(**sources: object) -> Recipe:
    about = {"mail": {"role": "domain", "path": "x.jsonl"}, **sources}
    shares = {name: f"1/{len(about)}" for name in about}
    blend = {"shares": shares, "budget": {"tokens": 10_000}}
    plain = {"mixwright": 1, "name": "x", "base": {"model": "embedded:nano"}, "sources": about, "blend": blend}
    return Recipe.model_validate(plain)


@pytest.mark.parametrize("entry", [e for e in entries() if e.readable], ids=lambda e: f"{e.id}/{e.splits}")
def test_what_can_be_read_is_a_source(entry) -> None:  # type: ignore[no-untyped-def]
    source = Source.model_validate({**entry.source(), "allow": [] if entry.terms == "commercial" else [entry.terms]})
    assert source.hub == entry.id
    assert entry.licence
    assert entry.splits


def test_a_name_stands_only_for_what_was_read_to_be_free_for_commercial_use() -> None:
    for word in (BALANCED, *skills()):
        try:
            found = named(word, "x")
        except InputError:
            continue
        assert found
        assert all(entry.terms == "commercial" and entry.verified and entry.readable for entry in found)
    assert len({entry.skill for entry in named(BALANCED, "x")}) >= 12


def test_what_a_name_stands_for_has_the_whole_share_evenly_by_skill() -> None:
    found = sources_named("general", Source.model_validate({"role": "general", "catalogue": BALANCED}))
    assert sum(Fraction(1, parts) for _, parts in found.values()) == 1
    with pytest.raises(InputError, match="no 'mth'"):
        named("mth", "sources.general.catalogue")


def test_the_lock_has_the_explicit_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for entry in named("math", "x"):
        snapshot = tmp_path / f"datasets--{entry.id.replace('/', '--')}" / "snapshots" / ("c" * 40)
        snapshot.mkdir(parents=True, exist_ok=True)
        (snapshot.parents[1] / "refs").mkdir(exist_ok=True)
        (snapshot.parents[1] / "refs" / (entry.revision or "main")).write_text("c" * 40)
        (snapshot / "train.jsonl").write_text(json.dumps({"messages": []}))
    found = explicit(recipe(maths="math"))
    assert set(found.sources) - {"mail"} == {name for name in found.sources if name.startswith("maths-math")}
    assert sum(found.blend.shares.values()) == 1
    assert all(source.revision == "c" * 40 for name, source in found.sources.items() if name != "mail")


@pytest.mark.parametrize("allowed", [False, True])
def test_terms_have_to_be_allowed(allowed: bool) -> None:
    source = {"role": "general", "hub": "HuggingFaceH4/no_robots", "allow": ["non_commercial"] if allowed else []}
    with pytest.raises(InputError) as caught:
        explicit(recipe(chat=source))
    assert ("cc-by-nc-4.0" in str(caught.value)) != allowed  # allowed, it goes on to look for the data set
    assert ("not in the local cache" in str(caught.value)) == allowed


def test_every_category_of_nova_has_a_counterpart_that_may_be_taken() -> None:
    assert len(COUNTERPARTS) == 23
    for category, counterpart in COUNTERPARTS.items():
        if counterpart.id:
            (entry,) = [e for e in entries() if e.id == counterpart.id and counterpart.split in e.splits]
            assert entry.may_be_taken, category
