"""The wrapper of vLLM's reasoning parsers, with the classes of the installed vLLM.

vLLM is large and no dependency: docs/plugins.md says how to run this file in an environment that has it.
"""

import json

import pytest
from tests.sampling.tiny import tokenizer

import antidistill as ad
from antidistill.errors import DefenseError

pytest.importorskip("vllm", reason="needs vLLM in this environment (docs/plugins.md)")

from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.reasoning import ReasoningParserManager

from antidistill.serve.plugins import vllm as plugin

REASONING = "we add two and three. Wait, check it again. Alternatively, take half.\n\nHmm, so it is five."
ANSWER = "the answer is 5 <é>"
PROMPT = [7, 8, 9]
REQUEST = {"model": "m", "messages": [{"role": "user", "content": "x"}]}


def can_wrap(name):
    """Whether a parser can be made with a tokenizer that has <think> and </think>, and finds the reasoning of these tests."""
    if name in plugin._COMPOSED or name.startswith(plugin.PREFIX):
        return False
    try:
        parser = ReasoningParserManager.get_reasoning_parser(name)(tokenizer())
        return bool(parser.extract_reasoning(f"<think>{REASONING}</think>{ANSWER}", request())[0])
    except (
        Exception
    ):  # each of the engine's many parsers says in its own way that these tokens or texts are not its own
        return False


def request(**more):
    return ChatCompletionRequest(**REQUEST, **more)


WRAPPED = [name for name in ReasoningParserManager.list_registered() if can_wrap(name)]


@pytest.fixture
def policy(tmp_path, monkeypatch):
    def use(**default):
        file = tmp_path / "policy.yaml"
        file.write_text(json.dumps({"default": {"method": "traceguard", "options": {"k": 20}, **default}}))
        (tmp_path / "policy.yaml.key").write_bytes(b"0123456789abcdef")
        monkeypatch.setenv(plugin.VARIABLE, str(file))
        plugin._desk.cache_clear()

    use()
    yield use
    plugin._desk.cache_clear()


def parsers(name):
    own = ReasoningParserManager.get_reasoning_parser(plugin.PREFIX + name)(tokenizer())
    inner = ReasoningParserManager.get_reasoning_parser(name)(tokenizer())
    for parser in (own, inner):
        parser.set_prompt_token_ids(PROMPT)
    return own, inner


def batch(parser, reasoning):
    """The text as a file would hold it, under the key of these prompt tokens."""
    guard = parser._guard()
    editor = guard.defense.begin(guard.trace_key)
    return editor.feed(reasoning) + editor.close()


def streamed(parser, tokens, size):
    """Reasoning and content of a response whose tokens come in pieces."""
    reasoning, content, text, done = [], [], "", []
    for start in range(0, len(tokens), size):
        new = tokens[start : start + size]
        now = tokenizer().decode([*done, *new])
        delta = parser.extract_reasoning_streaming(text, now, now[len(text) :], done, [*done, *new], new)
        text, done = now, [*done, *new]
        if delta is not None:
            reasoning.append(delta.reasoning or "")
            content.append(delta.content or "")
    finish = getattr(parser, "finish_streaming", None)
    last = finish() if finish else None
    if last is not None:
        reasoning.append(last.reasoning or "")
        content.append(last.content or "")
    return "".join(reasoning), "".join(content)


def test_many_parsers_can_be_wrapped():
    assert {"deepseek_r1", "qwen3"} <= {*WRAPPED}
    assert len(WRAPPED) >= 8, WRAPPED


@pytest.mark.parametrize("name", WRAPPED)
def test_a_whole_answer(policy, name):
    own, inner = parsers(name)
    text = f"<think>{REASONING}</think>{ANSWER}"
    reasoning, content = inner.extract_reasoning(text, request())
    guarded, same = own.extract_reasoning(text, request())
    assert same == content
    assert guarded == batch(own, reasoning)
    assert "Wait" in reasoning
    assert "Wait" not in guarded


@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("name", WRAPPED)
def test_a_stream(policy, name, size):
    own, inner = parsers(name)
    tokens = tokenizer()(f"<think>{REASONING.replace('é', 'e')}</think>the answer is 5").input_ids
    reasoning, content = streamed(inner, tokens, size)
    assert "Wait" in reasoning
    assert streamed(own, tokens, size) == (batch(own, reasoning), content)


@pytest.mark.parametrize("name", WRAPPED)
def test_where_the_reasoning_ends_is_what_the_wrapped_parser_says(policy, name):
    own, inner = parsers(name)
    ids = tokenizer()(f"<think>{REASONING}</think>{ANSWER}").input_ids
    for end in range(0, len(ids), 5):
        assert own.is_reasoning_end(ids[:end]) == inner.is_reasoning_end(ids[:end])
    assert own.extract_content_ids(ids) == inner.extract_content_ids(ids)
    assert own.count_reasoning_tokens(ids) == inner.count_reasoning_tokens(ids)


def test_a_response_that_breaks_off_inside_its_reasoning_shows_nothing_raw(policy):
    own, inner = parsers("deepseek_r1")
    tokens = tokenizer()("<think>we add. Wait, check").input_ids
    assert "Wait" in streamed(inner, tokens, 1)[0]
    assert streamed(own, tokens, 1)[0].strip() == "we add."


def test_what_shows_the_text_elsewhere_is_closed(policy):
    own, _ = parsers("deepseek_r1")
    asked = own.adjust_request(request(logprobs=True, top_logprobs=2, return_token_ids=True, echo=True))
    assert not any((asked.logprobs, asked.top_logprobs, asked.return_token_ids, asked.echo))


def test_a_defense_that_fails(policy, monkeypatch):
    policy(on_failure="fail")
    own, _ = parsers("deepseek_r1")
    monkeypatch.setattr(type(own._guard().defense), "begin", lambda self, key: 1 / 0)
    with pytest.raises(DefenseError):
        own.extract_reasoning(f"<think>{REASONING}</think>{ANSWER}", request())
    policy()
    own, _ = parsers("deepseek_r1")
    shown, content = own.extract_reasoning(f"<think>{REASONING}</think>{ANSWER}", request())
    assert (shown, content) == ("", ANSWER)


def test_the_policy_off_hands_everything_through(policy):
    policy(method="off", options={})
    own, inner = parsers("deepseek_r1")
    text = f"<think>{REASONING}</think>{ANSWER}"
    assert own.extract_reasoning(text, request()) == inner.extract_reasoning(text, request())
    assert own.adjust_request(request(logprobs=True)).logprobs


def test_parsers_that_vllm_knows_by_name_are_refused():
    with pytest.raises(ValueError, match="reverse proxy"):
        plugin.guarded("openai_gptoss")


def test_the_edits_are_those_of_the_library(policy):
    own, _ = parsers("deepseek_r1")
    defense = ad.defense("traceguard", key=b"0123456789abcdef", k=20)
    editor = defense.begin(own._guard().trace_key)
    assert batch(own, REASONING) == editor.feed(REASONING) + editor.close()
