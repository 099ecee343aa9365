"""Attention suppression: what hiding a sentence does to every later one."""

from antidistill.anchors.suppression.matrix import Matrix, suppression_matrix
from antidistill.anchors.suppression.scorer import Suppression

__all__ = ["Matrix", "Suppression", "suppression_matrix"]
