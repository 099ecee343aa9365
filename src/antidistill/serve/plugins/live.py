"""White-box samplers on the requests of a serving engine, which come and go one by one. Knows no engine; see `vllm_samplers`.

Where the reasoning ends, which tokens are exempt and where chance comes from are decided as in `antidistill sample`. Each request
has a reader of the proxies of its own, so a token costs their forward passes for this request alone: they are not batched.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from antidistill.errors import InputError, UnknownName, UsageError
from antidistill.keys import read_key
from antidistill.sampling import Aids, Frame, Prompt, Sampler, Settings, make
from antidistill.sampling.decode.draws import Draws
from antidistill.sampling.decode.ending import Ending
from antidistill.sampling.decode.exempt import Exempt
from antidistill.sampling.decode.row import Row
from antidistill.sampling.methods.base import Follower, Step
from antidistill.sampling.proxies.gradient import Gradient


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What the operator's file says; a client can change none of it.

    Attributes:
        method: name of the sampler.
        options: of it.
        proxy: name or folder of the proxy, with the teacher's tokenizer.
        gradient: file that `antidistill sample --method ads` wrote.
        key_file: the secret that noise comes from.
        reasoning_tokens: positions that a method with a mask may choose from.
        closings: each of them ends the reasoning.
        scope: "reasoning", or "all".
        exempt: special tokens and the end of the reasoning keep the clean teacher's probability.
    """

    method: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    proxy: str = ""
    gradient: str = ""
    key_file: str = ""
    reasoning_tokens: int = 8192
    closings: Sequence[str] = ("</think>",)
    scope: str = "reasoning"
    exempt: bool = True

    @classmethod
    def read(cls, path: str | Path) -> Plan:
        """The plan in a YAML file.

        Raises:
            InputError: the file cannot be read, or names no method.
            UnknownName: it says something that is not known.
        """
        try:
            said = yaml.safe_load(Path(path).read_text())
        except (OSError, yaml.YAMLError) as error:
            raise InputError(f"{path} cannot be read ({error}): name a YAML file with a method.") from error
        if not isinstance(said, dict) or "method" not in said:
            raise InputError(f"{path} names no method: write for instance 'method: temperature'.")
        for name in said:
            if name not in cls.__dataclass_fields__:
                raise UnknownName("setting of a sampler", name, cls.__dataclass_fields__)
        return cls(**said)

    def sampler(self) -> Sampler:
        """The method.

        Raises:
            UnknownName, BadOption: no such method or option, or one out of its range.
            UsageError: an engine's logits cannot carry the method.
        """
        sampler = make(self.method, **self.options)
        if sampler.post_hoc:
            raise UsageError(
                f"{sampler.name} draws tokens of a finished trace anew, which an engine cannot: set feedback to true."
            )
        if sampler.hidden:
            raise UsageError(
                f"{sampler.name} needs hidden states, and a logits processor gets none: use antidistill sample."
            )
        return sampler

    def aids(self, sampler: Sampler) -> Aids:
        """The models and files that the method needs, loaded."""
        from antidistill.measure.models import load_language_model

        proxy = load_language_model(self.proxy).model if self.proxy and "proxy" in sampler.aids else None
        return Aids(proxy, Gradient.load(Path(self.gradient)) if self.gradient and "gradient" in sampler.aids else None)

    def settings(self) -> Settings:
        """How the reasoning is found, and the key."""
        return Settings(
            reasoning_tokens=self.reasoning_tokens,
            key=read_key(Path(self.key_file), "name another key_file").secret if self.key_file else b"",
            scope=self.scope,
            exempt=self.exempt,
            frame=Frame(closings=tuple(self.closings)),
        )


class LiveSampler:
    """A sampler for any number of requests.

    Args:
        sampler: the method.
        tokenizer: the teacher's.
        settings: frame, scope, exempt, reasoning_tokens and key hold; the temperature is that of each request.
        aids: what the method needs.
        stops: tokens that end a text.
    """

    def __init__(
        self, sampler: Sampler, tokenizer: Any, settings: Settings, aids: Aids | None = None, stops: Sequence[int] = ()
    ) -> None:
        self.sampler, self.settings, self.aids = sampler, settings, aids or Aids()
        self.ending = Ending(tokenizer, settings.frame, stops or [tokenizer.eos_token_id])
        self.exempt = Exempt(self.ending.exempt) if settings.exempt else None
        sampler.follower(self.aids)  # what is missing is told at the start

    def request(self, prompt: Sequence[int], temperature: float, trace_key: bytes = b"") -> LiveRequest:
        """A request that begins.

        Args:
            prompt: its tokens.
            temperature: that the engine will divide the logits by.
            trace_key: what chance depends on beside the key; the tokens of the prompt where there is none.
        """
        key = trace_key or hashlib.sha256(b"prompt tokens\0" + ",".join(map(str, prompt)).encode()).digest()
        row = Row(0, Prompt("", "", list(prompt)), 0, list(prompt), Draws(self.settings.key, key))
        row.reasons = not self._closed(prompt)
        return LiveRequest(self, row, temperature)

    def _closed(self, prompt: Sequence[int]) -> bool:
        """Whether the template itself has closed the reasoning, as it does where thinking is switched off."""
        return self.ending.decode(prompt[-16:]).rstrip().endswith(tuple(self.settings.frame.closings))


class LiveRequest:
    """One request while it is written."""

    def __init__(self, live: LiveSampler, row: Row, temperature: float) -> None:
        self._live, self._row, self._temperature = live, row, temperature
        self._follower: Follower | None = None
        self._signals: Mapping[str, Any] = {}
        self._read = -1

    @property
    def written(self) -> int:
        """Tokens of the output that are known."""
        return len(self._row.tokens)

    def add(self, tokens: Sequence[int]) -> None:
        """Further tokens of the output."""
        for token in tokens:
            self._row.add(token, self._live.ending, self._live.settings, ())

    def changed(self, logits: Any) -> Any:
        """The logits of the next token, (vocabulary,), float32; the same object where nothing is to be changed.

        Tokens that something else has ruled out (minus infinity) stay ruled out.
        """
        row, live = self._row, self._live
        acts = row.reasons or live.settings.scope == "all"
        paused = row.doubtful or (row.reasons and live.ending.begun(row.tokens))
        if not acts or (paused and live.exempt is not None):
            return logits
        clean = logits[None]
        step = Step(
            self._temperature, [row.draws], [len(row.tokens)], [live.settings.reasoning_tokens], self._followed(logits)
        )
        changed = live.sampler(clean, step).masked_fill(clean == float("-inf"), float("-inf"))
        if live.exempt is not None:
            changed = live.exempt(clean, changed, self._temperature)
        return changed[0]

    def _followed(self, logits: Any) -> Mapping[str, Any]:
        """What the proxies say after all tokens so far."""
        row = self._row
        if self._read < 0:
            self._follower = self._live.sampler.follower(self._live.aids)
            self._signals = self._follower.start([[*row.ids, *row.tokens]]) if self._follower else {}
        elif self._follower is not None:
            for token in row.tokens[self._read :]:
                self._signals = self._follower.step([token])
        self._read = len(row.tokens)
        return {name: signal.to(logits.device) for name, signal in self._signals.items()}


def check_temperature(sampler: Sampler, temperature: float) -> None:
    """Raises BadOption where the method has no meaning at this temperature."""
    import torch

    nothing = torch.zeros(1, 2)
    signals = {"derivative": nothing, "proxy": nothing}
    sampler(nothing, Step(temperature, [Draws(b"", bytes(32))], [0], [1], signals))
