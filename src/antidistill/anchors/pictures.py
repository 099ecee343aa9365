"""The sentence x sentence matrix behind scores of receiver heads, read once more for the few traces that are to be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from antidistill.anchors.scores import Scorer
from antidistill.anchors.table import Scored
from antidistill.errors import RowError


def with_matrix(row: Scored, scorers: Mapping[str, Scorer], progress: Callable[[str], None]) -> Scored:
    """The row with a matrix in the evidence of its receiver heads, where it has such scores.

    The matrices of all heads of all traces would fill the memory, so they are not kept while heads are searched for; with the
    heads known, a second reading costs little.
    """
    from antidistill.anchors.receiver_heads import Options, ReceiverHeads, Receivers

    scores = dict(row.scores)
    for name, scorer in scorers.items():
        found = scores.get(name)
        if not isinstance(scorer, ReceiverHeads) or found is None or found.reason or "matrix" in found.evidence:
            continue
        progress(f"matrix of {row.case.trace.id}")
        known: Mapping[str, Any] = found.evidence["receivers"]
        heads = tuple((int(layer), int(head)) for layer, head in known["heads"])
        receivers = Receivers(
            known["model"],
            Options(**known["options"]),
            heads,
            (),
            (),
            known["above_null"],
            None,
            None,
            (),
            known["eligible"],
        )
        # No identification trace is named here: the heads were found on other prompts before, and scores are not taken anew.
        reader = replace(scorer, receivers=receivers, matrix=True)
        try:
            matrix = reader.score(row.case.trace, row.sentences).evidence["matrix"]
        except RowError:
            continue
        scores[name] = replace(found, evidence={**found.evidence, "matrix": matrix})
    return replace(row, scores=scores)
