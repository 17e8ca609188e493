"""Writes a run directory as the pipeline would: three arms, two suites, 300 items, and the nastiest
strings we know.

Every number is drawn from one fixed seed, so a report of it can be compared byte by byte.
"""

import hashlib
import json
import math
import random
from pathlib import Path
from typing import Any

NASTY = [
    "</script><img src=x onerror=alert(1)>",
    "<script>alert('owned')</script>",
    '"><svg onload=alert(2)>',
    "' onmouseover='alert(3)' x='",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- <style>body{display:none}</style>",
    "</pre></details><iframe src=https://evil.example/></iframe>",
]
ODD = [
    "",
    "na\u00efve \u2014 \u65e5\u672c\u8a9e \U0001f600 \u05e9\u05dc\u05d5\u05dd",
    "right\u202eto left",
    "bell\u0007 and \x1b[31mred",
    "long " * 900,
]
ABILITIES = ("arithmetic", "copying", "counting", "facts", "reversal", "sorting")
INTENTS = ("billing", "delivery", "returns")
SOURCES = {"tickets": 0.5, "procedures": 0.15, "instructions": 0.25, "replay": 0.1}
LOCK = hashlib.sha256(b"lock").hexdigest()
CHANCES = {
    "base": {"intents": 0.09, **dict.fromkeys(ABILITIES, 0.8)},
    "domain_only": {"intents": 0.86, **dict.fromkeys(ABILITIES, 0.42), "sorting": 0.08},
    "halfway": {"intents": 0.5, **dict.fromkeys(ABILITIES, 0.66)},
    "blend": {"intents": 0.83, **dict.fromkeys(ABILITIES, 0.8)},
}
INTERPOLATED = {"halfway": {"interpolate": "domain_only", "weights": [0.25, 0.5, 0.75]}}


def write_run(run: Path, arms: tuple[str, ...] = ("base", "domain_only", "blend"), *, bare: bool = False) -> Path:
    """Write a run directory with `arms`; `bare` leaves out everything but run.json and the evaluation."""
    rng = random.Random(7)
    items = _items(rng)
    main = arms[-1]
    for suite, role in (("intents", "domain"), ("skills", "general")):
        rows = [item for item in items if item["suite"] == suite]
        if not bare:
            _lines(run / "suites" / suite / "items.jsonl", rows)
        _json(
            run / "suites" / suite / "suite.json",
            {
                "name": suite,
                "role": role,
                "version": "1",
                "sha256": _sha(suite),
                "num_items": len(rows),
                "abilities": {
                    name: sum(row["ability"] == name for row in rows) for name in {row["ability"] for row in rows}
                },
                "scorer": "exact",
            },
        )
    records = _records(rng, items, arms)
    verdicts = {}
    for arm in arms:
        _parquet(run / "arms" / arm / "evaluation" / "records.parquet", records[arm])
        if arm == "base" or bare:
            continue
        certificate = _certificate(arm, records["base"], records[arm])
        verdicts[arm] = certificate["verdict"]
        _json(run / "arms" / arm / "certificate" / "certificate.json", certificate)
        shares = SOURCES if arm == "blend" else {"tickets": 1.0}
        _json(run / "arms" / arm / "blend" / "realised.json", _realised(shares))
        if arm in INTERPOLATED:
            _json(run / "arms" / arm / "training" / "model" / "config.json", {})
            continue
        steps = _metrics(rng, shares)
        _lines(run / "arms" / arm / "training" / "metrics.jsonl", steps)
        seconds = [{"step": row["step"], "seconds": 0.23 * row["step"]} for row in steps]
        _lines(run / "arms" / arm / "training" / "timing.jsonl", seconds)
    _json(
        run / "run.json",
        {
            "mixwright": "0.1.0",
            "name": f"northwind-support {NASTY[0]}" if bare else "northwind-support",
            "lock": LOCK,
            "command": "mixwright run recipe.yaml --out runs/northwind",
            "created": "2026-01-15T10:42:07+00:00",
            "arms": list(arms),
            "main_arm": main,
            "verdict": verdicts.get(main),
            "stages": [
                {
                    "stage": name.split()[0],
                    "label": name,
                    "key": _sha(name)[:16],
                    "status": status,
                    "seconds": seconds,
                }
                for name, status, seconds in (
                    ("curate", "cached", 0.1),
                    ("tokenize", "ran", 1.9),
                    *((f"train {arm}", "ran", 94.0) for arm in arms[1:]),
                    *((f"evaluate {arm}", "ran", 21.5) for arm in arms),
                )
            ],
        },
    )
    if not bare:
        _provenance(run)
    return run


