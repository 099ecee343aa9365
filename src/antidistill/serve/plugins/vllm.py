"""Reasoning parsers for vLLM that guard what another parser finds: `--reasoning-parser guard_qwen3` wraps `qwen3`.

A wrapper hands everything to the parser it wraps and edits the reasoning in its results, so that structured output, which needs
to know where reasoning ends, works as before. It also takes log probabilities and token ids out of requests, for they show the
same text. Registered by `--reasoning-parser-plugin` with the path of this file. Policies come from the file that the variable
ANTIDISTILL_POLICY names.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

from vllm.entrypoints.generate.base.protocol import DeltaMessage
from vllm.reasoning import ReasoningParser, ReasoningParserManager

from antidistill.serve.guard.lane import Guard, Lane, whole
from antidistill.serve.plugins.session import Desk
from antidistill.serve.policies.clients import ANONYMOUS

VARIABLE = "ANTIDISTILL_POLICY"
PREFIX = "guard_"
_ROUTE = "/v1/chat/completions"
_COMPOSED = frozenset(
    {"kimi_k3", "minicpmv", "cohere_command3", "cohere_command4", "response_template", "openai_gptoss"}
)
"""Parsers that vLLM recognises by their name, or replaces by another one: a wrapper of another name would change the output."""
_CLOSED = {
    "logprobs": False,
    "top_logprobs": None,
    "prompt_logprobs": None,
    "logprob_token_ids": None,
    "return_token_ids": None,
    "return_tokens_as_token_ids": None,
    "return_routed_experts": None,
    "echo": False,
}
"""Fields of a request that bring reasoning out in another place, and what closes them."""


@cache
def _desk() -> Desk:
    return Desk(os.environ.get(VARIABLE))


class GuardedParser(ReasoningParser):  # type: ignore[misc]
    """Wraps the parser `inner_name`; one object for each response, as vLLM makes them.

    If a response is cut off inside its reasoning, the sentence that was held back then does not leave.
    """

    inner_name: ClassVar[str]

    def __init__(self, tokenizer: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(tokenizer, *args, **kwargs)
        inner = ReasoningParserManager.get_reasoning_parser(self.inner_name)
        self._inner: Any = inner(tokenizer, *args, **kwargs)
        self._prompt = b""
        self._lane: Lane | None = None
        model = getattr(kwargs.get("model_config"), "model", "") or ""
        snapshot = _desk().book.current
        self._policy = snapshot.policy(ANONYMOUS, str(model), _ROUTE)
        self._hold = snapshot.settings.limits.hold_bytes

    @property
    def engine_based_streaming(self) -> bool:
        """As the wrapped parser."""
        return bool(self._inner.engine_based_streaming)

    def set_prompt_token_ids(self, prompt_token_ids: Sequence[int]) -> None:
        """The prompt; its tokens are what the edits depend on, in streams and whole answers alike."""
        self._prompt = ",".join(map(str, prompt_token_ids)).encode()
        self._inner.set_prompt_token_ids(prompt_token_ids)

    def adjust_request(self, request: Any) -> Any:
        """Takes out of the request what shows the reasoning in another place."""
        request = self._inner.adjust_request(request)
        if self._policy.defense is not None:
            for name, closed in _CLOSED.items():
                if getattr(request, name, None):
                    setattr(request, name, closed)
        return request

    def extract_reasoning(self, model_output: str, request: Any) -> tuple[str | None, str | None]:
        """Reasoning, guarded, and content of a whole answer."""
        reasoning, content = self._inner.extract_reasoning(model_output, request)
        guard = self._guard()
        if guard is None or not reasoning:
            return reasoning, content
        return whole(guard, reasoning)[0], content

    def extract_reasoning_streaming(
        self,
        previous_text: str,
        current_text: str,
        delta_text: str,
        previous_token_ids: Sequence[int],
        current_token_ids: Sequence[int],
        delta_token_ids: Sequence[int],
    ) -> Any:
        """What may leave of the next piece; what is held leaves with the piece in which the reasoning ends."""
        delta = self._inner.extract_reasoning_streaming(
            previous_text, current_text, delta_text, previous_token_ids, current_token_ids, delta_token_ids
        )
        ends = bool(delta and (delta.content or delta.tool_calls)) or self._has_ended(
            current_token_ids, delta_token_ids
        )
        return self._edited(delta, ends)

    def finish_streaming(self) -> Any:
        """What is held where an engine-based parser is flushed."""
        finish = getattr(self._inner, "finish_streaming", None)
        return self._edited(finish() if finish else None, ends=True)

    def _has_ended(self, current_token_ids: Sequence[int], delta_token_ids: Sequence[int]) -> bool:
        if self.engine_based_streaming:
            return bool(self._inner.has_engine_confirmed_reasoning_end())
        return bool(self._inner.is_reasoning_end_streaming(current_token_ids, delta_token_ids))

    def _edited(self, delta: Any, ends: bool) -> Any:
        guard = self._guard()
        if guard is None:
            return delta
        came = delta.reasoning if delta is not None else None
        if came and (self._lane is None or self._lane.closed):
            self._lane = Lane(guard, "reasoning")
        left = self._lane.feed(came) if came and self._lane else ""
        if ends and self._lane is not None:
            left += self._lane.close()
        if delta is None:
            return DeltaMessage(reasoning=left) if left else None
        delta.reasoning = left or None
        return delta if delta.reasoning or delta.content or delta.tool_calls or delta.role else None

    def _guard(self) -> Guard | None:
        defense = self._policy.defense
        if defense is None:
            return None
        key = hashlib.sha256(b"vllm prompt\0" + self._prompt).digest()
        return Guard(defense, key, self._policy.on_failure, self._hold)


def _delegate(name: str) -> Any:
    """A method, or a property, that asks the wrapped parser."""

    def method(self: GuardedParser, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._inner, name)(*args, **kwargs)

    def value(self: GuardedParser) -> Any:
        return getattr(self._inner, name)

    return method if callable(getattr(ReasoningParser, name)) else property(value)


for _name in dir(ReasoningParser):
    if not _name.startswith("_") and _name not in vars(GuardedParser):
        setattr(GuardedParser, _name, _delegate(_name))


def guarded(inner_name: str) -> type[GuardedParser]:
    """The class that wraps a parser.

    Args:
        inner_name: as `--reasoning-parser` knows it.

    Raises:
        ValueError: vLLM treats this parser by its name, so that a wrapper would not work.
    """
    if inner_name in _COMPOSED:
        raise ValueError(f"the parser {inner_name!r} cannot be wrapped: put the reverse proxy before vLLM instead.")
    return type(f"Guarded_{inner_name}", (GuardedParser,), {"inner_name": inner_name})


def register() -> None:
    """Registers a wrapper for every parser that vLLM knows; none is made before it is asked for."""
    for name in ReasoningParserManager.list_registered():
        if name not in _COMPOSED and not name.startswith(PREFIX):
            ReasoningParserManager.register_module(PREFIX + name, module=guarded(name))


register()
