"""`transformers serve` with SmolLM2 behind the proxy, asked by the official clients: parts that nobody here wrote.

SmolLM2 does not reason by itself. A chat template of our own shows it an example and opens `<think>`; what follows is what the
model writes, its own closing and answer included. Greedy, so the engine can be asked directly what the original was.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from tests.serve.plugins.conftest import free_port
from tests.serve.serving import running

import antidistill as ad
from antidistill.measure.models import _dequantized, missing
from antidistill.trace import Trace

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")
pytestmark = pytest.mark.models
PROMPT = "Ann has 6 red cups and 2 blue cups. How many cups?"
EXAMPLE = """<|im_start|>system
Think first, then answer.<|im_end|>
<|im_start|>user
Tom has 3 red pens and 4 blue pens. How many pens?<|im_end|>
<|im_start|>assistant
<think>
3 + 4 = 7.

Wait, let me check. 4 + 3 = 7. Yes.
</think>
7 pens.<|im_end|>
"""
TEMPLATE = (
    "{{ example }}{% for turn in messages %}{{ '<|im_start|>' + turn['role'] + '\\n' + turn['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>\\n' }}{% endif %}"
).replace("example", json.dumps(EXAMPLE))
PARSER = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        "reasoning_content": {"open": "<think>", "close": "</think>", "content": "text"},
        "content": {"close_pattern": r"\s*<\|im_end\|>", "content": "text"},
    },
}
"""How transformers finds the reasoning, as a tokenizer of a reasoning model brings it."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """The URL of a real server, and two folders of the same weights: with a parser of reasoning, and without."""
    absent = missing(encoder="")
    try:
        import fastapi  # noqa: F401
    except ImportError:
        absent += ("fastapi",)
    if absent:
        pytest.skip(f"needs {', '.join(absent)} (make models)")
    folder = tmp_path_factory.mktemp("models")
    source = _dequantized()
    models = {name: str(_reasoner(source, folder / name, parsed=name == "parsed")) for name in ("parsed", "raw")}
    port = free_port()
    program = Path(sys.executable).with_name("transformers")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [str(program), "serve", "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log, env=environment
        )
    url = f"http://127.0.0.1:{port}"
    while not _is_up(url):
        assert server.poll() is None, (folder / "log").read_text()[-2000:]
        time.sleep(0.3)
    yield url, models
    server.terminate()
    server.wait(20)


def _reasoner(source, folder, parsed):
    folder.mkdir()
    for file in source.iterdir():
        if file.suffix == ".safetensors":
            (folder / file.name).symlink_to(file)
        else:
            shutil.copy(file, folder)
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(
        json.dumps(settings | ({"response_template": PARSER} if parsed else {}))
    )
    return folder


def _is_up(url):
    try:
        return urllib.request.urlopen(f"{url}/health", timeout=2).status == 200
    except OSError:
        return False


def ask(url, model, stream):
    """Reasoning and content of one answer, as the official client reads it."""
    client = openai.OpenAI(base_url=url + "/v1", api_key="k", max_retries=0, timeout=120)
    body = {"model": model, "messages": [{"role": "user", "content": PROMPT}], "temperature": 0, "max_tokens": 48}
    if not stream:
        message = client.chat.completions.create(**body).choices[0].message
        return (message.model_extra or {}).get("reasoning_content") or "", message.content
    deltas = [chunk.choices[0].delta for chunk in client.chat.completions.create(**body, stream=True) if chunk.choices]
    reasoning = [(delta.model_extra or {}).get("reasoning_content") or "" for delta in deltas]
    return "".join(reasoning), "".join(delta.content or "" for delta in deltas)


def batch(reasoning):
    """What a file would hold; the tests mean something only where the model has written a marker."""
    guarded = ad.guard(Trace("1", PROMPT, reasoning, ""), ad.defense("traceguard", k=20)).reasoning
    assert "Wait" in reasoning
    assert "Wait" not in guarded
    return guarded


@pytest.fixture(scope="module")
def original(engine):
    """What the engine streams without the proxy."""
    url, models = engine
    return ask(url, models["parsed"], stream=True)


def test_reasoning_that_streams_in_a_field_of_its_own(engine, original):
    url, models = engine
    reasoning, answer = original
    with running(url) as own:
        assert ask(own.url, models["parsed"], stream=True) == (batch(reasoning), answer)
    assert answer.strip()


def test_reasoning_in_a_field_of_a_whole_answer(engine):
    url, models = engine
    reasoning, answer = ask(url, models["parsed"], stream=False)
    with running(url) as own:
        assert ask(own.url, models["parsed"], stream=False) == (batch(reasoning), answer)


def test_reasoning_that_the_template_opens(engine):
    url, models = engine
    reasoning, closing, answer = ask(url, models["raw"], stream=False)[1].partition("</think>")
    assert answer.strip()
    with running(url, {"default": {"method": "traceguard", "options": {"k": 20}, "unopened": "reasoning"}}) as own:
        assert ask(own.url, models["raw"], stream=True) == ("", batch(reasoning) + closing + answer)


def test_the_responses_route(engine, original):
    url, models = engine
    reasoning, answer = original
    with running(url) as own:
        client = openai.OpenAI(base_url=own.url + "/v1", api_key="k", max_retries=0, timeout=120)
        body = {"model": models["parsed"], "input": PROMPT, "temperature": 0, "max_output_tokens": 48}
        events = list(client.responses.create(**body, stream=True))
    (final,) = [event.response for event in events if event.type == "response.completed"]
    assert "".join(e.delta for e in events if e.type == "response.reasoning_text.delta") == batch(reasoning)
    assert [part.text for item in final.output if item.type == "reasoning" for part in item.content] == [
        batch(reasoning)
    ]
    assert final.output_text == answer


def test_a_route_that_the_engine_does_not_have(engine):
    """`transformers serve` speaks no Messages; the Anthropic client is told so in its own words."""
    url, models = engine
    with running(url) as own:
        client = anthropic.Anthropic(base_url=own.url, api_key="k", max_retries=0)
        with pytest.raises(anthropic.NotFoundError):
            client.messages.create(model=models["raw"], max_tokens=8, messages=[{"role": "user", "content": PROMPT}])
