"""Laws of every sampler: pure, silent at strength nothing, clean outside the reasoning, exempt tokens untouched."""

import dataclasses
import functools

import pytest

pytest.importorskip("torch", reason="needs torch")

import torch
from tests.sampling.tiny import model, tokenizer

from antidistill import registry
from antidistill.errors import BadOption, UsageError
from antidistill.sampling import Aids, Settings, Step, make, sample
from antidistill.sampling.decode.draws import Draws
from antidistill.sampling.proxies.gradient import gradient
from antidistill.sampling.proxies.heads import Head

pytestmark = pytest.mark.models

VOCABULARY, ROWS, TAU = 50, 3, 0.6
METHODS = registry.names("samplers")
SILENT = {"temperature": TAU, "gaussian": 0.0, "ads": 0.0, "ads-permuted": 0.0, "poe": 0.0, "doge": 0.0}
PROMPTS = ["two and three", "half of it", "we add two and three so the sum is", "wait"]
SETTINGS = Settings(temperature=1.0, reasoning_tokens=16, answer_tokens=8, batch=4, key=b"k")


def step(width=VOCABULARY - 4, temperature=TAU, seed=1):
    """A state in which every method finds its signals; the proxy's vocabulary is a little smaller than the teacher's."""
    chance = torch.Generator().manual_seed(seed)
    signals = {
        "derivative": torch.randn(ROWS, width, generator=chance),
        "proxy": torch.randn(ROWS, width, generator=chance),
        "hidden": torch.randn(ROWS, 8, generator=chance),
        "head": torch.randn(VOCABULARY, 8, generator=chance),
    }
    draws = [Draws(b"key", bytes([row]) * 32) for row in range(ROWS)]
    return Step(temperature, draws, [0, 1, 2], [4] * ROWS, signals)


def logits(seed=0):
    return torch.randn(ROWS, VOCABULARY, generator=torch.Generator().manual_seed(seed))


@functools.cache
def aids():
    clean = list(sample(model(), tokenizer(), PROMPTS, make("none"), SETTINGS))
    change = 0.5 * torch.randn(len(tokenizer()), 32, generator=torch.Generator().manual_seed(0))
    return Aids(
        model(seed=5), gradient(model(seed=5), tokenizer(), clean), Head(change, 1, 0.0, 0.0, 0.0, 0.0, "steps")
    )


def traces(method, settings=SETTINGS, **options):
    return list(sample(model(), tokenizer(), PROMPTS, make(method, **options), settings, aids()))


@pytest.mark.parametrize("method", METHODS)
def test_a_sampler_is_a_pure_function(method):
    given, state = logits(), step()
    before, kept = given.clone(), {name: signal.clone() for name, signal in state.signals.items()}
    first, second = (make(method)(given, state) for _ in range(2))
    assert torch.equal(given, before)
    assert all(torch.equal(state.signals[name], kept[name]) for name in kept)
    assert torch.equal(first, second)
    assert first.shape == given.shape


@pytest.mark.parametrize("method", sorted(SILENT))
def test_at_no_strength_the_teacher_is_clean(method):
    sampler = make(method)
    silent = dataclasses.replace(sampler, **{sampler.strength: SILENT[method]})
    changed = torch.softmax(silent(logits(), step()) / TAU, -1)
    assert torch.allclose(changed, torch.softmax(logits() / TAU, -1), atol=1e-6)
    assert not torch.allclose(torch.softmax(sampler(logits(), step()) / TAU, -1), changed, atol=1e-3)


def test_ads_adds_lambda_times_the_derivative_after_the_temperature():
    state = step(width=VOCABULARY)
    wanted = torch.softmax(logits() / TAU + 0.3 * state.signals["derivative"], -1)
    assert torch.allclose(torch.softmax(make("ads", lam=0.3)(logits(), state) / TAU, -1), wanted, atol=1e-6)
    before = torch.softmax(make("ads", lam=0.3, before_temperature=True)(logits(), state) / TAU, -1)
    as_paper = torch.softmax(make("ads", lam=0.3 / TAU)(logits(), state) / TAU, -1)
    assert torch.allclose(before, as_paper, atol=1e-6)


