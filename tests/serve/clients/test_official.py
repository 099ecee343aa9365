"""The official clients through the proxy, over real sockets, replaying the shared traces in every dialect.

Reconstructed reasoning is what a file would hold, answers are identical: 2,000 traces, each with its own way to cut the text.
"""

import random

import pytest
from aiohttp import web
from tests.serve.replay import CASES, context, events, guarded, read, run, shuffled
from tests.serve.serving import Engine, running

import antidistill as ad
from antidistill.serve.demo.engine import DemoEngine, bundled_traces
from antidistill.serve.demo.scripts import HARMONY

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")
CHAT = "/v1/chat/completions"


class Replay(Engine):
    """The scripted engine as one that tests can start."""

    def __init__(self, traces, seed=0):
        super().__init__(lambda request, body: web.json_response({}))
        self.rng = random.Random(seed)
        self.demo = DemoEngine(traces, cut=self.cut)

    def cut(self, text):
        pieces, most = [], self.rng.choice([1, 3, 20, 200])
        while text:
            size = self.rng.randint(1, most) if len(text) < 2000 else self.rng.randint(20, 200)
            pieces.append(text[:size])
            text = text[size:]
        return pieces

    async def handle(self, request):
        return await self.demo.handle(request)


def shared_traces(folder, step, start=0):
    rows = list(ad.read(folder / "traces_gsm8k_4models.parquet"))
    return [row for row in rows if row.reasoning.strip()][start::step]


@pytest.fixture(scope="module")
def proxy(shared):
    traces = {trace.prompt: trace for trace in shared_traces(shared, 150)}
    with running(Replay(list(traces.values()))) as own:
        yield own, list(traces.values())


@pytest.mark.parametrize(
    "style", ["reasoning_content", "reasoning", "both", "reasoning_details", "tags", "unopened", "harmony"]
)
def test_openai_chat(proxy, style):
    own, traces = proxy
    client = openai.OpenAI(base_url=own.url + "/v1", api_key="k", max_retries=0)
    for trace in traces[:8]:
        ask = [{"role": "user", "content": trace.prompt}]
        reasoning, answer = "", ""
        for chunk in client.chat.completions.create(model=f"demo-{style}", messages=ask, stream=True):
            for choice in chunk.choices:
                extra = choice.delta.model_extra or {}
                reasoning += extra.get("reasoning") or extra.get("reasoning_content") or ""
                answer += choice.delta.content or ""
        marks = {"tags": ("<think>", "</think>"), "unopened": ("", "</think>"), "harmony": HARMONY}.get(style, ("", ""))
        wanted = guarded(trace, context(trace.prompt))
        assert (reasoning, answer) == (wanted, trace.answer) or answer == marks[0] + wanted + marks[1] + trace.answer
        whole = client.chat.completions.create(model=f"demo-{style}", messages=ask).choices[0].message
        assert whole.content in {trace.answer, marks[0] + wanted + marks[1] + trace.answer}


def test_openai_responses(proxy):
    own, traces = proxy
    client = openai.OpenAI(base_url=own.url + "/v1", api_key="k", max_retries=0)
    for trace in traces[:8]:
        wanted = guarded(trace, context(trace.prompt))
        reasoning = answer = ""
        with client.responses.stream(model="demo", input=trace.prompt) as stream:
            for event in stream:
                if event.type == "response.reasoning_text.delta":
                    reasoning += event.delta
                elif event.type == "response.output_text.delta":
                    answer += event.delta
            final = stream.get_final_response()
        assert (reasoning, answer) == (wanted, trace.answer)
        assert final.output_text == trace.answer
        assert [part.text for part in final.output[0].content] == [wanted]
        whole = client.responses.create(model="demo", input=trace.prompt)
        assert [part.text for part in whole.output[0].content] == [wanted]


def test_anthropic_messages(proxy):
    own, traces = proxy
    client = anthropic.Anthropic(base_url=own.url, api_key="k", max_retries=0)
    for trace in traces[:8]:
        ask = {"model": "demo", "max_tokens": 100, "messages": [{"role": "user", "content": trace.prompt}]}
        wanted = guarded(trace, context(trace.prompt))
        with client.messages.stream(**ask) as stream:
            final = stream.get_final_message()
        for message in (final, client.messages.create(**ask)):
            assert message.content[0].thinking == wanted
            assert message.content[1].text == trace.answer


@pytest.mark.parametrize("error", ["openai", "anthropic"])
def test_clients_raise_where_the_engine_fails(error):
    trace = bundled_traces()[0]

    def answer(request, body):
        async def pieces():
            for event in events(request.path, "reasoning", trace)[:20]:
                yield event

        return pieces()

    ask = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    with running(Engine(answer)) as own:
        if error == "openai":
            client = openai.OpenAI(base_url=own.url + "/v1", api_key="k", max_retries=0)
            with pytest.raises(openai.APIError):
                list(client.chat.completions.create(**ask, stream=True))
        else:
            other = anthropic.Anthropic(base_url=own.url, api_key="k", max_retries=0)
            with pytest.raises(anthropic.APIError), other.messages.stream(**ask, max_tokens=10) as stream:
                stream.get_final_message()


def test_two_thousand_traces_in_random_pieces(shared):
    """Without sockets, because 2,000 connections would take minutes; the bytes are the same."""
    rng = random.Random(5)
    traces = shared_traces(shared, 1)[:2100]
    count = 0
    for number, trace in enumerate(traces):
        route, style = CASES[number % len(CASES)]
        if any(sign in trace.reasoning + trace.answer for sign in ("</think>", "<|", "<think>")):
            continue
        own = context(trace.prompt)
        size = rng.choice([20, 60])
        data = b"".join(
            events(route, style, trace, lambda text, size=size: [text[i : i + size] for i in range(0, len(text), size)])
        )
        said = read(route, style, run(route, own, shuffled(data, number, 3000)))
        assert set(said.reasoning) == {guarded(trace, own)}, trace.id
        assert said.answer == trace.answer
        count += 1
    assert count >= 2000
