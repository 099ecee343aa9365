"""Detectors that look at one thing: length, markers, repetition."""

from __future__ import annotations

from antidistill.measure.detectors.base import NumberDetector

LENGTH = NumberDetector(lambda evidence: evidence.group("length"))
"""How long the trace is."""

MARKER_RATE = NumberDetector(lambda evidence: evidence.group("marker-rate"), strength=1.0)
"""Share of the sentences that open with a marker: one number, so its AUROC is that of the rate."""

MARKER_GAPS = NumberDetector(lambda evidence: evidence.group("marker-gaps"))
"""Where the markers stand and how far apart."""

REPETITION = NumberDetector(lambda evidence: evidence.group("repetition"))
"""Distinct n-grams, sentences said before, compression."""
