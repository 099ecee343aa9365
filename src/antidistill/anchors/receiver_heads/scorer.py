"""Receiver heads as a scorer of sentences: heads are found on some traces, others are scored with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from antidistill.anchors.reading import check_reading, read_tokens
from antidistill.anchors.receiver_heads import heads as finding
from antidistill.anchors.receiver_heads.heads import Receivers
from antidistill.anchors.receiver_heads.options import Options, variant
from antidistill.anchors.receiver_heads.profile import Profile, profile
from antidistill.anchors.scores import Scores, unscored
from antidistill.anchors.tokens import TEMPLATE
from antidistill.errors import BadOption, InputError, RowError, UsageError
from antidistill.measure.models import SMALL_LANGUAGE_MODEL
from antidistill.text import Sentence, split
from antidistill.trace import Trace


@dataclass(frozen=True, kw_only=True)
class ReceiverHeads:
    """Scores sentences by the attention that receiver heads give them from far behind.

    Attributes:
        model: a causal language model: the small default, a hub name, or a folder.
        variant: a named set of options: controlled, original, appendix-d.
        options: single options that differ from the variant's, by name (`receiver_heads.options.Options`).
        receivers: heads found before (`identify`), or the file that they were saved to. Without them, `score_all` finds heads on
            one half of the prompts and scores the other half with them, and the other way round.
        template: how prompt and reasoning are shown to the model.
        max_tokens: read only so many; later sentences get no score. None: a longer trace than the model reads is a reason.
        chunk: tokens read at a time; None for all at once.
        matrix: put the mean sentence x sentence matrix of the receivers into the evidence.
        progress: called with a few words before each trace.
    """

    name: ClassVar[str] = "receiver-heads"
    model: str = SMALL_LANGUAGE_MODEL
    variant: str = "controlled"
    options: Mapping[str, Any] = field(default_factory=dict)
    receivers: Receivers | Path | str | None = None
    template: str = TEMPLATE
    max_tokens: int | None = None
    chunk: int | None = None
    matrix: bool = False
    progress: Callable[[str], None] = lambda step: None

    def __post_init__(self) -> None:
        check_reading(self.template, max_tokens=self.max_tokens, chunk=self.chunk)
        if isinstance(self.receivers, (str, Path)):
            object.__setattr__(self, "receivers", finding.load(Path(self.receivers)))
        elif self.receivers is not None and not isinstance(self.receivers, Receivers):
            raise BadOption("receivers", self.receivers, "what identify() gives, or the file that it was saved to")
        self.chosen()

    def chosen(self) -> Options:
        """The options in full.

        Raises:
            UnknownName: no such variant.
            BadOption: an option out of its range, or unknown.
        """
        if isinstance(self.receivers, Receivers) and not self.options:
            return self.receivers.options
        try:
            return replace(variant(self.variant), **self.options)
        except TypeError as error:
            known = ", ".join(Options.__dataclass_fields__)
            raise BadOption("options", self.options, f"a mapping of {known}") from error

    def identify(self, traces: Sequence[Trace], sentences: Sequence[Sequence[Sentence]] | None = None) -> Receivers:
        """The receiver heads on these traces, which then may not be scored with them.

        Raises:
            InputError: no trace is long enough.
        """
        found = self._profiles(traces, _split(traces, sentences))
        return finding.choose(_by_prompt(traces, found), self.model, self.chosen())

    def score(self, trace: Trace, sentences: Sequence[Sentence] | None = None) -> Scores:
        """Scores of one trace: per sentence the mean vertical score of the receivers (see `Profile.values`).

        Raises:
            UsageError: no receivers were given.
            RowError: the trace was used to find them, or cannot be scored.
        """
        self.check_alone()
        assert isinstance(self.receivers, Receivers)
        if trace.key.hex() in self.receivers.seen:
            raise RowError("the receiver heads were found on this prompt: scoring it would be circular.")
        found = self._profile(trace, split(trace.reasoning) if sentences is None else sentences, self.receivers.heads)
        return self._scores(found, self.receivers)

    def check_alone(self) -> None:
        """Raises UsageError where single traces cannot be scored, since no receivers were given."""
        if self.receivers is None:
            raise UsageError(
                "receiver heads of one trace need heads found on others: give receivers, a file of identify(traces).save(file)."
            )

    def score_all(self, traces: Sequence[Trace], sentences: Sequence[Sequence[Sentence]]) -> list[Scores]:
        """Scores of many traces; each prompt is scored with heads found on others."""
        if isinstance(self.receivers, Receivers):
            return [self._row(trace, each) for trace, each in zip(traces, sentences, strict=True)]
        found = self._profiles(traces, sentences)
        keys = sorted({trace.key for trace in traces})
        halves = [set(keys[::2]), set(keys[1::2])]
        own = [_by_prompt(traces, found, half) for half in halves]
        others = [self._found(own[1]), self._found(own[0])]
        rows = []
        for trace, each, part in zip(traces, sentences, found, strict=True):
            receivers = others[0 if trace.key in halves[0] else 1]
            if isinstance(part, Profile) and isinstance(receivers, Receivers):
                rows.append(self._scores(part, receivers))
            else:
                reason = part if isinstance(part, str) else receivers
                rows.append(unscored(self.name, len(each), str(reason), self._variant()))
        return rows

    def _found(self, profiles: Mapping[str, Profile]) -> Receivers | str:
        """The receivers of one half, or why there are none."""
        if not profiles:
            return (
                "there is no other prompt to find receiver heads on: give traces of two prompts or more, or receivers."
            )
        try:
            return finding.choose(profiles, self.model, self.chosen())
        except InputError as error:
            return str(error) + (f" They were cut to max_tokens={self.max_tokens}." if self.max_tokens else "")

    def _row(self, trace: Trace, sentences: Sequence[Sentence]) -> Scores:
        try:
            return self.score(trace, sentences)
        except RowError as reason:
            return unscored(self.name, len(sentences), str(reason), self._variant())

    def _profiles(self, traces: Sequence[Trace], sentences: Sequence[Sequence[Sentence]]) -> list[Profile | str]:
        """The profile of all heads on each trace, or why there is none."""
        found: list[Profile | str] = []
        for number, (trace, each) in enumerate(zip(traces, sentences, strict=True)):
            self.progress(f"receiver heads: trace {number + 1:,} of {len(traces):,}")
            try:
                found.append(self._profile(trace, each, None))
            except RowError as reason:
                found.append(str(reason))
        return found

    def _profile(self, trace: Trace, sentences: Sequence[Sentence], heads: Any) -> Profile:
        model, tokens = read_tokens(self.model, trace, sentences, self.template, self.max_tokens)
        return profile(model, tokens, self.chosen(), heads, self.matrix, self.chunk)

    def _scores(self, profile: Profile, receivers: Receivers) -> Scores:
        places = [profile.heads.index(head) for head in receivers.heads if head in profile.heads]
        mean = profile.values[places].mean(axis=0)
        values = tuple(float(value) if np.isfinite(value) else None for value in mean)
        evidence = {
            "heads": [list(head) for head in receivers.heads],
            "profiles": profile.values[places],
            "null": profile.shuffled[places].mean(axis=0),
            "receivers": {name: value for name, value in receivers.to_json().items() if name != "seen"},
        }
        if profile.matrix is not None:
            evidence["matrix"] = profile.matrix[places].mean(axis=0)
        return Scores(self.name, values, self._variant(), evidence=evidence)

    def _variant(self) -> dict[str, Any]:
        return {"model": self.model, "template": self.template, "max_tokens": self.max_tokens} | self.chosen().to_json()


def _split(traces: Sequence[Trace], sentences: Sequence[Sequence[Sentence]] | None) -> Sequence[Sequence[Sentence]]:
    return [split(trace.reasoning) for trace in traces] if sentences is None else sentences


def _by_prompt(
    traces: Sequence[Trace], found: Sequence[Profile | str], keys: Collection[bytes] | None = None
) -> dict[str, Profile]:
    """One profile for each prompt (of `keys`), the first that there is, by the prompt's key in hexadecimal."""
    profiles: dict[str, Profile] = {}
    for trace, part in zip(traces, found, strict=True):
        if isinstance(part, Profile) and (keys is None or trace.key in keys):
            profiles.setdefault(trace.key.hex(), part)
    return profiles
