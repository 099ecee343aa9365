"""How well the text score finds the sentences that matter, and whether those are the sentences that TraceGuard goes for.

Prints JSON. Truth: counterfactual importance (KL) that others published, one number per sentence. Per scorer, each a mean over
traces with a 95 % interval by bootstrap over problems and the traces in them: Spearman within the trace and AUROC for the top
20 % of its sentences, raw and after a straight line in position is taken out of both ranks, and the paired difference to position
alone. A scorer that learns (text score, means of functions) is cross-validated by problem; the penalty of the text score is
chosen within the training problems. A sentence without a score counts as the lowest. `shipped` is the text score of the package
on problems that it was not trained on; null where there are none. `figure_2` asks of the published numbers themselves whether
planning, uncertainty management and sentences that open with a marker lead, raw and with position taken out. `speed` is the
text-only scorer on real traces, in MB of UTF-8 per second of processor time in one process, splitting included.

`--receiver-heads` reads all traces with SmolLM2-135M, which takes some minutes on two cores.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score

import labelled
import machine
from antidistill.anchors import make, score_all
from antidistill.anchors.functions import FUNCTIONS
from antidistill.anchors.functions import make as make_tagger
from antidistill.anchors.text_score.model import TextModel, default
from antidistill.anchors.text_score.scorer import TextScore
from antidistill.anchors.text_score.training import Scored, choose, fit, ranks, residual
from antidistill.measure.intervals import Values
from antidistill.text import split
from antidistill.text.markers import DEFAULT
from labelled import LabelledTrace

TOP = 0.2
RESAMPLES = 2000
METRICS = ("spearman", "auroc", "spearman_after_position", "auroc_after_position")
VIEWS = {"text": ("whole", True), "text without position": ("whole", False), "text, stream": ("stream", True)}
VIEWS["text, stream, without position"] = ("stream", False)
LEADERS = ("plan_generation", "uncertainty_management")
Scores = dict[str, list[Values]]


def main() -> None:
    arguments = _arguments()
    rows = labelled.read(arguments.labels, arguments.traces)
    draws = labelled.draws([row.problem for row in rows], RESAMPLES)
    scores = _scores(rows, arguments.receiver_heads)
    reference = [_metrics(values, row) for values, row in zip(scores["position"], rows, strict=True)]
    unseen = [row for row in rows if row.problem not in default().problems]
    report = {
        "sentences": sum(len(row.sentences) for row in rows),
        "traces": len(rows),
        "problems": len({row.problem for row in rows}),
        "without_importance": sum(bool(np.isnan(value)) for row in rows for value in row.importance),
        "scorers": {name: _report(values, rows, reference, draws) for name, values in scores.items()},
        "shipped": _shipped(unseen),
        "figure_2": _figure_2(rows, draws),
        "speed": None if arguments.no_speed else _speed(arguments.corpus),
        "machine": machine.describe(),
    }
    print(json.dumps(report, indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    labelled.add_files(parser)
    corpus = labelled.SHARED / "traces_gsm8k_4models.parquet"
    parser.add_argument(
        "--corpus", type=Path, default=corpus, help="Parquet file of the traces that speed is measured on"
    )
    parser.add_argument("--receiver-heads", action="store_true", help="also those of SmolLM2-135M; needs torch")
    parser.add_argument("--no-speed", action="store_true", help="leave the speed out")
    return parser.parse_args()


def _scores(rows: Sequence[LabelledTrace], receiver_heads: bool) -> Scores:
    found: Scores = {name: _by_scorer(name, rows) for name in ("position", "length", "markers")}
    tagger = make_tagger("regex")
    found["functions, as labelled"] = _by_function(rows, [row.functions for row in rows])
    found["functions, regex"] = _by_function(rows, [tagger.tag(row.sentences) for row in rows])
    if receiver_heads:
        found["receiver heads"] = _by_scorer("receiver-heads", rows)
    models = _crossed(rows) if labelled.several_problems(rows) else {}
    for name, (view, position) in VIEWS.items() if models else ():
        found[name] = [_text(models[row.problem], row, view, position) for row in rows]
    return found


def _by_scorer(name: str, rows: Sequence[LabelledTrace]) -> list[Values]:
    found = score_all(make(name), [row.trace for row in rows], [row.sentences for row in rows])
    for row, scores in zip(rows, found, strict=True):
        if scores.reason:
            print(f"{row.trace.id}: {scores.reason}", file=sys.stderr, flush=True)
    return [np.array([-np.inf if value is None else value for value in scores.values]) for scores in found]


def _by_function(rows: Sequence[LabelledTrace], tags: Sequence[Sequence[str]]) -> list[Values]:
    """The mean rank of each function on the other problems."""
    found = []
    for row, own in zip(rows, tags, strict=True):
        sums = {name: [0.5] for name in FUNCTIONS}
        for other, labels in zip(rows, tags, strict=True):
            if other.problem != row.problem:
                for label, rank in zip(labels, ranks(other.importance), strict=True):
                    sums.setdefault(label, [0.5]).append(float(rank))
        found.append(np.array([np.mean(sums.get(label, [0.5])) for label in own]))
    return found


def _crossed(rows: Sequence[LabelledTrace]) -> dict[str, TextModel]:
    """For every problem a model of the others."""
    models = {}
    for problem in sorted({row.problem for row in rows}):
        others = [Scored(row.sentences, row.importance, row.problem) for row in rows if row.problem != problem]
        models[problem] = fit(others, choose(others))
    return models


def _text(model: TextModel, row: LabelledTrace, view: str, position: bool) -> Values:
    scorer = TextScore(view=view, position=position)
    object.__setattr__(scorer, "_loaded", model)
    return np.array(scorer.values(row.sentences))


def _metrics(values: Values, row: LabelledTrace) -> list[float]:
    """The four metrics of one trace, in the order of `METRICS`, over the sentences whose importance is known.

    NaN where all sentences have one score or one importance, or fewer than two have one.
    """
    importance = np.array(row.importance)
    known = ~np.isnan(importance)
    if known.sum() < 2:
        return [float("nan")] * len(METRICS)
    places = np.arange(len(values))[known] / len(values)
    ours, truth = ranks(values[known]), ranks(importance[known])
    pairs = [(ours, truth), (residual(ours, places), residual(truth, places))]
    found = []
    for score, wanted in pairs:
        found += [_correlation(score, wanted), _auroc(score, wanted)]
    return found


def _correlation(score: Values, truth: Values) -> float:
    flat = min(score.std(), truth.std()) < 1e-9
    return float("nan") if flat else float(np.corrcoef(score, truth)[0, 1])


def _auroc(score: Values, truth: Values) -> float:
    if score.std() < 1e-9:
        return float("nan")
    return float(roc_auc_score(_top(truth), score))


def _top(truth: Values) -> Values:
    """1 for the top 20 %, of equal ones the earlier."""
    wanted = np.zeros(len(truth))
    wanted[np.argsort(-truth, kind="stable")[: max(1, round(TOP * len(truth)))]] = 1
    return wanted


def _report(
    scores: Sequence[Values], rows: Sequence[LabelledTrace], reference: Sequence[Sequence[float]], draws: Any
) -> dict[str, Any]:
    table = np.array([_metrics(values, row) for values, row in zip(scores, rows, strict=True)])
    against = table - np.array(reference)
    report: dict[str, Any] = {name: _estimate(table[:, place], draws) for place, name in enumerate(METRICS)}
    report["minus_position"] = {name: _estimate(against[:, place], draws) for place, name in enumerate(METRICS[:2])}
    return report


def _estimate(
    values: Values, draws: Sequence[Sequence[int]], mean: Callable[[Any], Any] = np.nanmean
) -> dict[str, Any]:
    """A mean over traces; null where no trace has the number."""
    known = int(np.isfinite(values).sum())
    if not known:
        return {"value": None, "low": None, "high": None, "n": 0}
    resampled = [mean(values[draw]) for draw in draws if np.isfinite(values[draw]).any()]
    low, high = np.percentile(resampled, [2.5, 97.5])
    return {"value": _round(mean(values)), "low": _round(low), "high": _round(high), "n": known}


def _round(value: float) -> float:
    return round(float(value), 4)


def _shipped(rows: Sequence[LabelledTrace]) -> dict[str, Any] | None:
    if not rows:
        return None
    draws = labelled.draws([row.problem for row in rows], RESAMPLES)
    reference = [_metrics(values, row) for values, row in zip(_by_scorer("position", rows), rows, strict=True)]
    return {
        name: _report([_text(default(), row, view, position) for row in rows], rows, reference, draws)
        for name, (view, position) in VIEWS.items()
    }


def _figure_2(rows: Sequence[LabelledTrace], draws: Any) -> dict[str, Any]:
    """Functions and markers among the important sentences, raw and with position taken out of the ranks."""
    groups = {
        "marker": [np.array([DEFAULT.opening(sentence) > 0 for sentence in row.sentences]) for row in rows],
        **{name: [np.array(row.functions) == name for row in rows] for name in FUNCTIONS},
        "plan or uncertainty": [np.isin(row.functions, LEADERS) for row in rows],
    }
    found: dict[str, Any] = {}
    for control in ("raw", "position taken out"):
        truths = [_controlled(row, control) for row in rows]
        found[control] = {name: _group(members, truths, draws) for name, members in groups.items()}
    return found


def _controlled(row: LabelledTrace, control: str) -> Values:
    truth = ranks(row.importance)
    return truth - 0.5 if control == "raw" else residual(truth, np.arange(len(truth)) / len(truth))


def _group(members: Sequence[Any], truths: Sequence[Values], draws: Any) -> Mapping[str, Any]:
    """Share among all sentences and among the top 20 % (pooled over traces), their ratio, and the mean rank about the middle."""
    tops = [_top(truth) for truth in truths]
    counts = np.array(
        [
            [member.sum(), len(member), (member * top).sum(), top.sum(), truth[member].sum()]
            for member, truth, top in zip(members, truths, tops, strict=True)
        ]
    )
    if not counts[:, 0].any():
        return {"share_of_all": 0.0}
    whole = _group_numbers(counts.sum(axis=0))
    resampled = [_group_numbers(counts[draw].sum(axis=0)) for draw in draws if counts[draw, 0].sum()]
    low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
    report: dict[str, Any] = {"share_of_all": _round(counts[:, 0].sum() / counts[:, 1].sum())}
    for place, name in enumerate(("share_of_top", "top_over_all", "mean_rank")):
        ends = {"value": _round(whole[place]), "low": _round(low[place]), "high": _round(high[place])}
        report[name] = {**ends, "n": len(members)}
    return report


def _group_numbers(counts: Values) -> tuple[float, float, float]:
    members, sentences, members_on_top, top, ranks_of_members = map(float, counts)
    share = members_on_top / top
    return share, share / (members / sentences), ranks_of_members / members


def _speed(corpus: Path) -> dict[str, Any]:
    """Both views; the best of three runs over the same traces, and all three."""
    texts = pq.read_table(corpus, columns=["reasoning"])["reasoning"].to_pylist()
    size = sum(len(text.encode()) for text in texts) / 1e6
    found: dict[str, Any] = {"mb": round(size, 2), "traces": len(texts), "unit": "MB per second of processor time"}
    for view in ("stream", "whole"):
        scorer = TextScore(view=view)
        runs = []
        for _ in range(3):
            started = time.process_time()
            for text in texts:
                scorer.values(split(text))
            runs.append(round(size / (time.process_time() - started), 2))
        found[view] = {"best": max(runs), "runs": runs}
    return found


if __name__ == "__main__":
    main()
