"""Every stage of a run, wired to the store: what each reads, what its result depends on, and which code makes it.

The methods are the graph. Each asks for the artefacts it needs, so asking for a certificate builds everything below it
that is not there yet, and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from mixwright.blend.mixer import MixPlan
from mixwright.blend.plan import mix_plan, plan_blend
from mixwright.curation.curate import curate
from mixwright.evaluation.records import score_responses
from mixwright.evaluation.respond import respond
from mixwright.evaluation.scorers import SCORERS, check_targets
from mixwright.evidence.certify import certify
from mixwright.evidence.clauses import clauses
from mixwright.ground.artefacts import Artefact, read_json
from mixwright.ground.executor import Executor
from mixwright.ground.hashing import Json, digest
from mixwright.ground.store import Store, code_digest
from mixwright.items.suite import read_items, suite_about
from mixwright.models.device import hardware
from mixwright.models.tokenizer import ChatTokenizer
from mixwright.pipeline.lock import Lock, part_config
from mixwright.recipe.parts import Source, Suite
from mixwright.recipe.schema import BASE_ARM
from mixwright.sources.ingest import ingest
from mixwright.sources.suites import build_suite
from mixwright.tokens.store import TokenStore
from mixwright.tokens.tokenize import tokenize
from mixwright.training.train import train

DATA_LIBRARIES = ("pyarrow",)
TEXT_LIBRARIES = ("tokenizers", "transformers", "jinja2")
MODEL_LIBRARIES = ("numpy", "safetensors", "tokenizers", "torch", "transformers")


class Stages:
    """The stages of one locked recipe. Artefacts are built once per object and found in the store after that."""

    def __init__(self, lock: Lock, store: Store, executor: Executor) -> None:
        self.lock = lock
        self.recipe = lock.recipe
        self.store = store
        self._executor = executor
        self._built: dict[str, Artefact] = {}
        self._tokenizer: ChatTokenizer | None = None

    def source(self, name: str) -> Artefact:
        source = self.recipe.sources[name]
        return self._once(
            "read",
            name,
            inputs={},
            config={"name": name, **part_config(source), "files": self.lock.files_digest(f"sources.{name}")},
            make=lambda out: self._unchanged(f"sources.{name}", source, ingest(name, source, out)),
            code=("items", "sources"),
            libraries=DATA_LIBRARIES,
        )

    def suite(self, name: str) -> Artefact:
        suite = self.recipe.suites[name]
        inputs = {"source": self.source(suite.source)} if suite.source is not None else {}
        heldout = inputs["source"] / "records.parquet" if inputs else None
        return self._once(
            "suite",
            name,
            inputs=inputs,
            config={"name": name, **part_config(suite), "files": self.lock.files_digest(f"suites.{name}")},
            make=lambda out: self._unchanged(f"suites.{name}", suite, build_suite(name, suite, heldout, out)),
            code=("items", "sources"),
        )

    @cached_property
    def suites(self) -> dict[str, Artefact]:
        return {name: self.suite(name) for name in self.recipe.suites}

    def corpus(self) -> Artefact:
        order = sorted(self.recipe.sources, key=lambda name: (self.recipe.sources[name].role != "domain", name))
        sources = {name: self.source(name) for name in order}
        suites = self.suites
        return self._once(
            "curate",
            "",
            inputs={
                **{f"source:{name}": artefact for name, artefact in sources.items()},
                **{f"suite:{name}": artefact for name, artefact in suites.items()},
            },
            config={"order": order, **self.recipe.curate.model_dump(mode="json")},
            make=lambda out: curate(
                {name: artefact.path for name, artefact in sources.items()},
                [artefact.path for artefact in suites.values()],
                self.recipe.curate,
                self._executor,
                out,
            ),
            code=("items", "sources", "curation"),
            libraries=DATA_LIBRARIES,
        )

    def tokens(self, name: str) -> Artefact:
        # Depends on this source's part of the corpus alone: a filter that left it as it was sets nothing off.
        corpus = self.corpus()
        base = self.lock.base
        hashes = {"tokenizer_sha256": base.tokenizer_sha256, "template_sha256": base.template_sha256}
        loss, max_tokens = self.recipe.sources[name].loss, self.recipe.train.sequence_length
        records = corpus / f"{name}.parquet"
        return self._once(
            "tokenize",
            name,
            inputs={},
            config={
                "records": corpus.manifest["files"][records.name]["sha256"],
                "loss": loss,
                "max_tokens": max_tokens,
                **hashes,
            },
            make=lambda out: tokenize(
                name, records, self._chat_tokenizer(), hashes, loss=loss, max_tokens=max_tokens, out=out
            ),
            code=("models", "sources", "tokens"),
            libraries=(*DATA_LIBRARIES, *TEXT_LIBRARIES),
        )

    def blend(self, arm: str) -> Artefact:
        blend, settings = self.recipe.arm_blend(arm), self.recipe.arm_train(arm)
        tokens = {name: self.tokens(name) for name in sorted(blend.shares)}
        sources = {name: self.recipe.sources[name] for name in tokens}
        return self._once(
            "blend",
            arm,
            inputs=tokens,
            config={
                **blend.model_dump(mode="json"),
                "row_tokens": settings.sequence_length,
                "batch_tokens": settings.batch_tokens,
                "roles": {name: source.role for name, source in sources.items()},
                "max_repeats": {name: source.max_repeats for name, source in sources.items()},
            },
            make=lambda out: plan_blend(arm, blend, settings, sources, self._stores(tokens), out),
            code=("tokens", "blend"),
            libraries=("numpy",),
        )

    def training(self, arm: str) -> Artefact:
        settings = self.recipe.arm_train(arm)
        blend = self.blend(arm)
        tokens = {name: self.tokens(name) for name in sorted(self.recipe.arm_shares(arm))}
        device, precision = self.lock.device, self.lock.precision

        def make(out: Path) -> Mapping[str, Json]:
            self._set_threads()
            stores = self._stores(tokens)
            return train(
                arm,
                self.lock.base.path,
                self._mix_plan(arm, stores),
                stores,
                read_json(blend / "realised.json"),
                settings,
                device=device,
                precision=precision,
                out=out,
            )

        return self._once(
            "train",
            arm,
            inputs={**tokens, "blend": blend},
            config={
                "base": self.lock.base.sha256,
                "blend": self.recipe.arm_blend(arm).model_dump(mode="json"),
                "train": settings.model_dump(mode="json", exclude={"checkpoint_seconds", "device", "precision"}),
                "hardware": hardware(device),
                "device": device,
                "precision": precision,
                "threads": self.lock.threads,
            },
            make=make,
            code=("tokens", "blend", "models", "training"),
            libraries=MODEL_LIBRARIES,
            resumable=True,
        )

    def responses(self, arm: str) -> Artefact:
        inputs = {f"suite:{name}": artefact for name, artefact in self.suites.items()}
        model = self.lock.base.path
        if arm != BASE_ARM:
            inputs["training"] = self.training(arm)
            model = inputs["training"] / "model"

        def make(out: Path) -> Mapping[str, Json]:
            self._set_threads()
            return respond(
                arm,
                model,
                [artefact.path for artefact in self.suites.values()],
                device=self.lock.device,
                precision=self._evaluation_precision(),
                batch_size=self.recipe.evaluate.batch_size,
                out=out,
            )

        return self._once(
            "respond",
            arm,
            inputs=inputs,
            config={"base": self.lock.base.sha256 if arm == BASE_ARM else None, **self._build()},
            make=make,
            code=("items", "models", "evaluation/respond.py"),
            libraries=MODEL_LIBRARIES,
        )

    def records(self, arm: str) -> Artefact:
        responses = self.responses(arm)
        build = digest(self._build() | {"code": code_digest("models")})
        return self._once(
            "score",
            arm,
            inputs={
                "responses": responses,
                **{f"suite:{name}": suite for name, suite in self.suites.items()},
            },
            config={
                "build": build,
                "scorers": {name: f"{entry.version} {entry.source_digest}" for name, entry in sorted(SCORERS.items())},
            },
            make=lambda out: score_responses(
                responses / "responses.parquet", [suite.path for suite in self.suites.values()], build, out
            ),
            code=("items", "evaluation"),
            libraries=DATA_LIBRARIES,
        )

    def certificate(self, arm: str) -> Artefact:
        contract = self.recipe.contract
        assert contract is not None
        candidate, base, training = self.records(arm), self.records(BASE_ARM), self.training(arm)
        about = {name: suite_about(suite.path) for name, suite in self.suites.items()}
        evidence: dict[str, Json] = {
            "lock": self.lock.id,
            "base_model": self.lock.base.sha256,
            "model": digest(
                {
                    name: entry["sha256"]
                    for name, entry in training.manifest["files"].items()
                    if name.startswith("model/")
                }
            ),
            "corpus": self.corpus().digest,
            "base_records": base.digest,
            "candidate_records": candidate.digest,
            "suites": {name: entry["sha256"] for name, entry in about.items()},
        }
        return self._once(
            "certify",
            arm,
            inputs={
                "candidate": candidate,
                "base": base,
                **{f"suite:{n}": s for n, s in self.suites.items()},
            },
            config={
                "recipe": self.recipe.name,
                "arm": arm,
                "contract": contract.model_dump(mode="json"),
                "evidence": evidence,
            },
            make=lambda out: certify(
                self.recipe.name,
                arm,
                contract,
                about,
                candidate / "records.parquet",
                base / "records.parquet",
                evidence,
                out,
            ),
            code=("statistics", "evidence"),
            libraries=("numpy", "scipy"),
        )

    def check(self) -> None:
        """Raise InputError for what would otherwise be found after training: unusable targets, impossible clauses."""
        for suite in self.suites.values():
            check_targets(read_items(suite.path))
        if self.recipe.contract is not None:
            clauses(self.recipe.contract, {name: suite_about(suite.path) for name, suite in self.suites.items()})

    def _once(self, stage: str, name: str, **build: Any) -> Artefact:
        label = f"{stage} {name}".strip()
        if label not in self._built:
            self._built[label] = self.store.build(stage, label, **build)
        return self._built[label]

    def _unchanged(self, part: str, entry: Source | Suite, counts: Mapping[str, Json]) -> Mapping[str, Json]:
        self.lock.check_unchanged(part, entry, self.store.file_digest)
        return counts

    def _stores(self, tokens: Mapping[str, Artefact]) -> dict[str, TokenStore]:
        return {name: TokenStore(artefact.path) for name, artefact in tokens.items()}

    def _mix_plan(self, arm: str, stores: Mapping[str, TokenStore]) -> MixPlan:
        return mix_plan(self.recipe.arm_blend(arm), self.recipe.arm_train(arm), self.recipe.sources, stores)

    def _chat_tokenizer(self) -> ChatTokenizer:
        if self._tokenizer is None:
            self._tokenizer = ChatTokenizer(self.lock.base.path)
        return self._tokenizer

    def _evaluation_precision(self) -> str:
        """fp32 on a CPU, where it costs little and rounds least; on CUDA as in training."""
        return "fp32" if self.lock.device == "cpu" else self.lock.precision

    def _build(self) -> dict[str, Json]:
        """What two responses must share to be comparable, besides prompt and scorer."""
        versions = self.lock.as_json()["versions"]
        return {
            "versions": versions,
            "hardware": hardware(self.lock.device),
            "device": self.lock.device,
            "precision": self._evaluation_precision(),
            "threads": self.lock.threads,
            "batch_size": self.recipe.evaluate.batch_size,
        }

    def _set_threads(self) -> None:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        import torch

        torch.set_num_threads(self.lock.threads)
