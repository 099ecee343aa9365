"""White-box samplers request by request, as engines call them: the same tokens as `antidistill sample` draws."""

import pytest
from tests.sampling.tiny import model, tokenizer

from antidistill.errors import BadOption, InputError, UnknownName, UsageError
from antidistill.sampling import Aids, Frame, Prompt, Settings, make
from antidistill.sampling.decode.draws import Draws, draw
from antidistill.sampling.decode.loop import Writer
from antidistill.sampling.proxies.gradient import gradient
from antidistill.serve.plugins.live import LiveSampler, Plan, check_temperature
from antidistill.trace import Trace

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = pytest.mark.models
FRAME = Frame(chat=False)
SETTINGS = Settings(temperature=0.8, reasoning_tokens=24, answer_tokens=12, key=b"k" * 16, frame=FRAME)
METHODS = {
    "temperature": {"reasoning": 1.7},
    "gaussian": {"feedback": True, "k": 10, "sigma": 3.0},
    "poe": {"gamma": 0.6},
    "ads": {"lam": 0.5},
    "ads-permuted": {"lam": 0.5},
}


def aids():
    traces = [Trace("1", "two", "we add two and three so", "five")]
    return Aids(model(seed=1), gradient(model(seed=1), tokenizer(), traces, FRAME))


def engine(live, prompts, keys, settings, drop_at=None):
    """Tokens of several requests that an engine serves one token at a time, each joining one step after the last."""
    teacher = model()
    requests = [live.request(ids, settings.temperature, key) for ids, key in zip(prompts, keys, strict=True)]
    written = [[] for _ in prompts]
    for step in range(24 + len(prompts)):
        for number, (ids, request, tokens) in enumerate(zip(prompts, requests, written, strict=True)):
            if step < number or len(tokens) == 24:
                continue
            if step == drop_at:  # preempted: the engine begins the request again, with what it has written
                request = requests[number] = live.request(ids, settings.temperature, keys[number])
            request.add(tokens[request.written :])
            with torch.no_grad():
                logits = teacher(torch.tensor([[*ids, *tokens]])).logits[0, -1].float()
            changed = request.changed(logits.clone())
            uniform = Draws(settings.key, keys[number]).uniform(len(tokens))
            tokens += draw(changed[None] / settings.temperature, [uniform])
    return written


@pytest.mark.parametrize("drop_at", [None, 9])
@pytest.mark.parametrize("name", METHODS)
def test_an_engine_draws_what_sample_draws(name, drop_at):
    sampler, prompts = make(name, **METHODS[name]), [Prompt("1", "two and three"), Prompt("2", "half of ten")]
    helpers = aids()
    rows = Writer(model(), tokenizer(), sampler, SETTINGS, helpers).write([(prompt, 0) for prompt in prompts])
    live = LiveSampler(sampler, tokenizer(), SETTINGS, helpers)
    live_tokens = engine(live, [row.ids for row in rows], [prompt.key for prompt in prompts], SETTINGS, drop_at)
    for row, tokens in zip(rows, live_tokens, strict=True):
        length = min(len(row.tokens), len(tokens))
        assert length > 5
        assert tokens[:length] == row.tokens[:length]


def test_the_method_changes_the_reasoning_and_nothing_behind_it():
    live = LiveSampler(make("temperature", reasoning=3.0), tokenizer(), SETTINGS)
    prompt = tokenizer()("two and three <think>").input_ids
    logits = torch.randn(len(tokenizer()), generator=torch.Generator().manual_seed(0))
    request = live.request(prompt, 0.8)
    assert not torch.equal(request.changed(logits), logits)
    request.add(tokenizer()("we add</think>").input_ids)
    assert request.changed(logits) is not None
    request.add(tokenizer()(" five").input_ids)
    assert request.changed(logits) is logits
    closed = live.request(tokenizer()("two and three <think>\n\n</think>\n\n").input_ids, 0.8)
    assert closed.changed(logits) is logits


def test_exempt_tokens_keep_their_probability_and_ruled_out_ones_stay_ruled_out():
    live = LiveSampler(make("temperature", reasoning=3.0), tokenizer(), SETTINGS)
    logits = torch.randn(len(tokenizer()), generator=torch.Generator().manual_seed(0))
    logits[40:60] = float("-inf")
    changed = live.request([5, 6], 0.8).changed(logits)
    end = live.ending.exempt
    before, after = (torch.softmax(values / 0.8, -1) for values in (logits, changed))
    torch.testing.assert_close(before[end], after[end])
    assert torch.isneginf(changed[40:60]).all()
    poe = LiveSampler(make("poe", gamma=1.0), tokenizer(), SETTINGS, Aids(model(seed=1)))
    changed = poe.request([5, 6], 0.8).changed(logits)
    assert torch.isneginf(changed[40:60]).all()
    assert not changed.isnan().any()


def test_what_an_engine_cannot_carry_is_refused():
    with pytest.raises(UsageError, match="feedback"):
        Plan("gaussian").sampler()
    with pytest.raises(UsageError, match="hidden states"):
        Plan("doge").sampler()
    with pytest.raises(UsageError, match="ads needs a proxy"):
        LiveSampler(make("ads"), tokenizer(), SETTINGS)


@pytest.mark.parametrize("name", METHODS)
def test_greedy_requests(name):
    sampler = make(name, **METHODS[name])
    check_temperature(sampler, 0.7)
    if name == "poe":
        check_temperature(sampler, 0.0)
    else:
        with pytest.raises(BadOption):
            check_temperature(sampler, 0.0)


def test_the_operators_file(tmp_path):
    file = tmp_path / "sampler.yaml"
    file.write_text("method: temperature\noptions: {reasoning: 1.3}\nreasoning_tokens: 100\n")
    plan = Plan.read(file)
    assert plan.sampler() == make("temperature", reasoning=1.3)
    assert plan.settings().reasoning_tokens == 100
    file.write_text("method: temperature\nreasoning_token: 100\n")
    with pytest.raises(UnknownName, match="reasoning_tokens"):
        Plan.read(file)
    for wrong in ("- a", "options: {}", ":\n:"):
        file.write_text(wrong)
        with pytest.raises(InputError):
            Plan.read(file)
