"""The card of a data set (`README.md`): its configurations, and the files of their splits, as the hub documents them.

A card is written by anybody. What it says is taken as far as it can be understood, and what cannot be is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import yaml

from mixwright.ground.errors import InputError, did_you_mean

CARD = "README.md"
FRONT = re.compile(r"\ufeff?---\s*\n(.*?)\n---\s*(\n|$)", re.DOTALL)


class Configuration(NamedTuple):
    """folder: its files lie there; empty for the whole data set. splits: patterns of paths by split; None where the
    names of the files say it."""

    folder: str
    splits: dict[str, list[str]] | None


class CardFault(ValueError):
    """What cannot be understood in a card."""


def configuration(text: str, asked: str | None, name: str, where: str) -> Configuration | None:
    """The configuration that is asked for, or the card's default; None where it has none. name: of the data set.

    Raises InputError for one that is not there, and for a card that cannot be understood.
    """
    try:
        configs = _configs(text)
        if not configs:
            return None
        default = next((config for config, about in configs.items() if about.get("default")), None)
        default = default or ("default" if "default" in configs else next(iter(configs)) if len(configs) == 1 else None)
        chosen = asked or default
        if chosen is None or chosen not in configs:
            what = f"no configuration '{chosen}'" if chosen else "several configurations and no default"
            fix = did_you_mean(chosen, configs) if chosen else f"Choose one: {', '.join(configs)}."
            raise InputError(f"the data set {name} has {what}", where=f"{where}.config", fix=fix)
        return _understood(configs[chosen], chosen)
    except CardFault as fault:
        fix = "Choose another revision, or read its files by 'path'."
        raise InputError(f"the card of {name} cannot be understood: {fault}", where=f"{where}.hub", fix=fix) from None


def _configs(text: str) -> dict[str, Mapping[str, Any]]:
    front = FRONT.match(text)
    try:
        about = yaml.safe_load(front.group(1)) if front else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: of a date that is none
        mark = getattr(error, "problem_mark", None)
        raise CardFault(f"its front matter is no YAML{f' (line {mark.line + 2})' if mark else ''}") from None
    configs = about.get("configs") if isinstance(about, dict) else None
    if configs is None:
        return {}
    if not isinstance(configs, list):
        raise CardFault("'configs' is no list")
    for entry in configs:
        if not isinstance(entry, dict) or not isinstance(entry.get("config_name"), str):
            raise CardFault("an entry of 'configs' has no 'config_name'")
    return {entry["config_name"]: entry for entry in configs}


def _understood(about: Mapping[str, Any], config: str) -> Configuration:
    folder = about.get("data_dir")
    if folder is not None and not isinstance(folder, str):
        raise CardFault(f"'data_dir' of the configuration '{config}' is no text")
    folder = (folder or "").strip("/")
    if about.get("data_files") is None:
        return Configuration(folder, None)
    splits: dict[str, list[str]] = {}
    for split, patterns in _entries(about["data_files"], config):
        splits[split] = [f"{folder}/{pattern}" if folder else pattern for pattern in patterns]
    return Configuration(folder, splits)


def _entries(data_files: Any, config: str) -> list[tuple[str, Sequence[str]]]:
    """(split, patterns) of the several ways in which a card may say it."""
    fault = CardFault(f"'data_files' of the configuration '{config}' are no patterns of splits")
    if isinstance(data_files, str):
        return [("train", [data_files])]
    if isinstance(data_files, Mapping):
        return [(str(split), _patterns(path, fault)) for split, path in data_files.items()]
    if not isinstance(data_files, list) or not data_files:
        raise fault
    if all(isinstance(entry, str) for entry in data_files):
        return [("train", data_files)]
    if not all(isinstance(entry, dict) and "split" in entry and "path" in entry for entry in data_files):
        raise fault
    return [(str(entry["split"]), _patterns(entry["path"], fault)) for entry in data_files]


def _patterns(path: Any, fault: CardFault) -> Sequence[str]:
    patterns = [path] if isinstance(path, str) else path
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        raise fault
    return patterns


def matching(pattern: str, paths: Sequence[str], name: str, where: str) -> list[str]:
    """The paths that a card's pattern means, sorted. Raises InputError for one that leads out of the data set."""
    from fsspec.utils import glob_translate

    fix = "Do not use this data set, or mend its card."
    if ".." in PurePosixPath(pattern).parts or pattern.startswith("/") or "://" in pattern:
        message = f"the card of {name} names '{pattern}', which lies outside the data set"
        raise InputError(message, where=f"{where}.hub", fix=fix)
    try:
        expression = re.compile(glob_translate(pattern))
    except (ValueError, re.error) as error:
        message = f"the card of {name} names '{pattern}', which is no pattern ({error})"
        raise InputError(message, where=f"{where}.hub", fix=fix) from None
    return sorted(path for path in paths if expression.fullmatch(path))
