"""A request as the engine gets it: nothing in it asks for the reasoning in another place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from antidistill.errors import Refused, UpstreamGarbage
from antidistill.formats.messages import ASSISTANTS, prompt_of, role_of
from antidistill.serve.side_channels.request_fields import FIELDS, HEADERS, INCLUDES, INNER, MESSAGE_TRICKS
from antidistill.serve.wire.tree import dumps, loads
from antidistill.trace import trace_key

_DEEPEST = 100


@dataclass(slots=True)
class Asked:
    """A request, read.

    Attributes:
        body: its JSON object.
        model: that is asked; "" if none is named.
        stream: whether the response is to be streamed.
        dropped: how many fields do not reach the engine.
    """

    body: dict[str, Any]
    model: str
    stream: bool
    dropped: int = 0

    @property
    def key(self) -> bytes:
        """The trace key of the response, as a file would have it (32 bytes)."""
        given = self.body.get("messages", self.body.get("input"))
        prompt = given if isinstance(given, str) else prompt_of([m for m in _list(given) if isinstance(m, dict)])
        return trace_key(prompt) if prompt else hashlib.sha256(dumps(given)).digest()

    @property
    def wire(self) -> bytes:
        """What is sent; written anew, so that a name that stands twice means the same to everybody."""
        return dumps(self.body)


def read_request(content: bytes) -> Asked:
    """The request in a body.

    Raises:
        Refused: not a JSON object, or nested too deeply (400).
    """
    try:
        body = loads(content, exact=True)
    except (UpstreamGarbage, UnicodeDecodeError):
        raise Refused(400, "invalid_json", "the body is not JSON.") from None
    if not isinstance(body, dict):
        raise Refused(400, "invalid_json", "the body is not a JSON object.")
    if _depth(body) > _DEEPEST:
        raise Refused(400, "invalid_json", f"the body is nested deeper than {_DEEPEST} levels.")
    model = body.get("model")
    return Asked(body, model if isinstance(model, str) else "", body.get("stream") is True)


def close_channels(asked: Asked, route: str) -> None:
    """Drops what could bring the reasoning out in another place.

    Raises:
        Refused: the request ends with words for the model to go on from, so that its reasoning would be its answer (400).
    """
    known = FIELDS[route]
    before = len(asked.body)
    body = {name: value for name, value in asked.body.items() if name in known}
    asked.dropped = before - len(body)
    for name, inner in INNER.items():
        if isinstance(body.get(name), dict):
            kept = {key: value for key, value in body[name].items() if key in inner}
            asked.dropped += len(body[name]) - len(kept)
            body[name] = kept
    if isinstance(body.get("include"), list):
        body["include"] = [name for name in body["include"] if isinstance(name, str) and name in INCLUDES]
    _check_messages(body.get("messages", body.get("input")), asked)
    asked.body = body


def _check_messages(messages: Any, asked: Asked) -> None:
    turns = [turn for turn in _list(messages) if isinstance(turn, dict)]
    for turn in turns:
        for name in MESSAGE_TRICKS:
            asked.dropped += turn.pop(name, None) is not None
    if turns and role_of(turns[-1]) in ASSISTANTS and turns[-1].get("type", "message") == "message":
        raise Refused(
            400,
            "prefill_refused",
            "the last message is the assistant's, for the model to go on from: end with a message of the user or of a tool.",
        )


def engine_headers(headers: Iterable[tuple[str, str]], own: Mapping[str, str]) -> list[tuple[str, str]]:
    """The headers that the engine gets; `own` ones replace the client's."""
    kept = [(name, value) for name, value in headers if name.lower() in HEADERS and name.lower() not in own]
    return [*kept, *own.items()]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _depth(value: Any) -> int:
    """How deeply a value is nested, without recursion."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
    return deepest
