"""Exchange: marker sentences change places; every count stays as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from antidistill.defenses.base import Editor
from antidistill.defenses.budget import check_share
from antidistill.defenses.choices import Choices, require_key
from antidistill.defenses.seams import Cuts
from antidistill.defenses.text_defense import MarkerDefense
from antidistill.defenses.whole import WholeEditor
from antidistill.text.native import survey
from antidistill.text.survey import BULLET, ITEM, MARKER, RAGGED
from antidistill.trace import Edit


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange(MarkerDefense):
    """Moves marker sentences to the places of other marker sentences of the same trace.

    The separators stay where they are. The first sentence, list items, indented lines, sentences without a stop and sentences
    with unbalanced brackets stay too. The first place needs a sentence from further on, so nothing leaves before the reasoning
    ends.

    Attributes:
        share: share of the movable marker sentences that change places, in (0, 1].
    """

    name: ClassVar[str] = "exchange"
    share: float = 1.0

    def __post_init__(self) -> None:
        MarkerDefense.__post_init__(self)
        require_key(self.key)
        check_share(self.share)

    @property
    def streams(self) -> bool:
        """The first place needs a sentence from further on."""
        return False

    def begin(self, trace_key: bytes) -> Editor:
        """An editor that answers when the reasoning ends."""
        return WholeEditor(lambda text: self.edit(text, trace_key))

    def edit(self, text: str, trace_key: bytes) -> list[Edit]:
        """Sends each chosen sentence to the place of the next one in the key's order: none stays where it was."""
        starts, flags = survey(text, self.marker_table)
        cores = [core for _, core in movable(text, starts, flags, MARKER, MARKER)]
        order = Choices(self.key, trace_key, self.name).order(len(cores))[: round(self.share * len(cores))]
        return exchanged(text, cores, order, self.name)


def movable(
    text: str, starts: Sequence[int], flags: bytes | bytearray, mask: int, value: int
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Numbers and spans, without their trailing white space, of the sentences that may change places.

    Args:
        text: the reasoning.
        starts: where its sentences start.
        flags: what they are, one byte each (`text.survey`).
        mask: bits that are looked at.
        value: only sentences with `flags & mask == value`.
    """
    ends = [*starts[1:], len(text)]
    seams = Cuts(text)
    mask |= RAGGED | ITEM | BULLET
    for number in range(1, len(starts)):
        if flags[number] & mask == value:
            start = starts[number]
            end = start + len(text[start : ends[number]].rstrip())
            if seams.is_stopped(end) and not seams.in_code(start):
                yield number, (start, end)


def exchanged(text: str, cores: Sequence[tuple[int, int]], order: Sequence[int], reason: str) -> list[Edit]:
    """Sends each span of `order` to the place of the next one: none stays where it was."""
    edits = []
    for place, source in zip(order, [*order[1:], *order[:1]], strict=True):
        (start, end), (source_start, source_end) = cores[place], cores[source]
        if text[start:end] != text[source_start:source_end]:
            edits.append(Edit(start, end, text[source_start:source_end], reason))
    return sorted(edits, key=lambda edit: edit.start)
