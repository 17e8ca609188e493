"""`mixwright`: commands, their options, and the exit codes.

0 done or PASS, 1 FAIL, 2 bad input, 3 INCONCLUSIVE, 4 the run broke. Results go to stdout, progress and logs to stderr.
Nothing heavy is imported before a command needs it, so `--help` answers at once.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mixwright.cli import catalogue, evidence, imports, inspect
from mixwright.cli.output import EXIT_CODES, AsJson, facts_line, print_json, show_event
from mixwright.ground.errors import BrokenRun, InputError, MixwrightError

if TYPE_CHECKING:
    from mixwright.ground.artefacts import Artefact
    from mixwright.pipeline.run import RunResult, Step

UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # click's, wherever this release of typer keeps it
INTERRUPTED = 130  # 128 and the number of the signal, as shells have it

app = typer.Typer(
    name="mixwright",
    help="Specialise any open-weight language model on your data, and prove that nothing general was lost.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

RunFolder = Annotated[Path, typer.Argument(help="A run directory.", metavar="RUN")]
MixForm = Literal["parquet", "megatron"]
ArmName = Annotated[str, typer.Option("--arm", help="The arm.")]
RecipeFile = Annotated[Path, typer.Argument(help="The recipe, a YAML file.", metavar="RECIPE")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Set a variable or key of the recipe: name=value.", metavar="KEY=VALUE"),
]
Out = Annotated[Path, typer.Option("--out", help="Folder of runs and store.")]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads of the computation; all cores if absent.")
]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes for curation and for arms side by side.")]


def _command_until(step: Step, words: str) -> None:
    """Register the command that runs a recipe up to one step."""

    def command(
        recipe: RecipeFile,
        settings: Settings = None,
        out: Out = Path("runs"),
        threads: Threads = None,
        workers: Workers = 1,
        as_json: AsJson = False,
    ) -> None:
        result = _run(recipe, settings, out, threads, workers, step)
        if as_json:
            print_json({"run": str(result.path), **_as_json(result)})
        else:
            _print_scores(result)
            print(f"run: {result.path}")
        raise typer.Exit(EXIT_CODES[result.verdict])

    app.command(step, help=words)(command)


@app.command()
def demo(
    out: Out = Path("runs"),
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; as many as cores if absent.")
    ] = None,
    as_json: AsJson = False,
    show: Annotated[bool, typer.Option("--recipe", help="Print the demonstration's recipe, and do nothing.")] = False,
) -> None:
    """See it work, offline, in minutes: a support desk taught to the embedded model in several ways.

    Exit code: that of the blend's certificate.
    """
    from mixwright.models.device import available_cores

    recipe = Path(__file__).parent / "demo.yaml"
    if show:
        print(recipe.read_text(encoding="utf-8"), end="")
    else:
        run(recipe, out=out, threads=1, workers=workers or available_cores(), as_json=as_json)


@app.command()
def run(
    recipe: Annotated[Path | None, typer.Argument(help="The recipe, a YAML file.", metavar="[RECIPE]")] = None,
    settings: Settings = None,
    out: Out = Path("runs"),
    threads: Threads = None,
    workers: Workers = 1,
    as_json: AsJson = False,
    resume: Annotated[
        Path | None, typer.Option("--resume", help="A run to go on with, instead of a recipe.", metavar="RUN")
    ] = None,
    changed: Annotated[
        Path | None, typer.Option("--with", help="The recipe with which that run goes on.", metavar="RECIPE")
    ] = None,
) -> None:
    """Do everything: curate, blend, train, evaluate, certify, report. Resumes what was interrupted.

    With --resume RUN --with RECIPE the blend goes on from the last checkpoint of RUN with other shares, sources or
    budget, and every source keeps its place.

    Exit code: 0 PASS (or no contract), 1 FAIL, 3 INCONCLUSIVE, 2 bad input, 4 the run broke.
    """
    from mixwright.reporting import write_report

    continued = None
    if resume is not None and recipe is None:
        from mixwright.ground.artefacts import open_artefact
        from mixwright.pipeline.continuing import CONTINUED, continue_from, threads_of

        threads = threads or threads_of(resume)
        continued = continue_from(resume, out) if changed else open_artefact(resume / CONTINUED)
        recipe = changed or resume / "recipe.yaml"
    elif recipe is None or resume or changed:
        fix = "See mixwright run --help."
        raise InputError("give a recipe, or --resume RUN --with RECIPE", where="mixwright run", fix=fix)
    result = _run(recipe, settings, out, threads, workers, "certify", continued)
    report = write_report(result.path)
    if as_json:
        print_json({"run": str(result.path), "report": str(report), **_as_json(result)})
    else:
        _print_scores(result)
        print(f"run:    {result.path}\nreport: {report}")
    raise typer.Exit(EXIT_CODES[result.verdict])


_command_until("curate", "Read, filter, de-duplicate and decontaminate the sources of a recipe.")
_command_until("tokenize", "Curate, then make the token stores.")
_command_until("blend", "Curate and tokenize, then work out every arm's realised mix.")
_command_until("train", "Everything up to the trained models.")
_command_until("evaluate", "Everything up to the scored responses of every arm.")
_command_until("certify", "Everything up to the certificates, without the report.")


@app.command()
def plan(
    recipe: RecipeFile,
    settings: Settings = None,
    out: Out = Path("runs"),
    threads: Threads = None,
    workers: Workers = 1,
    as_json: AsJson = False,
) -> None:
    """What a run will do and what its suites can certify, before anything is trained."""
    from mixwright.cli.tables import plan_lines
    from mixwright.pipeline.run import plan_recipe
    from mixwright.recipe.load import load_recipe

    loaded = load_recipe(recipe, settings or [])
    found = plan_recipe(loaded, out=out, threads=threads, num_workers=workers, on_event=show_event)
    if as_json:
        print_json(found.as_json())
    else:
        print("\n".join(plan_lines(found)))


@app.command()
def trace(
    run_folder: RunFolder,
    step: Annotated[int, typer.Option("--step", min=1, help="The optimizer step, from 1.")],
    arm: ArmName = "blend",
    as_json: AsJson = False,
) -> None:
    """List exactly what one step of a run saw: every record, in its row."""
    from mixwright.cli.tables import trace_lines
    from mixwright.pipeline.trace import trace

    found = trace(run_folder, step, arm)
    if as_json:
        print_json(found.as_json())
    else:
        print("\n".join(trace_lines(found)))


@app.command("export-mix")
def export_mix(
    run_folder: RunFolder,
    out: Annotated[Path, typer.Argument(help="The folder to write, which must not exist.", metavar="OUT")],
    form: Annotated[MixForm, typer.Option("--to", help="parquet: a line per packed row. megatron: .bin and .idx.")],
    arm: ArmName = "blend",
    as_json: AsJson = False,
) -> None:
    """Write the mix of a run, packed and in order of training, for trainers elsewhere."""
    from mixwright.blend.export import export_megatron, export_parquet
    from mixwright.ground.store import full_disk_told
    from mixwright.pipeline.mix import open_mix

    mix = open_mix(run_folder, arm)
    with full_disk_told("export", out):
        counts = (export_parquet if form == "parquet" else export_megatron)(mix.plan, mix.stores, out)
    if as_json:
        print_json({"out": str(out), **counts})
    else:
        print(f"{out}: {facts_line(counts)}")


@app.command()
def report(
    run_folder: RunFolder,
    out: Annotated[Path | None, typer.Option("--out", help="The HTML file; RUN/report.html if absent.")] = None,
) -> None:
    """Write the report of a run again, one self-contained HTML file."""
    from mixwright.reporting import write_report

    print(write_report(run_folder, out))


evidence.register(app)
inspect.register(app)
catalogue.register(app)
imports.register(app)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"mixwright {version('mixwright')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def _run(
    recipe: Path,
    settings: list[str] | None,
    out: Path,
    threads: int | None,
    workers: int,
    until: Step,
    continued: Artefact | None = None,
) -> RunResult:
    from mixwright.pipeline.run import run_recipe
    from mixwright.recipe.load import load_recipe

    return run_recipe(
        load_recipe(recipe, settings or []),
        out=out,
        until=until,
        threads=threads,
        num_workers=workers,
        on_event=show_event,
        continued=continued,
    )


def _print_scores(result: RunResult) -> None:
    from mixwright.cli.tables import summary_lines
    from mixwright.evidence.render import render, render_briefly

    verdicts = {arm: str(certificate["verdict"]) for arm, certificate in result.certificates.items()}
    if result.summary:
        print("\n".join(summary_lines(result.summary, verdicts)), end="\n\n")
    *comparisons, last = result.certificates.values() or [None]
    for certificate in comparisons:
        assert certificate is not None
        print(f"{render_briefly(certificate)}\n")
    if last is not None:  # the blend's, at the end and in full
        print(f"{render(last)}\n")
    if result.uses:
        counts = ", ".join(f"{suite} {count}" for suite, count in result.uses.items())
        print(f"models that these items have judged so far: {counts}\n")


def _as_json(result: RunResult) -> dict[str, Any]:
    return {
        "lock": result.lock.id,
        "verdict": result.verdict,
        "summary": [*result.summary],
        "certificates": result.certificates,
        "uses": dict(result.uses),
    }


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Errors meant for the user are shown without a traceback, as JSON too when `--json` is given."""
    given = sys.argv[1:] if arguments is None else arguments
    sys.exit(_guarded(lambda: app(given or ["--help"], standalone_mode=False), "--json" in given))


def _guarded(call: Callable[[], Any], as_json: bool) -> int:
    try:
        code = call()
        if code == INTERRUPTED:  # typer's answer to the signal
            raise KeyboardInterrupt
    except MixwrightError as error:
        return _refused(error, as_json)
    except UsageError as error:
        return _refused(_argument_error(error), as_json)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted: the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    except Exception:  # a defect of ours; Python's own exit code for it, 1, would read as FAIL
        traceback.print_exc()
        return _refused(
            BrokenRun("this is a defect of Mixwright", fix="Please report it with the lines above."), as_json
        )
    return code if isinstance(code, int) else 0


def _refused(error: MixwrightError, as_json: bool) -> int:
    if as_json:
        print_json(error.as_json())
    print(f"error: {error}", file=sys.stderr)
    return error.exit_code


def _argument_error(error: Any) -> InputError:
    """A command line that cannot be understood, in the words of every other error."""
    command = error.ctx.command_path if error.ctx else "mixwright"
    return InputError(error.format_message(), where=command, fix=f"See {command} --help.")
