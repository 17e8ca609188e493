"""What the documentation shows works: its recipes load, its keys exist, its Python runs."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

import mixwright.models
from mixwright.cli.main import main
from mixwright.evidence.pairing import asking_order
from mixwright.pipeline.run import run_recipe
from mixwright.recipe.contract import Contract, Evaluate, Never, Planning
from mixwright.recipe.data import Base, Curate, Filters, Source, Suite
from mixwright.recipe.load import load_recipe
from mixwright.recipe.training import Arm, Blend, Lora, Train, Tune
from mixwright.recipe.values import Strict

ROOT = Path(__file__).parents[2]
NANO = Path(mixwright.models.__file__).parent / "embedded" / "nano"
BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
EXAMPLES = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in (ROOT / "README.md", ROOT / "docs" / "recipe.md")
    for number, block in enumerate(BLOCK.findall(page.read_text()))
]
REFERENCE = (ROOT / "docs" / "recipe.md").read_text()


@pytest.mark.parametrize("block", EXAMPLES)
def test_every_recipe_in_the_documentation_is_valid(block: str, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(block)
    needs_data = "data" in (yaml.safe_load(block).get("variables") or {})
    loaded = load_recipe(file, ["data=."] if needs_data else [])
    assert loaded.recipe.suites, "an example without suites could not show a certificate"
    contract = loaded.recipe.contract
    assert contract is not None
    assert contract.improve
    assert contract.keep


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_is_valid(recipe: Path) -> None:
    missing = [
        name for name, value in (yaml.safe_load(recipe.read_text()).get("variables") or {}).items() if value is None
    ]
    loaded = load_recipe(recipe, [f"{name}=." for name in missing])
    assert loaded.recipe.name == recipe.stem


@pytest.mark.parametrize(
    "part",
    [Base, Source, Suite, Filters, Blend, Arm, Train, Lora, Tune, Evaluate, Contract, Never, Planning],
    ids=lambda part: part.__name__,
)
def test_every_key_of_a_recipe_is_in_the_reference(part: type[Strict]) -> None:
    missing = [key for key in part.model_fields if f"`{key}" not in REFERENCE and f".{key}`" not in REFERENCE]
    assert not missing
    assert all(f"## {section}" in REFERENCE for section in ("curate", "arms")), Curate


MIX = """\
mixwright: 1
name: support-desk
base: {model: embedded:nano}
sources: {desk: {role: domain, generate: support_desk, records: 40, seed: 1}}
blend: {shares: {desk: 1}, budget: {tokens: 800}}
train: {sequence_length: 128, batch_tokens: 256}
"""


def test_the_blend_goes_into_other_trainers_as_the_guide_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trl")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.yaml").write_text(MIX)
    run_recipe(load_recipe(tmp_path / "recipe.yaml"), out=tmp_path / "runs", until="blend", threads=1)
    given = {
        "model": AutoModelForCausalLM.from_pretrained(NANO),
        "tokenizer": AutoTokenizer.from_pretrained(NANO),
        "rank": 0,
        "world_size": 1,
    }
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "adapters.md").read_text(), re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        exec(block, given)


def evidence_records(base: bool, share: float = 1.0) -> str:
    """Answers to 700 items of each of four abilities; the candidate is better at support and as good elsewhere."""
    rows = []
    for suite, ability in (("support", "intent"), ("maths", "maths"), ("safety", "unsafe"), ("safety", "harmless")):
        for number in range(700):
            wrong = (number % 10 == 0 and ability != "unsafe") or (suite == "support" and base and number % 3 == 0)
            item = f"{ability}{number}"
            row = {"suite": suite, "ability": ability, "item_id": item, "score": float(not wrong), "prompt": item}
            rows.append(row | {"decoding": "greedy", "build": "vllm 0.9", "scorer": "exact@1"})
    rows.sort(key=lambda row: asking_order(str(row["item_id"])))
    return "".join(json.dumps(row) + "\n" for row in rows[: round(share * len(rows))])


def test_the_commands_of_the_evidence_guide_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "evidence.md").read_text()
    (contract,) = BLOCK.findall(page)
    Path("contract.yaml").write_text(contract)
    Path("sequential.yaml").write_text(contract + "  stopping: sequential\n")
    Path("base.jsonl").write_text(evidence_records(base=True))
    Path("candidate.jsonl").write_text(evidence_records(base=False))
    Path("part.jsonl").write_text(evidence_records(base=False, share=0.5))
    commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    jobs = re.findall(r"^(?:- run|  script): (mixwright .*)$", page, re.MULTILINE)
    assert (len(commands), len(jobs)) == (5, 2)
    commands += jobs
    for command in commands:
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(command)[1:])
        assert ended.value.code == 0, capsys.readouterr()
    assert "PASS" in Path("gate.md").read_text()
    pending = [json.loads(line) for line in Path("next.jsonl").read_text().splitlines()]
    assert len(pending) == 1400
