"""A guardrail for the LiteLLM proxy. Its configuration is in docs/plugins.md.

LiteLLM reads from the registered class itself which hooks it has, so the iterator hook stands in the class and not in a base. The
hook gets other things on other routes: records of chat chunks, bytes of `/v1/messages` and of passed-through routes, events of
`/v1/responses`. What is not known is refused and never let through.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import orjson
from fastapi import HTTPException
from litellm.integrations.custom_guardrail import CustomGuardrail

from antidistill.errors import AntidistillError, Refused
from antidistill.serve.plugins.objects import fields_of, guarded_bytes, guarded_objects, made
from antidistill.serve.plugins.session import Desk, Session
from antidistill.serve.policies import Client
from antidistill.serve.policies.clients import ANONYMOUS
from antidistill.serve.side_channels.requests import Asked, close_channels

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
_CALLS = {
    "completion": CHAT,
    "acompletion": CHAT,
    "anthropic_messages": MESSAGES,
    "aanthropic_messages": MESSAGES,
    "responses": RESPONSES,
    "aresponses": RESPONSES,
}
_HARMLESS = frozenset(
    "embedding aembedding embeddings image_generation aimage_generation image_edit aimage_edit moderation amoderation "
    "transcription atranscription audio_transcription speech aspeech rerank arerank".split()
)
"""Calls whose answers hold no reasoning; all that are neither here nor in `_CALLS` are refused."""
_PASSED_THROUGH = frozenset({"pass_through_endpoint", "llm_passthrough_route", "allm_passthrough_route"})
_DROPPED = (
    "logprobs top_logprobs prompt_logprobs logprob_token_ids return_token_ids return_tokens_as_token_ids return_hidden_states "
    "return_routed_experts echo continue_final_message add_generation_prompt separate_reasoning stream_reasoning "
    "skip_special_tokens spaces_between_special_tokens custom_logit_processor logits_processors vllm_xargs"
).split()
"""Fields of a request that bring reasoning out in another place."""


class AntidistillGuardrail(CustomGuardrail):  # type: ignore[misc]
    """Guards reasoning in every answer that LiteLLM gives.

    Args:
        policy_file: policies as for the server; tenants are matched by the SHA-256 of LiteLLM's virtual keys.
        options: what LiteLLM passes to every guardrail.
    """

    def __init__(self, policy_file: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._desk = Desk(policy_file)

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> Any:
        """Puts originals of earlier turns back, and drops what asks for the reasoning in another place."""
        if call_type in _HARMLESS:
            return data
        route = _CALLS.get(call_type, call_type)
        try:
            client = self._client(user_api_key_dict)
            if self._desk.session(client, _asked(data), route) is not None:
                _close(data, route)
            await self._desk.turns.restore(data, client.tenant)
        except Refused as refused:
            raise _http(refused) from None
        return data

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> Any:
        """Refuses routes that LiteLLM passes through to an engine without asking any other hook, such as `/vllm/…`."""
        name = str(getattr(call_type, "value", call_type))
        if name in _PASSED_THROUGH:
            try:
                self._desk.session(ANONYMOUS, _asked(kwargs), name)
            except Refused as refused:
                raise _http(refused) from None
        return await super().async_pre_call_deployment_hook(kwargs, call_type)

    async def async_post_call_success_hook(self, data: dict[str, Any], user_api_key_dict: Any, response: Any) -> Any:
        """Guards an answer that does not stream."""
        route = _route_of_whole(response)
        if route is None:
            return response
        try:
            session = self._desk.session(self._client(user_api_key_dict), _asked(data), route)
            return response if session is None else await _whole(session, response)
        except Refused as refused:
            raise _http(refused) from None
        except AntidistillError as error:
            raise HTTPException(
                502, {"error": f"the reasoning could not be guarded ({type(error).__name__})."}
            ) from None

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: AsyncIterable[Any], request_data: dict[str, Any]
    ) -> AsyncIterator[Any]:
        """Guards an answer that streams."""
        chunks = aiter(response)
        first = await anext(chunks, None)
        if first is None:
            return
        whole = _rejoined(first, chunks)
        route = _route_of_chunk(first) or _route_of_request(user_api_key_dict, request_data)
        try:
            session = self._desk.session(self._client(user_api_key_dict), _asked(request_data), route)
        except Refused as refused:
            raise _http(refused) from None
        if session is None:
            guarded: AsyncIterable[Any] = whole
        elif isinstance(first, bytes | str):
            guarded = guarded_bytes(session, _as_bytes(whole))
        else:
            guarded = guarded_objects(session, whole, _fields)
        async for chunk in guarded:
            yield _seen_by_the_serializer(chunk)

    def _client(self, user_api_key_dict: Any) -> Client:
        """LiteLLM knows its keys by their SHA-256, as policy files do."""
        snapshot = self._desk.book.current
        known = str(getattr(user_api_key_dict, "api_key", None) or "")
        try:
            return snapshot.hashed_client(bytes.fromhex(known)) if len(known) == 64 else snapshot.client(known)
        except ValueError:
            return snapshot.client(known)


def _asked(data: dict[str, Any]) -> Asked:
    names = ("messages", "input", "prompt", "system")
    body = {name: data[name] for name in names if data.get(name) is not None}
    return Asked(body, str(data.get("model") or ""), bool(data.get("stream")))


def _close(data: dict[str, Any], route: str) -> None:
    """Closes the side channels of a request, in place; what LiteLLM itself keeps in it stays.

    Raises:
        Refused: the request ends with words of the assistant.
    """
    extra = data.get("extra_body")
    for holder in (data, extra if isinstance(extra, dict) else {}):
        for name in _DROPPED:
            holder.pop(name, None)
        asked = Asked(dict(holder), "", False)
        close_channels(asked, route)
        for name in ("chat_template_kwargs", "stream_options", "include"):
            if name in asked.body:
                holder[name] = asked.body[name]


def _route_of_chunk(chunk: Any) -> str:
    """The dialect of an object of a stream; "" for bytes, which do not tell."""
    kind = chunk.get("type") if isinstance(chunk, dict) else getattr(chunk, "type", None)
    kind = str(getattr(kind, "value", kind) or "")
    if kind.startswith("response."):
        return RESPONSES
    if kind:
        return MESSAGES
    return CHAT if type(chunk).__name__ == "ModelResponseStream" else ""


def _fields(response: Any) -> dict[str, Any]:
    """The fields of an object. What LiteLLM translates into the Responses dialect calls reasoning `output_text`."""
    fields = fields_of(response)
    output = fields["response"].get("output") if isinstance(fields.get("response"), dict) else fields.get("output")
    for item in [*(output if isinstance(output, list) else []), fields.get("item")]:
        if isinstance(item, dict) and item.get("type") == "reasoning":
            for part in item.get("content") or []:
                part["type"] = "reasoning_text"
    return fields


def _seen_by_the_serializer(chunk: Any) -> Any:
    """LiteLLM's quick serializer of chat chunks leaves `reasoning_details` out unless it sees `reasoning_content` too."""
    for choice in getattr(chunk, "choices", None) or ():
        delta = getattr(choice, "delta", None)
        if delta and getattr(delta, "reasoning_details", None) and getattr(delta, "reasoning_content", None) is None:
            delta.reasoning_content = ""
    return chunk


