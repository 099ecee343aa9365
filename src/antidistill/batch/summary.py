"""The summary of a run: what came out, what it cost, and what is guaranteed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from antidistill.batch.guardian import NOTHING
from antidistill.batch.results import Tally
from antidistill.defenses import certificate


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did.

    Attributes:
        tally: counts over the whole output, earlier parts of a resumed run included.
        bytes: input that this run read, decompressed.
        seconds: wall time of this run.
        spec: the JSON that rebuilds the defense.
    """

    tally: Tally
    bytes: int
    seconds: float
    spec: str

    def to_json(self) -> dict[str, Any]:
        """What `guard --json` writes."""
        tally = self.tally
        spec = orjson.loads(self.spec)
        record: dict[str, Any] = {
            "rows": tally.rows,
            "guarded": tally.guarded,
            "unchanged": tally.unchanged,
            "rejected": tally.rejected,
            "traces": tally.traces,
            "removed_share": tally.removed_share,
            "removed_sentences": tally.removed_sentences,
            "edits": tally.edits,
            "reasons": {"unchanged": dict(tally.reasons), "rejected": dict(tally.rejections)},
            "seconds": round(self.seconds, 3),
            "mb_per_s": round(self.bytes / 1e6 / self.seconds, 1) if self.seconds else 0.0,
            "spec": spec,
        }
        return record | ({"certificate": certificate(spec["mix"])} if spec["mix"] is not None else {})

    def lines(self) -> list[str]:
        """What a person reads at the end of a run."""
        tally = self.tally
        method = orjson.loads(self.spec)["method"]
        text = [
            f"{tally.rows:,} rows: {tally.guarded:,} guarded, {tally.unchanged:,} unchanged, {tally.rejected:,} rejected; "
            f"{tally.removed_share:.1%} of the reasoning removed.",
        ]
        text += [f"unchanged: {count:,} × {reason}." for reason, count in tally.reasons.most_common()]
        text += [f"rejected: {count:,} × {reason}" for reason, count in tally.rejections.most_common(5)]
        if not tally.rows:
            text.append("the input holds no rows.")
        if tally.unchanged and tally.unchanged == tally.reasons[NOTHING] and not tally.guarded and method != "none":
            text.append(f"{method} found nothing to remove in these traces: they are published as they are.")
        return text + self._certificate()

    def _certificate(self) -> list[str]:
        promise = self.to_json().get("certificate")
        if promise is None:
            return []
        return [
            f"no detector of single traces exceeds an AUROC of {promise['auroc_at_most']:.3f} "
            f"(total variation at most {promise['total_variation_at_most']:g}); this does not hold for a pile of traces."
        ]
