"""A Nova Forge mix as a recipe on open data: the same shares of samples, each category by an open data set.

Understood are the parameters of the Forge SDK (`customer_data_percent`, `nova_<category>_percent`), of the SageMaker
SDK (`customer_data_percent`, `nova_data_percentages: {category: percent}`) and a HyperPod recipe (`data_mixing:
{sources: {customer_data: {percent}, nova_data: {category: percent}}}`). What Amazon's categories hold is known by name
only: the counterparts are chosen by name.
"""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.sources.catalogue import Entry, entries
from mixwright.sources.imports.block import Block, exact, read_config
from mixwright.sources.imports.gathered import give_role, name_of
from mixwright.sources.imports.imported import Imported, finished, located

TOLERANCE = Fraction(1, 100)  # of the sum of percentages, as in the Forge SDK
FAR = 2  # a share of the tokens so many times the share of samples, or the other way, is told
DOMAIN_KB = 1.0  # thousands of bytes that a row of the user's is taken to have


class Counterpart(NamedTuple):
    """id, split: of the catalogue, where it has several such the one of this skill. kb: thousands of bytes a row, as
    estimated. thinks: whether reasoning is kept. keys: of the source, beyond the catalogue's or instead of them. id is
    empty where nothing open is recommended: the base's own replay stands in."""

    id: str
    split: str = "train"
    kb: float = 2.0
    thinks: bool = False
    keys: Mapping[str, Any] = {}
    skill: str = ""


HOTPOT = "hotpotqa/hotpot_qa"
SYNTH = "PleIAs/SYNTH"
WITH_TRACE = "<think>\n{synthetic_reasoning}\n</think>\n\n{synthetic_answer}"
WHOLE = {"synthetic_reasoning": {"not": ["", None]}, "synthetic_answer": {"not": ["", None]}}
RECALLED = {
    "columns": None,
    "template": {"user": "{query}", "assistant": WITH_TRACE},
    "where": {"exercise": "memorization", **WHOLE},
}
RETRIEVED = {
    "template": {"user": "{constraints}\n\n{query}", "assistant": WITH_TRACE},
    "where": {"exercise": "rag", **WHOLE},
}
CODE = {"where": {"domain": "code"}}
COUNTERPARTS = {
    "agents": Counterpart("nvidia/Nemotron-Agentic-v1", "tool_calling", 16.8),
    "baseline": Counterpart("databricks/databricks-dolly-15k", kb=0.9),
    "chat": Counterpart("OpenAssistant/oasst2", kb=2.0),
    "code": Counterpart("nvidia/OpenCodeInstruct", kb=5.6),
    "factuality": Counterpart(HOTPOT, kb=6.1),
    "identity": Counterpart(""),
    "instruction-following": Counterpart("nvidia/Nemotron-Instruction-Following-Chat-v1", "chat_if", 2.3),
    "long-context": Counterpart("zai-org/LongCite-45k", kb=69),
    "math": Counterpart("nvidia/Nemotron-Math-v2", "low", 2.0),
    "planning": Counterpart("nvidia/Nemotron-Agentic-v1", "interactive_agent", 28.4),
    "rag": Counterpart(HOTPOT, kb=6.1),
    "rai": Counterpart("nvidia/Nemotron-SFT-Safety-v1", kb=2.0),
    "stem": Counterpart("nvidia/Nemotron-Science-v1", "MCQ", 2.0),
    "translation": Counterpart("CohereLabs/aya_dataset", kb=1.3),
    "reasoning-chat": Counterpart(
        "HuggingFaceTB/smoltalk2", "smoltalk_everyday_convs_reasoning_Qwen3_32B_think", 4.0, thinks=True
    ),
    "reasoning-code": Counterpart("open-thoughts/OpenThoughts3-1.2M", kb=50.6, thinks=True, keys=CODE),
    "reasoning-factuality": Counterpart(SYNTH, kb=4.0, thinks=True, keys=RECALLED, skill="factual-qa"),
    "reasoning-instruction-following": Counterpart(
        "HuggingFaceTB/smoltalk2", "multi_turn_reasoning_if_think", 15.0, thinks=True
    ),
    "reasoning-math": Counterpart("open-r1/OpenR1-Math-220k", kb=39, thinks=True),
    "reasoning-planning": Counterpart(
        "HuggingFaceTB/smoltalk2", "smolagents_toolcalling_traces_think", 22.1, thinks=True
    ),
    "reasoning-rag": Counterpart(SYNTH, kb=5.0, thinks=True, keys=RETRIEVED, skill="rag"),
    "reasoning-rai": Counterpart("", thinks=True),
    "reasoning-stem": Counterpart("nvidia/Nemotron-Science-v1", "RQA", 16, thinks=True),
}


