"""Control for antidistillation sampling: the same noise without its direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from antidistill.sampling.methods.ads import ADS
from antidistill.sampling.methods.base import Step


@dataclass(frozen=True, kw_only=True, slots=True)
class PermutedADS(ADS):
    """Control for ADS: the same values of Delta on other tokens, with random signs, so noise of the same size (ADS paper).

    Attributes:
        lam, derivative, eps, precision, before_temperature: as for ads.
    """

    name: ClassVar[str] = "ads-permuted"

    def _delta(self, step: Step) -> Any:
        import torch

        delta = step.signals["derivative"]
        rows = []
        for row, draws, position in zip(delta, step.draws, step.positions, strict=True):
            chance = draws.generator("permutation", position)
            order = torch.randperm(len(row), generator=chance).to(row.device)
            signs = torch.randint(0, 2, (len(row),), generator=chance).to(row) * 2 - 1
            rows.append(row[order] * signs)
        return torch.stack(rows)