def _route_of_request(user_api_key_dict: Any, data: dict[str, Any]) -> str:
    request = data.get("proxy_server_request") or {}
    path = str(getattr(user_api_key_dict, "request_route", None) or request.get("url") or "").split("?")[0]
    return next((route for route in (CHAT, MESSAGES, RESPONSES) if path.endswith(route.removeprefix("/v1"))), path)


def _route_of_whole(response: Any) -> str | None:
    """The dialect of a whole answer; None for answers that hold no reasoning, such as embeddings."""
    if isinstance(response, dict):
        return {"message": MESSAGES, "response": RESPONSES}.get(response.get("type") or response.get("object") or "")
    name = type(response).__name__
    if name == "TextCompletionResponse":
        return "/v1/completions"
    return {"ModelResponse": CHAT, "ResponsesAPIResponse": RESPONSES, "AnthropicResponse": MESSAGES}.get(name)


async def _whole(session: Session, response: Any) -> Any:
    """The guarded answer; LiteLLM's own notes on it stay."""
    if isinstance(response, dict):
        own = {name: value for name, value in response.items() if name.startswith("_")}
        body = orjson.dumps({name: value for name, value in response.items() if name not in own})
        return {**orjson.loads(await session.whole(body)), **own}
    fields = orjson.loads(await session.whole(orjson.dumps(_fields(response))))
    guarded = made(type(response), fields)
    for name in ("_hidden_params", "_response_headers"):
        if hasattr(response, name):
            setattr(guarded, name, getattr(response, name))
    return guarded


async def _rejoined(first: Any, rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    yield first
    async for chunk in rest:
        yield chunk


async def _as_bytes(chunks: AsyncIterable[Any]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk.encode() if isinstance(chunk, str) else bytes(chunk)


def _http(refused: Refused) -> HTTPException:
    return HTTPException(refused.status, {"error": str(refused), "code": refused.code})
