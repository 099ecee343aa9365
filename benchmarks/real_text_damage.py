"""The tables of `real_text.py`: damage by condition and part of the trace, with two-way bootstrap intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antidistill.distill.losses import PARTS
from real_text_plan import CLEAN

RESAMPLES = 2000
GROUPS = {
    **{part: [index] for index, part in enumerate(PARTS)},
    "reasoning": [0, 1, 2],
    "reasoning_outside_markers": [1, 2],
}
"""Columns of the sums that make a row of the table."""


def tables(cells: Sequence[Mapping[str, Any]], base: str = CLEAN, teacher: str | None = None) -> dict[str, Any]:
    """Loss of every condition minus that of `base` with the same seed; over the held-out traces of one teacher, or all."""
    clean = {cell["seed"]: cell for cell in cells if cell["condition"] == base}
    found = {}
    for condition in dict.fromkeys(cell["condition"] for cell in cells):
        own = [cell for cell in cells if cell["condition"] == condition and cell["seed"] in clean]
        if own and condition not in (CLEAN, base):
            found[condition] = _damage([(clean[cell["seed"]], cell) for cell in own], teacher)
    return found


def _damage(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], teacher: str | None) -> dict[str, Any]:
    rows = [row for row, name in enumerate(pairs[0][0]["teachers"]) if teacher in (None, name)]
    differences = np.array([np.array(ours["nats"]) - np.array(theirs["nats"]) for theirs, ours in pairs])[:, rows]
    tokens = np.array([ours["tokens"] for _, ours in pairs])[:, rows]
    parts = {
        name: estimate(differences[:, :, columns].sum(2), tokens[:, :, columns].sum(2))
        for name, columns in GROUPS.items()
    }
    return {"removed_share": float(np.mean([ours["removed_share"] for _, ours in pairs])), "seeds": len(pairs), **parts}


def estimate(sums: NDArray[np.float64], tokens: NDArray[np.float64]) -> dict[str, Any]:
    """Nats per token with a 95 % interval; shapes (seeds, traces).

    Seeds and traces are drawn anew together; with one seed, traces only.
    """
    generator = np.random.default_rng(0)
    seeds, traces = sums.shape
    drawn_seeds = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES)
    drawn_traces = generator.multinomial(traces, np.full(traces, 1 / traces), size=RESAMPLES)
    values = np.einsum("rs,st,rt->r", drawn_seeds, sums, drawn_traces)
    counted = np.einsum("rs,st,rt->r", drawn_seeds, tokens, drawn_traces)
    some = counted > 0  # drawn traces without a token of this part say nothing of it
    low, high = np.percentile(values[some] / counted[some], [2.5, 97.5])
    return {
        "value": float(sums.sum() / tokens.sum()),
        "low": float(low),
        "high": float(high),
        "n": traces,
        "unit": "nats per token",
        "by_seed": (sums.sum(1) / tokens.sum(1)).tolist(),
        "tokens": int(tokens[0].sum()),
    }


def facts(cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What happened in each cell, without the traces; losses are those of its own student on the clean held-out traces."""
    kept = ("condition", "seed", "spec", "removed_share", "training", "seconds", "processor_seconds")
    return [
        {name: cell[name] for name in kept}
        | {"loss": dict(zip(PARTS, (np.sum(cell["nats"], 0) / np.sum(cell["tokens"], 0)).tolist(), strict=True))}
        for cell in cells
    ]
