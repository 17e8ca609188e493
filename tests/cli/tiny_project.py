"""A tiny good project: 60 tickets, a generated general half, two suites, a contract - and hands to break it with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

INTENTS = ("refund", "delivery", "password", "invoice", "cancel")
TOPICS = ("the parcel", "my order", "this account", "our contract", "a payment", "the last bill")


def ticket(number: int) -> dict[str, Any]:
    """One training row; no two are alike."""
    intent, topic = INTENTS[number % len(INTENTS)], TOPICS[number % len(TOPICS)]
    return {"prompt": f"Ticket {number}: please help me with {topic} ({intent})", "completion": intent}


def question(number: int) -> dict[str, Any]:
    """One suite row; long enough that a copy of it inside a longer text is a leak as well."""
    intent = INTENTS[number % len(INTENTS)]
    return {
        "text": f"Question {number}: which of the five intents does a {intent} request like this have",
        "is": intent,
    }


class Project:
    """A project folder with a recipe. Everything about it may be changed before `write_recipe` is called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "recipe.yaml"
        self.out = folder / "runs"
        self.recipe: dict[str, Any] = {
            "mixwright": 1,
            "name": "tiny",
            "base": {"model": "embedded:nano"},
            "sources": {
                "tickets": {"role": "domain", "path": "tickets.jsonl", "licence": "proprietary"},
                "skills": {"role": "general", "generate": "skills", "records": 40, "seed": 1},
            },
            "suites": {
                "intents": {
                    "role": "domain",
                    "path": "questions.jsonl",
                    "prompt": "{text}",
                    "target": "{is}",
                    "scorer": "exact",
                },
                "skills": {"role": "general", "generate": "skills", "items_per_ability": 6, "seed": 2},
            },
            "blend": {"shares": {"tickets": 0.5, "skills": 0.5}, "budget": {"domain_epochs": 1}},
            "train": {"sequence_length": 256, "batch_tokens": 512, "learning_rate": 1e-3, "device": "cpu"},
            "contract": {"improve": {"intents": 0.1}, "keep": {"general": 0.2}},
        }
        self.write_rows("tickets.jsonl", [ticket(number) for number in range(60)])
        self.write_rows("questions.jsonl", [question(number) for number in range(20)])

    def set(self, place: str, value: Any) -> None:
        """Set one key of the recipe: `set("blend.unit", "bytes")`."""
        *parents, last = place.split(".")
        into = self.recipe
        for parent in parents:
            into = into.setdefault(parent, {})
        into[last] = value

    def remove(self, place: str) -> None:
        *parents, last = place.split(".")
        into = self.recipe
        for parent in parents:
            into = into[parent]
        del into[last]

    def write_rows(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self.write(name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file of the project as it is given, byte for byte."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def write_line(self, name: str, line: int, content: str | bytes) -> None:
        """Put one line, counted from 1, in the place of another."""
        lines = (self.folder / name).read_bytes().split(b"\n")
        lines[line - 1] = content if isinstance(content, bytes) else content.encode()
        self.write(name, b"\n".join(lines))

    def write_recipe(self, *, replace: str = "", by: str = "") -> None:
        """Write the recipe, with one piece of its text replaced by another when a dictionary cannot say it."""
        text = yaml.safe_dump(self.recipe, sort_keys=False, allow_unicode=True)
        assert replace in text
        self.write(self.file.name, text.replace(replace, by, 1) if replace else text)

    def line_of(self, text: str) -> int:
        """The line of the recipe that holds a text, from 1."""
        lines = self.file.read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)

    @property
    def trained(self) -> bool:
        """Whether a training was begun."""
        return any((self.out / "store").glob("**/train*"))
