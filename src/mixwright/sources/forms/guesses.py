"""What columns of no known form may mean, by their usual names: recipe lines for a person to confirm, never applied."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import yaml

from mixwright.ground.hashing import Json

PROMPT = "prompt question query instruction problem inputs input user_message user text utterance"
ANSWER = """completion answer response output best_answer correct_answer final_answer expected_answer long_answer
    answers solution generated_solution target targets reply assistant summary label category intent"""
CONTEXT = "context contexts passage body background paragraph input"  # what a question is about
SYSTEM = "system system_prompt system_message"
TURNS = (("messages", "role", "content"), ("conversations", "from", "value"))  # a form, and the keys of its turns
PathIn: TypeAlias = Callable[[str, Mapping[str, Any]], str | None]
DEEPEST = 4  # levels of lists inside one another


def guess_of(row: Mapping[str, Any]) -> dict[str, Json]:
    """The keys of a source that reads such rows; empty where no names tell."""
    for form, *keys in TURNS:
        column = next((column for column, value in row.items() if _holds(value, keys)), None)
        if column is not None:
            return {"columns": {form: str(column)}}
    question, answer = prompt_in(row), _first(ANSWER, row)
    if question is None or answer is None:
        return {}
    context = next((path for path in _matches(CONTEXT, row, _texts_in) if path not in (question, answer)), None)
    system = _first(SYSTEM, row)
    beside = {"system": system} if system is not None else {}
    if context is None:
        return {"columns": _renamed({**beside, "prompt": question, "completion": answer}, ("system",))}
    if _usual(question) == "instruction":
        columns = {**beside, "instruction": question, "input": context, "output": answer}
        return {"columns": _renamed(columns, ("system", "instruction", "input"))}
    turns = {"user": f"{{{context}}}\n\n{{{question}}}", "assistant": f"{{{answer}}}"}
    return {"template": {**({"system": f"{{{system}}}"} if system is not None else {}), **turns}}


def guess_of_text(row: Mapping[str, Any], others: list[str]) -> dict[str, Json]:
    """The same for rows with a `text` whose other columns have names that tell nothing: of one it may be the question,
    of several that are about it the document."""
    if len(others) != 1:
        return {"format": "text"}
    (other,) = others
    if isinstance(row.get(other), list | Mapping):
        return {"template": {"user": "{text}", "assistant": f"{{{other}}}"}}
    return {"columns": {"prompt": "text", "completion": other}} if isinstance(row.get(other), str) else {}


def prompt_in(row: Mapping[str, Any]) -> str | None:
    """The column that may be the prompt."""
    return _first(PROMPT, row)


def deeper(row: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where rows may lie inside this one, and the first of them, level by level: see `rows` of a source."""
    path = ""
    for _ in range(DEEPEST):
        column = next((column for column, value in row.items() if _first_object(value) is not None), None)
        if column is None:
            return
        first = _first_object(row[column])
        assert first is not None
        path = f"{path}.{column}.*" if path else f"{column}.*"
        row = {**{key: value for key, value in row.items() if key != column}, **first}
        yield path, dict(row)


def as_lines(keys: Mapping[str, Json]) -> str:
    """Keys of a recipe as they are written: `columns: {prompt: question, completion: answer}`."""
    return ", ".join(f"{key}: {_written(value)}" for key, value in keys.items())


def _written(value: Json) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_written(entry)}' for key, entry in value.items())}}}"
    text = str(value)
    is_plain = re.fullmatch(r"\w[\w .-]*", text) and yaml.safe_load(text) == text
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _first_object(value: Any) -> Mapping[str, Any] | None:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], Mapping) else None


def _holds(value: Any, keys: list[str]) -> bool:
    first = _first_object(value)
    return first is not None and all(key in first for key in keys)


def _first(names: str, row: Mapping[str, Any]) -> str | None:
    return next(_matches(names, row), None)


def _matches(names: str, row: Mapping[str, Any], path_in: PathIn | None = None) -> Iterator[str]:
    """The paths of texts in columns of these names, in the order of the names. path_in: of a column, or none."""
    by_name = {_usual(column): str(column) for column in row}
    for name in names.split():
        path = (path_in or _text_in)(by_name[name], row) if name in by_name else None
        if path is not None:
            yield path


def _usual(column: object) -> str:
    return re.sub(r"\W+", "_", str(column).lower())


def _text_in(column: str, row: Mapping[str, Any]) -> str | None:
    """The path of the text in a column: itself, or the first of the answers that it holds as data sets of questions
    do, `{"text": [...]}` or `[{"text": ...}]`."""
    value = row.get(column)
    if isinstance(value, Mapping) and isinstance(value.get("text"), list):
        return f"{column}.text.0"
    first = _first_object(value)
    if first is not None and "text" in first:
        return f"{column}.0.text"
    return None if isinstance(value, list | Mapping) else column


def _texts_in(column: str, row: Mapping[str, Any]) -> str | None:
    """The same, or the path of all texts of a list."""
    value = row.get(column)
    is_list = isinstance(value, list) and bool(value) and all(isinstance(entry, str) for entry in value)
    return f"{column}.*" if is_list else _text_in(column, row)


def _renamed(columns: Mapping[str, str], known: tuple[str, ...]) -> dict[str, Json]:
    """Without the parts that are found by their own name."""
    return {part: column for part, column in columns.items() if column != part or part not in known}
