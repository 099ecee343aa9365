"""How a trace becomes text for a student: what it is shown, and what it learns to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from antidistill.errors import BadOption, UsageError
from antidistill.trace import Trace


class Example(NamedTuple):
    """One trace as tokens.

    Attributes:
        ids: tokens of prompt and completion, end of text included.
        prompt: how many of them are the prompt; the loss counts all others.
    """

    ids: list[int]
    prompt: int

    @property
    def mask(self) -> list[int]:
        """1 where the loss counts, shape (tokens,)."""
        return [0] * self.prompt + [1] * (len(self.ids) - self.prompt)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where prompt, reasoning and answer stand.

    A tokenizer with a chat template lays out the prompt itself (`system` and the prompt as turns of a chat). Prompt and
    completion are tokenized apart, so that the student is asked with the very tokens that it was trained behind.

    Attributes:
        system: what stands in the system turn, or in front of the prompt; empty for none.
        prompt: the prompt where there is no chat template; `{prompt}` stands for it.
        opening: in front of the reasoning.
        closing: between reasoning and answer.
        forcing: makes whoever goes on behind it answer; where it is empty, a forced answer takes the place of the
            student's own.
        chat: whether the chat template is used, if there is one.
    """

    system: str = ""
    prompt: str = "{prompt}\n"
    opening: str = "<think>\n"
    closing: str = "\n</think>\n\n"
    forcing: str = "\n\n**Final Answer**\n\\[ \\boxed{"
    chat: bool = True

    def __post_init__(self) -> None:
        if "{prompt}" not in self.prompt:
            raise BadOption("prompt", self.prompt, "a text that holds {prompt}")

    def question_ids(self, tokenizer: Any, prompt: str) -> list[int]:
        """The tokens that ask a student; it goes on behind them."""
        if self.chat and getattr(tokenizer, "chat_template", None):
            return _plain_ids(tokenizer, self._chat(tokenizer, prompt))
        head = f"{self.system}\n\n" if self.system else ""
        ids = list(tokenizer(head + self.prompt.replace("{prompt}", prompt), verbose=False).input_ids)
        return ids[:-1] if ids[-1:] == [tokenizer.eos_token_id] and len(ids) > 1 else ids

    def completion(self, trace: Trace) -> str:
        """What the student learns to write for a trace."""
        return f"{self.opening}{trace.reasoning}{self.closing}{trace.answer}"

    def encode(self, tokenizer: Any, trace: Trace) -> Example:
        """A trace as tokens; the last one ends the text.

        Raises:
            UsageError: the tokenizer has no end-of-text token.
        """
        asked = self.question_ids(tokenizer, trace.prompt)
        return Example([*asked, *_plain_ids(tokenizer, self.completion(trace)), end_of_text(tokenizer)], len(asked))

    def parts(self, text: str) -> tuple[str, str | None]:
        """Reasoning and answer of a student's output; no answer where the reasoning is not closed."""
        reasoning, closed, answer = text.partition(self.closing.strip() or self.closing)
        return reasoning.removeprefix(self.opening.strip()), answer if closed else None

    def forced(self, text: str) -> str:
        """A student's output with what forces an answer behind it; its reasoning is closed if it is not.

        White space at the end is left to whoever goes on: tokenizers attach it to the word behind it.
        """
        reasoning, closed, _ = text.partition(self.closing.strip() or self.closing)
        if not self.forcing:
            return (reasoning.rstrip() + self.closing).rstrip()
        return (text if closed else reasoning + self.closing).rstrip() + self.forcing.rstrip()

    def _chat(self, tokenizer: Any, prompt: str) -> str:
        turns = [{"role": "system", "content": self.system}] if self.system else []
        turns.append({"role": "user", "content": prompt})
        text: str = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        # Templates of reasoning models open the reasoning themselves; the completion does it here.
        opening = self.opening.strip()
        return text.rstrip().removesuffix(opening) if opening and text.rstrip().endswith(opening) else text


def end_of_text(tokenizer: Any) -> int:
    """The token that ends a text.

    Raises:
        UsageError: there is none.
    """
    if tokenizer.eos_token_id is None:
        raise UsageError(
            "the tokenizer has no end-of-text token: set tokenizer.eos_token, so that students learn to stop."
        )
    return int(tokenizer.eos_token_id)


def _plain_ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False, verbose=False).input_ids)


def encode_all(tokenizer: Any, layout: Layout, traces: Sequence[Trace]) -> list[Example]:
    """All traces as tokens."""
    return [layout.encode(tokenizer, trace) for trace in traces]