def _items(rng: random.Random) -> list[dict[str, Any]]:
    rows = []
    for index in range(300):
        suite = "intents" if index < 120 else "skills"
        ability = INTENTS[index % 3] if suite == "intents" else ABILITIES[index % 6]
        text = f"Customer {index} writes: where is my order from last week, and who pays for the {ability}?"
        if index % 17 == 0:
            text += " " + NASTY[index % len(NASTY)]
        rows.append(
            {
                "item_id": _sha(f"item {index}")[:32],
                "suite": suite,
                "ability": ability,
                "cluster": f"c{index // 2}" if suite == "intents" else f"i{index}",
                "prompt": [
                    {"role": "system", "content": "Answer with one word."},
                    {"role": "user", "content": text},
                ],
                "target": NASTY[0] if index % 41 == 0 else f"answer-{index}",
            }
        )
    return rows


def _records(rng: random.Random, items: list[dict[str, Any]], arms: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    records: dict[str, list[dict[str, Any]]] = {arm: [] for arm in arms}
    for index, item in enumerate(items):
        luck = rng.random()
        for arm in arms:
            ability = "intents" if item["suite"] == "intents" else item["ability"]
            jitter = 0.04 * rng.uniform(-1, 1)
            right = luck + jitter < CHANCES[arm][ability]
            parsed = right or not (arm == "domain_only" and rng.random() < 0.4)
            wrong = (NASTY + ODD)[(index + len(arm)) % (len(NASTY) + len(ODD))]
            records[arm].append(
                {
                    "item_id": item["item_id"],
                    "suite": item["suite"],
                    "ability": item["ability"],
                    "cluster": item["cluster"],
                    "response": item["target"] if right else wrong,
                    "parsed": parsed,
                    "score": float(right),
                    "scorer": "exact@1",
                    "seconds": 0.05,
                }
            )
    return records


def _certificate(arm: str, base: list[dict[str, Any]], candidate: list[dict[str, Any]]) -> dict[str, Any]:
    clauses = [_clause("improve", "intents", 0.3, base, candidate, "intents", None)]
    clauses.append(_clause("keep", "general", 0.04, base, candidate, "skills", None))
    clauses += [
        _clause("keep", f"each_ability:skills/{name}", 0.1, base, candidate, "skills", name) for name in ABILITIES
    ]
    words = {clause["verdict"] for clause in clauses}
    verdict = "FAIL" if "FAIL" in words else "INCONCLUSIVE" if "INCONCLUSIVE" in words else "PASS"
    return {
        "mixwright": 1,
        "recipe": "northwind-support",
        "arm": arm,
        "verdict": verdict,
        "confidence": 0.95,
        "clauses": clauses,
        "unarmed": [],
        "tripwires": [
            {"name": "skills/<odd>", "base": 0.9, "candidate": 0.7, "p_value": 1e-6, "num_watched": 3},
        ],
        "repeats": {"blend-seed-1": "PASS"},
        "unrecorded": ["decoding"],
        "num_pending": 0,
        "evidence": {
            "lock": LOCK,
            "base_records": _sha("base"),
            "candidate_records": _sha(arm),
            "suites": {"intents": _sha("intents"), "skills": _sha("skills")},
        },
    }


def _clause(
    kind: str,
    name: str,
    margin: float,
    base: list[dict[str, Any]],
    candidate: list[dict[str, Any]],
    suite: str,
    ability: str | None,
) -> dict[str, Any]:
    pairs = [
        (a, b) for a, b in zip(base, candidate, strict=True) if a["suite"] == suite and ability in (None, a["ability"])
    ]
    num_items = len(pairs)
    differences = [b["score"] - a["score"] for a, b in pairs]
    estimate = sum(differences) / num_items
    spread = math.sqrt(sum((value - estimate) ** 2 for value in differences) / num_items**2 + 0.0002)
    low, high = estimate - 1.645 * spread, estimate + 1.645 * spread
    threshold = margin if kind == "improve" else -margin
    verdict = "PASS" if low > threshold else "FAIL" if high < threshold else "INCONCLUSIVE"
    settled = verdict != "INCONCLUSIVE"
    return {
        "kind": kind,
        "name": name,
        "test": "superiority" if kind == "improve" else "noninferiority",
        "verdict": verdict,
        "estimate": estimate,
        "low": low,
        "high": high,
        "margin": margin,
        "threshold": threshold,
        "base": sum(a["score"] for a, _ in pairs) / num_items,
        "candidate": sum(b["score"] for _, b in pairs) / num_items,
        "parse_rate_base": sum(a["parsed"] for a, _ in pairs) / num_items,
        "parse_rate_candidate": sum(b["parsed"] for _, b in pairs) / num_items,
        "num_items": num_items,
        "num_clusters": len({a["cluster"] for a, _ in pairs}),
        "num_discordant": sum(value != 0 for value in differences),
        "method": "cluster-t" if suite == "intents" else "tango",
        "power": 0.91 if settled else 0.43,
        "settle": None if settled else f"about {num_items * 4} items of the same kind",
        "reason": None,
    }


def _realised(shares: dict[str, float]) -> dict[str, Any]:
    tilted = {name: share * (1 + 0.3 * (index - 1)) for index, (name, share) in enumerate(shares.items())}
    supervised = {name: value / sum(tilted.values()) for name, value in tilted.items()}
    realised = {"tokens": dict(shares.items()), "supervised_tokens": supervised}
    realised["records"] = {name: 1 / len(shares) for name in shares}
    totals = {"tokens": 2_000_000, "supervised_tokens": 640_000, "records": 21_000}
    return {
        "unit": "tokens",
        "requested": shares,
        "realised": realised,
        "totals": {
            unit: {name: round(share * totals[unit]) for name, share in realised[unit].items()} for unit in totals
        },
        "repeats": {name: 1.37 + index for index, name in enumerate(shares)},
        "num_steps": 400,
        "budget_tokens": 2_000_000,
        "padding_share": 0.021,
    }


def _metrics(rng: random.Random, shares: dict[str, float]) -> list[dict[str, Any]]:
    rows = []
    for step in range(1, 401):
        fade = math.exp(-step / 90)
        losses = {name: 0.6 + 0.25 * index + 2.6 * fade + 0.08 * rng.random() for index, name in enumerate(shares)}
        total = sum(losses[name] * share for name, share in shares.items())
        rows.append(
            {
                "step": step,
                "tokens": step * 5000,
                "loss": total,
                "loss_by_source": {**losses, "replay": None} if step % 9 == 0 and "replay" in losses else losses,
                **({"kl_by_source": {"replay": 0.0321 * step / 400}} if "replay" in losses else {}),
                "learning_rate": 1e-3 * min(1, step / 40) * (0.5 + 0.5 * math.cos(math.pi * step / 400)),
            }
        )
    return rows


def _provenance(run: Path) -> None:
    (run / "recipe.yaml").write_text("mixwright: 1\nname: northwind-support # <b>bold</b>\n", encoding="utf-8")
    _json(
        run / "corpus" / "attrition.json",
        {
            "sources": {
                name: {
                    "rows_in": 10_000,
                    "rows_kept": 9_000 - 150 * index,
                    "rows_heldout": 500,
                    "dropped": {"near_duplicate": 300 + 150 * index, "too_short": 160, "leak: skills": 40},
                }
                for index, name in enumerate(SOURCES)
            }
        },
    )
    _json(
        run / "lock.json",
        {
            "base": {
                "model": "embedded:nano",
                "sha256": _sha("model"),
                "tokenizer_sha256": _sha("tokenizer"),
                "template_sha256": _sha("template"),
            },
            "recipe": {"arms": {"domain_only": {"shares": "domain", "interpolate": None}, **INTERPOLATED}},
            "sources": {
                name: {
                    "sha256": _sha(name),
                    "files": [f"data/{name}/part-0.jsonl", f"data/{name}/part-1.jsonl"],
                    "licence": "proprietary" if name in ("tickets", "procedures") else "cc-by-4.0",
                    "role": "domain" if name in ("tickets", "procedures") else "general",
                }
                for name in SOURCES
            },
            "suites": {"intents": {"sha256": _sha("intents")}, "skills": {"sha256": _sha("skills")}},
            "versions": {"python": "3.11.2", "torch": "2.13.0", "transformers": "5.23.0"},
            "seed": 17,
            "threads": 2,
            "device": "cpu",
        },
    )


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
