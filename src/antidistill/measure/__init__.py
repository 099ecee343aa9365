"""How visible an edit is: paired metrics, unpaired detectors, intervals."""

from antidistill.measure.detection import Detection, detect
from antidistill.measure.judge import Judge
from antidistill.measure.options import Options

__all__ = ["Detection", "Judge", "Options", "detect"]
