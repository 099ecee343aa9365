"""What a world needs before any student learns: a teacher, its traces, a proxy, and the same traces under each method."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from antidistill.defenses.matching import BY_SHARE, guarded, matched, removed_share
from antidistill.formats import read, write
from antidistill.lab.methods import ANSWER, CLEAN, CONTROLS, PLAIN, home, is_text, unmixed
from antidistill.lab.models.architectures import llama
from antidistill.lab.sizes import Sizes, problems
from antidistill.lab.store import Store, code
from antidistill.lab.students import teach
from antidistill.lab.training import Course
from antidistill.lab.words import FRAME, tokenizer
from antidistill.lab.worlds import Problem, World, knobs
from antidistill.sampling import make
from antidistill.trace import Trace

KEY = b"the key of the lab, public here."
ANSWER_TOKENS = 12
_BATCH = 256
_WORDS = 2000
_MAKING = ("worlds", "models", "words", "training", "sizes")


@dataclass(frozen=True)
class School:
    """One world with its teacher.

    Attributes:
        world: whose problems are asked.
        sizes: how many, how large.
        seed: of problems, lessons and teacher; students have seeds of their own.
        share: share of the characters that text defenses remove.
        price: how much accuracy of the teacher a sampler may cost, in [0, 1].
        store: where pieces are kept.
    """

    world: World
    sizes: Sizes
    seed: int
    share: float
    price: float
    store: Store

    def problems(self, use: str) -> Sequence[Problem]:
        """The problems of one use (`sizes.problems`)."""
        return problems(self.world, self.sizes, self.seed)[use]

    def made_of(self, *parts: str) -> dict[str, Any]:
        """What every piece of this world depends on, the code of the named packages included."""
        return {
            "about": self.world.name,
            "world": self.world.name,
            "knobs": knobs(self.world),
            "sizes": asdict(self.sizes),
            "seed": self.seed,
            "code": code(*(f"antidistill.lab.{part}" for part in _MAKING), *parts),
            "libraries": {name: metadata.version(name) for name in ("torch", "transformers", "tokenizers")},
        }

    def teacher(self) -> Path:
        """Folder of the teacher and its tokenizer, trained on traces that the world wrote."""
        return self.store.folder("teacher", self.made_of(), self._train_teacher)

    def _train_teacher(self, target: Path) -> None:
        lessons = written(self.world, self.problems("lessons"), self.seed)
        words = tokenizer(text for trace in lessons[:_WORDS] for text in (trace.prompt, trace.reasoning, trace.answer))
        self._train(target, words, lessons, self.sizes.teacher_course, teacher=True)

    def proxy(self) -> Path:
        """Folder of the defender's stand-in for a student: as small as one, briefly trained on clean holdout traces."""
        spec = self.made_of("antidistill.sampling") | {"proxy": True}
        return self.store.folder("proxy", spec, self._train_proxy)

    def _train_proxy(self, target: Path) -> None:
        _, words = load(self.teacher())
        self._train(target, words, self.holdout(), self.sizes.proxy_course, teacher=False)

    def _train(self, target: Path, words: Any, traces: Sequence[Trace], course: Course, *, teacher: bool) -> None:
        import torch

        torch.manual_seed(self.seed)
        model = llama(len(words), self.sizes.teacher if teacher else self.sizes.student, 2 * self.sizes.most)
        teach(model, words, traces, course, self.seed)
        model.save_pretrained(target)
        words.save_pretrained(target)

    def holdout(self) -> list[Trace]:
        """Clean traces for proxy, gradient and head."""
        return self._sampled(make(CLEAN), "holdout")

    def traces(self, method: str) -> Path:
        """Folder with `traces.jsonl`, what the method made of the train prompts, and `facts.json`."""
        parts = {"antidistill.sampling", "antidistill.defenses", "antidistill.text", *home(method)}
        spec = self.made_of(*sorted(parts)) | {"method": method}
        if method not in (CLEAN, *CONTROLS):
            spec |= {"share": self.share} if is_text(method) else {"price": self.price}
        spec["about"] = f"{self.world.name}, {method}"
        return self.store.folder("traces", spec, lambda target: self._write_traces(target, method))

    def _write_traces(self, target: Path, method: str) -> None:
        import orjson

        found, facts = self._made(method)
        right = [self._is_right(place, trace) for place, trace in enumerate(found)]
        write(target / "traces.jsonl", [Trace(t.id, t.prompt, t.reasoning, t.answer) for t in found])
        (target / "facts.json").write_bytes(orjson.dumps({**facts, "right": right}))

    def _made(self, method: str) -> tuple[list[Trace], dict[str, Any]]:
        """Traces of the train prompts under a method, and how they were made."""
        if method == PLAIN:
            return written(self.world, self.problems("traces"), self.seed, reflection=False), {}
        if method == CLEAN:
            return self._sampled(make(CLEAN), "traces"), {}
        clean = list(read(self.traces(CLEAN) / "traces.jsonl"))
        if method == ANSWER:
            return [
                Trace(t.id, t.prompt, "", p.answer) for t, p in zip(clean, self.problems("traces"), strict=True)
            ], {}
        if is_text(method):
            from antidistill.defenses import Mix, spec

            # Short traces need a share where a number of sentences would jump: one is a tenth to a third of a trace.
            name, probability = unmixed(method)
            defense = matched(name, self.share, clean, KEY, BY_SHARE)
            if probability is not None:
                defense = Mix(inner=defense, probability=probability, key=KEY)
            found = guarded(clean, defense)
            return found, {"spec": spec(defense), "removed_share": removed_share(clean, found)}
        found, facts = self._matched(method)
        return self._sampled(found, "traces"), facts

    def _matched(self, method: str) -> tuple[Any, dict[str, Any]]:
        """The sampler at the strength that costs the teacher nearest to `price` of its accuracy on the trial prompts."""
        from antidistill.sampling.calibrate import calibrate

        clean = self._graded(make(CLEAN))
        target = max(sum(clean) / len(clean) - self.price, 1 / len(clean))
        found = calibrate(self._graded, make(method), target)
        return found.sampler, {"strength": found.to_json()}

    def _graded(self, sampler: Any) -> list[bool]:
        """Which of its answers to the trial prompts are right."""
        answered = zip(self.problems("trial"), self._sampled(sampler, "trial"), strict=True)
        return [self.world.is_right(problem, trace.answer) for problem, trace in answered]

    def _is_right(self, place: int, trace: Trace) -> bool:
        return self.world.is_right(self.problems("traces")[place], trace.answer)

    def _sampled(self, sampler: Any, use: str) -> list[Trace]:
        """The teacher's traces of the prompts of one use under a sampler."""
        from antidistill.sampling import Prompt, Settings, sample

        model, words = load(self.teacher())
        settings = Settings(
            temperature=self.sizes.temperature,
            reasoning_tokens=self.sizes.most,
            answer_tokens=ANSWER_TOKENS,
            batch=_BATCH,
            key=KEY,
            frame=FRAME,
        )
        prompts = [Prompt(f"{use} {number}", problem.prompt) for number, problem in enumerate(self.problems(use))]
        return list(sample(model, words, prompts, sampler, settings, self._aids(sampler)))

    def _aids(self, sampler: Any) -> Any:
        """What the sampler needs: the proxy, the gradient of its loss, or a head, the last two made with holdout traces."""
        return _aids(self, tuple(sampler.aids)) if sampler.aids else None


@functools.lru_cache(maxsize=4)
def _aids(school: School, wanted: tuple[str, ...]) -> Any:
    from antidistill.sampling import Aids
    from antidistill.sampling.proxies.gradient import gradient
    from antidistill.sampling.proxies.train_head import train_head

    proxy, words = load(school.proxy())
    found: dict[str, Any] = {"proxy": proxy}
    if "gradient" in wanted:
        found["gradient"] = gradient(proxy, words, school.holdout(), FRAME)
    if "head" in wanted:
        found["head"] = train_head(load(school.teacher())[0], words, school.holdout(), proxy, frame=FRAME)
    return Aids(**found)


def written(world: World, asked: Sequence[Problem], seed: int, *, reflection: bool = True) -> list[Trace]:
    """Traces that the world itself writes."""
    generator = random.Random(f"{world.name} writing {seed}")
    return [
        Trace(f"written {number}", p.prompt, world.write(p, generator, reflection=reflection), p.answer)
        for number, p in enumerate(asked)
    ]


def load(folder: Path) -> tuple[Any, Any]:
    """Model and tokenizer of a folder."""
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    return model.eval(), AutoTokenizer.from_pretrained(folder)
