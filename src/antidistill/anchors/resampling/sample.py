"""Making rollouts: what is asked for, what it costs, and going on where a run was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from antidistill.anchors.journal import Journal, fingerprint
from antidistill.anchors.resampling.answers import final_answer, forced_answer, is_same
from antidistill.anchors.resampling.rollouts import Rollout, Rollouts
from antidistill.anchors.tokens import TEMPLATE
from antidistill.errors import BadOption, RowError
from antidistill.text import Sentence, split
from antidistill.trace import Trace

FORCING = "\n</think>\n\nTherefore, the final answer is \\boxed{"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Which rollouts are made. The numbers of the original are 100 rollouts of at most 16,384 tokens at 0.6 and 0.95.

    Attributes:
        rollouts: for each beginning of the reasoning; at least 2.
        temperature: above 0.
        top_p: share of the probability that is drawn from, above 0 up to 1.
        max_tokens: tokens of one rollout, at most.
        forced: whether as many rollouts must answer at once.
        forced_tokens: tokens of such an answer, at most.
        forcing: what makes them answer.
        template: how prompt and reasoning are shown; nothing may follow the reasoning.
        batch: rollouts written together, or asked for in one request.
        seed: of the draws.
    """

    rollouts: int = 100
    temperature: float = 0.6
    top_p: float = 0.95
    max_tokens: int = 4096
    forced: bool = False
    forced_tokens: int = 32
    forcing: str = FORCING
    template: str = TEMPLATE
    batch: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("rollouts", 2), ("max_tokens", 1), ("forced_tokens", 1), ("batch", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise BadOption(name, value, f"a whole number from {least} up")
        for name, most in (("temperature", float("inf")), ("top_p", 1.0)):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not 0 < value <= most:
                raise BadOption(name, value, "a number above 0" + (" and at most 1" if most == 1 else ""))
        if not self.template.endswith("{reasoning}"):
            raise BadOption("template", self.template, "a text that ends in {reasoning}, which is written on")

    def beginning(self, trace: Trace, sentences: Sequence[Sentence], kept: int) -> str:
        """What a model writes on: prompt and the first `kept` sentences, verbatim but for spaces at the end.

        A space there would stand alone, where models know it as the first character of a word.
        """
        end = sentences[kept].start if kept < len(sentences) else sentences[-1].end
        before, _, _ = self.template.partition("{reasoning}")
        return before.replace("{prompt}", trace.prompt) + trace.reasoning[:end].rstrip(" \t")


class Job(NamedTuple):
    """Rollouts that are written together.

    Attributes:
        kept: sentences of the reasoning that they start behind.
        forced: whether they must answer at once.
        first: number of the first one among the rollouts of that place.
        size: how many.
    """

    kept: int
    forced: bool
    first: int
    size: int


class Done(NamedTuple):
    """What came of a job: the texts, or why there are none."""

    job: Job
    texts: Sequence[str]
    failure: str = ""


class Writer(Protocol):
    """A model that writes on, here or behind a URL."""

    @property
    def about(self) -> Mapping[str, Any]:
        """What rollouts depend on beside trace and plan, as plain JSON values."""
        ...

    def write(self, trace: Trace, sentences: Sequence[Sentence], plan: Plan, jobs: Sequence[Job]) -> Iterator[Done]:
        """Does the jobs, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What rollouts take.

    Attributes:
        requests: batches that are written, or requests.
        read: tokens of all beginnings, by about 4 characters each; where beginnings are not kept, each request reads its own.
        written: tokens at most.
    """

    requests: int = 0
    read: int = 0
    written: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.requests + other.requests, self.read + other.read, self.written + other.written)

    def __str__(self) -> str:
        return (
            f"{self.requests:,} requests, about {self.read:,} tokens read and at most {self.written:,} tokens written "
            "(usually far fewer)"
        )


_CHARACTERS = 4


