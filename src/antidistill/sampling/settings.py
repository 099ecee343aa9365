"""What a teacher is asked, how it is asked, and how it samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from antidistill.errors import BadOption
from antidistill.trace import trace_key

SCOPES = ("reasoning", "all")


def _check(allowed: bool, option: str, given: object, what: str) -> None:
    if not allowed:
        raise BadOption(option, given, what)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt.

    Attributes:
        id: name of the trace that comes of it.
        text: what the teacher is asked.
        ids: the tokens that the teacher goes on behind, opening of the reasoning included; laid out by the frame if None.
    """

    id: str
    text: str
    ids: Sequence[int] | None = None

    @property
    def key(self) -> bytes:
        """The trace key of what comes of it (32 bytes)."""
        return trace_key(self.text, self.id)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where prompt, reasoning and answer stand in the teacher's text.

    A tokenizer with a chat template lays out the prompt itself. The reasoning is opened by the frame, unless the template
    does it, so that it starts with the first sampled token.

    Attributes:
        system: what stands in the system turn, or in front of the prompt; empty for none.
        prompt: the prompt where there is no chat template; `{prompt}` stands for it.
        opening: in front of the reasoning; empty for none.
        closings: each of them ends the reasoning; in quotes, one that `text.thinking` knows is a mention and does not.
        closing: between reasoning and answer where the frame itself closes the reasoning.
        forcing: if not empty, a reasoning that reaches its budget is closed and these words make the teacher answer.
        chat: whether the chat template is used, if there is one.
    """

    system: str = ""
    prompt: str = "{prompt}\n"
    opening: str = "<think>\n"
    closings: tuple[str, ...] = ("</think>",)
    closing: str = "\n</think>\n\n"
    forcing: str = ""
    chat: bool = True

    def __post_init__(self) -> None:
        _check("{prompt}" in self.prompt, "prompt", self.prompt, "a text that holds {prompt}")
        _check(all(self.closings), "closings", self.closings, "texts of at least one character")

    def prompt_ids(self, tokenizer: Any, prompt: Prompt) -> list[int]:
        """The tokens that the teacher goes on behind."""
        if prompt.ids is not None:
            return list(prompt.ids)
        if self.chat and getattr(tokenizer, "chat_template", None):
            turns = [{"role": "system", "content": self.system}] if self.system else []
            turns.append({"role": "user", "content": prompt.text})
            text: str = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
            return plain_ids(tokenizer, self._opened(text))
        head = f"{self.system}\n\n" if self.system else ""
        text = self._opened(head + self.prompt.replace("{prompt}", prompt.text))
        first = [tokenizer.bos_token_id] if _starts_with_bos(tokenizer) else []
        return [*first, *plain_ids(tokenizer, text)]

    def _opened(self, text: str) -> str:
        opened = text.rstrip().endswith(self.opening.strip())
        return text if opened else text + self.opening


@dataclass(frozen=True, slots=True)
class Settings:
    """How a teacher samples, whatever the method.

    Attributes:
        temperature: tau; 0 is greedy.
        top_p: nucleus in (0, 1], cut after the method has changed the logits, as in the public ADS code (there 0.95).
        top_k: tokens kept, likewise; 0 keeps all (the public ADS code keeps 50, the default of transformers).
        reasoning_tokens: the reasoning ends here at the latest.
        answer_tokens: the answer ends here at the latest.
        samples: traces per prompt.
        batch: traces written at a time; part of what makes a run repeatable to the last bit.
        key: secret that all draws come from (HMAC-SHA256 of the prompt, the sample and the position); may be empty.
        scope: "reasoning": the answer is sampled by the clean teacher; "all": the method acts there too, as published code does.
        exempt: special tokens and the end of the reasoning keep exactly the probability that the clean teacher gives them.
        frame: where prompt, reasoning and answer stand.
    """

    temperature: float = 0.6
    top_p: float = 1.0
    top_k: int = 0
    reasoning_tokens: int = 1024
    answer_tokens: int = 256
    samples: int = 1
    batch: int = 16
    key: bytes = b""
    scope: str = "reasoning"
    exempt: bool = True
    frame: Frame = Frame()

    def __post_init__(self) -> None:
        _check(self.temperature >= 0, "temperature", self.temperature, "at least 0")
        _check(0 < self.top_p <= 1, "top_p", self.top_p, "in (0, 1]")
        _check(self.top_k >= 0, "top_k", self.top_k, "at least 0")
        for name in ("reasoning_tokens", "answer_tokens", "samples", "batch"):
            _check(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        _check(self.scope in SCOPES, "scope", self.scope, f"one of {', '.join(SCOPES)}")


def plain_ids(tokenizer: Any, text: str) -> list[int]:
    """Tokens of a text, without those that a tokenizer puts around it."""
    return list(tokenizer(text, add_special_tokens=False, verbose=False).input_ids)


def _starts_with_bos(tokenizer: Any) -> bool:
    bos = tokenizer.bos_token_id
    return bos is not None and list(tokenizer("a", verbose=False).input_ids)[:1] == [bos]
