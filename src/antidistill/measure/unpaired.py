"""Runs the unpaired detectors: each is trained and tested on disjoint prompts and never sees a trace and its original."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antidistill import registry
from antidistill.measure import intervals
from antidistill.measure.crossfit import Split, cross_fit, splits, within
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
        best: the detector chosen most often where each fold chooses on its training traces.
        chosen: AUROC of that procedure: each fold scored by the detector that did best within its training traces.
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
    inner = [within(cut, prompts) for cut in cuts]
    held_out: dict[str, list[Fold]] = {}
    in_training: dict[str, list[float]] = {}
    for name in names:
        progress(f"detector {name}")
        detector = registry.load("detectors", name)
        sides = detector.represent(clean), detector.represent(guarded)
        held_out[name] = cross_fit(detector.learner, *sides, prompts, cuts)
        inner_folds = cross_fit(detector.learner, *sides, prompts, inner) if len(names) > 1 else held_out[name]
        in_training[name] = [intervals.auroc([fold]).value for fold in inner_folds]
    winners = [max(names, key=lambda name: in_training[name][fold]) for fold in range(len(cuts))]
    chosen = _by_repeat([held_out[name][fold] for fold, name in enumerate(winners)], cuts)
    n = len(np.unique(prompts))
    return Contest(
        visible={name: _visible(name, _by_repeat(found, cuts), n, options.seed) for name, found in held_out.items()},
        best=Counter(winners).most_common(1)[0][0],
        chosen=_estimate("auroc of the chosen detector", _auroc(chosen), n),
        traces=_estimate("traces to detect", traces_to_detect(chosen, options.seed), n, "traces"),
    )


def _by_repeat(folds: Sequence[Fold], cuts: Sequence[Split]) -> Repeats:
    found = defaultdict(list)
    for cut, fold in zip(cuts, folds, strict=True):
        found[cut.repeat].append(fold)
    return list(found.values())


def _visible(name: str, repeats: Repeats, n: int, seed: int) -> Visible:
    caught = intervals.averaged([intervals.true_positives(folds, seed=seed) for folds in repeats])
    return Visible(_estimate(f"{name} auroc", _auroc(repeats), n), _estimate(f"{name} tpr at 1 % fpr", caught, n))


def _auroc(repeats: Repeats) -> Interval:
    return intervals.averaged([intervals.auroc(folds) for folds in repeats])


def _estimate(name: str, interval: Interval, n: int, unit: str = "") -> Estimate:
    return Estimate(name, *interval, n=n, unit=unit)