def test_the_control_keeps_the_sizes_and_loses_the_places():
    state, size = step(), VOCABULARY - 4
    moved = make("ads-permuted", lam=1.0)(logits(), state) - logits()
    sizes = (state.signals["derivative"] * TAU).abs().sort(-1).values
    assert torch.allclose(moved[:, :size].abs().sort(-1).values, sizes, atol=1e-5)
    assert torch.all(moved[:, size:] == 0)
    aligned = torch.nn.functional.cosine_similarity(moved[:, :size], state.signals["derivative"], dim=-1)
    assert aligned.abs().max() < 0.6


def test_the_product_of_experts_is_one():
    state = step(width=VOCABULARY)
    teacher, proxy = torch.log_softmax(logits(), -1), torch.log_softmax(state.signals["proxy"], -1)
    wanted = torch.softmax(0.4 * teacher + 0.6 * proxy, -1)
    assert torch.allclose(torch.softmax(make("poe", gamma=0.6)(logits(), state), -1), wanted, atol=1e-6)


def test_the_noise_has_its_size_and_is_at_k_positions():
    sampler = make("gaussian", k=2, sigma=1.5)
    wide = torch.zeros(1, 20_000)
    draws = Draws(b"key", bytes(32))
    hit = [p for p in range(10) if sampler(wide, Step(TAU, [draws], [p], [10])).abs().max() > 0]
    assert len(hit) == 2
    noise = sampler(wide, Step(TAU, [draws], [hit[0]], [10])) / TAU
    assert noise.std().item() == pytest.approx(1.5, rel=0.03)
    assert noise.mean().item() == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_traces_repeat_and_do_not_depend_on_the_batch(method):
    def texts(**changes):
        found = traces(method, dataclasses.replace(SETTINGS, **changes))
        return [(trace.reasoning, trace.answer) for trace in found]

    assert texts() == texts(batch=1)
    if method != "none":
        assert texts() != [(trace.reasoning, trace.answer) for trace in traces("none")]


def test_gaussian_noise_after_the_fact_leaves_all_other_tokens():
    """On clean context: the answer and all but k tokens are those of the clean trace."""
    from antidistill.sampling.decode.loop import Writer
    from antidistill.sampling.settings import Prompt

    def rows(sampler):
        writer = Writer(model(), tokenizer(), sampler, SETTINGS, Aids())
        return writer.write([(Prompt("1", text), 0) for text in PROMPTS]), writer.ending

    clean, ending = rows(make("none"))
    noisy, _ = rows(make("gaussian", k=3, sigma=6.0))
    changed = 0
    for before, after in zip(clean, noisy, strict=True):
        differ = [
            place for place, pair in enumerate(zip(before.tokens, after.tokens, strict=True)) if len(set(pair)) > 1
        ]
        assert len(before.tokens) == len(after.tokens)
        assert set(differ) <= make("gaussian", k=3).masked(after.draws, ending.body(before.tokens, before.reasoning))
        assert not {after.tokens[place] for place in differ} & set(ending.exempt)
        changed += len(differ)
    assert changed > 0


@pytest.mark.parametrize(("method", "missing"), [("ads", "proxy"), ("poe", "proxy"), ("doge", "head")])
def test_a_missing_aid_is_named(method, missing):
    with pytest.raises(UsageError, match=f"{method} needs a {missing}"):
        next(sample(model(), tokenizer(), PROMPTS, make(method), SETTINGS))


@pytest.mark.parametrize("method", ["ads", "gaussian", "temperature"])
def test_a_method_that_means_nothing_without_temperature_says_so(method):
    with pytest.raises(BadOption, match="temperature"):
        make(method)(logits(), step(temperature=0.0))


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("ads", {"lam": -1}),
        ("ads", {"eps": 0}),
        ("ads", {"derivative": "central"}),
        ("poe", {"gamma": 1.1}),
        ("gaussian", {"k": 0}),
    ],
)
def test_options_out_of_range_are_refused(method, options):
    with pytest.raises(BadOption, match=next(iter(options))):
        make(method, **options)
