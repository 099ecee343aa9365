"""Detectors that look through a language model or a sentence encoder."""

from __future__ import annotations

from antidistill.measure.detectors.base import NumberDetector

EMBEDDINGS = NumberDetector(lambda evidence: evidence.embeddings, needs=("encoder",))
"""Sentence embedding of the trace."""

PERPLEXITY = NumberDetector(lambda evidence: evidence.perplexity_features, needs=("language model",))
"""Mean and spread of the token losses."""

SEAM_SURPRISE = NumberDetector(lambda evidence: evidence.seam_features, needs=("language model",))
"""How unlikely the first tokens of each sentence are, given what precedes."""
