"""What each sentence does in its reasoning: eight functions, told by keywords, by a trained tagger, or by a model behind a URL."""

from antidistill.anchors.functions.base import FUNCTIONS, Tagger, make

__all__ = ["FUNCTIONS", "Tagger", "make"]
