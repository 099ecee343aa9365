"""The gradient against finite differences of the loss, the two derivatives against each other, the trained head."""

import copy
import dataclasses
import functools

import pytest

pytest.importorskip("torch", reason="needs torch")

import torch
from tests.sampling.tiny import model, tokenizer

from antidistill.errors import InputError, UsageError
from antidistill.sampling import Frame, Prompt, Settings, make, sample
from antidistill.sampling.proxies.derivative import Difference, Tangent, agreement, perturbed
from antidistill.sampling.proxies.examples import encode
from antidistill.sampling.proxies.gradient import Gradient, gradient
from antidistill.sampling.proxies.heads import Head, HeadTraining
from antidistill.sampling.proxies.train_head import train_head
from antidistill.trace import Trace

pytestmark = pytest.mark.models

PROMPTS = ["two and three", "half of it", "we add two and three so the sum is", "wait"]
TRACES = [
    Trace("1", "two and three", "we add two and three so the sum is five wait check again", "five"),
    Trace("2", "half of it", "take half", "the answer is ten"),
    Trace("3", "again", "wait check the sum again then take half of it so the answer is ten", "ten"),
    Trace("4", "and", "so the sum is five", "five"),
]


@functools.cache
def proxy_and_gradient(kind="llama", weight="tokens"):
    proxy = model(kind, seed=5)
    return proxy, gradient(proxy, tokenizer(), TRACES, weight=weight)


def loss_of(proxy, weight):
    """The loss, written anew: token by token, from whole sequences."""
    means, sums, tokens = [], 0.0, 0
    for trace in TRACES:
        example = encode(tokenizer(), Frame(), trace, 1024)
        with torch.no_grad():
            chances = torch.log_softmax(proxy(input_ids=torch.tensor([example.ids])).logits[0].double(), -1)
        nats = [-chances[place - 1, example.ids[place]].item() for place in range(example.prompt, len(example.ids))]
        means.append(sum(nats) / len(nats))
        sums, tokens = sums + sum(nats), tokens + len(nats)
    return sums / tokens if weight == "tokens" else sum(means) / len(means)


@pytest.mark.parametrize("weight", ["tokens", "traces"])
def test_the_gradient_is_that_of_the_mean_loss(weight):
    proxy, found = proxy_and_gradient(weight=weight)
    assert found.of.loss == pytest.approx(loss_of(proxy, weight), rel=1e-4)
    step = 1e-3 / found.of.norm
    slope = (loss_of(perturbed(proxy, found, step), weight) - loss_of(perturbed(proxy, found, -step), weight)) / (
        2 * step
    )
    assert slope == pytest.approx(found.of.norm**2, rel=0.01)


def test_the_proxy_is_as_it_was_and_lower_precision_is_copied():
    proxy = model("llama", seed=6)
    proxy.requires_grad_(False)
    before = {name: value.clone() for name, value in proxy.named_parameters()}
    found = gradient(proxy, tokenizer(), TRACES)
    assert all(torch.equal(value, before[name]) for name, value in proxy.named_parameters())
    assert not any(value.requires_grad or value.grad is not None for value in proxy.parameters())
    half = gradient(copy.deepcopy(proxy).bfloat16(), tokenizer(), TRACES)
    assert all(value.dtype == torch.float32 for value in half.values.values())
    assert half.of.loss == pytest.approx(found.of.loss, rel=0.02)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen2"])
def test_difference_and_exact_derivative_agree_at_every_step(kind):
    """Cosine above 0.99 for every row: on prompts, on later tokens with a cache, and after rows have left."""
    proxy, found = proxy_and_gradient(kind)
    exact = Tangent(proxy, found)
    near = Difference(perturbed(proxy, found, 1e-2), perturbed(proxy, found, -1e-2), 1e-2)
    asked = [Frame().prompt_ids(tokenizer(), Prompt("1", text)) for text in PROMPTS]

    def compare(first, second):
        assert agreement(first["derivative"], second["derivative"]).min() > 0.99
        return first["derivative"]

    compare(exact.start(asked), near.start(asked))
    compare(exact.step([9, 8, 7, 6]), near.step([9, 8, 7, 6]))
    for follower in (exact, near):
        follower.keep([0, 2])
    last = compare(exact.step([40, 41]), near.step([40, 41]))
    alone = Tangent(proxy, found)
    alone.start([[*asked[2], 7, 41]])
    assert torch.allclose(alone.start([[*asked[2], 7, 41]])["derivative"][0], last[1], atol=1e-3)


def test_the_exact_derivative_is_that_of_torch_func():
    """Against torch.func.jvp of the whole forward pass, without a cache."""
    proxy, found = proxy_and_gradient()
    ids = torch.tensor([Frame().prompt_ids(tokenizer(), Prompt("1", PROMPTS[2]))])
    values = dict(proxy.named_parameters())
    from torch.nn.attention import SDPBackend, sdpa_kernel

    def log_chances(parameters):
        out = torch.func.functional_call(proxy, parameters, (), {"input_ids": ids, "use_cache": False})
        return torch.log_softmax(out.logits[0, -1], -1)

    with sdpa_kernel(SDPBackend.MATH):
        _, wanted = torch.func.jvp(log_chances, ({n: v.detach() for n, v in values.items()},), (dict(found.values),))
    assert torch.allclose(Tangent(proxy, found).start(ids.tolist())["derivative"][0], wanted, atol=1e-3, rtol=1e-3)