def from_nova(file: Path, general: Collection[str] = (), without: Collection[str] = ()) -> Imported:
    """Raises InputError for an unknown category, a percentage that is none, and parts that do not sum to 100."""
    if without:
        fix = "Set the percentages of the categories instead."
        raise InputError("a mix of parts of 100 cannot leave one out", where="--without", fix=fix)
    found = read_config(file)
    run, training = found.block("run"), found.block("training_config")
    customer, parts = _percentages(found, training, str(file))
    warnings = [
        "Shares are of samples, as in Nova Forge. With 'unit: tokens' they would be of what is learnt from.",
    ]
    sources: dict[str, dict[str, Any]] = {}
    shares: dict[str, Fraction] = {}
    kb: dict[str, float] = {}
    if customer:
        given = found.text("data_s3_path") or run.text("data_s3_path") or found.text("training_dataset")
        sources["customer"] = {"role": "domain", "path": located(given, file) if given else "${data}"}
        shares["customer"], kb["customer"] = customer, DOMAIN_KB
    by_source: dict[str, str] = {}  # what a source reads -> its name
    for category, share in parts.items():
        counterpart = COUNTERPARTS[category]
        keys = source_keys(counterpart)
        name = by_source.setdefault(repr(keys), category)
        if name != category:
            warnings.append(f"'{category}' has the counterpart of '{name}', and is part of it here.")
        if not counterpart.id:
            warnings.append(f"'{category}' has no open counterpart: the base's own replay stands in for it.")
        sources[name] = keys
        shares[name] = shares.get(name, Fraction(0)) + share
        kb[name] = counterpart.kb
    warnings += _divergence(shares, kb)
    give_role(general, sources, file)
    chosen = [name for name, keys in sources.items() if "where" in keys]
    if chosen:
        warnings.append(
            f"Parts of their data sets are {', '.join(chosen)}: all rows are read, those outside are dropped."
        )
    unpinned = [name for name, keys in sources.items() if "hub" in keys and "revision" not in keys]
    if unpinned:
        warnings.append(f"No revision is known of {', '.join(unpinned)}: pin the commit that the lock of a run shows.")
    train = _training(found, training, warnings)
    for prefix, block in (("", found), ("run.", run), ("training_config.", training)):
        left = [f"{prefix}{key}" for key in block.left()]
        warnings += [f"Without counterpart here: {', '.join(left)}."] if left else []
    recipe = {
        "mixwright": 1,
        "name": name_of(file.name),
        "base": {"model": "${base}"},
        "sources": sources,
        "blend": {
            "unit": "records",
            "shares": {name: str(share) for name, share in shares.items()},
            "budget": {"domain_epochs": 1} if customer else {"tokens": 1_000_000},
        },
        **({"train": train} if train else {}),
    }
    return finished(recipe, warnings, file)


def _training(found: Block, training: Block, warnings: list[str]) -> dict[str, Any]:
    """How it is trained, as far as it is said in words that are understood."""
    rates = [block.number("learning_rate") for block in (found, training)]
    rates.append(training.block("optim_config").number("lr"))
    lengths, batches, steps = (
        [block.count(key) for block in (found, training)] for key in ("max_length", "global_batch_size", "max_steps")
    )
    rate, length, batch, step = (
        next((value for value in values if value is not None), None) for values in (rates, lengths, batches, steps)
    )
    if step is not None:
        of = f" of {batch} samples" if batch is not None else ""
        warnings.append(f"'max_steps: {step}'{of}: a run ends here as blend.budget says, which stands at one pass.")
    train: dict[str, Any] = {} if rate is None else {"learning_rate": rate}
    if length is not None:
        train["sequence_length"] = length
        train |= {"batch_tokens": length * (batch or 1), "micro_batch_rows": 1}
    elif batch is not None:
        warnings.append(f"'global_batch_size: {batch}' is train.batch_tokens here: so many times a sample's tokens.")
    return train


