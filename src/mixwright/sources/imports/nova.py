"""A Nova Forge mix as a recipe on open data: the same shares of samples, each category by an open data set.

Understood are the parameters of the Forge SDK (`customer_data_percent`, `nova_<category>_percent`), of the SageMaker
SDK (`customer_data_percent`, `nova_data_percentages: {category: percent}`) and a HyperPod recipe (`data_mixing:
{sources: {customer_data: {percent}, nova_data: {category: percent}}}`). What Amazon's categories hold is known by name
only: the counterparts are chosen by name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from mixwright.ground.errors import InputError, did_you_mean
from mixwright.sources.catalogue import entries
from mixwright.sources.imports.imported import Imported, checked, name_of, read_config

TOLERANCE = Fraction(1, 100)  # of the sum of percentages, as in the Forge SDK
FAR = 2  # a share of the tokens so many times the share of samples, or the other way, is told
DOMAIN_KB = 1.0  # thousands of bytes that a row of the user's is taken to have


class Counterpart(NamedTuple):
    """id, split: of the catalogue. kb: thousands of bytes a row, as estimated. thinks: whether reasoning is kept.
    keys: further ones of the source. id is empty where nothing open is recommended: the base's own replay stands in."""

    id: str
    split: str = "train"
    kb: float = 2.0
    thinks: bool = False
    keys: tuple[tuple[str, Any], ...] = ()


SYNTH = "PleIAs/SYNTH"
WITH_TRACE = (
    ("columns", None),
    (
        "template",
        {"user": "{query}", "assistant": "<think>\n{synthetic_reasoning}\n</think>\n\n{synthetic_answer}"},
    ),
)
COUNTERPARTS = {
    "agents": Counterpart("nvidia/Nemotron-Agentic-v1", "tool_calling", 16.8),
    "baseline": Counterpart("databricks/databricks-dolly-15k", kb=0.9),
    "chat": Counterpart("HuggingFaceTB/smoltalk2", "smoltalk_systemchats_Qwen3_32B_think", 4.0),
    "code": Counterpart("nvidia/OpenCodeInstruct", kb=5.6),
    "factuality": Counterpart(SYNTH, kb=2.0),
    "identity": Counterpart(""),
    "instruction-following": Counterpart("nvidia/Nemotron-Instruction-Following-Chat-v1", "chat_if", 2.3),
    "long-context": Counterpart("zai-org/LongCite-45k", kb=69),
    "math": Counterpart("nvidia/Nemotron-Math-v2", "low", 2.0),
    "planning": Counterpart("nvidia/Nemotron-Agentic-v1", "interactive_agent", 28.4),
    "rag": Counterpart("rajpurkar/squad_v2", kb=1.0),
    "rai": Counterpart("nvidia/Nemotron-SFT-Safety-v1", kb=2.0),
    "stem": Counterpart("nvidia/Nemotron-Science-v1", "MCQ", 2.0),
    "translation": Counterpart("CohereLabs/aya_dataset", kb=1.3),
    "reasoning-chat": Counterpart(
        "HuggingFaceTB/smoltalk2", "smoltalk_everyday_convs_reasoning_Qwen3_32B_think", 4.0, thinks=True
    ),
    "reasoning-code": Counterpart("nvidia/OpenCodeReasoning", "split_0", 48, thinks=True),
    "reasoning-factuality": Counterpart(SYNTH, kb=4.0, thinks=True, keys=WITH_TRACE),
    "reasoning-instruction-following": Counterpart(
        "HuggingFaceTB/smoltalk2", "multi_turn_reasoning_if_think", 15.0, thinks=True
    ),
    "reasoning-math": Counterpart("open-r1/OpenR1-Math-220k", kb=39, thinks=True),
    "reasoning-planning": Counterpart(
        "HuggingFaceTB/smoltalk2", "smolagents_toolcalling_traces_think", 22.1, thinks=True
    ),
    "reasoning-rag": Counterpart(SYNTH, kb=4.0, thinks=True, keys=WITH_TRACE),
    "reasoning-rai": Counterpart("", thinks=True),
    "reasoning-stem": Counterpart("nvidia/Nemotron-Science-v1", "RQA", 16, thinks=True),
}


