"""Text of a reasoning: sentences, markers, and the reasoning inside raw text."""

from antidistill.text.split import Sentence, Splitter, split

__all__ = ["Sentence", "Splitter", "split"]
