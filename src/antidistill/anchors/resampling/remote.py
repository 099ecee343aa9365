"""Rollouts from a model behind an OpenAI-compatible URL, several requests at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Event
from typing import Any

from antidistill.anchors.journal import fingerprint
from antidistill.anchors.resampling.sample import Done, Job, Plan
from antidistill.errors import BadOption, EndpointError, UsageError
from antidistill.measure.endpoint import Endpoint
from antidistill.text import Sentence
from antidistill.trace import Trace

KEY_VARIABLE = "ANTIDISTILL_ROLLOUTS_KEY"
_OF_THE_REQUEST = frozenset({400, 413, 422})
"""Statuses that refuse one request and not all of them, such as one that is longer than the model's context."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteWriter:
    """Writes on through `/completions`, since a chat would begin a new turn. The whole reasoning leaves this machine.

    The key of the API is read from ANTIDISTILL_ROLLOUTS_KEY.

    Attributes:
        url: base of the API, such as https://api.example.com/v1.
        model: name of the model there.
        workers: requests at a time; at least 1.
        attempts, backoff, timeout: as for `measure.endpoint.Endpoint`.
    """

    url: str
    model: str
    workers: int = 8
    attempts: int = 5
    backoff: float = 1.0
    timeout: float = 600.0

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise BadOption("workers", self.workers, "a whole number of at least 1")
        self._endpoint  # noqa: B018 - wrong values are told before anything is asked

    @property
    def about(self) -> Mapping[str, Any]:
        """URL and model."""
        return {"url": self.url, "model": self.model}

    @property
    def _endpoint(self) -> Endpoint:
        return Endpoint(self.url, self.model, KEY_VARIABLE, self.attempts, self.backoff, self.timeout)

    def write(self, trace: Trace, sentences: Sequence[Sentence], plan: Plan, jobs: Sequence[Job]) -> Iterator[Done]:
        """Does the jobs, each in one request; in the order in which they are answered.

        A request that fails in all attempts, is answered with something else, or is refused as such (it may be longer than the
        model's context), is a failure of its job alone.

        Raises:
            UsageError: a request was turned down for good: a wrong key, path or model. No other is begun then, and what was
                answered before is given first.
        """
        refused = Event()
        with ThreadPoolExecutor(self.workers) as pool:
            asked = [pool.submit(self._done, trace, sentences, plan, job, refused) for job in jobs]
            failures: list[UsageError] = []
            try:
                for future in as_completed(asked):
                    error = future.exception()
                    if isinstance(error, UsageError):
                        failures.append(error)
                    elif (done := future.result()) is not None:
                        yield done
            finally:
                refused.set()
                for future in asked:
                    future.cancel()
        if failures:
            raise failures[0]

    def _done(self, trace: Trace, sentences: Sequence[Sentence], plan: Plan, job: Job, refused: Event) -> Done | None:
        """What came of a job; None where another one was refused before it began."""
        if refused.is_set():
            return None
        prompt = plan.beginning(trace, sentences, job.kept) + (plan.forcing if job.forced else "")
        options: dict[str, Any] = {"n": job.size, "temperature": plan.temperature, "top_p": plan.top_p}
        options["max_tokens"] = plan.forced_tokens if job.forced else plan.max_tokens
        options["seed"] = int(fingerprint(plan.seed, trace.key.hex(), list(job)), 16) % 2**31
        endpoint = self._endpoint
        try:
            return Done(job, _texts(endpoint.write_on(prompt, **options)))
        except EndpointError as error:
            said = f": {error.said}" if error.said else ""
            if error.for_good and error.status not in _OF_THE_REQUEST:
                refused.set()
                raise UsageError(
                    f"the model at {endpoint.base} {error}{said}; check the URL (it must serve /completions), the model "
                    f"{self.model!r} and the key in {KEY_VARIABLE}."
                ) from error
            advice = "it may be too long for the model" if error.for_good else "ask again later"
            return Done(job, (), f"the model at {endpoint.base} {error}{said}: {advice}.")


def _texts(reply: Any) -> list[str]:
    """The texts of a completion.

    Raises:
        EndpointError: there are none.
    """
    choices = reply.get("choices") if isinstance(reply, dict) else None
    found = [choice.get("text") for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    texts = [text for text in found if isinstance(text, str)]
    if not texts or len(texts) != len(found):
        raise EndpointError("answered with something that is no completion")
    return texts