def test_small_steps_are_lost_in_low_precision():
    """Why proxies are float32: in float16 the same small step gives noise (a quirk of the public code)."""
    proxy, found = proxy_and_gradient()
    asked = [Frame().prompt_ids(tokenizer(), Prompt("1", text)) for text in PROMPTS]
    exact = Tangent(proxy, found).start(asked)["derivative"]

    def cosine(precision):
        pair = (perturbed(proxy, found, step, precision) for step in (1e-5, -1e-5))
        return agreement(exact, Difference(*pair, 1e-5).start(asked)["derivative"]).min().item()

    assert cosine("float32") > 0.99 > cosine("float16")


def test_one_step_of_training_moves_the_loss_as_the_derivative_says():
    """What Delta means: after theta += eta grad log p(x | c), the holdout loss has risen by eta * Delta(x | c)."""
    proxy, found = proxy_and_gradient()
    asked = Frame().prompt_ids(tokenizer(), Prompt("1", PROMPTS[0]))
    delta = Tangent(proxy, found).start([asked])["derivative"][0]
    for token in (delta.argmax().item(), delta.argmin().item()):
        with torch.enable_grad():
            student = copy.deepcopy(proxy).requires_grad_(True)
            chance = torch.log_softmax(student(input_ids=torch.tensor([asked])).logits[0, -1], -1)[token]
            slopes = torch.autograd.grad(chance, list(student.parameters()))
        eta = 1e-6
        with torch.no_grad():
            for value, slope in zip(student.parameters(), slopes, strict=True):
                value.add_(slope, alpha=eta)
        student = student.double()
        risen = loss_of(student, "tokens") - loss_of(copy.deepcopy(proxy).double(), "tokens")
        assert risen == pytest.approx(eta * delta[token].item(), rel=0.1)


def test_a_gradient_is_kept_in_a_file_and_belongs_to_its_proxy(tmp_path):
    proxy, found = proxy_and_gradient()
    found.save(tmp_path / "g.safetensors")
    again = Gradient.load(tmp_path / "g.safetensors")
    assert again.of == found.of
    assert all(torch.equal(again.values[name], value) for name, value in found.values.items())
    with pytest.raises(UsageError, match="does not belong to this proxy"):
        again.check(model("gpt2"))
    with pytest.raises(InputError, match="no gradient"):
        Gradient.load(tmp_path / "none.safetensors")
    with pytest.raises(UsageError, match="no holdout trace"):
        gradient(proxy, tokenizer(), TRACES, max_length=1)


@functools.cache
def head(lam=1.0, tolerance=10.0):
    training = HeadTraining(
        lam=lam,
        learning_rate=0.02,
        epochs=10,
        batch=2,
        holdout=0.3,
        tolerance=tolerance,
        check_every=2,
        temperature=1.0,
    )
    return train_head(model(), tokenizer(), TRACES * 3, model(seed=5), training)


def test_training_moves_the_head_away_from_the_proxy():
    plain, away = head(lam=0.0), head(lam=1.0)
    assert plain.after < plain.before
    assert away.divergence_after > away.divergence_before
    assert away.divergence_after > plain.divergence_after
    assert away.change.abs().max() > 0


def test_training_stops_before_the_texts_own_loss_grows():
    """The divergence has no bound: without a tolerance the cross-entropy is lost, with one the kept head is inside it."""
    loose, strict = head(lam=50.0, tolerance=1000.0), head(lam=50.0, tolerance=0.2)
    assert loose.after > loose.before + 0.2
    assert strict.stopped == "tolerance"
    assert strict.after <= strict.before + 0.2
    assert strict.steps < loose.steps


def test_sampling_with_the_head_is_sampling_the_trained_teacher(tmp_path):
    from antidistill.sampling import Aids

    trained = head()
    trained.save(tmp_path / "head.safetensors")
    again = Head.load(tmp_path / "head.safetensors")
    assert again.facts == trained.facts
    teacher = copy.deepcopy(model())
    with torch.no_grad():
        teacher.get_output_embeddings().weight.add_(again.change)
    settings = Settings(temperature=1.0, reasoning_tokens=16, answer_tokens=4, scope="all", exempt=False, key=b"k")
    ours = list(sample(model(), tokenizer(), PROMPTS, make("doge"), settings, Aids(head=again)))
    theirs = list(sample(teacher, tokenizer(), PROMPTS, make("none"), settings))
    assert [t.reasoning for t in ours] == [t.reasoning for t in theirs]
    clean = sample(model(), tokenizer(), PROMPTS, make("none"), dataclasses.replace(settings))
    assert [t.reasoning for t in ours] != [t.reasoning for t in clean]