def cost(trace: Trace, sentences: Sequence[Sentence], plan: Plan, jobs: Sequence[Job] | None = None) -> Cost:
    """What the rollouts of a trace take, before anything is asked.

    Args:
        trace: the trace.
        sentences: its sentences; there is nothing to write on where there are none.
        plan: which rollouts.
        jobs: what is still to do; None for all.
    """
    if not sentences:
        return Cost()
    todo = all_jobs(len(sentences), plan) if jobs is None else jobs
    read = sum(len(plan.beginning(trace, sentences, job.kept)) // _CHARACTERS for job in todo)
    written = sum(job.size * (plan.forced_tokens if job.forced else plan.max_tokens) for job in todo)
    return Cost(len(todo), read, written)


def all_jobs(sentences: int, plan: Plan) -> list[Job]:
    """All jobs of a trace, by the sentences that are kept."""
    return [
        Job(kept, forced, first, min(plan.batch, plan.rollouts - first))
        for kept in range(sentences + 1)
        for forced in ((False, True) if plan.forced else (False,))
        for first in range(0, plan.rollouts, plan.batch)
    ]


def sample(
    writer: Writer,
    trace: Trace,
    sentences: Sequence[Sentence],
    plan: Plan,
    *,
    gold: str | None = None,
    store: Path | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Rollouts:
    """Rollouts from every beginning of a reasoning.

    Args:
        writer: the model.
        trace: the trace.
        sentences: its sentences.
        plan: which rollouts.
        gold: the right answer; None where it is not known: there is no importance by accuracy then.
        store: file of the finished jobs; where it is there, only the others are done.
        progress: called with the cost before the first job, and with a few words after each.

    Raises:
        RowError: there is no sentence, or nothing came of any job.
        UsageError: the store belongs to another trace, model or plan.
    """
    if not sentences or not trace.reasoning.strip():
        raise RowError("there is no reasoning to write on: the row has no sentence.")
    journal, texts, todo = resume(writer, trace, sentences, plan, store)
    failed: dict[int, str] = {}
    price = cost(trace, sentences, plan, todo)
    if todo:
        progress(f"resampling: {price}")
    for number, done in enumerate(writer.write(trace, sentences, plan, todo) if todo else ()):
        progress(f"resampling: {number + 1:,} of {price}")
        if done.failure:
            failed[done.job.kept] = done.failure
            continue
        texts[done.job] = done.texts
        journal.append({"job": list(done.job), "texts": list(done.texts)})
    if not texts:
        raise RowError(next(iter(failed.values()), "no rollout was made."))
    places = [[_rollouts(texts, kept, forced, gold) for kept in range(len(sentences) + 1)] for forced in (False, True)]
    return Rollouts(tuple(map(str, sentences)), tuple(places[0]), tuple(places[1]) if plan.forced else (), failed)


def resume(
    writer: Writer, trace: Trace, sentences: Sequence[Sentence], plan: Plan, store: Path | None
) -> tuple[Journal, dict[Job, Sequence[str]], list[Job]]:
    """The journal of a trace, the texts of the jobs in it, and the jobs that are still to do.

    Raises:
        UsageError: the store belongs to another trace, model or plan.
    """
    whole = fingerprint(trace.prompt, trace.reasoning, [(sentence.start, sentence.end) for sentence in sentences])
    journal = Journal(store, {"made": "rollouts", "trace": whole, **asdict(plan), **writer.about})
    texts: dict[Job, Sequence[str]] = {Job(*record["job"]): record["texts"] for record in journal}
    return journal, texts, [job for job in all_jobs(len(sentences), plan) if job not in texts]


def _rollouts(texts: Mapping[Job, Sequence[str]], kept: int, forced: bool, gold: str | None) -> tuple[Rollout, ...]:
    jobs = sorted(job for job in texts if (job.kept, job.forced) == (kept, forced))
    return tuple(_rollout(text, forced, gold) for job in jobs for text in texts[job])


def _rollout(text: str, forced: bool, gold: str | None) -> Rollout:
    answer = forced_answer(text) if forced else final_answer(text)
    thought = "" if forced else text.partition("</think>")[0]
    first = next((str(sentence) for sentence in split(thought) if sentence.strip()), "")
    return Rollout(first, answer, None if gold is None else is_same(answer, gold))
