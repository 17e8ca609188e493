"""The stages of a run that make models and evidence: training, answers, scores, choices, certificates.

Asking for a certificate builds everything below it that is not there yet, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from mixwright.evaluation.records import score_responses
from mixwright.evaluation.respond import respond
from mixwright.evaluation.scorers import SCORERS, check_targets
from mixwright.evaluation.session import default_requests, hold_session
from mixwright.evidence.certify import certify
from mixwright.evidence.choose import choose
from mixwright.evidence.clauses import clauses
from mixwright.evidence.importers import read_records
from mixwright.ground.artefacts import Artefact, read_json
from mixwright.ground.hashing import Json, digest
from mixwright.ground.store import code_digest
from mixwright.items.suite import read_items, suite_about
from mixwright.models.device import hardware
from mixwright.models.interpolation import interpolate
from mixwright.pipeline.data_stages import DATA_LIBRARIES, MODEL_LIBRARIES, DataStages, Part
from mixwright.pipeline.lock import ADAPTER_LIBRARIES
from mixwright.recipe.schema import BASE_ARM, MAIN_ARM, Candidate
from mixwright.tokens.teacher import Teacher
from mixwright.training.checkpoint import CHECKPOINT
from mixwright.training.train import Taught, train


class Stages(DataStages):
    """All stages of one locked recipe."""

    def model(self, arm: str, candidate: Candidate | None = None) -> Artefact:
        """The model of an arm's candidate, of the chosen one unless said, in the folder `model` of the artefact."""
        candidate = candidate or self.chosen(arm)
        if candidate.weight is not None:
            return self._interpolated(arm, candidate.weight)
        return self._trained(arm, candidate)

    def _trained(self, arm: str, candidate: Candidate) -> Artefact:
        settings = self.recipe.arm_train(arm, candidate)
        blend = self.blend(arm)
        tokens = {name: self.tokens(name) for name in self.recipe.arm_blend(arm).source_names}
        taught = self.teachers(arm)
        kl_weights = {name: term.weight for name in taught if (term := self.recipe.sources[name].kl)}
        device, precision, continued = self.lock.device, self.lock.precision, self.continued(arm)
        adapters, unused = (ADAPTER_LIBRARIES, ()) if settings.method == "lora" else ((), ("lora",))

        def make(out: Path) -> Mapping[str, Json]:
            self._set_threads()
            return train(
                arm,
                self.lock.base.path,
                self.mix_plan(arm),
                self.token_stores(arm),
                read_json(blend / "realised.json"),
                settings,
                device=device,
                precision=precision,
                out=out,
                taught={name: Taught(Teacher(made.path), kl_weights[name]) for name, made in taught.items()},
                continued=None if continued is None else continued / CHECKPOINT,
            )

        return self._once(
            "train",
            self._label(arm, candidate),
            inputs={
                **tokens,
                **{f"teacher:{name}": made for name, made in taught.items()},
                "blend": blend,
                **({} if continued is None else {"continued": continued}),
            },
            config={
                "base": self.lock.base.sha256,
                "kl_weights": {**kl_weights},
                "blend": self.recipe.arm_blend(arm).model_dump(mode="json"),
                "train": settings.model_dump(
                    mode="json", exclude={"checkpoint_seconds", "device", "precision", *unused}
                ),
                "hardware": hardware(device),
                "device": device,
                "precision": precision,
                "threads": self.lock.threads,
            },
            make=make,
            code=("tokens", "blend", "models", "training"),
            libraries=(*MODEL_LIBRARIES, *adapters),
            resumable=True,
        )

    def _interpolated(self, arm: str, weight: float) -> Artefact:
        tuned = self.model(self.recipe.parent(arm))
        return self._once(
            "interpolate",
            self._label(arm, Candidate(weight=weight)),
            inputs={"tuned": tuned},
            config={"base": self.lock.base.sha256, "weight": weight},
            make=lambda out: interpolate(self.lock.base.path, tuned / "model", weight, out / "model"),
            code=("models",),
            libraries=("safetensors", "torch"),
        )

    def chosen(self, arm: str) -> Candidate:
        """The setting of an arm that its search has chosen, or the only one there is."""
        candidates = self.recipe.arm_candidates(arm)
        if len(candidates) == 1:
            return candidates[0]
        label = read_json(self.choice(arm) / "choice.json")["chosen"]
        return next(candidate for candidate in candidates if candidate.label == label)

    def choice(self, arm: str) -> Artefact:
        contract = self.recipe.contract
        assert contract is not None
        base = self.records(BASE_ARM, part="search")
        candidates = {
            candidate.label: self.records(arm, candidate, part="search")
            for candidate in self.recipe.arm_candidates(arm)
        }
        about = {name: suite_about(folder) for name, folder in self.items("search").items()}
        return self._once(
            "choose",
            arm,
            inputs={"base": base, **candidates, **{f"suite:{n}": s for n, s in self.suites.items()}},
            config={"contract": contract.model_dump(mode="json"), "candidates": list(candidates)},
            make=lambda out: choose(
                contract,
                about,
                {label: records / "records.parquet" for label, records in candidates.items()},
                base / "records.parquet",
                out,
            ),
            code=("statistics", "evidence"),
            libraries=("numpy", "scipy"),
        )

    def responses(self, arm: str, candidate: Candidate | None = None, part: Part = "certify") -> Artefact:
        inputs = {f"suite:{name}": artefact for name, artefact in self.suites.items()}
        model = self.lock.base.path
        if arm != BASE_ARM:
            inputs["model"] = self.model(arm, candidate)
            model = inputs["model"] / "model"

        def make(out: Path) -> Mapping[str, Json]:
            self._set_threads()
            return respond(
                arm,
                model,
                list(self.items(part).values()),
                device=self.lock.device,
                precision=self._evaluation_precision(),
                batch_size=self.recipe.evaluate.batch_size,
                out=out,
            )

        base = self.lock.base.sha256 if arm == BASE_ARM else None
        return self._once(
            "respond",
            self._label(arm, candidate, part),
            inputs=inputs,
            config={"base": base, "part": part, **self._build()},
            make=make,
            code=("items", "models", "evaluation/respond.py"),
            libraries=MODEL_LIBRARIES,
        )

    def records(self, arm: str, candidate: Candidate | None = None, part: Part = "certify") -> Artefact:
        responses = self.responses(arm, candidate, part)
        build = digest(self._build() | {"code": code_digest("models")})
        return self._once(
            "score",
            self._label(arm, candidate, part),
            inputs={
                "responses": responses,
                **{f"suite:{name}": suite for name, suite in self.suites.items()},
            },
            config={
                "build": build,
                "part": part,
                "scorers": {name: f"{entry.version} {entry.source_digest}" for name, entry in sorted(SCORERS.items())},
            },
            make=lambda out: score_responses(
                responses / "responses.parquet", list(self.items(part).values()), build, out
            ),
            code=("items", "evaluation"),
            libraries=DATA_LIBRARIES,
        )

    @cached_property
    def session_requests(self) -> tuple[str, ...]:
        """What the models are asked in one conversation; nothing when the recipe says nothing and has too little."""
        if self.recipe.evaluate.session is not None:
            return self.recipe.evaluate.session
        items = [item for folder in self.items("certify").values() for item in read_items(folder)]
        return default_requests(items, {name: suite.role for name, suite in self.recipe.suites.items()})

    def session(self, arm: str) -> Artefact:
        inputs = {} if arm == BASE_ARM else {"model": self.model(arm)}
        model = inputs["model"] / "model" if inputs else self.lock.base.path
        longest = max(suite.max_new_tokens for suite in self.recipe.suites.values())

        def make(out: Path) -> Mapping[str, Json]:
            self._set_threads()
            return hold_session(
                arm,
                model,
                self.session_requests,
                device=self.lock.device,
                precision=self._evaluation_precision(),
                max_new_tokens=longest,
                out=out,
            )

        return self._once(
            "session",
            arm,
            inputs=inputs,
            config={
                "base": None if inputs else self.lock.base.sha256,
                "requests": list(self.session_requests),
                "max_new_tokens": longest,
                **self._build(),
            },
            make=make,
            code=("items", "models", "evaluation/session.py"),
            libraries=MODEL_LIBRARIES,
        )

    def certificate(self, arm: str) -> Artefact:
        contract = self.recipe.contract
        assert contract is not None
        candidate, base, model = self.records(arm), self.records(BASE_ARM), self.model(arm)
        again = {name: self.certificate(name) for name in self.recipe.repeats} if arm == MAIN_ARM else {}
        repeats = {name: str(read_json(made / "certificate.json")["verdict"]) for name, made in again.items()}
        about = {name: suite_about(suite.path) for name, suite in self.suites.items()}
        evidence: dict[str, Json] = {
            "lock": self.lock.id,
            "base_model": self.lock.base.sha256,
            "model": digest(
                {name: entry["sha256"] for name, entry in model.manifest["files"].items() if name.startswith("model/")}
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
                **again,
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
                read_records(candidate / "records.parquet"),
                read_records(base / "records.parquet"),
                evidence,
                out,
                repeats,
            ),
            code=("statistics", "evidence"),
            libraries=("numpy", "scipy"),
        )

    def check(self) -> None:
        """Raise InputError for what would otherwise be found after training: unusable targets, impossible clauses."""
        parts: tuple[Part, ...] = ("certify", "search") if self.recipe.tune is not None else ("certify",)
        for part in parts:
            folders = self.items(part)
            for folder in folders.values():
                check_targets(read_items(folder))
            if self.recipe.contract is not None:
                clauses(self.recipe.contract, {name: suite_about(folder) for name, folder in folders.items()})

    def _label(self, arm: str, candidate: Candidate | None, part: Part = "certify") -> str:
        """`blend`, or `blend lr=0.001` where there are several candidates, or `base search`."""
        several = candidate is not None and len(self.recipe.arm_candidates(arm)) > 1
        words = [arm, candidate.label if several and candidate else "", "search" if part == "search" else ""]
        return " ".join(word for word in words if word)

    def _build(self) -> dict[str, Json]:
        """What two responses must share to be comparable, besides prompt and scorer."""
        used = {name: version for name, version in self.lock.versions.items() if name not in ADAPTER_LIBRARIES}
        return {
            "versions": {**used},
            "hardware": hardware(self.lock.device),
            "device": self.lock.device,
            "precision": self._evaluation_precision(),
            "threads": self.lock.threads,
            "batch_size": self.recipe.evaluate.batch_size,
        }
