"""Asks a student, grades what it writes, and forces answers out of it where that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from antidistill import registry
from antidistill.distill.generate import Output, batches
from antidistill.distill.grading import boxes
from antidistill.distill.layout import Layout
from antidistill.distill.outputs import Outputs
from antidistill.distill.questions import Question
from antidistill.distill.scores import Evaluation, Outcome
from antidistill.distill.settings import Asking
from antidistill.measure.features.repetition import repetition
from antidistill.measure.features.view import view
from antidistill.trace import Trace

FORCED_TOKENS = 32
"""Tokens of a forced answer, greedy (ADS code)."""
STUDENT, RAW = "student", "raw"


class Forcer(NamedTuple):
    """A model that goes on behind a student's output and has to answer.

    Attributes:
        model, tokenizer: the clean teacher, usually.
        layout: how it is asked.
    """

    model: Any
    tokenizer: Any
    layout: Layout = Layout()


def evaluate(
    model: Any,
    tokenizer: Any,
    questions: Sequence[Question],
    asking: Asking | None = None,
    layout: Layout | None = None,
    *,
    forcers: Mapping[str, Forcer] | None = None,
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Evaluation:
    """Asks a student and grades its outputs.

    The grader sees what stands behind the reasoning, or all of an output whose reasoning is not closed. With
    `asking.force`, every output is ended by the layout's `forcing`, and the student itself and each of `forcers` answer
    behind it, greedily: answer-forced accuracy (ADS paper, section 4). Behind a clean teacher it credits the student with
    what the teacher makes of its reasoning.

    Args:
        model: a causal language model.
        tokenizer: its tokenizer.
        questions: what it is asked.
        asking: greedy or sampled, how long, how many.
        layout: how it was trained.
        forcers: who else is forced to answer, by name; only where `asking.force` is on.
        folder: where outputs are kept; an evaluation that was stopped goes on from them.
        progress: called with a few words after each batch.

    Returns:
        One outcome per question and sample.

    Raises:
        UnknownName: a question names a grader that there is not.
        MissingExtra: a grader needs a package that is not installed.
    """
    asking, layout = asking or Asking(), layout or Layout()
    graders = {name: registry.load("graders", name) for name in dict.fromkeys(q.grader for q in questions)}
    asked = [(question, sample) for question in questions for sample in range(asking.samples)]
    kept = Outputs(folder)
    student = Forcer(model, tokenizer, layout)
    raw = _written(RAW, student, asked, lambda question, place: "", asking, kept, progress)
    forced: dict[str, list[str]] = {}
    for name, forcer in {STUDENT: student, **(forcers or {})}.items() if asking.force else ():
        forced[name] = _forced(name, forcer, layout, asked, raw, asking, kept, progress)
    outcomes = []
    for place, ((question, sample), output) in enumerate(zip(asked, raw, strict=True)):
        grader = graders[question.grader]
        answers = {name: bool(grader(texts[place], question.gold)) for name, texts in forced.items()}
        outcomes.append(_outcome(question, sample, output, layout, grader, answers))
    return Evaluation(outcomes)


def _written(
    kind: str,
    writer: Forcer,
    asked: Sequence[tuple[Question, int]],
    head: Callable[[Question, int], str],
    asking: Asking,
    kept: Outputs,
    progress: Callable[[str], None],
) -> list[Output]:
    """What `writer` writes behind each question and the `head` of its answer."""
    tokenizer = writer.tokenizer
    ids = [
        [
            *writer.layout.question_ids(tokenizer, question.text),
            *tokenizer(head(question, place), add_special_tokens=False, verbose=False).input_ids,
        ]
        for place, (question, _) in enumerate(asked)
    ]
    names = [(question.id, sample) for question, sample in asked]
    found = kept.read(kind)
    for rows, outputs in batches(writer.model, tokenizer, ids, asking, lambda row: names[row] in found):
        new = dict(zip((names[row] for row in rows), outputs, strict=True))
        kept.add(kind, new)
        found.update(new)
        progress(f"{kind}: {len(found)} of {len(asked)} outputs")
    return [found[name] for name in names]


def _forced(
    name: str,
    forcer: Forcer,
    layout: Layout,
    asked: Sequence[tuple[Question, int]],
    raw: Sequence[Output],
    asking: Asking,
    kept: Outputs,
    progress: Callable[[str], None],
) -> list[str]:
    """The forced answers, with the words that forced them in front."""
    greedy = replace(asking, temperature=0.0, samples=1, max_new_tokens=FORCED_TOKENS)
    heads = [layout.forced(output.text) for output in raw]
    outputs = _written(f"forced {name}", forcer, asked, lambda question, place: heads[place], greedy, kept, progress)
    return [f"{layout.forcing.lstrip()}{output.text}" for output in outputs]


def _outcome(
    question: Question,
    sample: int,
    output: Output,
    layout: Layout,
    grader: Callable[[str, str], bool],
    forced: dict[str, bool],
) -> Outcome:
    reasoning, answer = layout.parts(output.text)
    text = output.text if answer is None else answer
    said = view(Trace("", "", reasoning, ""))
    return Outcome(
        question=question.id,
        sample=sample,
        right=bool(grader(text, question.gold)),
        finished=output.ended,
        closed=answer is not None,
        tokens=output.tokens,
        boxes=len(boxes(output.text)),
        distinct=round(repetition(view(Trace("", "", output.text, "")))["distinct_4"], 4),
        markers=int(said.marked.sum()),
        sentences=len(said.sentences),
        forced=forced,
    )
