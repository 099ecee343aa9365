"""The tokenizer undoes itself, every architecture learns and is asked alike, and a cache changes nothing."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.lab.worlds import make
from antidistill.trace import Trace

torch = pytest.importorskip("torch", reason="needs torch (make models)")
pytest.importorskip("transformers", reason="needs transformers (make models)")
pytestmark = pytest.mark.models

from antidistill.lab.generating import continuations  # noqa: E402
from antidistill.lab.models.architectures import ARCHITECTURES, Size  # noqa: E402
from antidistill.lab.roster import STUDENTS  # noqa: E402
from antidistill.lab.students import ask, build, teach  # noqa: E402
from antidistill.lab.training import OPTIMIZERS, Course  # noqa: E402
from antidistill.lab.words import LAYOUT, SPECIAL, tokenizer  # noqa: E402


@pytest.fixture(scope="module")
def world():
    return make("decoration:steps=1,variety=1")


@pytest.fixture(scope="module")
def traces(world):
    generator = random.Random(0)
    asked = [world.problem(generator) for _ in range(64)]
    return [Trace(str(n), p.prompt, world.write(p, generator), p.answer) for n, p in enumerate(asked)]


@pytest.fixture(scope="module")
def words(traces):
    return tokenizer(text for trace in traces for text in (trace.prompt, trace.reasoning, trace.answer))


def test_a_text_has_its_tokens_back(words, traces):
    for trace in traces:
        for text in (trace.prompt, trace.reasoning, trace.answer):
            assert words.decode(words(text).input_ids) == text


@settings(deadline=None)
@given(seed=st.integers(0, 10**6))
def test_any_tokens_come_back_from_their_text(words, seed):
    generator = random.Random(seed)
    ids = [generator.randrange(len(SPECIAL), len(words)) for _ in range(60)]
    assert words(words.decode(ids)).input_ids == ids


def test_the_loss_counts_the_completion(words, traces):
    example = LAYOUT.encode(words, traces[0])
    assert words.decode(example.ids[: example.prompt]) == traces[0].prompt
    assert example.ids[-1] == words.eos_token_id


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_every_architecture_writes_with_its_cache_what_it_writes_without(name, words, traces):
    torch.manual_seed(0)
    model = ARCHITECTURES[name](len(words), Size(32, 2), 128).eval()
    prompts = [words(trace.prompt).input_ids for trace in traces[:6]]
    found = continuations(model, prompts, 8, words.eos_token_id)
    for prompt, tokens in zip(prompts, found, strict=True):
        with torch.inference_mode():
            expected = list(prompt)
            for _ in tokens:
                expected.append(int(model(input_ids=torch.tensor([expected])).logits[0, -1].argmax()))
        assert tokens == expected[len(prompt) :]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_student_learns_what_it_is_shown(optimizer, words, traces):
    torch.manual_seed(0)
    model = ARCHITECTURES["llama"](len(words), Size(32, 1), 128)
    course = Course(60, 16, 1e-2, optimizer)
    first = teach(model, words, traces, Course(1, 64, 1e-9, optimizer, 1e-9), 0)
    assert teach(model, words, traces, course, 0) < first / 2


def test_the_same_seed_makes_the_same_student(words, traces, world):
    from antidistill.lab.sizes import QUICK

    answers = []
    for _ in range(2):
        model, own = build(STUDENTS["gpt2"], words, QUICK, 3)
        teach(model, own, traces, Course(3, 16), 3)
        answers.append(continuations(model, [own(traces[0].prompt).input_ids], 12, own.eos_token_id))
    assert answers[0] == answers[1]


def test_what_a_student_answers_is_graded_with_finished_apart(words, traces, world):
    generator = random.Random(9)
    problems = [world.problem(generator) for _ in range(3)]

    class Knows(torch.nn.Module):
        """Writes a given text whatever it reads."""

        def __init__(self, text):
            super().__init__()
            self.ids, self.place = [*words(text).input_ids, words.eos_token_id], -1

        def forward(self, input_ids, past_key_values=None, use_cache=True):
            self.place = 0 if past_key_values is None else self.place + 1
            logits = torch.zeros(len(input_ids), 1, len(words))
            logits[..., self.ids[min(self.place, len(self.ids) - 1)]] = 1
            return type("Output", (), {"logits": logits, "past_key_values": True})

    text = f"<think>Hmm, okay. 1 + 2 = 3.</think>{problems[0].answer}"
    [whole] = ask(Knows(text), words, world, problems[:1], 60).outcomes
    assert (whole.correct, whole.finished, whole.closed, whole.markers, whole.sentences) == (True, True, True, 1, 2)
    length = len(words(text).input_ids)
    [cut] = ask(Knows(text), words, world, problems[:1], length).outcomes
    assert (cut.right, cut.finished, cut.correct, cut.tokens) == (True, False, False, length)
    [wrong] = ask(Knows(text), words, world, [next(p for p in problems if p.answer != problems[0].answer)], 60).outcomes
    assert not wrong.right
