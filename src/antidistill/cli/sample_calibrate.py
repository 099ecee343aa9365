"""How `antidistill sample --calibrate` searches a strength, and what it says about the one it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antidistill.distill.questions import Question
    from antidistill.sampling import Aids, Sampler, Settings
    from antidistill.sampling.calibrate import Calibration
    from antidistill.trace import Estimate


def search(
    loaded: Any,
    sampler: Sampler,
    asked: Sequence[Question],
    target: float,
    rounds: int,
    settings: Settings,
    aids: Aids,
    say: Callable[..., None],
) -> Calibration:
    """The strength whose accuracy on the questions is nearest to `target`; every try and the outcome are said."""
    from antidistill import registry
    from antidistill.sampling import Prompt, sample
    from antidistill.sampling.calibrate import Tried, calibrate

    prompts = [Prompt(question.id, question.text) for question in asked]
    once = replace(settings, samples=1)

    def accuracy(tried: Sampler) -> Sequence[bool]:
        traces = sample(loaded.model, loaded.tokenizer, prompts, tried, once, aids)
        graded = zip(asked, traces, strict=True)
        return [
            bool(registry.load("graders", question.grader)(trace.answer, question.gold)) for question, trace in graded
        ]

    def told(tried: Tried) -> None:
        say(f"{sampler.strength}={tried.strength:.4g}: teacher accuracy {_share(tried.accuracy)}", always=True)

    found = calibrate(accuracy, sampler, target, rounds=rounds, progress=told)
    for line in outcome(found):
        say(line, always=True)
    return found


def outcome(found: Calibration) -> list[str]:
    """What was taken and, where its interval leaves the target out, a warning that says what to do."""
    reached = found.reached
    taken = f"taken: {found.option}={reached.strength:.4g}, teacher accuracy {_share(reached.accuracy)}."
    if found.inside:
        return [taken]
    accuracies = [each.accuracy.value for each in found.tried]
    if max(accuracies) < found.target:
        why = (
            "even the weakest strength stays below it: see with --method none what the teacher reaches by itself, give it "
            "more --reasoning-tokens or --force-answer, or name a lower target."
        )
    elif min(accuracies) > found.target:
        why = f"even the strongest stays above it: give more --rounds, or start higher with --set {found.option}=…"
    else:
        why = "none comes near enough: give more --rounds."
    missed = f"warning: the target {found.target:g} was not reached by the {len(found.tried)} strengths tried, and the traces"
    return [taken, f"{missed} are written at the nearest; {why}"]


def _share(accuracy: Estimate) -> str:
    return f"{accuracy.value:.3f} ({accuracy.low:.3f} to {accuracy.high:.3f})"
