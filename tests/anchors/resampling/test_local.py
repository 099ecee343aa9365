"""Rollouts from a tiny random model on this machine, whose reading of the reasoning is shared."""

import pytest
from tests.anchors.tiny import tiny

from antidistill import Trace, split
from antidistill.anchors import reading
from antidistill.anchors.resampling import Plan, sample
from antidistill.anchors.resampling.local import LocalWriter
from antidistill.errors import InputError, RowError
from antidistill.measure.models import SMALL_LANGUAGE_MODEL, load_language_model, missing

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(bool(missing(SMALL_LANGUAGE_MODEL, "")), reason="needs the small models (make models)"),
]
TRACE = Trace("1", "What is 2 + 3?", "I add them. 2 + 3 is 5. So it is 5.", "5")
SENTENCES = split(TRACE.reasoning)
PLAN = Plan(rollouts=5, batch=3, max_tokens=6, forced=True, forced_tokens=4, temperature=1.0, top_p=1.0)


@pytest.fixture(scope="module")
def tokenizer():
    return load_language_model().tokenizer


@pytest.fixture(params=["llama", "gemma3"])
def model(request, tokenizer, monkeypatch):
    """Stands in for the model that the writer loads by its name."""
    made = tiny(request.param, vocab_size=len(tokenizer), max_position_embeddings=64)
    made.set_attn_implementation("sdpa" if request.param == "llama" else "eager")
    monkeypatch.setattr(reading, "load", lambda name: (made, tokenizer))
    return made


def texts(plan=PLAN, **options):
    """What was written, by job."""
    from antidistill.anchors.resampling.sample import all_jobs

    jobs = all_jobs(len(SENTENCES), plan)
    return {done.job: done.texts for done in LocalWriter("tiny").write(TRACE, SENTENCES, plan, jobs)}


def test_every_beginning_is_written_on_and_seeds_decide(model):
    first, again = texts(), texts()
    assert first == again
    assert {job.kept for job in first} == {0, 1, 2, 3}
    assert all(len(own) == job.size for job, own in first.items())
    assert len({text for own in first.values() for text in own}) > len(first)  # batches are not copies of one another
    other = texts(Plan(**{**{name: getattr(PLAN, name) for name in Plan.__dataclass_fields__}, "seed": 1}))
    assert other != first


def test_the_shared_reading_writes_what_a_model_without_it_writes(model, tokenizer):
    import torch

    from antidistill.anchors.journal import fingerprint
    from antidistill.anchors.resampling.local import _text
    from antidistill.anchors.tokens import map_tokens

    tokens = map_tokens(tokenizer, TRACE, SENTENCES)
    for job, own in texts().items():
        if job.forced:
            continue
        begin = tokens.ids[: tokens.starts[job.kept] if job.kept < 3 else tokens.ends[-1]]
        ids = torch.from_numpy(begin)[None].expand(job.size, -1)
        with torch.random.fork_rng([]):
            torch.manual_seed(int(fingerprint(0, TRACE.key.hex(), list(job)), 16) % 2**63)
            written = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=6,
                do_sample=True,
                top_k=0,
                top_p=1.0,
                temperature=1.0,
            )
        assert [_text(tokenizer, row, ids.shape[1]) for row in written.numpy()] == own


def test_a_run_that_goes_on_gives_the_same(model, tmp_path):
    whole = sample(LocalWriter("tiny"), TRACE, SENTENCES, PLAN, gold="5")
    store, steps = tmp_path / "rollouts.jsonl", []

    def stop(step):
        steps.append(step)
        if len(steps) == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(LocalWriter("tiny"), TRACE, SENTENCES, PLAN, gold="5", store=store, progress=stop)
    assert sample(LocalWriter("tiny"), TRACE, SENTENCES, PLAN, gold="5", store=store) == whole


def test_no_room_in_the_context_is_a_reason(model):
    long = Trace("1", "q", "Again and again. " * 30, "a")
    with pytest.raises(RowError, match="reads 64"):
        sample(LocalWriter("tiny"), long, split(long.reasoning), PLAN)


def test_states_that_are_no_numbers_are_a_reason(model):
    import torch

    with torch.no_grad():
        model.model.layers[1].self_attn.k_proj.weight[:] = float("nan")
    with pytest.raises(RowError, match="not a number"):
        sample(LocalWriter("tiny"), TRACE, SENTENCES, PLAN)


def test_a_model_without_keys_is_refused_by_name(tokenizer, monkeypatch):
    import transformers as hf

    sizes = {"vocab_size": len(tokenizer), "hidden_size": 16, "num_hidden_layers": 1}
    mamba = hf.MambaForCausalLM(hf.MambaConfig(**sizes, state_size=4)).eval()
    monkeypatch.setattr(reading, "load", lambda name: (mamba, tokenizer))
    with pytest.raises(InputError, match="MambaForCausalLM has no attention"):
        sample(LocalWriter("tiny"), TRACE, SENTENCES, PLAN)
