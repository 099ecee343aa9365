"""Generation: what stands beside a question in its batch changes nothing; texts end; a stopped run draws the same."""

import pytest
from tests.distill import small

from antidistill.distill import Asking
from antidistill.distill.generate import batches, generate

pytest.importorskip("transformers", reason="needs transformers")
pytestmark = pytest.mark.models

PROMPTS = ["2 plus 3?\n", "I add 2 and 3. Wait, let me check that. It is", "9", "7 plus 7?\nI add 7 and 7. It"]


def asked():
    return [small.tokenizer()(prompt).input_ids for prompt in PROMPTS]


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma3_text", "gpt2", "mamba"])
def test_greedy_outputs_do_not_depend_on_the_padding(kind):
    model = small.model(kind)
    together = generate(model, small.tokenizer(), asked(), Asking(max_new_tokens=12, batch=4))
    alone = generate(model, small.tokenizer(), asked(), Asking(max_new_tokens=12, batch=1))
    assert together == alone


@pytest.mark.parametrize("kind", ["llama", "gpt2", "mamba"])
def test_the_law_of_the_next_token_does_not_depend_on_the_padding(kind):
    """What is sampled from: the logits behind a padded prompt equal those behind it alone."""
    import torch

    from antidistill.distill.generate import _padded

    model = small.model(kind)
    ids, attention = _padded(asked(), small.tokenizer().eos_token_id, "cpu")
    settings = {"max_new_tokens": 1, "output_logits": True, "return_dict_in_generate": True, "do_sample": False}
    padded = model.generate(input_ids=ids, attention_mask=attention, **settings).logits[0]
    for line, tokens in zip(padded, asked(), strict=True):
        with torch.no_grad():
            alone = model(input_ids=torch.tensor([tokens])).logits[0, -1]
        torch.testing.assert_close(line, alone, rtol=1e-4, atol=1e-4)


def test_sampled_outputs_follow_the_law_of_the_model():
    """Share of each first token over 4,000 draws against its probability, all within five standard errors."""
    import torch

    tokens = asked()[0]
    outputs = generate(
        small.model(), small.tokenizer(), [tokens] * 4000, Asking(max_new_tokens=1, temperature=0.7, batch=2000)
    )
    with torch.no_grad():
        law = (small.model()(input_ids=torch.tensor([tokens])).logits[0, -1] / 0.7).softmax(-1)
    ended = sum(output.ended for output in outputs) / len(outputs)
    end = float(law[small.tokenizer().eos_token_id])
    assert abs(ended - end) < 5 * (end * (1 - end) / 4000) ** 0.5 + 1e-9
    likely = law.topk(5).indices.tolist()
    for token in likely:
        text = small.tokenizer().decode([token])
        same = sum(float(law[other]) for other in range(len(law)) if small.tokenizer().decode([other]) == text)
        share = sum(output.text == text for output in outputs) / len(outputs)
        assert abs(share - same) < 5 * (same * (1 - same) / 4000) ** 0.5


def test_a_run_that_goes_on_draws_what_it_would_have_drawn():
    asking = Asking(max_new_tokens=6, temperature=1.0, batch=2, seed=3)
    whole = generate(small.model(), small.tokenizer(), asked(), asking)
    (first, _), *_ = batches(small.model(), small.tokenizer(), asked(), asking)
    rest = dict(
        pair
        for rows, outputs in batches(small.model(), small.tokenizer(), asked(), asking, lambda row: row in first)
        for pair in zip(rows, outputs, strict=True)
    )
    assert set(rest) == set(range(4)) - set(first)
    assert all(whole[row] == output for row, output in rest.items())


def test_the_own_generation_settings_of_a_model_do_not_count():
    model = small.model()
    plain = generate(model, small.tokenizer(), asked(), Asking(max_new_tokens=8))
    model.generation_config.repetition_penalty = 5.0
    model.generation_config.top_k = 1
    assert generate(model, small.tokenizer(), asked(), Asking(max_new_tokens=8)) == plain


def test_an_ended_text_is_without_the_token_that_ends_it():
    import torch

    model = small.model()
    with torch.no_grad():
        model.lm_head.weight[small.tokenizer().eos_token_id] = 1e3 * torch.sign(
            model(input_ids=torch.tensor([asked()[0]]), output_hidden_states=True).hidden_states[-1][0, -1]
        )
    (output,) = generate(model, small.tokenizer(), asked()[:1], Asking(max_new_tokens=8))
    assert output == ("", 0, True)
