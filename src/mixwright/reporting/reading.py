"""From a run directory to `RunContents`.

`run.json` is the only file a run must have; a stage that was not part of the run leaves no file, and the
page then says so. A file that is there but cannot be understood is an error with its place, never a
silent gap: a report that hides a damaged certificate would be worse than none.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mixwright.ground.errors import InputError
from mixwright.pipeline.attrition import attrition
from mixwright.reporting.contents import Item, ItemKey, RunContents, RunStage, Suite, Summary, SummaryRow
from mixwright.reporting.files import number, read_lines, read_object, understood
from mixwright.reporting.reading_arm import read_arm


def read_run(run: Path) -> RunContents:
    """Read every file the report shows.

    Raises:
        InputError: `run` holds no run.json, or one of its files cannot be read as what it claims to be.
    """
    facts_file = run / "run.json"
    if not facts_file.is_file():
        raise InputError(
            "this is not a run directory: it has no run.json",
            where=str(run),
            fix="give the directory that `mixwright run` made (it holds run.json, recipe.yaml and arms/)",
        )
    facts = read_object(facts_file)
    try:
        stages = tuple(_stage(row) for row in facts.get("stages", []))
        names = [str(name) for name in facts["arms"]]
        recipe, lock, curated = run / "recipe.yaml", run / "lock.json", run / "corpus" / "attrition.json"
        summary = run / "summary.json"
        return RunContents(
            path=run,
            name=str(facts["name"]),
            mixwright_version=str(facts.get("mixwright", "")),
            lock_hash=str(facts.get("lock", "")),
            command=str(facts.get("command", "")),
            created=str(facts.get("created", "")),
            main_arm=str(facts.get("main_arm") or names[-1]),
            verdict=facts.get("verdict"),
            uses={str(suite): int(count) for suite, count in facts.get("uses", {}).items()},
            stages=stages,
            recipe_text=recipe.read_text(encoding="utf-8") if recipe.is_file() else None,
            lock=read_object(lock) if lock.is_file() else None,
            attrition=_attrition(run, curated) if curated.is_file() else None,
            suites=tuple(_suite(path) for path in sorted(run.glob("suites/*/suite.json"))),
            items={item.key: item for path in sorted(run.glob("suites/*/items.jsonl")) for item in _items(path)},
            arms=tuple(read_arm(name, run / "arms" / name) for name in names),
            summary=_summary(summary) if summary.is_file() else None,
        )
    except (KeyError, IndexError) as error:
        raise InputError(
            f"a field is missing: {error}", where=str(run), fix="the directory is damaged: run its recipe again"
        ) from error


def _attrition(run: Path, curated: Path) -> Mapping[str, Mapping[str, Any]]:
    manifests = {path.parent.name: path for path in run.glob("tokens/*/manifest.json")}
    with understood(curated):
        tokenized = {name: read_object(path).get("counts", {}) for name, path in manifests.items()}
        return attrition(read_object(curated)["sources"], tokenized)


def _stage(row: Mapping[str, Any]) -> RunStage:
    return RunStage(
        label=str(row.get("label") or row["stage"]),
        key=str(row.get("key", "")),
        status=str(row.get("status", "")),
        seconds=float(row.get("seconds") or 0.0),
    )


def _suite(path: Path) -> Suite:
    row = read_object(path)
    return Suite(
        name=str(row["name"]),
        role=str(row.get("role", "general")),
        version=str(row.get("version", "")),
        sha256=str(row.get("sha256", "")),
        scorer=str(row.get("scorer", "")),
        num_items=int(row["num_items"]),
    )


def _items(path: Path) -> Iterator[Item]:
    for row in read_lines(path):
        yield Item(
            key=ItemKey(str(row["suite"]), str(row["item_id"])),
            ability=str(row["ability"]),
            prompt=tuple((str(turn["role"]), str(turn["content"])) for turn in row["prompt"]),
            target=str(row["target"]),
        )


def _summary(path: Path) -> Summary:
    with understood(path):
        row = read_object(path)
        confidence = row.get("confidence")
        return Summary(
            confidence=None if confidence is None else float(confidence), rows=tuple(map(_summary_row, row["rows"]))
        )


def _summary_row(row: Mapping[str, Any]) -> SummaryRow:
    return SummaryRow(
        arm=str(row["arm"]),
        suite=str(row["suite"]),
        role=str(row["role"]),
        score=number(row["score"]),
        parse_rate=number(row["parse_rate"]),
        difference=number(row["difference"]),
        low=number(row["low"]),
        high=number(row["high"]),
        num_items=int(row["num_items"]),
    )
