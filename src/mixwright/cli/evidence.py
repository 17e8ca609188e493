"""The commands about evidence: gate, compare, verify, and records of other harnesses."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixwright.cli.output import EXIT_CODES, AsJson, print_json, writing
from mixwright.ground.errors import InputError

if TYPE_CHECKING:
    from mixwright.evidence.records import Records
    from mixwright.recipe.contract_file import SuiteOf

Limit = Annotated[int, typer.Option("--limit", min=0, help="How many flipped items to show.")]
Side = Annotated[str, typer.Argument(help="A run, RUN:arm, or a file or folder of records.")]
Base = Annotated[Path | None, typer.Option("--base", help="Records of the base: a file, or a folder of logs.")]
Candidate = Annotated[Path | None, typer.Option("--candidate", help="Records of the model to be judged.")]


def gate(
    run: Annotated[str | None, typer.Argument(help="A run, or RUN:arm.", metavar="[RUN]")] = None,
    contract: Annotated[
        Path | None, typer.Option("--contract", help="A contract file (or a recipe), for records of any origin.")
    ] = None,
    base: Base = None,
    candidate: Candidate = None,
    name: Annotated[str, typer.Option("--name", help="What to call the candidate.")] = "candidate",
    out: Annotated[Path | None, typer.Option("--out", help="Write the certificate (JSON).")] = None,
    junit_file: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML.")] = None,
    markdown_file: Annotated[Path | None, typer.Option("--markdown", help="Write Markdown, for a comment.")] = None,
    pending: Annotated[
        Path | None, typer.Option("--pending", help="Write the items still to be asked, in order (JSONL).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The verdict for a pipeline: exit code 0 PASS, 1 FAIL, 3 INCONCLUSIVE.

    With RUN, its certificate, after checking that it is what the records say. With --contract, --base and --candidate,
    the records of models trained and asked elsewhere: our form, or logs of lm-eval, Inspect or NeMo Evaluator.
    """
    from mixwright.evidence.render import junit, markdown, render
    from mixwright.ground.artefacts import write_json

    if run is not None and contract is None and base is None and candidate is None and pending is None:
        made = _run_certificate(run)
    elif run is None and contract is not None and base is not None and candidate is not None:
        made = _outside_certificate(contract, base, candidate, name, pending)
    else:
        fix = "See mixwright gate --help."
        raise InputError("give RUN, or --contract, --base and --candidate", where="mixwright gate", fix=fix)
    if out is not None:
        with writing(out):
            write_json(out, made)
    for file, text in ((junit_file, junit), (markdown_file, markdown)):
        if file is not None:
            with writing(file):
                file.write_text(text(made), encoding="utf-8")
    if as_json:
        print_json(made)
    else:
        print(render(made))
    raise typer.Exit(EXIT_CODES[made["verdict"]])


def _run_certificate(text: str) -> dict[str, Any]:
    from mixwright.pipeline.finished import arm_of_run
    from mixwright.pipeline.verify import arm_certificate

    found = arm_of_run(text)
    if found is None:
        raise InputError("this is no run", where=text, fix="Give a run directory, such as runs/<name>-latest.")
    made, findings = arm_certificate(*found)
    for finding in findings:
        if not finding.holds:
            fix = "See 'mixwright verify'. Run the recipe again to have it certified anew."
            raise InputError(f"the certificate does not hold: {finding.found}", where=text, fix=fix)
    return made


def _outside_certificate(
    contract: Path, base: Path, candidate: Path, name: str, pending: Path | None
) -> dict[str, Any]:
    from mixwright.evidence.outside import judge_records, write_pending
    from mixwright.recipe.contract_file import load_contract

    loaded = load_contract(contract)
    before, after = (_told(path, loaded.suites) for path in (base, candidate))
    if pending is not None:
        if loaded.contract.stopping != "sequential":
            fix = "Set contract.stopping: sequential, or leave --pending out."
            raise InputError("only a sequential contract has items to be asked later", where=str(contract), fix=fix)
        with writing(pending):
            write_pending(after, before, pending)
    return judge_records(loaded, after, before, name)


def _told(path: Path, suites: Mapping[str, SuiteOf] | None = None) -> Records:
    """Records, with a line on stderr of what they were read as."""
    from mixwright.evidence.importers import read_records

    found = read_records(path, suites)
    print(f"  {path}: {found.form}, {len(found.rows):,} items", file=sys.stderr)
    return found


