"""What each sentence does in its reasoning: eight functions, told by keywords, a trained tagger, or a model behind a URL."""

from antidistill.anchors.functions.base import FUNCTIONS, Tagger, make

__all__ = ["FUNCTIONS", "Tagger", "make"]