def _percentages(found: Block, training: Block, where: str) -> tuple[Fraction, dict[str, Fraction]]:
    """The customer's share, and the others' by category, all of the whole."""
    holder = next((block for block in (found, training) if "data_mixing" in block), None)
    if holder is not None:
        mixing = holder.block("data_mixing")
        mixing.any("dataset_catalog")  # the name of Amazon's list
        given = mixing.block("sources") if "sources" in mixing else mixing
        customer = given.any("customer_data")
        customer = given.block("customer_data").any("percent") if isinstance(customer, Mapping) else customer
        block = given.block("nova_data")
        nova = [(key, block.any(key)) for key in block.given]
    else:
        if "customer_data_percent" not in found:
            fix = "Give a file with customer_data_percent and nova_<category>_percent, or a recipe with data_mixing."
            raise InputError("there is no data mixing in it", where=where, fix=fix)
        customer = found.any("customer_data_percent")
        block = found.block("nova_data_percentages")
        nova = [(key, block.any(key)) for key in block.given]
        for key in found.given:
            if key.startswith("nova_") and key.endswith("_percent"):
                nova.append((key.removeprefix("nova_").removesuffix("_percent"), found.any(key)))
    parts: dict[str, Fraction] = {}
    for given_name, value in nova:
        category = str(given_name).replace("_", "-")
        if category not in COUNTERPARTS:
            fix = did_you_mean(category, COUNTERPARTS)
            raise InputError(f"Nova has no category '{given_name}' for texts", where=where, fix=fix)
        if category in parts:
            raise InputError(f"the category '{category}' stands there twice", where=where, fix="Keep one of them.")
        parts[category] = _percent(value, str(given_name), where)
    share = _percent(0 if customer is None else customer, "customer_data_percent", where) / 100
    total = sum(parts.values(), Fraction(0))
    if share < 1 and abs(total - 100) > TOLERANCE:
        fix = "Nova's percentages are parts of its own half: they sum to 100."
        raise InputError(f"the percentages of Nova's categories sum to {float(total):g}", where=where, fix=fix)
    return share, {name: (1 - share) * part / total for name, part in parts.items() if part and share < 1}


def _percent(value: Any, name: str, where: str) -> Fraction:
    percent = exact(value)
    if percent is None or not 0 <= percent <= 100:
        raise InputError(f"{name} is {reprlib.repr(value)}", where=where, fix="A percentage is a number from 0 to 100.")
    return percent


def entry_of(counterpart: Counterpart) -> Entry:
    """The line of the catalogue that a counterpart names."""
    same = (entry for entry in entries() if entry.id == counterpart.id and counterpart.split in entry.splits)
    return next(entry for entry in same if counterpart.skill in ("", entry.skill))


def source_keys(counterpart: Counterpart) -> dict[str, Any]:
    """The keys of a source that stands for a category."""
    if not counterpart.id:
        return {"role": "general", "generate": "self", "records": 10_000}
    keys = {**entry_of(counterpart).source(), "split": counterpart.split, **counterpart.keys}
    if not counterpart.thinks:
        keys["reasoning"] = "drop"
    return {key: value for key, value in keys.items() if value is not None}


def _divergence(shares: Mapping[str, Fraction], kb: Mapping[str, float]) -> list[str]:
    """Where shares of samples and of tokens are far apart, by the estimated size of a row."""
    total = sum(float(share) * kb[name] for name, share in shares.items())
    found = []
    for name, share in shares.items():
        of_tokens = float(share) * kb[name] / total
        if of_tokens > FAR * share or share > FAR * of_tokens:
            found.append(f"{name} {float(share):.2%} of the samples, about {of_tokens:.2%} of the tokens")
    return ["Samples and tokens diverge: " + "; ".join(found) + "."] if found else []
