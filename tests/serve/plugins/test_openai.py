"""The official OpenAI client, wrapped: the same objects, guarded reasoning, in streams and whole answers."""

import asyncio

import pytest

pytest.importorskip("openai", reason="needs the OpenAI client")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from tests.serve.plugins.conftest import REASONING, REMOVED, TRACE

import antidistill as ad
from antidistill.errors import DefenseError, Refused, UpstreamError
from antidistill.serve.plugins.openai import RESPONSES, guard_answer, guard_stream, session
from antidistill.serve.policies import OnFailure, TurnsMode
from antidistill.serve.turns import MemoryStore, Ring, Turns

DEFENSE = ad.defense("traceguard")
GUARDED = ad.guard(TRACE, DEFENSE).reasoning
MESSAGES = [{"role": "user", "content": TRACE.prompt}]


def client(engine):
    return AsyncOpenAI(base_url=f"{engine.url}/v1", api_key="x")


def text(chunks, name):
    return "".join(getattr(choice.delta, name, None) or "" for chunk in chunks for choice in chunk.choices)


async def streamed(engine, model="demo", **options):
    stream = await client(engine).chat.completions.create(model=model, messages=MESSAGES, stream=True)
    return [chunk async for chunk in guard_stream(stream, DEFENSE, MESSAGES, **options)]


@pytest.mark.parametrize(("model", "field"), [("demo", "reasoning_content"), ("demo-reasoning", "reasoning")])
def test_a_stream(engine, model, field):
    chunks = asyncio.run(streamed(engine, model))
    assert all(type(chunk) is ChatCompletionChunk for chunk in chunks)
    assert (text(chunks, field), text(chunks, "content")) == (GUARDED, TRACE.answer)
    assert sum(chunk.usage is not None for chunk in chunks) == 1


def test_think_tags(engine):
    content = text(asyncio.run(streamed(engine, "demo-tags")), "content")
    assert content.endswith(TRACE.answer)
    assert not any(removed in content for removed in REMOVED)


def test_an_answer_that_does_not_stream(engine):
    async def story():
        answer = await client(engine).chat.completions.create(model="demo", messages=MESSAGES)
        return await guard_answer(answer, DEFENSE, MESSAGES)

    answer = asyncio.run(story())
    assert type(answer) is ChatCompletion
    message = answer.choices[0].message
    assert (message.reasoning_content, message.content) == (GUARDED, TRACE.answer)


@pytest.mark.parametrize("stream", [True, False])
def test_the_responses_api(engine, stream):
    async def story():
        answer = await client(engine).responses.create(model="demo", input=TRACE.prompt, stream=stream)
        if not stream:
            return [], await guard_answer(answer, DEFENSE, TRACE.prompt, route=RESPONSES)
        events = [event async for event in guard_stream(answer, DEFENSE, TRACE.prompt, route=RESPONSES)]
        return events, events[-1].response

    events, final = asyncio.run(story())
    if stream:
        joined = "".join(event.delta for event in events if event.type == "response.reasoning_text.delta")
        assert joined == GUARDED
    assert [part.text for item in final.output for part in item.content] == [GUARDED, TRACE.answer]


def test_originals_come_back_with_the_help_of_turns(engine):
    turns = Turns(Ring((b"0123456789abcdef",)), MemoryStore(100, 10**6), TurnsMode.STORE)

    async def story():
        chunks = await streamed(engine, turns=turns, tenant="acme")
        earlier = {"role": "assistant", "content": "4", "reasoning_content": text(chunks, "reasoning_content")}
        body = {"messages": [*MESSAGES, earlier]}
        await turns.restore(body, "acme")
        return body["messages"][1]["reasoning_content"]

    assert asyncio.run(story()) == REASONING


class Broken:
    """A defense that fails in the middle."""

    name, streams, key = "broken", True, b""
    edits = ()

    def begin(self, trace_key):
        return self

    def feed(self, piece):
        raise ValueError(REASONING)

    def close(self):
        return ""


def chunk(**delta):
    return {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}


async def played(chunks, defense=DEFENSE, **options):
    async def stream():
        for one in chunks:
            if isinstance(one, Exception):
                raise one
            yield one

    out, error = [], None
    try:
        async for one in guard_stream(stream(), defense, MESSAGES, **options):
            out.append(one)  # noqa: PERF401
    except Exception as raised:
        error = raised
    return out, error


ENDING = {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def test_a_failure_of_the_defense_drops_the_reasoning_or_ends_the_stream_and_quotes_nothing():
    chunks = [chunk(reasoning_content=REASONING), chunk(content="4"), ENDING]
    out, error = asyncio.run(played(chunks, Broken()))
    assert error is None
    assert "12" not in str(out)
    assert out[-2:] == chunks[1:]
    out, error = asyncio.run(played(chunks, Broken(), on_failure=OnFailure.FAIL))
    assert type(error) is DefenseError
    assert (error.__cause__, error.__context__ is None or error.__suppress_context__) == (None, True)
    assert "12" not in f"{out} {error}"


def test_a_stream_that_breaks_off_gives_nothing_that_was_held():
    out, error = asyncio.run(played([chunk(reasoning_content="First. Wait, that is"), ConnectionResetError()]))
    assert type(error) is ConnectionResetError
    assert "Wait" not in str(out)
    out, error = asyncio.run(played([chunk(reasoning_content="First. Wait, that is")]))
    assert isinstance(error, UpstreamError)
    assert "Wait" not in str(out)


def test_side_channels_are_closed():
    leaking = chunk(reasoning_content="I add. Wait, no. ") | {"prompt_text": "x", "token_ids": [1]}
    leaking["choices"][0] |= {"token_ids": [7], "logprobs": {"content": [{"token": "Wait"}]}}
    out, error = asyncio.run(played([leaking, chunk(content="4"), ENDING]))
    assert error is None
    assert not any(name in str(out) for name in ("token_ids", "prompt_text", "Wait"))


def test_what_no_dialect_knows_is_refused():
    with pytest.raises(Refused):
        session(DEFENSE, MESSAGES, route="/v1/completions")
    _, error = asyncio.run(played(["text"]))
    assert isinstance(error, DefenseError)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, 60), min_size=1, max_size=60))
def test_every_chunking_gives_what_the_batch_gives(sizes):
    chunks, position = [], 0
    for size in sizes * 40:
        chunks.append(chunk(reasoning_content=REASONING[position : position + size]))
        position += size
        if position >= len(REASONING):
            break
    chunks.append(chunk(reasoning_content=REASONING[position:]))
    answer = chunk(content=TRACE.answer)
    out, error = asyncio.run(played([*chunks, answer, ENDING]))
    assert error is None
    joined = "".join(one["choices"][0]["delta"].get("reasoning_content", "") for one in out)
    assert joined == GUARDED
    assert answer in out
