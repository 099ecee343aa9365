"""Thought anchors: which sentences of a reasoning matter, by attention, by resampling, by suppression, by text alone."""

from antidistill.anchors.scores import Scorer, Scores, make, score_all, unscored

__all__ = ["Scorer", "Scores", "make", "score_all", "unscored"]
