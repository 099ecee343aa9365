"""Secrets of a policy file stand elsewhere: in a file or in the environment. They are never shown, logged or dumped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from antidistill.errors import BadPolicy

Headers = list[tuple[str, str]]
CREDENTIAL_HEADERS = frozenset({"authorization", "x-api-key", "api-key"})
"""Headers in which clients present an API key, in lower case."""


class Secret:
    """A text that no `repr`, log line or traceback shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


def read_secret(reference: str, place: str, environment: Mapping[str, str]) -> Secret:
    """What `file:PATH` or `env:NAME` refers to, without white space around it.

    Args:
        reference: as it stands in the policy file.
        place: the setting it belongs to, for messages.
        environment: variables.

    Raises:
        BadPolicy: it is no reference, or there is nothing behind it. The message never repeats the text: it may be a secret.
    """
    kind, colon, name = reference.partition(":")
    if not colon or kind not in {"file", "env"} or not name:
        raise BadPolicy(place, "what is given is not a reference to a secret: write file:PATH or env:NAME")
    text = environment.get(name, "") if kind == "env" else _content(Path(name), place)
    if not text.strip():
        raise BadPolicy(place, f"{reference} is empty or not there: put the secret there")
    if any(ord(character) < 0x20 for character in text.strip()):
        raise BadPolicy(place, f"{reference} holds more than one line: a secret is one line of text")
    return Secret(text.strip())


def _content(path: Path, place: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadPolicy(place, f"file {path} cannot be read ({reason}): name a file that holds the secret") from None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the engine is shown as credentials.

    Attributes:
        header: header that carries the injected secret, in lower case.
        secret: None: the client's own credentials are passed through.
    """

    header: str = "authorization"
    secret: Secret | None = None

    def apply(self, headers: Iterable[tuple[str, str]]) -> Headers:
        """The client's headers with the credentials for the engine; injected ones replace all that the client sent."""
        if self.secret is None:
            return list(headers)
        text = self.secret.reveal()
        kept = [(name, value) for name, value in headers if name.lower() not in CREDENTIAL_HEADERS]
        return [*kept, (self.header, f"Bearer {text}" if self.header == "authorization" else text)]
