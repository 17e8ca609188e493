"""Real data sets of many forms, each read by the few lines of recipes/data-sets.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixwright.models.tokenizer import ChatTokenizer
from mixwright.recipe.data import Source, Suite
from mixwright.recipe.load import load_recipe
from mixwright.sources.inspection import inspect
from mixwright.sources.suites import build_suite

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the data sets are not there ({DATA})")

ROWS = {  # the table of the data sets' own README
    "banking77": 13_083,
    "bitext": 4_514,
    "convfinqa": 421,
    "mts_dialog": 1_701,
    "nlupp": 3_080,
    "pubmedqa": 1_000,
    "peps": 699,
    "tau_tasks": 685,
    "tau_dialogues": 88,
    "tau_policies": 2,  # beside the 773 rows
    "dolly": 151,
    "gsm8k": 8_792,
    "self_instruct": 427,
    "squad2": 6_078,
    "svamp": 1_000,
    "t0": 11_491,
    "wikipedia": 30,
}
NOTHING_TO_LEARN = {"nlupp": "intents", "squad2": "answers"}  # rows without the answer that the template asks for
ITEMS = {
    "bbh": 4_428,
    "humaneval": 164,
    "ifeval": 541,
    "strongreject": 221,
    "truthfulqa": 790,
    "vicuna": 80,
    "xstest": 450,
}


@pytest.fixture(scope="module")
def recipe():  # type: ignore[no-untyped-def]
    return load_recipe(ROOT / "recipes" / "data-sets.yaml", [f"data={DATA}"]).recipe


def test_every_data_set_has_its_lines(recipe) -> None:  # type: ignore[no-untyped-def]
    assert set(recipe.sources) == set(ROWS)
    assert set(recipe.suites) == set(ITEMS)
    read = {Path(str(path)).relative_to(DATA).parts[0] for entry in paths(recipe) for path in entry}
    assert read == {folder.name for folder in DATA.iterdir() if folder.is_dir()} - {"mixture-runs"}


def paths(recipe) -> list[tuple[str, ...]]:  # type: ignore[no-untyped-def]
    entries = [*recipe.sources.values(), *recipe.suites.values()]
    return [(entry.path,) if isinstance(entry.path, str) else entry.path for entry in entries]


@pytest.mark.parametrize("name", ROWS)
def test_every_row_of_a_data_set_is_read(recipe, name: str) -> None:  # type: ignore[no-untyped-def]
    source: Source = recipe.sources[name]
    found = inspect(source, name)
    assert found.rows == ROWS[name]
    assert found.rows == found.malformed + len(found.lengths)
    if name in NOTHING_TO_LEARN:
        assert all(NOTHING_TO_LEARN[name] in fault for fault in found.faults)
    else:
        assert found.malformed == 0


@pytest.mark.parametrize("name", ROWS)
def test_the_example_in_the_documentation_is_the_first_row(recipe, name: str) -> None:  # type: ignore[no-untyped-def]
    tokenizer = ChatTokenizer(ROOT / "src/mixwright/models/embedded/nano")
    (_, sample), *_ = inspect(recipe.sources[name], name, limit=5).examples
    text = plain(sample.text or tokenizer.render(sample.messages, answer_next=False))
    page = (ROOT / "docs" / "data-sets.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    shown = section.partition("```text\n")[2].partition("\n```")[0]
    beginning, cut, end = shown.partition(" […] ")
    assert shown
    assert text.startswith(beginning)
    assert text.endswith(end)
    assert cut or text == shown


def plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("```", "'''")


@pytest.mark.parametrize("name", ITEMS)
def test_every_item_of_a_benchmark_is_read(recipe, name: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    suite: Suite = recipe.suites[name]
    counts = build_suite(name, suite, None, tmp_path)
    assert counts["items"] + counts["repeated"] == ITEMS[name]  # type: ignore[operator]
