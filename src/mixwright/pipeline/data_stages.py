"""The stages of a run that make data: sources, suites, corpus, token stores, blends.

Each is wired to the store: what it reads, what its result depends on, and which code makes it. The methods are the
graph; each asks for the artefacts it needs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

from mixwright.blend.migration import carry_over
from mixwright.blend.mixer import MixerState, MixPlan
from mixwright.blend.plan import mix_plan, plan_blend
from mixwright.curation.curate import curate
from mixwright.ground.artefacts import Artefact, read_json
from mixwright.ground.executor import Executor, InProcess
from mixwright.ground.hashing import Json
from mixwright.ground.store import Store
from mixwright.models.device import hardware
from mixwright.models.tokenizer import ChatTokenizer
from mixwright.pipeline.lock import Lock, part_config, reading_config
from mixwright.recipe.data import SELF, Source, Suite
from mixwright.recipe.schema import MAIN_ARM
from mixwright.sources.intake.ingest import ingest
from mixwright.sources.replay.drawing import replay
from mixwright.sources.suites import SEARCH, build_suite
from mixwright.tokens.store import TokenStore
from mixwright.tokens.teach import teach
from mixwright.tokens.tokenize import tokenize

Part: TypeAlias = Literal["certify", "search"]

DATA_LIBRARIES = ("pyarrow",)
TEXT_LIBRARIES = ("tokenizers", "transformers", "jinja2")
MODEL_LIBRARIES = ("numpy", "safetensors", "tokenizers", "torch", "transformers")


class DataStages:
    """The stages of one locked recipe that make its data. Artefacts are built once per object and found in the store
    after that."""

    def __init__(self, lock: Lock, store: Store, executor: Executor) -> None:
        self.lock = lock
        self.recipe = lock.recipe
        self.store = store
        self.executor = executor
        self._built: dict[str, Artefact] = {}
        self._tokenizer: ChatTokenizer | None = None

    @property
    def model_executor(self) -> Executor:
        """Where models run: in this process on an accelerator, whose memory several processes would share."""
        return self.executor if self.lock.device == "cpu" else InProcess()

    def source(self, name: str) -> Artefact:
        source = self.recipe.sources[name]
        if source.generate == SELF:
            return self._replay(name, source)
        return self._once(
            "read",
            name,
            inputs={},
            config={"name": name, **reading_config(source), "files": self.lock.files_digest(f"sources.{name}")},
            make=lambda out: self._unchanged(
                f"sources.{name}", source, ingest(name, source, out, executor=self.executor)
            ),
            code=("items", "sources"),
            libraries=DATA_LIBRARIES,
        )

    def _replay(self, name: str, source: Source) -> Artefact:
        base, computed = self.lock.base, {"device": self.lock.device, "precision": self._evaluation_precision()}

        def make(out: Path) -> Mapping[str, Json]:
            self._set_threads()
            chunks = out / "chunks"  # stays where the run is killed, for the same command to go on from
            written = replay(
                source,
                base.path,
                self.model_executor,
                threads=self.lock.threads,
                finished=chunks,
                where=f"sources.{name}.replay",
                **computed,
            )
            counts = ingest(name, source, out, replay=written, licence=base.licence)
            shutil.rmtree(chunks)
            return counts

        return self._once(
            "replay",
            name,
            inputs={},
            config={
                "name": name,
                **reading_config(source),
                "base": base.sha256,
                "licence": base.licence,
                "hardware": hardware(self.lock.device),
                "threads": self.lock.threads,
                **computed,
            },
            make=make,
            code=("items", "models", "sources"),
            libraries=(*DATA_LIBRARIES, *MODEL_LIBRARIES),
            resumable=True,
        )

    def suite(self, name: str) -> Artefact:
        suite = self.recipe.suites[name]
        inputs = {"source": self.source(suite.source)} if suite.source is not None else {}
        heldout = inputs["source"] / "records.parquet" if inputs else None
        share = self.recipe.tune.search_share if self.recipe.tune is not None else 0.0
        return self._once(
            "suite",
            name,
            inputs=inputs,
            config={
                "name": name,
                **part_config(suite),
                "files": self.lock.files_digest(f"suites.{name}"),
                "search_share": share,
            },
            make=lambda out: self._unchanged(
                f"suites.{name}", suite, build_suite(name, suite, heldout, out, search_share=share)
            ),
            code=("items", "sources"),
        )

    def items(self, part: Part) -> dict[str, Path]:
        """By suite, the folder of the items that certify, or of those set aside for choosing."""
        return {name: suite.path / SEARCH if part == "search" else suite.path for name, suite in self.suites.items()}

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
                [*self.items("certify").values(), *(self.items("search").values() if self.recipe.tune else ())],
                self.recipe.curate,
                self.executor,
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
        source, max_tokens = self.recipe.sources[name], self.recipe.train.sequence_length
        records = corpus / f"{name}.parquet"
        return self._once(
            "tokenize",
            name,
            inputs={},
            config={
                "records": corpus.manifest["files"][records.name]["sha256"],
                "loss": source.loss,
                "longer": source.longer,
                "max_tokens": max_tokens,
                **hashes,
            },
            make=lambda out: tokenize(
                name,
                records,
                self._chat_tokenizer(),
                hashes,
                loss=source.loss,
                longer=source.longer,
                max_tokens=max_tokens,
                out=out,
            ),
            code=("models", "sources", "tokens"),
            libraries=(*DATA_LIBRARIES, *TEXT_LIBRARIES),
        )

    def teachers(self, arm: str) -> dict[str, Artefact]:
        """What the base expects at the learnt tokens of an arm's sources, of those whose loss has a KL term."""
        names = self.recipe.arm_blend(self.recipe.parent(arm)).source_names
        return {name: self.teacher(name) for name in names if self.recipe.sources[name].kl is not None}

    def teacher(self, name: str) -> Artefact:
        term, tokens, base = self.recipe.sources[name].kl, self.tokens(name), self.lock.base
        assert term is not None
        computed = {"device": self.lock.device, "precision": self._evaluation_precision()}

        def make(out: Path) -> Mapping[str, Json]:
            self._set_threads()
            return teach(name, TokenStore(tokens.path), base.path, top_k=term.top_k, out=out, **computed)

        return self._once(
            "teach",
            name,
            inputs={"tokens": tokens},
            config={
                "base": base.sha256,
                "top_k": term.top_k,
                "hardware": hardware(self.lock.device),
                "threads": self.lock.threads,
                **computed,
            },
            make=make,
            code=("models", "tokens"),
            libraries=MODEL_LIBRARIES,
            resumable=True,
        )

    def blend(self, arm: str) -> Artefact:
        """The realised mix of a trained arm; of an interpolated one that of the arm from which it goes back."""
        arm = self.recipe.parent(arm)
        blend, settings = self.recipe.arm_blend(arm), self.recipe.train
        tokens = {name: self.tokens(name) for name in blend.source_names}
        sources = {name: self.recipe.sources[name] for name in tokens}
        continued = self.continued(arm)
        return self._once(
            "blend",
            arm,
            inputs={**tokens, **({} if continued is None else {"continued": continued})},
            config={
                **blend.model_dump(mode="json"),
                "row_tokens": settings.sequence_length,
                "batch_tokens": settings.batch_tokens,
                "roles": {name: source.role for name, source in sources.items()},
                "supply": {name: [source.max_repeats, source.exhausted] for name, source in sources.items()},
            },
            make=lambda out: plan_blend(arm, self.mix_plan(arm), blend, sources, self.token_stores(arm), out),
            code=("tokens", "blend"),
            libraries=("numba", "numpy"),
        )

    def _once(self, stage: str, name: str, **build: Any) -> Artefact:
        label = f"{stage} {name}".strip()
        if label not in self._built:
            self._built[label] = self.store.build(stage, label, **build)
        return self._built[label]

    def _unchanged(self, part: str, entry: Source | Suite, counts: Mapping[str, Json]) -> Mapping[str, Json]:
        self.lock.check_unchanged(part, entry, self.store.file_digest)
        return counts

    def continued(self, arm: str) -> Artefact | None:
        """The checkpoint of another run from which an arm goes on."""
        return self.lock.continued if arm == MAIN_ARM else None

    def token_stores(self, arm: str) -> dict[str, TokenStore]:
        return {name: TokenStore(self.tokens(name).path) for name in self.recipe.arm_blend(arm).source_names}

    def mix_plan(self, arm: str) -> MixPlan:
        """What the mixer of a trained arm does. A source whose tokens are still the same goes on in its own order."""
        plan = mix_plan(self.recipe.arm_blend(arm), self.recipe.train, self.recipe.sources, self.token_stores(arm))
        continued = self.continued(arm)
        if continued is None:
            return plan
        about = read_json(continued / "continued.json")
        kept = {name for name in plan.names if about["tokens"].get(name) == self.tokens(name).digest}
        return replace(
            plan, start=carry_over(MixerState(**about["state"]), about["unit"], about["weights"], plan, kept)
        )

    def _chat_tokenizer(self) -> ChatTokenizer:
        if self._tokenizer is None:
            self._tokenizer = ChatTokenizer(self.lock.base.path)
        return self._tokenizer

    def _set_threads(self) -> None:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        import torch

        torch.set_num_threads(self.lock.threads)

    def _evaluation_precision(self) -> str:
        """fp32 on a CPU, where it costs little and rounds least; on CUDA as in training."""
        return "fp32" if self.lock.device == "cpu" else self.lock.precision
