"""How students are made and taught, and what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from antidistill.distill import Evaluation, Outcome
from antidistill.distill.layout import encode_all
from antidistill.lab.generating import continuations
from antidistill.lab.models.architectures import ARCHITECTURES
from antidistill.lab.roster import PRETRAINED, Student
from antidistill.lab.sizes import Sizes
from antidistill.lab.training import Course, train
from antidistill.lab.words import LAYOUT
from antidistill.lab.worlds import Problem, World
from antidistill.measure.features.repetition import repetition
from antidistill.measure.features.view import view
from antidistill.trace import Trace


def build(student: Student, tokenizer: Any, sizes: Sizes, seed: int) -> tuple[Any, Any]:
    """A new student, the same for the same seed, and its tokenizer; one made from nothing has the world's."""
    import torch

    if student.architecture == PRETRAINED:
        from antidistill.measure.models import load_language_model

        loaded = load_language_model(PRETRAINED)
        return loaded.model.float(), loaded.tokenizer
    length = 2 * sizes.most
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[student.architecture](len(tokenizer), student.size or sizes.student, length), tokenizer


def teach(model: Any, tokenizer: Any, traces: Sequence[Trace], course: Course, seed: int) -> float:
    """Trains a student on traces; its loss at the end, nats per token."""
    return train(model, encode_all(tokenizer, LAYOUT, traces), course, seed)


def ask(model: Any, tokenizer: Any, world: World, problems: Sequence[Problem], most: int) -> Evaluation:
    """Lets a student answer each problem once, taking the likeliest token each time."""
    stop = tokenizer.eos_token_id
    prompts = [LAYOUT.question_ids(tokenizer, problem.prompt) for problem in problems]
    outcomes = []
    for number, tokens in enumerate(continuations(model, prompts, most, stop)):
        finished = tokens[-1:] == [stop]
        written = tokens[:-1] if finished else tokens
        text = tokenizer.decode(written, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        outcomes.append(_outcome(world, problems[number], str(number), text, len(written), finished))
    return Evaluation(outcomes)


def _outcome(world: World, problem: Problem, name: str, text: str, tokens: int, finished: bool) -> Outcome:
    reasoning, answer = LAYOUT.parts(text)
    said = view(Trace("", "", reasoning, ""))
    return Outcome(
        question=name,
        sample=0,
        right=answer is not None and world.is_right(problem, answer),
        finished=finished,
        closed=answer is not None,
        tokens=tokens,
        boxes=0,
        distinct=round(repetition(said)["distinct_4"], 4),
        markers=int(said.marked.sum()),
        sentences=len(said.sentences),
    )
