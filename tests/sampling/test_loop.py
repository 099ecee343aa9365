"""The loop: exempt tokens keep their probability, answers are clean, forced answers come from the clean teacher."""

import dataclasses
from collections import Counter

import pytest

pytest.importorskip("torch", reason="needs torch")

import torch
from tests.sampling.tiny import model, tokenizer

from antidistill.sampling import Aids, Frame, Prompt, Settings, make, sample
from antidistill.sampling.decode.decoder import Decoder
from antidistill.sampling.decode.draws import draw
from antidistill.sampling.decode.exempt import Exempt
from antidistill.sampling.methods.temperature import Temperature

pytestmark = pytest.mark.models

PROMPTS = ["two and three", "half of it", "we add two and three so the sum is", "wait"]


@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen2"])
def test_padding_and_leaving_change_no_row(kind):
    """Logits of a padded batch whose rows leave one by one are those of each row alone."""
    decoder = Decoder(model(kind), hidden=True)
    rows = [[5, 6, 7, 8, 9, 10], [11], [12, 13, 14], [15, 16]]
    logits, alive = decoder.start(rows), list(range(4))
    for turn, stay in enumerate([[0, 1, 2, 3], [0, 1, 3], [1, 2], [1], [0]]):
        if turn:
            decoder.keep(stay)
            alive = [alive[place] for place in stay]
            for row in alive:
                rows[row] = [*rows[row], 20 + turn + row]
            logits = decoder.step([rows[row][-1] for row in alive])
        for line, row in enumerate(alive):
            with torch.no_grad():
                out = model(kind)(input_ids=torch.tensor([rows[row]]), output_hidden_states=True)
            assert torch.allclose(logits[line], out.logits[0, -1], atol=1e-4)
            assert torch.allclose(decoder.hidden[line], out.hidden_states[-1][0, -1], atol=1e-4)


def test_exempt_tokens_keep_exactly_their_probability():
    chance = torch.Generator().manual_seed(0)
    clean, moved = (torch.randn(4, 30, generator=chance) * 3 for _ in range(2))
    kept = [0, 7, 29]
    for constant in (0.0, 50.0):
        after = torch.softmax(Exempt(kept)(clean, clean + moved + constant, 0.6) / 0.6, -1)
        before = torch.softmax(clean / 0.6, -1)
        assert torch.allclose(after[:, kept], before[:, kept], atol=1e-6)
        others = [token for token in range(30) if token not in kept]
        wanted = torch.softmax((clean + moved)[:, others] / 0.6, -1)
        assert torch.allclose(after[:, others] / after[:, others].sum(-1, keepdim=True), wanted, atol=1e-6)


def test_draws_follow_the_distribution_and_the_cuts():
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0, float("-inf")]])
    grid = [(n + 0.5) / 4000 for n in range(4000)]
    found = Counter(draw(logits.expand(4000, 5), grid))
    shares = torch.softmax(logits[0], -1)
    assert [found[token] / 4000 for token in range(5)] == pytest.approx(shares.tolist(), abs=1e-3)
    assert set(draw(logits.expand(4000, 5), grid, top_k=2)) == {0, 1}
    assert set(draw(logits.expand(4000, 5), grid, top_p=0.7)) == {0, 1}
    assert set(draw(logits.expand(4000, 5), grid, top_p=0.6)) == {0}
    assert draw(logits, [1 - 2**-32]) == [3]
    wide = torch.zeros(1, 10_000)
    assert len(set(draw(wide.expand(100, 10_000), grid[::40], top_p=0.9999))) > 90


def test_the_nucleus_is_the_smallest_set_with_its_mass():
    from antidistill.sampling.decode.draws import filtered

    logits = torch.randn(20, 9000, generator=torch.Generator().manual_seed(1)) * torch.linspace(0.1, 6, 20)[:, None]
    chances = torch.softmax(logits.double(), -1)
    for top_p in (0.3, 0.95, 0.9999):
        kept = ~filtered(logits, 0, top_p).isinf()
        masses = torch.where(kept, chances, 0).sum(-1)
        least = torch.where(kept, chances, 1).min(-1).values
        assert torch.all(torch.where(kept, 0, chances).max(-1).values <= least)
        assert torch.all(masses > top_p - 1e-5)
        assert torch.all(masses - least < top_p + 1e-5)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class OnlyToken(Temperature):
    """Makes one token certain, wherever it may."""

    token: int = 9

    def __call__(self, logits, step):
        changed = logits.clone()
        changed[:, self.token] += 1e4
        return changed


SETTINGS = Settings(temperature=1.0, reasoning_tokens=12, answer_tokens=6, batch=4, key=b"k")


def rows(settings, sampler=None):
    from antidistill.sampling.decode.loop import Writer

    writer = Writer(model(), tokenizer(), sampler or OnlyToken(), settings, Aids())
    return writer.write([(Prompt(text, text), 0) for text in PROMPTS])


def test_a_method_acts_in_the_reasoning_and_nowhere_else():
    forced = dataclasses.replace(SETTINGS, frame=Frame(forcing="so: "))
    clean_answers = 0
    for row in rows(forced):
        closing = tokenizer().convert_tokens_to_ids("</think>")
        end = row.tokens.index(closing) if closing in row.tokens else len(row.tokens)
        assert (
            sum(token != 9 for token in row.tokens[: min(end, 12)]) <= 2
        )  # an exempt token may be drawn: it is not touched
        clean_answers += 9 not in row.tokens[end + 1 :]
    assert clean_answers >= 3
    everywhere = rows(dataclasses.replace(forced, scope="all", exempt=False))
    assert all(set(row.tokens[-6:]) == {9} for row in everywhere)


def test_a_forced_answer_is_what_the_clean_teacher_writes_behind_the_same_reasoning():
    forced = dataclasses.replace(SETTINGS, frame=Frame(forcing="so: "))
    for row in rows(forced):
        if row.reasoning < 12:
            continue
        head = [*row.ids, *row.tokens[:12], *tokenizer()("\n</think>\n\nso: ", add_special_tokens=False).input_ids]
        decoder = Decoder(model())
        logits, answer = decoder.start([head]), row.tokens[len(head) - len(row.ids) :]
        for place, token in enumerate(answer, len(head) - len(row.ids)):
            assert draw(logits, [row.draws.uniform(place)]) == [token]
            logits = decoder.step([token])


def test_the_end_of_text_is_as_likely_as_without_the_method():
    """A method that makes another token certain does not keep the teacher from ending, nor make it end."""
    many = dataclasses.replace(SETTINGS, samples=40, batch=40, reasoning_tokens=4)

    def first_stops(sampler, **changes):
        found = sample(model(), tokenizer(), PROMPTS, sampler, dataclasses.replace(many, **changes))
        return sum(
            trace.meta["sampling"]["ended"] == "end" and trace.meta["sampling"]["reasoning_tokens"] == 1
            for trace in found
        )

    assert first_stops(OnlyToken()) == first_stops(make("none"))
    assert first_stops(OnlyToken(), exempt=False) == 0
