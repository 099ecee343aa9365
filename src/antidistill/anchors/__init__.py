"""Thought anchors: which sentences of a reasoning matter, and what each of them does."""

from antidistill.anchors.scores import Scorer, Scores, make, score_all, unscored

__all__ = ["Scorer", "Scores", "make", "score_all", "unscored"]
