"""With the options that name its quirks, sampling is what the public ADS code does, token by token; and DOGe's loss is its formula."""

import copy
import dataclasses
import functools

import pytest

pytest.importorskip("torch", reason="needs torch")

import torch
from tests.sampling.test_proxies import TRACES
from tests.sampling.tiny import model, tokenizer

from antidistill.errors import BadOption
from antidistill.sampling import Aids, Frame, Prompt, Settings, make
from antidistill.sampling.decode.draws import draw
from antidistill.sampling.decode.loop import Writer
from antidistill.sampling.proxies.examples import encode
from antidistill.sampling.proxies.gradient import gradient
from antidistill.sampling.proxies.heads import HeadTraining
from antidistill.sampling.proxies.train_head import _Course

pytestmark = pytest.mark.models

PROMPTS = ["two and three", "half of it", "we add two and three so the sum is"]
PROCESSES, EPS, LAM, TAU, TOP_K, TOP_P = 8, 0.08, 0.4, 0.9, 20, 0.95
"""Of a run of the public code on 8 processes, whose saved gradient is an eighth."""


@functools.cache
def found_gradient():
    return gradient(model(seed=5), tokenizer(), TRACES, weight="traces")


def public_logits(ids):
    """What the public processor makes of the next token behind `ids`, written anew from methods 2.3, with its 1/8 gradient."""
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    moved = []
    for sign in (1, -1):
        proxy = copy.deepcopy(model(seed=5))
        with torch.no_grad():
            for name, weight in proxy.named_parameters():
                weight.add_(found_gradient().values[name] / PROCESSES, alpha=sign * EPS)
        moved.append(last(proxy, ids))
    changed = last(model(), ids) + LAM / (2 * EPS) * (moved[0] - moved[1])
    for warper in (TemperatureLogitsWarper(TAU), TopKLogitsWarper(TOP_K), TopPLogitsWarper(TOP_P)):
        changed = warper(None, changed)
    return changed


def last(one, ids):
    with torch.no_grad():
        return one(input_ids=torch.tensor([ids])).logits[:, -1].float()


def test_every_token_is_the_one_that_the_public_code_would_draw():
    """An eighth of eps and of lambda makes up for the gradient that was divided by 8; nothing is exempt, the answer neither."""
    settings = Settings(
        temperature=TAU,
        top_k=TOP_K,
        top_p=TOP_P,
        reasoning_tokens=10,
        answer_tokens=4,
        key=b"k",
        scope="all",
        exempt=False,
    )
    sampler = make("ads", lam=LAM / PROCESSES, eps=EPS / PROCESSES, before_temperature=True)
    writer = Writer(model(), tokenizer(), sampler, settings, Aids(model(seed=5), found_gradient()))
    rows = writer.write([(Prompt(text, text), 0) for text in PROMPTS])
    assert sum(len(row.tokens) for row in rows) >= 20
    for row in rows:
        ids = list(row.ids)
        for place, token in enumerate(row.tokens):
            logits = public_logits(ids)
            # The cuts are the warpers' already; equal draws from equal laws, so equal tokens.
            assert draw(logits, [row.draws.uniform(place)]) == [token]
            ids.append(token)


def test_without_an_eighth_the_tokens_are_others():
    """What the test above would show if the quirk were not named: eight times the strength."""
    settings = Settings(temperature=TAU, reasoning_tokens=10, answer_tokens=4, key=b"k", scope="all", exempt=False)
    written = []
    for lam in (LAM, LAM / PROCESSES):
        sampler = make("ads", lam=lam, eps=EPS / PROCESSES, before_temperature=True)
        writer = Writer(model(), tokenizer(), sampler, settings, Aids(model(seed=5), found_gradient()))
        written.append([row.tokens for row in writer.write([(Prompt(text, text), 0) for text in PROMPTS])])
    assert written[0] != written[1]


def published_loss(weight, examples, training):
    """DOGe's loss, from whole sequences: mean cross-entropy minus lambda times its divergence; no temperature squared."""
    losses, divergences, spans = [], [], []
    for example in examples:
        ids = torch.tensor([example.ids])
        with torch.no_grad():
            hidden = model()(input_ids=ids, output_hidden_states=True).hidden_states[-1][0, example.prompt - 1 : -1]
            proxy = model(seed=5)(input_ids=ids).logits[0, example.prompt - 1 : -1]
        logits = hidden @ weight.T
        losses.append(torch.nn.functional.cross_entropy(logits, ids[0, example.prompt :], reduction="none"))
        teacher = torch.softmax(logits / training.temperature, -1)
        apart = torch.nn.functional.kl_div(
            torch.log_softmax(proxy / training.temperature, -1), teacher, reduction="none"
        ).sum(-1)
        span = example.reasoning - example.prompt if training.mask else example.scored
        divergences.append(apart[:span])
        spans.append(span)
    share = sum(spans) if training.mask else len(examples)
    return torch.cat(losses).mean() - training.lam * torch.cat(divergences).sum() / share


@pytest.mark.parametrize("mask", [True, False])
def test_the_gradient_of_the_head_is_that_of_the_published_loss(mask):
    training = HeadTraining(lam=0.3, temperature=2.0, mask=mask)
    examples = [encode(tokenizer(), Frame(), trace, 256) for trace in TRACES]
    course = _Course(model(), model(seed=5), training)
    course._learn(examples)
    weight = model().get_output_embeddings().weight.detach().clone().requires_grad_(True)
    published_loss(weight, examples, training).backward()
    torch.testing.assert_close(course._weight.grad, weight.grad, rtol=1e-4, atol=1e-6)


def test_the_mask_is_yes_or_no():
    with pytest.raises(BadOption, match="true or false"):
        HeadTraining(mask="no")
    assert dataclasses.asdict(HeadTraining())["mask"] is True
