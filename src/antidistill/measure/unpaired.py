"""Runs the unpaired detectors: each is trained and tested on disjoint prompts and never sees a trace and its original."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antidistill import registry
from antidistill.measure import intervals
from antidistill.measure.crossfit import Split, cross_fit, splits
from antidistill.measure.detectors import Detector
from antidistill.measure.evidence import Evidence
from antidistill.measure.intervals import Fold, Interval
from antidistill.measure.options import Options, Progress
from antidistill.measure.pile import traces_to_detect
from antidistill.trace import Estimate

LEAST_PROMPTS = 20
"""Fewer prompts than this teach no detector anything."""

Repeats = list[list[Fold]]
"""Held-out scores: for each repeat, its folds."""


@dataclass(frozen=True, slots=True)
class Visible:
    """How well one detector tells guarded traces from clean ones.

    Attributes:
        auroc: 0.5 is guessing, 1 is certain; below 0.5 what it learnt did not hold for other prompts.
        tpr: share of guarded traces found where at most 1 % of the clean ones are accused.
    """

    auroc: Estimate
    tpr: Estimate

    def to_json(self) -> dict[str, dict[str, float | int]]:
        """Both estimates under the names of the command line."""
        return {"auroc": self.auroc.to_json(), "tpr_at_1pct": self.tpr.to_json()}


@dataclass(frozen=True, slots=True)
class Contest:
    """All detectors on the same splits.

    Attributes:
        visible: by name, in the order of the table.
        best: the detector chosen most often where each fold leaves the choice to the other folds.
        chosen: AUROC of that procedure: each fold scored by the detector that did best on the other folds.
        traces: traces of one kind that tell a guarded pile from a clean one, by the scores of that procedure.
    """

    visible: Mapping[str, Visible]
    best: str
    chosen: Estimate
    traces: Estimate


def contest(
    clean: Evidence,
    guarded: Evidence,
    prompts: NDArray[np.int64],
    names: Sequence[str],
    options: Options,
    progress: Progress,
) -> Contest:
    """Cross-fits the named detectors on the same splits and compares them.

    Args:
        clean: row i belongs to prompt `prompts[i]`.
        guarded: likewise.
        prompts: integer codes, shape (rows,); at least `LEAST_PROMPTS` different ones.
        names: detectors of the registry whose models are there.
        options: repeats, folds and seed.
        progress: called before each detector runs.
    """
    cuts = list(splits(prompts, options.repeats, options.folds, options.seed))
    scores: dict[str, Repeats] = {}
    for name in names:
        progress(f"detector {name}")
        scores[name] = _scores(registry.load("detectors", name), clean, guarded, prompts, cuts)
    n = len(np.unique(prompts))
    winners = _winners(scores)
    chosen = [[scores[name][repeat][fold] for fold, name in enumerate(line)] for repeat, line in enumerate(winners)]
    return Contest(
        visible={name: _visible(name, found, n, options.seed) for name, found in scores.items()},
        best=Counter(name for line in winners for name in line).most_common(1)[0][0],
        chosen=_estimate("auroc of the chosen detector", _auroc(chosen), n),
        traces=_estimate("traces to detect", traces_to_detect(chosen, options.seed), n, "traces"),
    )


def _scores(
    detector: Detector, clean: Evidence, guarded: Evidence, prompts: NDArray[np.int64], cuts: Sequence[Split]
) -> Repeats:
    ours, theirs = detector.represent(clean), detector.represent(guarded)
    found = defaultdict(list)
    for cut, fold in zip(cuts, cross_fit(detector.learner, ours, theirs, prompts, cuts), strict=True):
        found[cut.repeat].append(fold)
    return list(found.values())


def _winners(scores: Mapping[str, Repeats]) -> list[list[str]]:
    """For each fold of each repeat, the detector with the highest mean AUROC on the other folds of that repeat."""
    names = list(scores)
    found = []
    for repeat in range(len(scores[names[0]])):
        areas = np.array([[intervals.auroc([fold]).value for fold in scores[name][repeat]] for name in names])
        others = areas.sum(axis=1, keepdims=True) - areas
        found.append([names[row] for row in others.argmax(axis=0)])
    return found


def _visible(name: str, repeats: Repeats, n: int, seed: int) -> Visible:
    caught = intervals.averaged([intervals.true_positives(folds, seed=seed) for folds in repeats])
    return Visible(_estimate(f"{name} auroc", _auroc(repeats), n), _estimate(f"{name} tpr at 1 % fpr", caught, n))


def _auroc(repeats: Repeats) -> Interval:
    return intervals.averaged([intervals.auroc(folds) for folds in repeats])


def _estimate(name: str, interval: Interval, n: int, unit: str = "") -> Estimate:
    return Estimate(name, *interval, n=n, unit=unit)
