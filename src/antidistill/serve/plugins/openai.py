"""Guards what the official OpenAI client gets, for gateways that are written in Python.

```python
stream = await client.chat.completions.create(model=…, messages=messages, stream=True)
async for chunk in guard_stream(stream, defense, messages):
    …
```

Works with any record or mapping in the shape of chat completions or of the Responses API.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Any, TypeVar

import orjson

from antidistill.defenses import Defense
from antidistill.serve.plugins.objects import guarded_objects, made
from antidistill.serve.plugins.session import Session
from antidistill.serve.policies import LimitSettings, OnFailure, Policy, Unopened, Usage
from antidistill.serve.side_channels.requests import Asked
from antidistill.serve.turns import Turns

Record = TypeVar("Record")
CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"


def session(
    defense: Defense,
    messages: Sequence[Any] | str,
    *,
    route: str = CHAT,
    on_failure: OnFailure = OnFailure.DROP_REASONING,
    usage: Usage = Usage.VISIBLE,
    unopened: Unopened = Unopened.HOLD,
    turns: Turns | None = None,
    tenant: str = "anonymous",
) -> Session:
    """How one answer is guarded.

    Args:
        defense: edits the reasoning.
        messages: of the request (or its `input`); the same ones always get the same edits.
        route: whose dialect the answer is in.
        on_failure: as in a policy file.
        usage: as in a policy file.
        unopened: as in a policy file.
        turns: keeps originals for the next request; restore them there with `Turns.restore`.
        tenant: whom they are kept for.
    """
    policy = Policy("library", defense, False, usage, on_failure, "", unopened)
    asked = Asked({"messages" if route == CHAT else "input": messages}, "", True)
    return Session(policy, LimitSettings(), asked, route, turns, tenant)


async def guard_stream(
    stream: AsyncIterable[Record], defense: Defense, messages: Sequence[Any] | str, **options: Any
) -> AsyncIterator[Record]:
    """The stream with guarded reasoning; answers and tool calls are the same objects.

    Args:
        stream: what `client.chat.completions.create(…, stream=True)` returns.
        defense: edits the reasoning.
        messages: of the request.
        options: as for `session`.

    Yields:
        Records of the same classes; fields that are not known, and log probabilities, are left out.

    Raises:
        DefenseError: the defense failed, and `on_failure` is `fail`.
        UpstreamError: the stream broke off. What was held never leaves.
    """
    async for chunk in guarded_objects(session(defense, messages, **options), stream):
        yield chunk


async def guard_answer(answer: Any, defense: Defense, messages: Sequence[Any] | str, **options: Any) -> Any:
    """An answer that does not stream, with guarded reasoning.

    Args:
        answer: what `client.chat.completions.create(…)` returns.
        defense: edits the reasoning.
        messages: of the request.
        options: as for `session`.

    Raises:
        DefenseError, UpstreamError: as `guard_stream`.
    """
    guarded = await session(defense, messages, **options).whole(answer.model_dump_json(exclude_unset=True).encode())
    return made(type(answer), orjson.loads(guarded))
