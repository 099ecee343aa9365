"""How visible a change of traces can be at most, whatever the detector is. Proofs: docs/bounds.md."""

from antidistill.theory.bounds.record import Bound

__all__ = ["Bound"]
