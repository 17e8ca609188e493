"""YAML as plain data that remembers the line of every key, and refuses what a person would not see coming."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from mixwright.ground.errors import InputError
from mixwright.recipe.problems import RecipePath, dotted

MAX_DEPTH = 32
MAX_ENTRIES = 100_000  # aliases of aliases grow without end
PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
MERGE_TAG = "tag:yaml.org,2002:merge"
YAML_FIXES = {  # a sign in the parser's words -> what to do
    "'\\t'": "Indent with blanks: YAML allows no tabs.",
    "alias": "Put a text that begins with * in quotes.",
    "tag": "Remove the tag (!...), or put the text in quotes.",
    "another document": "Keep one: remove the line ---.",
    "": "Look for a bracket, quote, colon or indentation that is missing here or in the line above.",
}
NESTING_FIX = f"Use at most {MAX_DEPTH} levels, and no alias (*name) inside the value that it names."
MAPPING_FIX = "A recipe begins with 'mixwright: 1' and goes on with 'name: ...'."


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError("there is no such recipe", where=str(file), fix=_recipes_in(file.parent)) from None
    except IsADirectoryError:
        raise InputError("this is a folder, a recipe is a YAML file", where=str(file), fix=_recipes_in(file)) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError("the recipe is not UTF-8 text", where=f"{file}:{line}", fix="Save it as UTF-8.") from None
    except OSError as error:
        raise InputError(
            f"the recipe cannot be read ({error.strerror})", where=str(file), fix="Check path and rights."
        ) from None


def _recipes_in(folder: Path) -> str:
    found = sorted(path.name for path in folder.glob("*.y*ml"))
    return f"{folder} holds: {', '.join(found[:8])}." if found else f"{folder} holds no YAML file."


def parse_yaml(file: Path) -> tuple[dict[str, Any], dict[RecipePath, int | str]]:
    """A YAML file as plain data, and the line of every key by its path.

    Raises InputError with the line for what is no plain YAML mapping: tags, merge keys, repeated keys, endless aliases.
    """
    text = _read(file)
    lines: dict[RecipePath, int | str] = {}
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        data = _build(file, loader, node, (), lines) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        found = ", ".join(part for part in (error.context, error.problem) if part)
        fix = next(fix for sign, fix in YAML_FIXES.items() if sign in found)
        raise InputError(f"this is not valid YAML: {found}", where=where, fix=fix) from None
    except yaml.reader.ReaderError as error:
        where = f"{file}:{text.count(chr(10), 0, error.position) + 1}"
        raise InputError("the recipe holds a control character", where=where, fix="Remove it.") from None
    except RecursionError:
        raise InputError("the recipe is nested too deeply", where=str(file), fix=NESTING_FIX) from None
    if data is None:
        raise InputError("the recipe is empty", where=str(file), fix=MAPPING_FIX)
    if not isinstance(data, dict):
        raise InputError("the recipe is not a mapping (key: value)", where=str(file), fix=MAPPING_FIX)
    return data, lines


def given_value(text: str, where: str) -> Any:
    """The value of a setting of the command line: as YAML has it, the text itself where that is none.

    Raises InputError for half a character that an escape in it makes; the name of a file may hold bytes of any kind.
    """
    try:
        value = yaml.safe_load(text)
        if "\\u" in text or "\\U" in text:
            _whole(json.dumps(value, ensure_ascii=False, default=str), where)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    return value


def _build(file: Path, loader: Any, node: yaml.Node, path: RecipePath, lines: dict[RecipePath, int | str]) -> Any:
    here = f"{file}:{node.start_mark.line + 1}"
    lines.setdefault(path, node.start_mark.line + 1)
    if len(path) > MAX_DEPTH or len(lines) > MAX_ENTRIES:
        raise InputError("the recipe is nested too deeply or repeats itself without end", where=here, fix=NESTING_FIX)
    if isinstance(node, yaml.CollectionNode) and node.tag not in PLAIN_TAGS:
        raise InputError(f"the tag {node.tag} is no plain data", where=here, fix="Remove the tag.")
    if isinstance(node, yaml.MappingNode):
        if node.flow_style and node.value and all(value.value == "" and not value.style for _, value in node.value):
            written = ", ".join(str(key.value) for key, _ in node.value)
            fix = f"Write '{{{written}}}'."
            raise InputError("a text with {columns} must stand in quotes", where=f"{here} ({dotted(path)})", fix=fix)
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise InputError("a key must be a plain word", where=f"{file}:{line}", fix="Write key: value.")
            key = _whole(str(key_node.value), f"{file}:{line}")
            if key_node.tag == MERGE_TAG:
                fix = "Write the keys out; only a whole value may be an alias (*name)."
                raise InputError("a recipe has no merge keys (<<)", where=f"{file}:{line}", fix=fix)
            if key in built:
                fix = f"First given in line {lines[(*path, key)]}."
                raise InputError(f"the key '{dotted((*path, key))}' stands here twice", where=f"{file}:{line}", fix=fix)
            lines[(*path, key)] = line
            built[key] = _build(file, loader, value_node, (*path, key), lines)
        return built
    if isinstance(node, yaml.SequenceNode):
        return [_build(file, loader, entry, (*path, i), lines) for i, entry in enumerate(node.value)]
    try:
        value = loader.construct_object(node)
        return _whole(value, here) if isinstance(value, str) else value
    except ValueError as error:  # a date such as 2026-02-30
        raise InputError(f"'{node.value}' is no value ({error})", where=here, fix="Put it in quotes.") from None


def _whole(text: str, where: str) -> str:
    """The text. Raises InputError for half a character, which YAML can write and no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        fix = "Write the character itself, or remove it."
        raise InputError("half a character (a lone surrogate \\ud...)", where=where, fix=fix) from None
    return text
