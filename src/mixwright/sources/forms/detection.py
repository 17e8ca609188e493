"""Which form a row has: told by its columns and values, or refused with the recipe lines that would help.

Nothing is guessed. Where two forms fit, where a `text` stands among columns that may be its label, and where a column
marks answers as good or bad, the recipe has to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mixwright.ground.hashing import Json
from mixwright.sources.forms.guesses import as_lines, deeper, guess_of, guess_of_text, prompt_in
from mixwright.sources.forms.templates import look_up
from mixwright.sources.forms.transcripts import is_transcript
from mixwright.sources.forms.turns import listed


class Form(NamedTuple):
    """needs: the parts without which it is not this form. may_have: further parts. keys: names inside its turns that
    `columns` may change."""

    needs: tuple[str, ...]
    may_have: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


FORMS = {
    "messages": Form(("messages",), ("system", "tools", "functions"), ("role", "content")),
    "sharegpt": Form(("conversations",), ("system", "tools"), ("from", "value")),
    "converse": Form(("messages",), ("system", "tools", "toolConfig")),
    "prompt_completion": Form(("prompt", "completion"), ("system", "tools")),
    "alpaca": Form(("instruction", "output"), ("input", "system", "history")),
    "gen_qa": Form(("query", "response"), ("system",)),
    "preference": Form(("chosen", "rejected"), ("prompt", "input", "system", "tools", "history")),
    "text": Form(("text",)),
}
OF_TURNS = ("messages", "sharegpt", "converse")
TURN_COLUMNS = ("messages", "conversations", "conversation")
BESIDE_TEXT = """_id added author created date dump file_path id int_score key lang language language_score licence
    license meta metadata name path score source timestamp title token_count url uuid"""
ABOUT_A_DOCUMENT = frozenset(BESIDE_TEXT.split())  # columns that no one would learn to predict
MARKS = ("label", "labels", "kto_tag")  # whether an answer, or each of its steps, is good
THREADS = {"id": "message_id", "parent": "parent_id", "tree": "message_tree_id", "rank": "rank"}
YES_OR_NO = ("true", "false", "1", "0")


class FormFault(ValueError):
    """The columns fit no form. key: the recipe key of the source to look at, if it is one; fix: what to write. guess:
    keys of the source that may be meant, for a person to confirm."""

    def __init__(self, message: str, fix: str, key: str | None = None, guess: Mapping[str, Json] | None = None) -> None:
        super().__init__(message)
        self.fix = fix
        self.key = key
        self.guess = dict(guess or {})


class Fit(NamedTuple):
    """A form that fits, and why."""

    form: str
    why: str


def detect(names: Mapping[str, str], row: Mapping[str, Any]) -> Fit:
    """The form of a row. names: part -> column, as the recipe has them.

    Raises FormFault where no form fits, or several; ValueError for a row that cannot tell: its turns are an empty list.
    """
    shown = ", ".join(map(str, row))
    fits = _fits(names, row)
    if len(fits) > 1 and fits[0].form in OF_TURNS and fits[-1].form == "preference":
        fits = fits[-1:]  # a pair whose prompt is turns
    if len(fits) > 1:
        listed_forms = " or ".join(f"'format: {fit.form}'" for fit in fits)
        raise FormFault(f"the columns ({shown}) are of more than one form", f"Say {listed_forms}.")
    if not fits and "text" in {*names, *row} and not _beside_text(names, row):
        return Fit("text", "it has a column 'text', and beside it only what is said about it")
    if not fits:
        raise _no_form(names, row, shown)
    (fit,) = fits
    if fit.form in OF_TURNS and not _turns(names, row):
        raise ValueError(f"the column '{turns_column(names, row)}' holds no turns")
    if fit.form == "preference":
        _check_prompt(names, row, shown)
        return fit
    mark = next((column for column in marks_beside(names) if is_mark(row.get(column))), None)
    if mark is not None:
        good = _good(row[mark])
        which = f", with where: {{{mark}: {good}}} unless bad ones are to be learnt too" if good else ""
        raise FormFault(
            f"the columns ({shown}) are unpaired preferences, some of them of bad answers: '{mark}' marks them",
            f"Say 'format: {fit.form}'{which}.",
        )
    return fit


def _fits(names: Mapping[str, str], row: Mapping[str, Any]) -> list[Fit]:
    have = {*names, *row}
    fits = []
    column = turns_column(names, row)
    if column is not None:
        turns = _turns(names, row)
        keys = turns[0] if turns and isinstance(turns[0], Mapping) else {}
        form = "sharegpt" if {"from", "value"} & {*keys, *names} else "converse" if _is_converse(keys) else "messages"
        fits.append(Fit(form, f"its column '{column}' holds turns with {', '.join(map(repr, keys)) or 'roles'}"))
    for form in ("preference", "prompt_completion", "alpaca", "gen_qa"):
        needs = FORMS[form].needs
        if all(part in have for part in needs):
            said = any(part in names for part in needs)
            found = " and ".join(f"'{names.get(part, part)}'" for part in needs)
            why = f"the recipe's 'columns' say that {found} are {' and '.join(needs)}" if said else None
            fits.append(Fit(form, why or f"it has the columns {', '.join(needs)}"))
    return fits


def _beside_text(names: Mapping[str, str], row: Mapping[str, Any]) -> list[str]:
    """The columns beside a text that may be its answer."""
    known = {names.get("text", "text"), *ABOUT_A_DOCUMENT}
    return sorted(str(column) for column in row if column not in known)


def turns_column(names: Mapping[str, str], row: Mapping[str, Any]) -> str | None:
    """The column of turns, by one of its usual names or by the part that the recipe says it is."""
    return next((column for column in TURN_COLUMNS if column in names or column in row), None)


def _turns(names: Mapping[str, str], row: Mapping[str, Any]) -> list[Any]:
    """The turns of a row. For what is no list of them, which is a fault of the row, one of which nothing is known."""
    column = turns_column(names, row) or ""
    try:
        value = look_up(names.get(column, column), row)
        return [] if value is None or value == "" else listed(value, column)
    except ValueError:
        return [{}]


def _is_converse(turn: Mapping[str, Any]) -> bool:
    """Whether the content of a turn is Converse's blocks, which have no type."""
    content = turn.get("content")
    return isinstance(content, list) and bool(content) and isinstance(content[0], Mapping) and "type" not in content[0]


