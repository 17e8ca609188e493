"""A contract for models trained elsewhere: what their results must show, and how to read them.

A recipe will do as well: of it, the contract and the roles of its suites count.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from mixwright.ground.errors import InputError
from mixwright.recipe.contract import CONTRACT_WORDS, Contract, name_problems
from mixwright.recipe.problems import Problem, RecipePath, as_problems, dotted, problems_error, recipe_error
from mixwright.recipe.values import Name, Role, Strict
from mixwright.recipe.yaml_file import parse_yaml


class SuiteOf(Strict):
    """How the results of one suite are read. ability, cluster: a path into a foreign log's row, such as
    `doc.passage`. metric, filter: of the harness, where it writes several."""

    role: Role = "general"
    ability: str | None = None
    cluster: str | None = None
    metric: str | None = None
    filter: str | None = None


class ContractFile(Strict):
    """A contract that stands by itself. Suites that are not listed are general."""

    mixwright: Literal[1]
    name: Name = "gate"
    suites: dict[str, SuiteOf] = Field(default_factory=dict)
    contract: Contract

    @model_validator(mode="after")
    def _references(self) -> ContractFile:
        problems = [
            Problem(("suites", name), "this name is a word of the contract", "Choose another.")
            for name in self.suites
            if name in CONTRACT_WORDS
        ]
        if self.contract.seeds > 1:
            problems.append(Problem(("contract", "seeds"), "nothing is trained here", "Gate each model by itself."))
        if problems:
            raise problems_error(problems)
        return self


class LoadedContract:
    """A contract file with the lines of its parts, so that errors found later point at them."""

    def __init__(self, contract_file: ContractFile, file: Path, lines: dict[RecipePath, int | str]) -> None:
        self.name, self.contract, self.suites = contract_file.name, contract_file.contract, contract_file.suites
        self.file = file
        self._lines = lines

    def roles(self, suites: set[str]) -> dict[str, Role]:
        """The role of each suite that has records. Raises InputError for names of the contract that lead nowhere."""
        roles = {name: self.suites.get(name, SuiteOf()).role for name in sorted(suites)}
        problems = name_problems(self.contract, roles)
        if problems:
            found = [Problem(("contract", *problem.path), problem.message, problem.fix) for problem in problems]
            raise recipe_error(str(self.file), found, self._lines)
        return roles

    def located(self, error: InputError) -> InputError:
        """The same error with file and line, when its `where` is a path in the file such as `contract.keep.maths`."""
        for path in self._lines:
            if dotted(path) == error.where:
                return recipe_error(str(self.file), [Problem(path, error.message, error.fix)], self._lines)
        return error


def load_contract(file: Path) -> LoadedContract:
    """Read a contract file or a recipe. Raises InputError with every problem found and its line."""
    data, lines = parse_yaml(file)
    if "sources" in data and "suites" in data:  # a recipe
        suites = data["suites"] if isinstance(data["suites"], dict) else {}
        roles = {name: {"role": suite.get("role")} for name, suite in suites.items() if isinstance(suite, dict)}
        data = {key: data[key] for key in ("mixwright", "name", "contract") if key in data} | {"suites": roles}
    try:
        return LoadedContract(ContractFile.model_validate(data), file, lines)
    except ValidationError as error:
        raise recipe_error(str(file), as_problems(error), lines) from None
