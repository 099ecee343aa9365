"""The front door: what is sampled, and that it does not depend on company, order or size of the batch."""

import dataclasses

import pytest

pytest.importorskip("torch", reason="needs torch")

from tests.sampling.tiny import model, tokenizer

from antidistill.errors import BadOption, UnknownName, UsageError
from antidistill.sampling import Frame, Prompt, Settings, make, sample

pytestmark = pytest.mark.models

PROMPTS = ["two and three", "half of it", "we add two and three so the sum is", "wait", "check again then"]
SETTINGS = Settings(temperature=1.0, reasoning_tokens=24, answer_tokens=8, batch=3, key=b"k")


def texts(prompts=PROMPTS, kind="llama", sampler="none", settings=SETTINGS, **options):
    found = sample(model(kind), tokenizer(), prompts, make(sampler, **options), settings)
    return {trace.prompt: (trace.reasoning, trace.answer) for trace in found}


@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen2"])
def test_greedy_rows_are_what_the_model_writes_alone(kind):
    import torch

    settings = dataclasses.replace(SETTINGS, temperature=0.0, batch=5, frame=Frame(closings=()))
    found = list(sample(model(kind), tokenizer(), PROMPTS, make("none"), settings))
    for text, trace in zip(PROMPTS, found, strict=True):
        ids = torch.tensor([settings.frame.prompt_ids(tokenizer(), Prompt("1", text))])
        with torch.no_grad():
            whole = model(kind).generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False, pad_token_id=0
            )
        written = [token for token in whole[0, ids.shape[1] :].tolist() if token != 0]
        assert trace.reasoning == tokenizer().decode(written, skip_special_tokens=False)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen2"])
def test_a_trace_does_not_depend_on_what_else_is_in_the_batch(kind):
    together = texts(kind=kind)
    alone = texts(kind=kind, settings=dataclasses.replace(SETTINGS, batch=1))
    backwards = texts(PROMPTS[::-1], kind=kind, settings=dataclasses.replace(SETTINGS, batch=4))
    assert together == alone == backwards
    assert len(set(together.values())) == len(PROMPTS)


def test_another_key_and_another_sample_are_other_traces():
    again = texts()
    assert again == texts()
    assert again != texts(settings=dataclasses.replace(SETTINGS, key=b"other"))
    found = list(sample(model(), tokenizer(), PROMPTS[:1], make("none"), dataclasses.replace(SETTINGS, samples=3)))
    assert [trace.id for trace in found] == ["1#0", "1#1", "1#2"]
    assert len({trace.reasoning for trace in found}) == 3


def test_a_hot_reasoning_has_a_clean_answer():
    """At the temperature of the answer itself the method changes nothing; hotter it changes the reasoning."""
    same = texts(sampler="temperature", reasoning=1.0)
    assert same == texts()
    assert texts(sampler="temperature", reasoning=3.0) != same


def test_the_record_says_how_a_trace_was_made():
    trace = next(iter(sample(model(), tokenizer(), PROMPTS, make("temperature", reasoning=2.0), SETTINGS)))
    record = trace.meta["sampling"]
    assert record["method"] == "temperature"
    assert record["options"] == {"reasoning": 2.0}
    assert record["settings"]["temperature"] == 1.0
    assert record["ended"] in {"end", "length"}
    assert record["reasoning_tokens"] <= 24
    assert "k" not in record["settings"]
    assert record["key_id"]


def test_wrong_options_are_named():
    with pytest.raises(UnknownName, match="reasoning"):
        make("temperature", reasonin=1)
    with pytest.raises(BadOption, match="temperature above 0"):
        make("temperature", reasoning=0)
    with pytest.raises(BadOption, match="top_p"):
        Settings(top_p=0)


def test_what_closes_a_reasoning_by_force_is_counted_apart():
    """Only sampled tokens are reasoning: 5 of them, then the words that force an answer, then at most 4 of the answer."""
    frame = Frame(closings=("###",), forcing="the answer is ")
    settings = dataclasses.replace(SETTINGS, reasoning_tokens=5, answer_tokens=4, frame=frame)
    forced = len(tokenizer()(frame.closing + frame.forcing, add_special_tokens=False).input_ids)
    found = [trace.meta["sampling"] for trace in sample(model(), tokenizer(), PROMPTS, make("none"), settings)]
    assert {made["forced_tokens"] for made in found} <= {0, forced}
    cut = [made for made in found if made["forced_tokens"]]
    assert len(cut) > 2
    assert {made["reasoning_tokens"] for made in cut} == {5}
    assert all(1 <= made["answer_tokens"] <= 4 for made in cut)
    assert all(made["reasoning_tokens"] <= 5 for made in found)


def test_a_name_is_no_sampler_and_a_row_is_no_prompt():
    with pytest.raises(UsageError, match=r"give make\('none'\)"):
        sample(model(), tokenizer(), PROMPTS, "none", SETTINGS)
    with pytest.raises(UsageError, match="prompt 2 is dict: give its text, or a Prompt"):
        list(sample(model(), tokenizer(), ["wait", {"prompt": "two"}], make("none"), SETTINGS))
