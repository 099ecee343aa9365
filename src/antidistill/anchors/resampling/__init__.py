"""Resampling: what a reasoning leads to when it is written on with and without a sentence."""

from antidistill.anchors.resampling.importance import MEASURES, Importance, importance, similarities
from antidistill.anchors.resampling.published import read_labels, read_problem
from antidistill.anchors.resampling.rollouts import Rollout, Rollouts
from antidistill.anchors.resampling.sample import Cost, Plan, cost, sample
from antidistill.anchors.resampling.scorer import Resampling

__all__ = [
    "MEASURES",
    "Cost",
    "Importance",
    "Plan",
    "Resampling",
    "Rollout",
    "Rollouts",
    "cost",
    "importance",
    "read_labels",
    "read_problem",
    "sample",
    "similarities",
]