def from_nova(file: Path, general: Collection[str] = ()) -> Imported:
    """Raises InputError for an unknown category, a percentage that is none, and parts that do not sum to 100."""
    found = read_config(file)
    customer, parts = _percentages(found, str(file))
    warnings = [
        "Shares are of samples, as in Nova Forge. With 'unit: tokens' they would be of what is learnt from.",
    ]
    sources: dict[str, dict[str, Any]] = {}
    shares: dict[str, Fraction] = {}
    kb: dict[str, float] = {}
    if customer:
        path = found.get("data_s3_path") or found.get("training_dataset") or "${data}"
        sources["customer"] = {"role": "domain", "path": path}
        shares["customer"], kb["customer"] = customer, DOMAIN_KB
    by_source: dict[str, str] = {}  # what a source reads -> its name
    for category, share in parts.items():
        counterpart = COUNTERPARTS[category]
        keys = _source(counterpart)
        name = by_source.setdefault(repr(keys), category)
        if name != category:
            warnings.append(f"'{category}' has the counterpart of '{name}', and is part of it here.")
        if not counterpart.id:
            warnings.append(f"'{category}' has no open counterpart: the base's own replay stands in for it.")
        sources[name] = keys
        shares[name] = shares.get(name, Fraction(0)) + share
        kb[name] = counterpart.kb
    warnings += _divergence(shares, kb)
    checked(sources, general, file)
    unpinned = [name for name, keys in sources.items() if "hub" in keys and "revision" not in keys]
    if unpinned:
        warnings.append(f"No revision is known of {', '.join(unpinned)}: pin the commit that the lock of a run shows.")
    variables = {"base": None} | ({"data": None} if sources.get("customer", {}).get("path") == "${data}" else {})
    return Imported(
        {
            "mixwright": 1,
            "name": name_of(file.name),
            "variables": variables,
            "base": {"model": "${base}"},
            "sources": sources,
            "blend": {
                "unit": "records",
                "shares": {name: str(share) for name, share in shares.items()},
                "budget": {"domain_epochs": 1} if customer else {"tokens": 1_000_000},
            },
        },
        warnings,
    )


def _percentages(found: Mapping[str, Any], where: str) -> tuple[Fraction, dict[str, Fraction]]:
    """The customer's share, and the others' by category, all of the whole."""
    mixing = _data_mixing(found)
    if mixing is not None:
        given = mixing.get("sources", mixing)
        customer = given.get("customer_data", 0)
        customer = customer.get("percent", 0) if isinstance(customer, Mapping) else customer
        nova = given.get("nova_data", {})
    else:
        if "customer_data_percent" not in found:
            fix = "Give a file with customer_data_percent and nova_<category>_percent, or a recipe with data_mixing."
            raise InputError("there is no data mixing in it", where=where, fix=fix)
        customer = found["customer_data_percent"]
        nova = dict(found.get("nova_data_percentages") or {})
        for key, value in found.items():
            if key.startswith("nova_") and key.endswith("_percent"):
                nova[key.removeprefix("nova_").removesuffix("_percent")] = value
    parts: dict[str, Fraction] = {}
    for given_name, value in nova.items():
        category = str(given_name).replace("_", "-")
        if category not in COUNTERPARTS:
            fix = did_you_mean(category, COUNTERPARTS)
            raise InputError(f"Nova has no category '{given_name}' for texts", where=where, fix=fix)
        parts[category] = _percent(value, str(given_name), where)
    share = _percent(customer, "customer_data_percent", where) / 100
    total = sum(parts.values(), Fraction(0))
    if share < 1 and abs(total - 100) > TOLERANCE:
        fix = "Nova's percentages are parts of its own half: they sum to 100."
        raise InputError(f"the percentages of Nova's categories sum to {float(total):g}", where=where, fix=fix)
    return share, {name: (1 - share) * part / total for name, part in parts.items() if part and share < 1}


def _data_mixing(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for part in (found, found.get("training_config")):
        mixing = part.get("data_mixing") if isinstance(part, Mapping) else None
        if isinstance(mixing, Mapping):
            return mixing
    return None


def _percent(value: Any, name: str, where: str) -> Fraction:
    try:
        percent = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        percent = Fraction(-1)
    if not 0 <= percent <= 100:
        raise InputError(f"{name} is {value!r}", where=where, fix="A percentage is a number from 0 to 100.")
    return percent


def _source(counterpart: Counterpart) -> dict[str, Any]:
    if not counterpart.id:
        return {"role": "general", "generate": "self", "records": 10_000}
    entry = next(e for e in entries() if e.id == counterpart.id and counterpart.split in e.splits)
    keys = {**entry.source(), "split": counterpart.split, **dict(counterpart.keys)}
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
