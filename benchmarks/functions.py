"""How well sentences are tagged with their function: keywords, and the trained tagger on problems that it has not seen.

Prints JSON: accuracy, macro-F1 and Cohen's kappa against the labels (by gpt-4o) with 95 % intervals by bootstrap over problems
and the traces in them, the confusion matrix, and F1 of each function. The trained tagger is cross-validated by problem: every
problem is tagged by a model of the others, whose penalty was chosen among those others alone. `shipped` is the tagger of the
package on traces of problems that it was not trained on; it is null where there are none.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix, f1_score

import labelled
import machine
from antidistill.anchors.functions import FUNCTIONS, make
from antidistill.anchors.functions.trained import TrainedTagger
from antidistill.anchors.functions.training import Labelled, choose, fit

NAMES = list(FUNCTIONS)
HUMAN_KAPPA = 0.47
"""Two people on other traces with the same functions (the shared data's README)."""
Metric = Callable[[NDArray[np.int64], NDArray[np.int64]], float]
METRICS: dict[str, Metric] = {
    "accuracy": accuracy_score,
    "macro_f1": lambda truth, found: f1_score(truth, found, average="macro", labels=np.unique(truth), zero_division=0),
    "kappa": cohen_kappa_score,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=Path, default=labelled.LABELS)
    parser.add_argument("--traces", type=Path, default=labelled.TRACES)
    parser.add_argument("--resamples", type=int, default=1000)
    arguments = parser.parse_args()
    rows = labelled.read(arguments.labels, arguments.traces)
    examples = [Labelled(row.trace.prompt, row.sentences, row.functions, row.problem) for row in rows]
    shipped = TrainedTagger()
    unseen = [example for example in examples if example.problem not in shipped.problems]
    report = {
        "sentences": sum(len(example.sentences) for example in examples),
        "traces": len(examples),
        "problems": len({example.problem for example in examples}),
        "human_kappa": HUMAN_KAPPA,
        "majority_class": _majority(examples),
        "regex": _report(examples, _tagged(make("regex"), examples), arguments.resamples),
        "trained": _report(examples, _crossed(examples), arguments.resamples),
        "shipped": _report(unseen, _tagged(shipped, unseen), arguments.resamples) if unseen else None,
        "machine": machine.describe(),
    }
    print(json.dumps(report, indent=1))


def _majority(examples: Sequence[Labelled]) -> float:
    labels = [function for example in examples for function in example.functions]
    return round(max(map(labels.count, NAMES)) / len(labels), 4)


def _tagged(tagger: Any, examples: Sequence[Labelled]) -> list[list[str]]:
    return [tagger.tag(example.sentences, example.prompt) for example in examples]


def _crossed(examples: Sequence[Labelled]) -> list[list[str]]:
    """Tags of every trace by a model of the other problems; one problem alone cannot be cross-validated."""
    problems = {example.problem for example in examples}
    if len(problems) < 2:
        raise SystemExit(f"{len(problems)} problem in the labels: cross-validation by problem needs at least 2.")
    models = {}
    for problem in problems:
        others = [example for example in examples if example.problem != problem]
        models[problem] = fit(others, strength=choose(others))
    return [
        [
            NAMES[best]
            for best in models[example.problem].probabilities(example.sentences, example.prompt).argmax(axis=1)
        ]
        for example in examples
    ]


def _report(examples: Sequence[Labelled], found: Sequence[Sequence[str]], resamples: int) -> dict[str, Any]:
    truth = [_numbers(example.functions) for example in examples]
    tags = [_numbers(each) for each in found]
    draws = labelled.draws([example.problem for example in examples], resamples)
    all_truth, all_tags = np.concatenate(truth), np.concatenate(tags)
    each = f1_score(all_truth, all_tags, average=None, labels=range(len(NAMES)), zero_division=0)
    return {
        **{name: _estimate(metric, truth, tags, draws) for name, metric in METRICS.items()},
        "f1": {name: round(float(value), 3) for name, value in zip(NAMES, each, strict=True)},
        "confusion": {
            "rows": "labelled",
            "columns": "tagged",
            "names": NAMES,
            "counts": confusion_matrix(all_truth, all_tags, labels=range(len(NAMES))).tolist(),
        },
    }


def _numbers(functions: Sequence[str]) -> NDArray[np.int64]:
    return np.array([NAMES.index(function) for function in functions])


def _estimate(metric: Metric, truth: Any, tags: Any, draws: Sequence[Sequence[int]]) -> dict[str, float | int]:
    values = [
        metric(np.concatenate([truth[place] for place in draw]), np.concatenate([tags[place] for place in draw]))
        for draw in draws
    ]
    low, high = np.percentile(values, [2.5, 97.5])
    whole = metric(np.concatenate(truth), np.concatenate(tags))
    return {
        "value": round(float(whole), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "n": len(truth),
    }


if __name__ == "__main__":
    main()
