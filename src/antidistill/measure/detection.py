"""`detect`: how visible an edit is, to those who have the originals and to those who have not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from antidistill import registry
from antidistill.measure import paired
from antidistill.measure.evidence import Evidence
from antidistill.measure.judge import coherence
from antidistill.measure.options import Instruments, Options, Progress, load
from antidistill.measure.paired import Metric, Unmeasured
from antidistill.measure.pairing import Pairs, pair, sample
from antidistill.measure.unpaired import LEAST_PROMPTS, Contest, contest
from antidistill.trace import Estimate, Trace


@dataclass(frozen=True, slots=True)
class Detection:
    """The result: every number an estimate, every gap with its reason.

    Attributes:
        paired: metric by name; None where it was not measured.
        unpaired: the detectors; None where none could run.
        missing: reason for each metric and detector that has no number.
        n: pairs compared.
        left_out: traces of either side without a partner.
    """

    paired: Mapping[str, Metric | None]
    unpaired: Contest | None
    missing: Mapping[str, str]
    n: int
    left_out: int = 0

    @property
    def best(self) -> str | None:
        """Name of the strongest unpaired detector."""
        return self.unpaired.best if self.unpaired else None

    @property
    def traces_to_detect(self) -> Estimate | None:
        """Traces of one kind that tell a guarded pile from a clean one; infinite where no number is enough."""
        return self.unpaired.traces if self.unpaired else None

    def to_json(self) -> dict[str, Any]:
        """The shape that `antidistill detect --json` prints; infinity is null."""
        contest = self.unpaired
        visible = contest.visible if contest else {}
        shown: dict[str, Any] = {
            "paired": {name: metric.to_json() if metric else None for name, metric in self.paired.items()},
            "unpaired": {name: entry.to_json() for name, entry in visible.items()} | {"best": self.best},
            "chosen_in_training": contest.chosen.to_json() if contest else None,
            "traces_to_detect": contest.traces.to_json() if contest else None,
            "missing": dict(self.missing),
            "left_out": self.left_out,
            "n": self.n,
        }
        return {name: _finite(value) for name, value in shown.items()}


def detect(
    clean: Sequence[Trace],
    guarded: Sequence[Trace],
    options: Options | None = None,
    progress: Progress = lambda step: None,
    *,
    instruments: Instruments | None = None,
    **changes: Any,
) -> Detection:
    """Measures how visible the edits are.

    Args:
        clean: the originals.
        guarded: what became of them; paired by id, else by order.
        options: how to detect; keyword arguments change single options (`models=False`, `seed=1`).
        progress: called with a few words about each step before it runs.
        instruments: models that are loaded already, in place of those that the options name.
        **changes: single options by name.

    Returns:
        Paired metrics, unpaired detectors, and how many traces give a pile away.

    Raises:
        InputError: the two sides do not belong together.
        MissingExtra: models were asked for and a package is not installed.
        UnknownName: there is no such detector.
        UsageError: an option is out of range, or the judge turned a request down for good.
    """
    chosen = replace(options or Options(), **changes)
    pairs = pair(clean, guarded)
    read = sample(pairs, chosen.model_pairs, chosen.seed)
    instruments = instruments or load(chosen, progress)
    metrics, unmeasured = _metrics(pairs, read, instruments, chosen, progress)
    found, idle = _detectors(pairs, read, instruments, chosen, progress)
    return Detection(metrics, found, unmeasured | idle, len(pairs.clean), pairs.left_out)


def _metrics(
    pairs: Pairs, read: Pairs, instruments: Instruments, options: Options, progress: Progress
) -> tuple[dict[str, Metric | None], dict[str, str]]:
    """Paired metrics, and the reason for each that has no value."""
    language_model, encoder, judge = instruments.language_model, instruments.encoder, options.judge
    measures: dict[str, Callable[[], Metric] | None] = {
        "perplexity": (lambda: paired.perplexity(read, language_model)) if language_model else None,
        "tfidf": lambda: paired.tfidf(pairs),
        "semantic": (lambda: paired.semantic(read, encoder)) if encoder else None,
        "tokens": lambda: paired.tokens(pairs, language_model),
    }
    if judge is not None:
        measures["judge"] = lambda: coherence(read, judge)
    found: dict[str, Metric | None] = dict.fromkeys(measures)
    reasons = {name: instruments.reason for name, measure in measures.items() if measure is None}
    for name, measure in measures.items():
        if measure is not None:
            progress(name)
            try:
                found[name] = measure()
            except Unmeasured as reason:
                reasons[name] = str(reason)
    return found, reasons


def _detectors(
    pairs: Pairs, read: Pairs, instruments: Instruments, options: Options, progress: Progress
) -> tuple[Contest | None, dict[str, str]]:
    """The unpaired detectors, and the reason for each that did not run.

    Detectors that need a model see what the models read. Where that is a part of the pairs, they compete apart: the choice of
    the best is then among the others, and the strongest of those works without models.
    """
    names = options.detectors or registry.names("detectors")
    whole = read is pairs
    modelled = [name for name in names if registry.load("detectors", name).needs and not whole]
    rounds = [
        (pairs, instruments if whole else Instruments(), [name for name in names if name not in modelled]),
        (read, instruments, modelled),
    ]
    contests: list[Contest] = []
    idle: dict[str, str] = {}
    for entrants, at_hand, entered in rounds:
        clean, guarded = (
            Evidence(side, at_hand.language_model, at_hand.encoder) for side in (entrants.clean, entrants.guarded)
        )
        reasons = {name: _obstacle(name, clean, entrants, instruments) for name in entered}
        idle |= {name: reason for name, reason in reasons.items() if reason}
        able = [name for name in entered if not reasons[name]]
        if able:
            contests.append(contest(clean, guarded, paired.prompt_codes(entrants), able, options, progress))
    return _joined(contests), idle


def _obstacle(name: str, evidence: Evidence, entrants: Pairs, instruments: Instruments) -> str:
    """Why the detector cannot run; empty if it can."""
    if not evidence.has(registry.load("detectors", name).needs):
        return instruments.reason
    prompts = len(set(entrants.prompts))
    return "" if prompts >= LEAST_PROMPTS else f"needs {LEAST_PROMPTS} different prompts, there are {prompts}"


def _joined(contests: Sequence[Contest]) -> Contest | None:
    """The first contest with the detectors of all of them."""
    if not contests:
        return None
    visible = {name: entry for one in contests for name, entry in one.visible.items()}
    return replace(contests[0], visible=visible)


def _finite(value: Any) -> Any:
    """The same without infinities, for which JSON has no word."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
