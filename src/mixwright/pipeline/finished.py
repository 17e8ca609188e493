"""Looking things up in a finished run: its arms, what they were asked and answered, what they were trained on."""

from __future__ import annotations

from pathlib import Path

from mixwright.ground.artefacts import read_json
from mixwright.ground.errors import InputError, did_you_mean
from mixwright.items.suite import read_items
from mixwright.recipe.schema import MAIN_ARM


def is_run(path: Path) -> bool:
    """Whether a folder is a run directory."""
    return (path / "lock.json").is_file() and (path / "arms").is_dir()


def arm_of_run(text: str) -> tuple[Path, str] | None:
    """`RUN` or `RUN:arm` as folder and arm, `blend` unless said; None for anything else.

    Raises InputError for an arm that the run does not have.
    """
    run, _, arm = text.rpartition(":") if ":" in text and not Path(text).exists() else (text, "", "")
    if not is_run(Path(run)):
        return None
    arms = [path.name for path in sorted((Path(run) / "arms").iterdir())]
    if (arm or MAIN_ARM) not in arms:
        raise InputError(f"the run has no arm '{arm or MAIN_ARM}'", where=run, fix=did_you_mean(arm, arms))
    return Path(run), arm or MAIN_ARM


def arm_records(run: Path, arm: str) -> Path:
    """The records of an arm. Raises InputError where the run was not taken so far."""
    file = run / "arms" / arm / "evaluation" / "records.parquet"
    if not file.is_file():
        fix = "Run 'mixwright evaluate' or 'mixwright run' on its recipe."
        raise InputError(f"the arm '{arm}' has not been evaluated", where=str(run), fix=fix)
    return file


def realised_shares(run: Path, arm: str) -> dict[str, float]:
    """Share of the tokens of each source in an arm; none for the base."""
    file = run / "arms" / arm / "blend" / "realised.json"
    return dict(read_json(file)["realised"]["tokens"]) if file.is_file() else {}


def prompts(run: Path) -> dict[tuple[str, str], str]:
    """The last turn of what each item asks, by (suite, item)."""
    return {
        (item.suite, item.item_id): str(item.prompt[-1].get("content") or "")
        for file in sorted(run.glob("suites/*/items.jsonl"))
        for item in read_items(file.parent)
    }
