"""Payoffs for the tests of the game."""

import numpy as np

from antidistill.theory.game import parse


def table(damage, *, prior=None, responses=None, **metrics):
    """Payoffs with rows r0, r1 ... and columns c0, c1 ...; every further keyword is a metric, one number per row."""
    rows = [f"r{number}" for number in range(len(damage))]
    columns = [f"c{number}" for number in range(len(damage[0]))]
    content = {"rows": rows, "columns": columns, "damage": np.asarray(damage, dtype=float).tolist()}
    content["metrics"] = {name: dict(zip(rows, map(float, values), strict=True)) for name, values in metrics.items()}
    if prior is not None:
        content["prior"] = dict(zip(columns, map(float, prior), strict=True))
    if responses is not None:
        content["responses"] = responses
    return parse(content)


def weights(solution, payoffs):
    """The commitment as an array."""
    return np.array([solution.commitment.get(row, 0.0) for row in payoffs.rows])
