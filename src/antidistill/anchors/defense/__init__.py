"""The defense `anchors`: the sentences that matter most by a scorer are edited, under a budget."""

from antidistill.anchors.defense.anchors import ACTS, Anchors

__all__ = ["ACTS", "Anchors"]
