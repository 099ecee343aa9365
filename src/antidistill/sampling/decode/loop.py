"""The generation loop: a batch of traces, written token by token under one method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from antidistill.sampling.decode.decoder import Decoder
from antidistill.sampling.decode.draws import Draws, draw
from antidistill.sampling.decode.ending import Ending, stop_tokens
from antidistill.sampling.decode.exempt import Exempt
from antidistill.sampling.decode.revise import revise
from antidistill.sampling.decode.row import Row
from antidistill.sampling.methods.base import Aids, Sampler, Step
from antidistill.sampling.settings import Prompt, Settings, plain_ids


class Writer:
    """Writes batches of traces with one teacher and one method.

    Args:
        teacher: causal language model.
        tokenizer: its tokenizer.
        sampler: the method.
        settings: how it samples.
        aids: what the method needs beside the teacher.
    """

    def __init__(self, teacher: Any, tokenizer: Any, sampler: Sampler, settings: Settings, aids: Aids) -> None:
        self._tokenizer, self._sampler, self._settings = tokenizer, sampler, settings
        self.ending = Ending(tokenizer, settings.frame, stop_tokens(teacher, tokenizer))
        self._model, self._teacher = teacher, Decoder(teacher, hidden=sampler.hidden)
        self._follower = sampler.follower(aids)
        self._exempt = Exempt(self.ending.exempt) if settings.exempt else None
        frame = settings.frame
        self._forcing = plain_ids(tokenizer, frame.closing + frame.forcing) if frame.forcing else []

    def write(self, prompts: Sequence[tuple[Prompt, int]]) -> list[Row]:
        """One finished row for each prompt and sample, in order."""
        rows = self._written(prompts)
        if self._sampler.post_hoc:
            revise(self._model, self._sampler, rows, self.ending, self._settings)
        return rows

    def _written(self, prompts: Sequence[tuple[Prompt, int]]) -> list[Row]:
        rows = [self._row(number, prompt, sample) for number, (prompt, sample) in enumerate(prompts)]
        asked = [row.ids for row in rows]
        logits = self._teacher.start(asked)
        signals = self._follower.start(asked) if self._follower else {}
        written, guarded = rows, rows
        while True:
            tokens = self._next(logits, written, guarded, signals)
            for row, token in zip(written, tokens, strict=True):
                row.add(token, self.ending, self._settings, self._forcing)
            stay = [place for place, row in enumerate(written) if not row.ended]
            if not stay:
                return rows
            guarded, signals = self._follow(guarded)
            self._teacher.keep(stay)
            written = [written[place] for place in stay]
            logits = self._teacher.step([row.tokens[-1] for row in written])

    def _row(self, number: int, prompt: Prompt, sample: int) -> Row:
        ids = self._settings.frame.prompt_ids(self._tokenizer, prompt)
        return Row(number, prompt, sample, ids, Draws(self._settings.key, prompt.key, sample))

    def _follow(self, guarded: Sequence[Row]) -> tuple[list[Row], Mapping[str, Any]]:
        """The rows that the method still acts on, and their signals; the others leave the follower for good."""
        acts = self._settings.scope == "all"
        stay = [place for place, row in enumerate(guarded) if not row.ended and (acts or row.reasons or row.doubtful)]
        kept = [guarded[place] for place in stay]
        if self._follower is None or not kept:
            return kept, {}
        self._follower.keep(stay)
        return kept, self._follower.step([row.tokens[-1] for row in kept])

    def _next(
        self, logits: Any, written: Sequence[Row], guarded: Sequence[Row], signals: Mapping[str, Any]
    ) -> list[int]:
        """The next token of each written row."""
        settings = self._settings
        if guarded and not self._sampler.post_hoc:
            places = {row.number: place for place, row in enumerate(written)}
            at = [places[row.number] for row in guarded]
            logits = self._changed(logits, at, guarded, signals)
        if settings.temperature == 0:
            tokens = logits.argmax(-1).tolist()
        else:
            uniforms = [row.draws.uniform(len(row.tokens)) for row in written]
            tokens = draw(logits / settings.temperature, uniforms, settings.top_k, settings.top_p)
        return [row.forced[0] if row.forced else token for row, token in zip(written, tokens, strict=True)]

    def _changed(self, logits: Any, at: list[int], guarded: Sequence[Row], signals: Mapping[str, Any]) -> Any:
        """The logits with the guarded rows changed, except where a closing has begun or may have ended the reasoning."""
        whole = len(at) == len(logits)
        clean = logits if whole else logits[at]
        if self._sampler.hidden:
            signals = {**signals, "hidden": self._teacher.hidden if whole else self._teacher.hidden[at]}
        step = Step(
            self._settings.temperature,
            [row.draws for row in guarded],
            [len(row.tokens) for row in guarded],
            [self._settings.reasoning_tokens] * len(guarded),
            signals,
        )
        changed = self._sampler(clean, step)
        if self._exempt is not None:
            changed = self._exempt(clean, changed, self._settings.temperature)
            paused = [
                p for p, row in enumerate(guarded) if row.doubtful or (row.reasons and self.ending.begun(row.tokens))
            ]
            if paused:
                changed = changed.index_copy(0, _index(paused, changed), clean[paused])
        return changed if whole else logits.index_copy(0, _index(at, logits), changed)


def _index(places: Sequence[int], like: Any) -> Any:
    import torch

    return torch.as_tensor(places, dtype=torch.long, device=like.device)
