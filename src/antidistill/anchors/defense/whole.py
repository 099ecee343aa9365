"""What is done to the highest-scoring sentences once the whole reasoning is known: delete, delete the branch, exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from antidistill.defenses.branches import cut_branch
from antidistill.defenses.choices import Choices
from antidistill.defenses.exchange import exchanged, movable
from antidistill.defenses.seams import Cuts
from antidistill.text.markers import Markers
from antidistill.text.native import survey
from antidistill.text.survey import ITEM, MARKER, RAGGED
from antidistill.trace import Edit


@dataclass(frozen=True, slots=True)
class Scored:
    """A reasoning with a score for each sentence (None: it has none and stays).

    Attributes:
        text: the reasoning.
        starts: offsets of the sentences.
        flags: one byte per sentence (`text.survey`).
        scores: higher = goes first.
    """

    text: str
    starts: list[int]
    flags: bytes | bytearray
    scores: Sequence[float | None]

    @classmethod
    def of(cls, text: str, scores: Sequence[float | None], markers: Markers) -> Scored:
        """The reasoning, its sentences found anew."""
        starts, sentence_flags = survey(text, markers)
        return cls(text, starts, sentence_flags, scores)

    @property
    def ends(self) -> list[int]:
        """Ends of the sentences."""
        return [*self.starts[1:], len(self.text)]

    def highest(self) -> list[int]:
        """Numbers of the sentences that have a score, highest first; of equal ones the earlier."""
        known = [(-score, number) for number, score in enumerate(self.scores) if score is not None]
        return [number for _, number in sorted(known)]


def delete(scored: Scored, share: float, reason: str) -> list[Edit]:
    """Cuts the highest-scoring sentences, in reading order."""
    ends = scored.ends
    free = (number for number in scored.highest() if not scored.flags[number] & (RAGGED | ITEM))
    chosen = _within(free, lambda number: ends[number] - scored.starts[number], share * len(scored.text))
    cuts = Cuts(scored.text, reason=reason)
    for number in sorted(chosen):
        cuts.cut(scored.starts[number], ends[number], ends[number] == len(scored.text))
    return cuts.close()


def delete_branches(scored: Scored, share: float, reason: str) -> list[Edit]:
    """Cuts the branches of the highest-scoring sentences; what precedes the first marker and the last branch stay."""
    heads = [number for number, flag in enumerate(scored.flags) if flag & MARKER]
    branches = list(pairwise(heads))
    owner = {number: branch for branch, (head, after) in enumerate(branches) for number in range(head, after)}
    order = dict.fromkeys(owner[number] for number in scored.highest() if number in owner)

    def length(branch: int) -> int:
        return scored.starts[branches[branch][1]] - scored.starts[branches[branch][0]]

    cuts = Cuts(scored.text, reason=reason)
    for branch in sorted(_within(order, length, share * len(scored.text))):
        head, after = branches[branch]
        cut_branch(cuts, scored.starts[head : after + 1], scored.flags[head:after])
    return cuts.close()


def exchange(scored: Scored, share: float, reason: str, choices: Choices) -> list[Edit]:
    """Sends the highest-scoring sentences to each other's places, in the key's order."""
    cores = dict(movable(scored.text, scored.starts, scored.flags, 0, 0))
    free = [number for number in scored.highest() if number in cores]
    chosen = _within(free, lambda number: cores[number][1] - cores[number][0], share * len(scored.text))
    spans = [cores[number] for number in sorted(chosen)]
    return exchanged(scored.text, spans, choices.order(len(spans)), reason)


def _within(order: Iterable[int], length: Callable[[int], int], target: float) -> list[int]:
    """Takes one after the other as long as that brings the total nearer to `target` characters."""
    chosen, taken = [], 0
    for number in order:
        if abs(target - taken - length(number)) < target - taken:
            chosen.append(number)
            taken += length(number)
    return chosen
