"""Unpaired detectors by name; another package adds one through the entry-point group `antidistill.detectors`."""

from antidistill.measure.detectors.base import Detector, NumberDetector

__all__ = ["Detector", "NumberDetector"]
