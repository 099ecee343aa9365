"""Which heads are receivers: kurtosis of their profiles over many traces, against a null, and how stable the choice is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from scipy.stats import kurtosis, rankdata

from antidistill.anchors.receiver_heads.options import Options
from antidistill.anchors.receiver_heads.profile import Head, Profile
from antidistill.errors import InputError
from antidistill.measure.intervals import Values
from antidistill.trace import Estimate

LEAST_SENTENCES = 6
"""Sentences in a profile from which its kurtosis is taken."""
_SPLITS = 200
_LEAST_HALF = 2


@dataclass(frozen=True, slots=True)
class Receivers:
    """The receiver heads of a model, and what speaks for them.

    Attributes:
        model: name of the model.
        options: how they were found.
        heads: the receivers, strongest first.
        sharpness: of each receiver, what it was chosen by (kurtosis averaged over traces, or its rank; higher = sharper).
        null: the same numbers from profiles whose rows were shuffled: of each receiver.
        above_null: share of the eligible heads whose kurtosis is above the 95th percentile of the shuffled ones (0.05 by chance).
        reliability: correlation over heads (Pearson, on ranks) of the two halves of the traces; over random splits, mean and
            the middle 95 %. -1 to 1; None with fewer than 4 traces.
        overlap: share of the receivers that both halves choose; None with fewer than 4 traces.
        seen: trace keys (hexadecimal) of the identification traces; none of them may be scored with these heads.
        eligible: heads that could have been chosen.
    """

    model: str
    options: Options
    heads: tuple[Head, ...]
    sharpness: tuple[float, ...]
    null: tuple[float, ...]
    above_null: float
    reliability: Estimate | None
    overlap: Estimate | None
    seen: tuple[str, ...]
    eligible: int

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "model": self.model,
            "options": self.options.to_json(),
            "heads": [list(head) for head in self.heads],
            "sharpness": list(self.sharpness),
            "null": list(self.null),
            "above_null": self.above_null,
            "reliability": self.reliability.to_json() if self.reliability else None,
            "overlap": self.overlap.to_json() if self.overlap else None,
            "traces": len(self.seen),
            "eligible": self.eligible,
            "seen": list(self.seen),
        }

    def save(self, path: Path) -> None:
        """Writes them as JSON."""
        path.write_bytes(orjson.dumps(self.to_json(), option=orjson.OPT_INDENT_2))


def load(path: Path) -> Receivers:
    """Receivers that were saved.

    Raises:
        InputError: the file is not there or holds something else.
    """
    try:
        record = orjson.loads(path.read_bytes())
        named: dict[str, Any] = {name: record[name] for name in ("model", "above_null", "eligible")}
        for name in ("sharpness", "null", "seen"):
            named[name] = tuple(record[name])
        named["heads"] = tuple((int(layer), int(head)) for layer, head in record["heads"])
        for name in ("reliability", "overlap"):
            named[name] = Estimate(name, **record[name]) if record[name] else None
        return Receivers(options=Options(**record["options"]), **named)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} does not hold receiver heads ({error}): write it with Receivers.save.") from error


def kurtoses(profile: Profile, options: Options, shuffled: bool = False) -> Values:
    """Excess kurtosis (Fisher, biased) of each head's profile on one trace, shape (heads,).

    NaN where the profile has fewer than `LEAST_SENTENCES` sentences between its edges. A profile without any spread has
    kurtosis 0: a flat head is no receiver.
    """
    values = (profile.shuffled if shuffled else profile.values)[:, profile.counted]
    inner = values[:, options.edges : values.shape[1] - options.edges]
    if inner.shape[1] < LEAST_SENTENCES:
        return np.full(len(values), np.nan)
    inner = _without_baseline(inner, options)
    scale = np.maximum(inner.std(axis=1, keepdims=True), 1e-12 * np.abs(values).max())
    flat = inner.std(axis=1) <= 1e-9 * np.abs(values).max()
    found = kurtosis(
        (inner - inner.mean(axis=1, keepdims=True)) / np.maximum(scale, 1e-300), axis=1, fisher=True, bias=True
    )
    return np.where(flat, 0.0, found)


def _without_baseline(values: Values, options: Options) -> Values:
    """Profiles after what all heads share is taken out."""
    shared = values.mean(axis=0)
    if options.baseline == "subtract":
        values = values - shared
    elif options.baseline == "regress":
        centred = shared - shared.mean()
        slopes = (values @ centred) / max(float(centred @ centred), 1e-300)
        values = values - values.mean(axis=1, keepdims=True) - slopes[:, None] * centred
    return values


def sharpness(profiles: Sequence[Profile], options: Options, shuffled: bool = False) -> Values:
    """What each trace says about each head, shape (traces, heads); traces that are too short are left out."""
    found = np.array([kurtoses(profile, options, shuffled) for profile in profiles])
    long = np.isfinite(found).all(axis=1)
    if options.average == "length":
        sizes = np.array([int(profile.counted.sum()) - 2 * options.edges for profile in profiles], dtype=np.float64)
        found = found / np.maximum(sizes - 5, 1)[:, None]
    elif options.average == "rank" and found.shape[1] > 1:
        found = (rankdata(found, axis=1) - 1) / (found.shape[1] - 1)
    return np.asarray(found[long], dtype=np.float64)


def choose(profiles: Mapping[str, Profile], model: str, options: Options) -> Receivers:
    """The receiver heads by the profiles of all heads on the identification traces.

    Args:
        profiles: by trace key (hexadecimal); of all heads, made with the same options.
        model: name of the model.
        options: how heads are chosen.

    Raises:
        InputError: no trace is long enough.
    """
    pile = list(profiles.values())
    eligible = _eligible(pile, options)
    found = sharpness(pile, options)[:, eligible] if pile else np.zeros((0, 0))
    if not len(found):
        least = LEAST_SENTENCES + 2 * options.edges + options.gap
        raise InputError(
            f"none of the {len(pile)} traces has {least} sentences, which receiver heads need with gap {options.gap} and edges "
            f"{options.edges}: give longer traces or lower the two."
        )
    mean = found.mean(axis=0)
    order = np.argsort(-mean, kind="stable")[: options.heads]
    raw = _mean_kurtosis(pile, options, eligible, shuffled=False)
    null = _mean_kurtosis(pile, options, eligible, shuffled=True)
    reliability, overlap = _stability(found, options)
    return Receivers(
        model,
        options,
        heads=tuple(pile[0].heads[eligible[place]] for place in order),
        sharpness=tuple(float(mean[place]) for place in order),
        null=tuple(float(null[place]) for place in order),
        above_null=float((raw > np.percentile(null, 95)).mean()),
        reliability=reliability,
        overlap=overlap,
        seen=tuple(profiles),
        eligible=len(eligible),
    )


def _eligible(profiles: Sequence[Profile], options: Options) -> NDArray[np.int64]:
    """Places of the heads that may be receivers."""
    heads = profiles[0].heads if profiles else ()
    first = min((layer for layer, _ in heads), default=0)
    kept = [place for place, (layer, _) in enumerate(heads) if options.layer_zero or layer > 0 or first > 0]
    return np.array(kept, dtype=np.int64)


def _mean_kurtosis(
    profiles: Sequence[Profile], options: Options, eligible: NDArray[np.int64], shuffled: bool
) -> Values:
    """Kurtosis of each eligible head, averaged over the traces that are long enough; of real or of shuffled rows."""
    found = np.array([kurtoses(profile, options, shuffled)[eligible] for profile in profiles])
    return np.asarray(found[np.isfinite(found).all(axis=1)].mean(axis=0), dtype=np.float64)


def _stability(found: Values, options: Options) -> tuple[Estimate | None, Estimate | None]:
    """Agreement of the two halves of the traces over random splits: over all heads, and of the chosen ones."""
    traces = len(found)
    if traces < 2 * _LEAST_HALF:
        return None, None
    generator = np.random.default_rng(options.seed)
    correlations, overlaps = [], []
    for _ in range(_SPLITS):
        order = generator.permutation(traces)
        halves = [found[part].mean(axis=0) for part in (order[: traces // 2], order[traces // 2 :])]
        ranks = [rankdata(half) for half in halves]
        correlations.append(float(np.corrcoef(*ranks)[0, 1]))
        chosen = [set(np.argsort(-half, kind="stable")[: options.heads].tolist()) for half in halves]
        overlaps.append(len(chosen[0] & chosen[1]) / len(chosen[0]))
    return _over_splits("split-half reliability", correlations, traces), _over_splits("overlap", overlaps, traces)


def _over_splits(name: str, values: Sequence[float], traces: int) -> Estimate:
    low, high = np.percentile(values, [2.5, 97.5])
    return Estimate(name, float(np.mean(values)), float(low), float(high), traces)
