"""`mixwright inspect`: what a data set is, how it would be learnt, and the recipe lines that read it."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from mixwright.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from mixwright.models.tokenizer import ChatTokenizer
    from mixwright.sources.forms.reading import Sample
    from mixwright.sources.inspection import Inspection

LONGEST_SHOWN = 1200  # characters of an example
SHARD = re.compile(r"[-_.]?\d+[-_]of[-_]\d+$")  # of a file's name
Keys = Annotated[
    list[str] | None,
    typer.Option("--set", help="A key of the source: columns='{prompt: text}'.", metavar="KEY=VALUE"),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("inspect")(inspect_data)


def inspect_data(
    path: Annotated[str, typer.Argument(help="A file, folder, glob or URL; hub:owner/name for a data set.")],
    keys: Keys = None,
    model: Annotated[str, typer.Option("--model", help="Whose chat template renders the examples.")] = "embedded:nano",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Rows to read; all if absent.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a data set is and why, show how it would be learnt, and give the recipe lines that read it.

    Examples are rendered by the model's chat template; what would be learnt is coloured, or put between ⟦ and ⟧.

    Exit code: 0 where a form was found, 2 where the recipe has to say how to read it.
    """
    from mixwright.ground.hashing import FileDigests
    from mixwright.models.folder import find_model
    from mixwright.models.tokenizer import ChatTokenizer
    from mixwright.recipe.data import Base
    from mixwright.recipe.load import source_of
    from mixwright.recipe.paths import absolute, leads_out, project_of
    from mixwright.sources.inspection import inspect, rendering_problems

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # data may hold what a terminal cannot show
    place = {"hub": path.removeprefix("hub:")} if path.startswith("hub:") else {"path": path}
    found = inspect(source_of({"role": "domain", **place}, keys or []), path, limit=limit)
    here, project = Path.cwd(), project_of(Path("recipe.yaml"))  # where the lines are pasted, as far as one knows
    place = {key: absolute(at, here) if leads_out(at, here, project) else at for key, at in place.items()}
    if found.recipe:
        place |= {} if found.commit is None else {"revision": found.commit}
        found.recipe = {"role": found.recipe["role"], **place, **found.recipe, **place}
    folder = find_model(Base(model=_absolute(model)), FileDigests(Path(os.devnull))).path
    tokenizer = ChatTokenizer(folder)
    found.problems += rendering_problems(found, tokenizer, model)
    if as_json:
        print_json(found.as_json() | {"examples": [_example(*example, tokenizer) for example in found.examples]})
    else:
        print("\n".join(_lines(found, tokenizer, _name(path, found))))
    raise typer.Exit(0 if found.form else 2)


def _absolute(model: str) -> str:
    return str(Path(model).resolve()) if model.startswith((".", "/", "~")) or Path(model).is_dir() else model


def _lines(found: Inspection, tokenizer: ChatTokenizer, name: str) -> Iterator[str]:
    from mixwright.sources.forms.guesses import as_lines
    from mixwright.sources.inspection import quantiles

    files = found.files
    listed = ", ".join(file.name for file in files[:4]) + (f" and {len(files) - 4} more" if len(files) > 4 else "")
    yield f"files     {len(files)}: {listed}" + (f" (commit {found.commit})" if found.commit else "")
    left_out = f", {found.left_out:,} of them left out ({found.first_left_out})" if found.left_out else ""
    limited = ", the first of them (--limit)" if found.rows == found.limit else ""
    yield f"rows      {found.rows:,}{limited}{left_out}"
    yield f"columns   {', '.join(found.columns)}"
    if found.unused:
        yield f"unused    {', '.join(found.unused)}"
    why = f"{found.why}. {found.fix}" if found.why else "no row can be read"
    yield f"form      {found.form} ({found.why})" if found.form else f"form      none: {why}"
    if found.lengths:
        spread = ", ".join(f"{name} {value:,}" for name, value in quantiles(found.lengths).items())
        yield f"length    characters: {spread}"
    if found.turns:
        yield f"turns     {', '.join(f'{name} {count:,}' for name, count in found.turns.items())}"
    for problem in (*found.problems, *found.faults):
        yield f"problem   {problem}"
    if found.form is None and not found.recipe:
        if found.first_row:
            yield "\nThe first row:"
        yield from (f"  {column}: {value}" for column, value in found.first_row.items())
        return
    if found.form is None:
        yield f"\nIf that is what the columns mean ({as_lines(found.guess)}):"
    for origin, sample in found.examples:
        yield f"\n{origin}"
        rendered = _rendered(sample, tokenizer)
        yield rendered if isinstance(rendered, str) else _marked(rendered)
    yield "\nIn a recipe:"
    yield yaml.safe_dump({"sources": {name: found.recipe}}, sort_keys=False, allow_unicode=True).rstrip()


def _name(path: str, found: Inspection) -> str:
    """A name for the source: the data set's, the file's without the number of its shard, or the folder's where files of
    several names lie in it."""
    from mixwright.sources.files.finding import named_folder

    named = Path(path.removeprefix("hub:"))
    stems = {SHARD.sub("", stem) or stem for stem in (Path(file.name).name.split(".")[0] for file in found.files)}
    if path.startswith("hub:") or named.is_dir() or len(stems) > 1:
        stems = {Path(named_folder(str(named))).resolve().name}
    (stem,) = stems
    stem = stem.lower()
    name = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in stem)
    return name if name[:1].isalpha() else f"data_{name}"


def _rendered(sample: Sample, tokenizer: ChatTokenizer) -> list[tuple[str, bool]] | str:
    """Pieces of text, each with whether it would be learnt; or why the template refuses it."""
    if sample.text:
        (encoded,) = tokenizer.encode_documents([sample.text[: 4 * LONGEST_SHOWN]])
    else:
        tools = [json.loads(sample.tools)] if sample.tools else ()
        (encoded,) = tokenizer.encode([sample.messages], loss="assistant", tools=tools)
    if isinstance(encoded, ValueError):
        return f"(not rendered: {encoded})"
    return tokenizer.pieces(encoded)


def _example(origin: str, sample: Sample, tokenizer: ChatTokenizer) -> dict[str, Any]:
    rendered = _rendered(sample, tokenizer)
    if isinstance(rendered, str):
        return {"origin": origin, "problem": rendered}
    return {"origin": origin, "rendered": [{"text": text, "learnt": learnt} for text, learnt in rendered]}


def _marked(pieces: list[tuple[str, bool]]) -> str:
    """The text with what is learnt in green where a terminal shows colours, between brackets elsewhere."""
    from rich.console import Console

    console = Console()
    coloured = console.is_terminal and not console.no_color
    opened, closed = ("\x1b[32m", "\x1b[0m") if coloured else ("⟦", "⟧")
    left, shown = LONGEST_SHOWN, []
    for text, learnt in pieces:
        part = text if len(text) <= left else f"{text[: max(left, 0)]}…"
        shown.append(f"{opened}{part}{closed}" if learnt else part)
        left -= len(text)
        if left <= 0:
            break
    return "".join(shown)
