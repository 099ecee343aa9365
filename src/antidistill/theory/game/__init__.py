"""The game of equation (1): which defense, or mixture of defenses, to commit to (docs/game.md)."""

from antidistill.theory.game.limits import Limit
from antidistill.theory.game.payoffs import Payoffs
from antidistill.theory.game.reading import parse, read
from antidistill.theory.game.solution import Solution
from antidistill.theory.game.solve import solve

__all__ = ["Limit", "Payoffs", "Solution", "parse", "read", "solve"]
