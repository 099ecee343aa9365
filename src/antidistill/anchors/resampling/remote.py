"""Rollouts from a model behind an OpenAI-compatible URL, several requests at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from antidistill.anchors.journal import fingerprint
from antidistill.anchors.resampling.sample import Done, Job, Plan
from antidistill.errors import BadOption, EndpointError
from antidistill.measure.endpoint import Endpoint
from antidistill.text import Sentence
from antidistill.trace import Trace

KEY_VARIABLE = "ANTIDISTILL_ROLLOUTS_KEY"
_OF_THE_REQUEST = frozenset({400, 413, 422})
"""Statuses that refuse one request and not all of them, such as one that is longer than the model's context."""
_PATIENCE = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteWriter:
    """Writes on through `/completions`, since a chat would begin a new turn. The whole reasoning leaves this machine.

    The key of the API is read from ANTIDISTILL_ROLLOUTS_KEY. Once a request was turned down for good (a wrong key, path or
    model), or three failed in all attempts before any was answered, this writer asks for nothing more: make a new one when
    that is mended.

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
    _news: _News = field(default_factory=lambda: _News(), init=False, repr=False, compare=False)

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
        model's context), is a failure of its job alone. One that is turned down for good is the failure of all that were not
        begun.
        """
        with ThreadPoolExecutor(self.workers) as pool:
            asked = [pool.submit(self._done, trace, sentences, plan, job) for job in jobs]
            try:
                for future in as_completed(asked):
                    yield future.result()
            finally:
                for future in asked:
                    future.cancel()

    def _done(self, trace: Trace, sentences: Sequence[Sentence], plan: Plan, job: Job) -> Done:
        """What came of a job; it is not begun where another one was turned down for good."""
        if self._news.hopeless:
            return Done(job, (), self._news.hopeless)
        prompt = plan.beginning(trace, sentences, job.kept) + (plan.forcing if job.forced else "")
        options: dict[str, Any] = {"n": job.size, "temperature": plan.temperature, "top_p": plan.top_p}
        options["max_tokens"] = plan.forced_tokens if job.forced else plan.max_tokens
        options["seed"] = int(fingerprint(plan.seed, trace.key.hex(), list(job)), 16) % 2**31
        endpoint = self._endpoint
        try:
            found = Done(job, _texts(endpoint.write_on(prompt, **options)))
        except EndpointError as error:
            said = f": {error.said}" if error.said else ""
            failure = f"the model at {endpoint.base} {error}{said}: {self._advice(error)}."
            self._news.failed(error, failure)
            return Done(job, (), failure)
        self._news.answered = True
        return found

    def _advice(self, error: EndpointError) -> str:
        if _of_one_request(error):
            return "it may be too long for the model"
        if error.for_good:
            return f"check the URL (it must serve /completions), the model {self.model!r} and the key in {KEY_VARIABLE}"
        return "check the URL (it must serve /completions), or ask again later"


@dataclass(slots=True)
class _News:
    """What is known of an endpoint so far.

    Attributes:
        answered: whether it ever gave texts, or refused one request as such.
        failures: requests that failed in all attempts.
        hopeless: why it is asked no more; empty while it is.
    """

    answered: bool = False
    failures: int = 0
    hopeless: str = ""

    def failed(self, error: EndpointError, message: str) -> None:
        self.answered |= _of_one_request(error)
        self.failures += 1
        refused = error.for_good and not _of_one_request(error)
        if refused or (not self.answered and self.failures >= _PATIENCE):
            self.hopeless = self.hopeless or message


def _of_one_request(error: EndpointError) -> bool:
    return error.status in _OF_THE_REQUEST


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