def _check_prompt(names: Mapping[str, str], row: Mapping[str, Any], shown: str) -> None:
    """Raise FormFault for a pair of texts without the prompt that they answer."""
    has_prompt = any(part in names or part in row for part in ("prompt", "instruction", *TURN_COLUMNS))
    answers = [look_up(names.get(part, part), row) for part in FORMS["preference"].needs]
    if has_prompt or not all(isinstance(answer, str) for answer in answers) or all(map(is_transcript, answers)):
        return
    column = prompt_in(row)
    guess = {"columns": {**names, "prompt": column}} if column is not None else {}
    lines = as_lines(guess) or "columns: {prompt: <its column>}, or with 'template' how a row is learnt"
    raise FormFault(f"the columns ({shown}) hold two answers without their prompt", f"Say {lines}.", guess=guess)


def marks_beside(names: Mapping[str, str]) -> list[str]:
    """The columns that may say whether an answer is good, and are no part of what is learnt."""
    learnt = {path.partition(".")[0] for path in names.values()}
    return [column for column in MARKS if column not in learnt]


def is_mark(value: Any) -> bool:
    """Whether a value says that an answer is good or bad: true or false, 1 or 0, also as text, or a list of these."""
    if isinstance(value, list):
        return bool(value) and all(map(is_mark, value))
    if isinstance(value, str):
        return value.strip().lower() in YES_OR_NO
    return isinstance(value, bool | int | float) and value in (0, 1)


def _good(value: Any) -> str:
    """The mark of good answers where this is one of the marks, as a recipe writes it; empty where there is none."""
    if isinstance(value, bool | int | float):
        return "true" if isinstance(value, bool) else "1"
    if isinstance(value, list):
        return ""
    text = str(value).strip()
    return repr("1" if text in ("0", "1") else "TRUE" if text.isupper() else "True" if text.istitle() else "true")


def _no_form(names: Mapping[str, str], row: Mapping[str, Any], shown: str) -> FormFault:
    """Why no form fits, with what would help."""
    if {"message_id", "parent_id"} <= row.keys():
        fix = "Say threads: {id: message_id, parent: parent_id, tree: message_tree_id, rank: rank}, as they are called."
        usual = {key: column for key, column in THREADS.items() if column in row}
        message = f"the columns ({shown}) are messages, each of which answers another"
        return FormFault(message, fix, "threads", guess={"threads": usual} if "tree" in usual else None)
    if {"completions", "labels"} <= row.keys():
        fix = 'Say template: {user: "{prompt}", assistant: "{completions.*}"} to learn all of them.'
        return FormFault(f"the columns ({shown}) are steps with marks, some of them of bad ones", fix)
    guess = {} if names else guess_of(row)
    if "text" in {*names, *row}:
        others = _beside_text(names, row)
        guess = guess or ({} if names else guess_of_text(row, others))
        answer = others[0] if len(others) == 1 else "<answer column>"
        is_answered = guess and "format" not in guess
        meant = as_lines(guess) if is_answered else f"columns: {{prompt: text, completion: {answer}}}"
        return FormFault(
            f"the columns ({shown}) may be documents, or texts with an answer",
            f"Say 'format: text' to learn 'text' as it stands, or {meant}.",
            guess=guess,
        )
    if guess:
        fix = f"Say which is which, for example {as_lines(guess)}."
        return FormFault(f"the columns ({shown}) are of no known form", fix, guess=guess)
    if len(row) == 1 and not names and all(isinstance(value, str) for value in row.values()):
        guess = {"columns": {"text": str(next(iter(row)))}}
        fix = f"Say {as_lines(guess)} to learn it as it stands."
        return FormFault(f"the column ({shown}) is of no known form", fix, guess=guess)
    are_texts = len(row) == 2 and all(isinstance(value, str) for value in row.values())
    first, second = map(str, row) if are_texts else ("<question column>", "<answer column>")
    template = f'template: {{user: "{{{first}}}", assistant: "{{{second}}}"}}'
    columns = f"columns: {{prompt: {first}, completion: {second}}}"
    fix = f"Say which is which, as {columns}, or how a row is put, as {template}."
    path = next((path for path, _ in deeper(row)), None)
    inside = f" Where the rows lie inside '{path.partition('.')[0]}', 'rows' says so." if path else ""
    return FormFault(f"the columns ({shown}) are of no known form", fix + inside)
