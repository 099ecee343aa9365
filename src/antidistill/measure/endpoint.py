"""A model behind an OpenAI-compatible URL: asked again while that may help, and why it did not answer."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from antidistill.errors import BadOption, EndpointError

_RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is, and how it is asked.

    Attributes:
        url: base URL of the API, with or without `/chat/completions` (or `/completions`).
        model: name of the model there.
        key_variable: environment variable that holds the key; the only place it is read from.
        attempts: requests before it counts as failed (at least 1).
        backoff: seconds before the second attempt; doubles with each further one, at most 60. `Retry-After` takes precedence.
        timeout: seconds per request.
        sleep: waits that many seconds.
    """

    url: str
    model: str
    key_variable: str
    attempts: int = 5
    backoff: float = 1.0
    timeout: float = 120.0
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise BadOption("url", self.url, "a URL that starts with http:// or https://")
        if self.attempts < 1 or self.timeout <= 0:
            raise BadOption("attempts, timeout", (self.attempts, self.timeout), "at least 1, and above 0 seconds")

    @property
    def base(self) -> str:
        """What all addresses of the API begin with."""
        return self.url.rstrip("/").removesuffix("/completions").removesuffix("/chat")

    @property
    def address(self) -> str:
        """Where chats go."""
        return self.base + "/chat/completions"

    def complete(self, messages: Sequence[Mapping[str, str]], **options: Any) -> Any:
        """The JSON of a chat completion at temperature 0.

        Args:
            messages: the chat.
            options: further fields of the request.

        Raises:
            EndpointError: it turned the request down, or there was no answer in all attempts.
        """
        return self._asked(self.address, {"temperature": 0, "messages": list(messages), **options})

    def write_on(self, prompt: str, **options: Any) -> Any:
        """The JSON of a completion of a raw text.

        Args:
            prompt: the text that is written on.
            options: further fields of the request.

        Raises:
            EndpointError: it turned the request down, or there was no answer in all attempts.
        """
        return self._asked(self.base + "/completions", {"prompt": prompt, **options})

    def _asked(self, address: str, fields: Mapping[str, Any]) -> Any:
        body = json.dumps({"model": self.model, **fields}).encode()
        kind = "chat completion" if address == self.address else "completion"
        for attempt in range(1, self.attempts + 1):
            wait = self.backoff * 2 ** (attempt - 1)
            try:
                return self._post(address, body)
            except HTTPError as error:
                with error:
                    problem = f"answered {error.code} {error.reason}"
                    failure = EndpointError(problem, error.read(300), error.code not in _RETRIED, error.code)
                if failure.for_good:
                    raise failure from error
                asked = error.headers.get("Retry-After", "")
                wait = float(asked) if asked.isdigit() else wait
            except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
                failure = EndpointError(f"cannot be reached ({getattr(error, 'reason', None) or error})")
            except ValueError:  # cut off, or a page of a gateway: worth another attempt like a busy server
                failure = EndpointError(f"answered with something that is no {kind}")
            if attempt < self.attempts:
                self.sleep(min(wait, _LONGEST_WAIT))
        raise failure

    def _post(self, address: str, body: bytes) -> Any:
        headers = {"Content-Type": "application/json"}
        key = os.environ.get(self.key_variable)
        if key:
            headers["Authorization"] = f"Bearer {key}"
        with urlopen(Request(address, body, headers), timeout=self.timeout) as response:
            return json.load(response)
