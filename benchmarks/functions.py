"""How well sentences are tagged with their function: keywords, and the trained tagger on problems that it has not seen.

Prints JSON: accuracy, macro-F1 and Cohen's kappa against the labels (by gpt-4o) with 95 % intervals by bootstrap over problems
and the traces in them, the confusion matrix, and F1 of each function. The trained tagger is cross-validated by problem: every
problem is tagged by a model of the others, whose penalty was chosen among those others alone. `shipped` is the tagger of the
package on traces of problems that it was not trained on; it is null where there are none. `learning_curve` is the trained
tagger on problems left out when it learns from fewer of the others. `--states` adds the tagger that reads along with SmolLM2-135M
in the same way (both penalties chosen among the other problems), and its paired difference to the trained one; it takes minutes.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix, f1_score

import labelled
import machine
from antidistill.anchors.functions import FUNCTIONS, make
from antidistill.anchors.functions.trained import TrainedTagger
from antidistill.anchors.functions.training import STRENGTHS, Labelled, choose, fit

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
    labelled.add_files(parser)
    parser.add_argument("--resamples", type=int, default=1000, help="resamples of an interval")
    parser.add_argument("--states", action="store_true", help="also the tagger of hidden states; needs torch")
    parser.add_argument("--cache", type=Path, help="file (.npz) that keeps the hidden states for another run")
    arguments = parser.parse_args()
    rows = labelled.read(arguments.labels, arguments.traces)
    examples = [Labelled(row.trace.prompt, row.sentences, row.functions, row.problem) for row in rows]
    shipped = TrainedTagger()
    unseen = [example for example in examples if example.problem not in shipped.problems]
    crossed = _crossed(examples) if labelled.several_problems(rows) else None
    report = {
        "sentences": sum(len(example.sentences) for example in examples),
        "traces": len(examples),
        "problems": len({example.problem for example in examples}),
        "human_kappa": HUMAN_KAPPA,
        "majority_class": _majority(examples),
        "regex": _report(examples, _tagged(make("regex"), examples), arguments.resamples),
        "trained": None if crossed is None else _report(examples, crossed, arguments.resamples),
        "learning_curve": [] if crossed is None else _learning_curve(examples, arguments.resamples),
        "shipped": _report(unseen, _tagged(shipped, unseen), arguments.resamples) if unseen else None,
    }
    if arguments.states:
        report |= _with_states(examples, unseen, crossed, arguments)
    report["machine"] = machine.describe()
    print(json.dumps(report, indent=1))


def _majority(examples: Sequence[Labelled]) -> float:
    labels = [function for example in examples for function in example.functions if function in NAMES]
    return round(max(map(labels.count, NAMES)) / len(labels), 4)


def _tagged(tagger: Any, examples: Sequence[Labelled]) -> list[list[str]]:
    return [tagger.tag(example.sentences, example.prompt) for example in examples]


def _crossed(examples: Sequence[Labelled]) -> list[list[str]]:
    """Tags of every trace by a model of the other problems."""
    models = {}
    for problem in sorted({example.problem for example in examples}):
        print(f"cross-validation: {problem}", file=sys.stderr, flush=True)
        others = [example for example in examples if example.problem != problem]
        models[problem] = fit(others, strength=choose(others))
    return [_names(models[example.problem].probabilities(example.sentences, example.prompt)) for example in examples]


def _names(probabilities: Any) -> list[str]:
    return [NAMES[best] for best in probabilities.argmax(axis=1)]


def _learning_curve(examples: Sequence[Labelled], resamples: int) -> list[dict[str, Any]]:
    """Accuracy and macro-F1 on problems left out against how many others were learnt from, over up to 4 choices of them."""
    problems = sorted({example.problem for example in examples})
    draws = labelled.draws([example.problem for example in examples], resamples)
    truth = [_numbers(example.functions) for example in examples]
    curve = []
    for count in range(1, len(problems)):
        print(f"learning curve: {count} problems", file=sys.stderr, flush=True)
        found: list[list[list[str]]] = []
        for turn in range(4):
            models = {}
            for problem in problems:
                choices = list(combinations([other for other in problems if other != problem], count))
                known = set(choices[turn * len(choices) // 4 % len(choices)])
                models[problem] = fit([each for each in examples if each.problem in known], strength=STRENGTHS[1])
            found.append([_names(models[each.problem].probabilities(each.sentences, each.prompt)) for each in examples])
        tags = [np.concatenate([_numbers(turn[place]) for turn in found]) for place in range(len(examples))]
        repeated = [np.tile(each, 4) for each in truth]
        row = {name: _estimate(METRICS[name], repeated, tags, draws) for name in ("accuracy", "macro_f1")}
        curve.append({"problems": count, **row})
    return curve


def _with_states(
    examples: Sequence[Labelled],
    unseen: Sequence[Labelled],
    trained: Sequence[Sequence[str]] | None,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    """The tagger of hidden states on problems left out, and what it adds."""
    from antidistill.anchors.functions.state_training import choose_states, fit_states

    resamples = arguments.resamples
    shipped = {"shipped_states": _report(unseen, _tagged(make("states"), unseen), resamples) if unseen else None}
    if trained is None:
        return {"states": None, **shipped}
    texts, prompts = [example.sentences for example in examples], [example.prompt for example in examples]
    read_states = labelled.hidden_states(texts, prompts, arguments.cache)
    hidden = {id(example): each for example, each in zip(examples, read_states, strict=True)}
    models = {}
    for problem in {example.problem for example in examples}:
        others = [example for example in examples if example.problem != problem]
        read, strength = [hidden[id(example)] for example in others], choose(others)
        text = fit(others, strength=strength)
        models[problem] = fit_states(others, read, text, choose_states(others, read, strength))
    found = [
        _names(models[each.problem].probabilities(each.sentences, each.prompt, hidden[id(each)])) for each in examples
    ]
    report = {"states": _report(examples, found, resamples), **shipped}
    return report | {"states_minus_trained": _difference(examples, found, trained, resamples)}


def _difference(
    examples: Sequence[Labelled], found: Sequence[Sequence[str]], other: Sequence[Sequence[str]], resamples: int
) -> dict[str, Any]:
    """Paired differences: the same traces are drawn for both."""
    truth, ours, theirs = (
        [_numbers(each) for each in tags] for tags in ([example.functions for example in examples], found, other)
    )
    draws = labelled.draws([example.problem for example in examples], resamples)
    joined = [np.stack(pair) for pair in zip(ours, theirs, strict=True)]
    shown = {}
    for name, metric in METRICS.items():
        shown[name] = _estimate(partial(_gap, metric), truth, joined, draws)
    return shown


def _gap(metric: Metric, labels: Any, tags: Any) -> float:
    return metric(labels, tags[0]) - metric(labels, tags[1])


def _report(examples: Sequence[Labelled], found: Sequence[Sequence[str]], resamples: int) -> dict[str, Any]:
    truth = [_numbers(example.functions) for example in examples]
    tags = [_numbers(each) for each in found]
    draws = labelled.draws([example.problem for example in examples], resamples)
    all_truth, all_tags = np.concatenate(truth), np.concatenate(tags)
    all_truth, all_tags = all_truth[all_truth >= 0], all_tags[all_truth >= 0]
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
    """Numbers of the functions; -1 for a label that is none of them, which is not counted."""
    return np.array([NAMES.index(function) if function in NAMES else -1 for function in functions])


def _estimate(metric: Metric, truth: Any, tags: Any, draws: Sequence[Sequence[int]]) -> dict[str, float | int]:
    """A metric with its interval; `tags` of a trace end in the axis of its sentences."""

    def over(places: Sequence[int]) -> float:
        joined = np.concatenate([tags[place] for place in places], axis=-1)
        labels = np.concatenate([truth[place] for place in places])
        return float(metric(labels[labels >= 0], joined[..., labels >= 0]))

    low, high = np.percentile([over(draw) for draw in draws], [2.5, 97.5])
    ends = {"value": over(range(len(truth))), "low": low, "high": high}
    return {**{name: round(float(value), 4) for name, value in ends.items()}, "n": len(truth)}


if __name__ == "__main__":
    main()
