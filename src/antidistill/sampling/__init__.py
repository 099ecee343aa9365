"""White-box defenses: they act on a teacher's logits while it reasons, and yield ordinary traces.

Torch is loaded on the first call, not by this import.
"""

from antidistill.sampling.front import make, sample, spec
from antidistill.sampling.methods.base import Aids, Sampler, Step
from antidistill.sampling.settings import Frame, Prompt, Settings

__all__ = ["Aids", "Frame", "Prompt", "Sampler", "Settings", "Step", "make", "sample", "spec"]
