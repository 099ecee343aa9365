"""Chat completions: fields of DeepSeek, vLLM, SGLang, llama.cpp, OpenRouter, LiteLLM and OpenAI.

Sources: docs/design/wire-dialects.md. Fields that are not here are dropped, those that are known to betray reasoning among them:
token ids, hidden states, routed experts, `sglext`, `meta_info`, `prompt_text`, `timings`, `__verbose`,
`provider_specific_fields`,
`stop_reason` and `matched_stop` (a stop sequence may stand in the reasoning).
"""

from __future__ import annotations

from antidistill.serve.dialects.shapes import ByType, Each, Role, Shape

REASONING_FIELDS = ("reasoning_content", "reasoning")
"""Fields that hold the text; both may be there, with the same text."""

DETAILS = "reasoning_details"
BLOCKS = "thinking_blocks"
CHUNKS = "content chunks"
"""Texts in thinking chunks of content that is a list (Mistral)."""

_SUMMARY: dict[str, Shape] = {
    "type": Role.NAME,
    "summary": Role.REASONING,
    "id": Role.NAME,
    "format": Role.NAME,
    "index": Role.NAME,
}
_DETAIL = ByType(
    {
        "reasoning.text": {**_SUMMARY, "text": Role.REASONING, "signature": Role.SEAL},
        "reasoning.summary": _SUMMARY,
        "reasoning.encrypted": {
            "type": Role.NAME,
            "data": Role.SEAL,
            "id": Role.NAME,
            "format": Role.NAME,
            "index": Role.NAME,
        },
    }
)
_BLOCK = ByType(
    {
        "thinking": {"type": Role.NAME, "thinking": Role.REASONING, "signature": Role.SEAL},
        "redacted_thinking": {"type": Role.NAME, "data": Role.SEAL},
    }
)
_MESSAGE: Shape = {
    "role": Role.ROLE,
    "name": Role.NAME,
    "content": Role.CONTENT,
    "refusal": Role.ANSWER,
    "tool_calls": Role.ANSWER,
    "function_call": Role.ANSWER,
    "annotations": Role.ANSWER,
    "audio": Role.ANSWER,
    "images": Role.ANSWER,
    **dict.fromkeys(REASONING_FIELDS, Role.REASONING),
    DETAILS: Each(_DETAIL),
    BLOCKS: Each(_BLOCK),
}
_CHOICE: Shape = {
    "index": Role.NAME,
    "delta": _MESSAGE,
    "message": _MESSAGE,
    "finish_reason": Role.FINISH,
    "native_finish_reason": Role.NAME,
    "logprobs": Role.NO_LOGPROBS,
    "usage": Role.USAGE,
}
CHUNK: Shape = {
    "id": Role.NAME,
    "object": Role.NAME,
    "created": Role.NAME,
    "model": Role.NAME,
    "provider": Role.NAME,
    "system_fingerprint": Role.NAME,
    "service_tier": Role.NAME,
    "choices": Each(_CHOICE, by="index"),
    "usage": Role.USAGE,
    "error": Role.ERROR,
    "obfuscation": Role.NAME,
}
ENVELOPE = ("id", "object", "created", "model", "provider", "system_fingerprint", "service_tier")
"""What every chunk of a response repeats."""
