"""Anchors: the sentences that a scorer puts highest go, up to a share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from antidistill.anchors.defense import whole
from antidistill.anchors.defense.budget import QuantileBudget
from antidistill.anchors.defense.streaming import AnchorEditor, Judge, edit_whole
from antidistill.anchors.scores import Scorer, make
from antidistill.anchors.text_score.scorer import TextScore
from antidistill.defenses.base import Editor
from antidistill.defenses.budget import check_share
from antidistill.defenses.choices import Choices, require_key
from antidistill.defenses.text_defense import MarkerDefense
from antidistill.defenses.whole import WholeEditor
from antidistill.errors import BadOption
from antidistill.text import split
from antidistill.trace import Edit, Trace

ACTS = ("delete", "exchange", "branch")
_STREAMING = {"view": "stream", "position": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchors(MarkerDefense):
    """Deletes the sentences that matter most by a scorer: thought anchors.

    With the text score nothing but the sentence and what precedes it is looked at, so it streams; other scorers and acts need
    the whole reasoning.

    Attributes:
        share: expected share of the reasoning's characters that goes (exchange: that moves), as far as it may go.
        act: delete the sentences; exchange their places; delete the branch that each stands in.
        scorer: a name of the table of scorers, or a mapping of "scorer" and its options. "text" is its streaming view, without
            position, unless the options say otherwise.
    """

    name: ClassVar[str] = "anchors"
    share: float = 0.1
    act: str = "delete"
    scorer: str | Mapping[str, Any] = "text"
    _scorer: Scorer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        MarkerDefense.__post_init__(self)
        require_key(self.key)
        check_share(self.share)
        if self.act not in ACTS:
            raise BadOption("act", self.act, "one of " + ", ".join(ACTS))
        object.__setattr__(self, "_scorer", _made(self.scorer))

    @property
    def streams(self) -> bool:
        """Only deleting by a score that is known when the sentence ends, and that no place in the trace shifts."""
        return self.act == "delete" and self._streaming() is not None

    def begin(self, trace_key: bytes) -> Editor:
        """An editor for one trace that arrives in pieces."""
        if self.streams:
            return AnchorEditor(self._judge(trace_key), self.name, self.marker_table)
        return WholeEditor(lambda text: self.edit(text, trace_key))

    def edit(self, text: str, trace_key: bytes) -> list[Edit]:
        """The edits of a whole reasoning.

        Raises:
            RowError: the scorer has no score for this reasoning, with the reason.
        """
        if self.streams:
            return edit_whole(text, self._judge(trace_key), self.name, self.marker_table)
        sentences = split(text)
        if not text.strip():
            return []
        # A defense sees the reasoning alone, so a scorer that reads the prompt too reads an empty one.
        found = self._scorer.score(Trace(trace_key.hex(), "", text, ""), sentences)
        scored = whole.Scored.of(text, found.values, self.marker_table)
        if self.act == "exchange":
            return whole.exchange(scored, self.share, self.name, Choices(self.key, trace_key, self.name))
        act = whole.delete if self.act == "delete" else whole.delete_branches
        return act(scored, self.share, self.name)

    def _streaming(self) -> TextScore | None:
        """The scorer where it needs nothing but the sentence and what precedes it."""
        scorer = self._scorer
        if isinstance(scorer, TextScore) and scorer.view == "stream" and not scorer.position:
            return scorer
        return None

    def _judge(self, trace_key: bytes) -> Judge:
        scorer = self._streaming()
        assert scorer is not None, "asked only where the defense streams"
        choices = Choices(self.key, trace_key, self.name)
        return Judge(scorer.loaded.stream, QuantileBudget(self.share, choices, scorer.loaded.edges))


def _made(scorer: str | Mapping[str, Any]) -> Scorer:
    """The scorer of an option."""
    options = {"scorer": scorer} if isinstance(scorer, str) else dict(scorer) if isinstance(scorer, Mapping) else {}
    if not isinstance(options.get("scorer"), str):
        raise BadOption("scorer", scorer, "a scorer's name, or a mapping with 'scorer' and its options")
    name = options.pop("scorer")
    made = make(name, **(_STREAMING | options if name == "text" else options))
    getattr(made, "check_alone", lambda: None)()  # a defense sees one trace, from which some scorers cannot learn
    return made