def compare(base: Side, candidate: Side, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Two models item by item: what flipped, which abilities moved, what became unreadable."""
    from mixwright.cli.tables import comparison_lines
    from mixwright.evidence.compare import compare
    from mixwright.pipeline.finished import arm_of_run, prompts

    found = compare(_records(candidate), _records(base))
    if as_json:
        print_json(found.as_json())
        return
    run = arm_of_run(base) or arm_of_run(candidate)
    asked = prompts(run[0]) if run else {}
    print("\n".join([*comparison_lines(found, limit, asked), *_share_lines(base, candidate)]))


def _share_lines(base: str, candidate: str) -> list[str]:
    """Which shares differ, where both sides are arms of runs."""
    from mixwright.cli.tables import aligned
    from mixwright.pipeline.finished import arm_of_run, realised_shares

    sides = [arm_of_run(text) for text in (base, candidate)]
    found = [realised_shares(*side) for side in sides if side is not None]
    if len(found) < 2:
        return []
    before, after = found
    rows = [["source", "share before", "after"]]
    rows += [
        [name, f"{100 * before.get(name, 0):.1f} %", f"{100 * after.get(name, 0):.1f} %"]
        for name in sorted({*before, *after}, key=lambda name: -abs(after.get(name, 0) - before.get(name, 0)))
    ]
    return ["", *aligned(rows)]


def _records(text: str) -> Records:
    from mixwright.pipeline.finished import arm_of_run, arm_records

    found = arm_of_run(text)
    return _told(arm_records(*found) if found else Path(text))


def verify(
    target: Annotated[Path, typer.Argument(help="A run, or a certificate.", metavar="RUN|CERTIFICATE")],
    base: Base = None,
    candidate: Candidate = None,
    as_json: AsJson = False,
) -> None:
    """Check a run or a certificate: every hash, and whether the records still give the same verdict.

    A certificate that 'gate --out' wrote needs the records it was made of: --base and --candidate.
    Exit code: 0 all holds, 1 something does not.
    """
    from mixwright.evidence.importers import read_records
    from mixwright.evidence.outside import verify_origins
    from mixwright.evidence.verify import read_certificate, verify_certificate
    from mixwright.pipeline.finished import is_run
    from mixwright.pipeline.verify import verify_run

    if is_run(target):
        findings = [*verify_run(target)]
    else:
        made = read_certificate(target)
        if base is None or candidate is None:
            fix = "Give --base and --candidate, or the run that the certificate belongs to."
            raise InputError("a certificate is checked against its records", where=str(target), fix=fix)
        findings = [*verify_origins(made, candidate, base)]
        findings += verify_certificate(made, read_records(candidate), read_records(base))
    broken = [finding for finding in findings if not finding.holds]
    if as_json:
        print_json({"holds": not broken, "findings": [finding._asdict() for finding in findings]})
    else:
        for finding in broken or findings:
            print(f"{'✓' if finding.holds else '✗'} {finding.what}{'' if finding.holds else f': {finding.found}'}")
        print("does NOT hold" if broken else f"holds ({len(findings)} checks)")
    raise typer.Exit(1 if broken else 0)


def records(
    path: Annotated[Path, typer.Argument(help="A file of records, or logs of another harness.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write them as .jsonl or .parquet.")] = None,
    contract: Annotated[
        Path | None, typer.Option("--contract", help="A contract file that says how suites are read.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a file of results was read as: suites, abilities, scores; --out converts it."""
    from mixwright.cli.tables import records_lines
    from mixwright.evidence.importers import read_records
    from mixwright.evidence.records import records_about, write_records
    from mixwright.recipe.contract_file import load_contract

    found = read_records(path, load_contract(contract).suites if contract else None)
    if out is not None:
        with writing(out):
            write_records(found, out)
    if as_json:
        print_json(records_about(found))
    else:
        print("\n".join(records_lines(records_about(found))))


def noise(
    recipe: Annotated[Path, typer.Argument(help="The recipe, a YAML file.", metavar="RECIPE")],
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Of the second time.")] = 32,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Set a variable or key of the recipe.", metavar="KEY=VALUE")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of runs and store.")] = Path("runs"),
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads of the computation.")] = None,
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """The base against itself, asked in other batches: what a verdict must not mistake for a change.

    Exit code: 0 every 'keep' held and no 'improve' passed, 1 otherwise.
    """
    from mixwright.cli.output import show_event
    from mixwright.cli.tables import comparison_lines
    from mixwright.evidence.render import render_briefly
    from mixwright.pipeline.noise import measure_noise
    from mixwright.recipe.load import load_recipe

    loaded = load_recipe(recipe, settings or [])
    found = measure_noise(loaded, out=out, batch_size=batch_size, threads=threads, on_event=show_event)
    if as_json:
        print_json({"holds": found.holds, "certificate": found.certificate, "comparison": found.comparison.as_json()})
    else:
        print("\n".join(comparison_lines(found.comparison, limit)))
        if found.certificate is not None:
            print(f"\n{render_briefly(found.certificate)}")
    raise typer.Exit(0 if found.holds else 1)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (gate, compare, verify, records, noise):
        app.command()(command)
