"""The Messages dialect: events, blocks and fields of Anthropic, vLLM and SGLang. Sources: docs/design/wire-dialects.md."""

from __future__ import annotations

from antidistill.serve.dialects.shapes import ByType, Each, Role, Shape

_TOOL: Shape = {
    "type": Role.NAME,
    "id": Role.NAME,
    "name": Role.NAME,
    "server_name": Role.NAME,
    "input": Role.ANSWER,
    "caller": {"type": Role.NAME, "tool_id": Role.NAME},
}
_RESULTS = """
web_search_tool_result web_fetch_tool_result code_execution_tool_result bash_code_execution_tool_result
text_editor_code_execution_tool_result tool_search_tool_result mcp_tool_result container_upload compaction
""".split()
BLOCK = ByType(
    {
        "thinking": {"type": Role.NAME, "thinking": Role.REASONING, "signature": Role.SEAL},
        "redacted_thinking": {"type": Role.NAME, "data": Role.SEAL},
        "text": {"type": Role.NAME, "text": Role.CONTENT, "citations": Role.KEEP},
        **dict.fromkeys(("tool_use", "server_tool_use", "mcp_tool_use"), _TOOL),
        **dict.fromkeys(_RESULTS, Role.ANSWER),
    }
)
_DELTA = ByType(
    {
        "thinking_delta": {"type": Role.NAME, "thinking": Role.REASONING},
        "signature_delta": {"type": Role.NAME, "signature": Role.SEAL},
        "text_delta": {"type": Role.NAME, "text": Role.CONTENT},
        "input_json_delta": {"type": Role.NAME, "partial_json": Role.ANSWER},
        "citations_delta": {"type": Role.NAME, "citation": Role.ANSWER},
        "compaction_delta": {"type": Role.NAME, "content": Role.ANSWER},
    }
)
_CONTAINER: Shape = {"id": Role.NAME, "expires_at": Role.NAME}
MESSAGE: dict[str, Shape] = {
    "id": Role.NAME,
    "type": Role.NAME,
    "role": Role.NAME,
    "model": Role.NAME,
    "content": Each(BLOCK),
    "stop_reason": Role.NAME,
    "stop_sequence": Role.NAME,
    "usage": Role.USAGE,
    "container": _CONTAINER,
}
EVENTS: dict[str, Shape] = {
    "message_start": {"type": Role.NAME, "message": {**MESSAGE, "content": Role.NO_LIST}},
    "content_block_start": {"type": Role.NAME, "index": Role.NAME, "content_block": BLOCK},
    "content_block_delta": {"type": Role.NAME, "index": Role.NAME, "delta": _DELTA},
    "content_block_stop": {"type": Role.NAME, "index": Role.NAME},
    "message_delta": {
        "type": Role.NAME,
        "delta": {"stop_reason": Role.NAME, "stop_sequence": Role.NAME, "container": _CONTAINER},
        "usage": Role.USAGE,
    },
    "message_stop": {"type": Role.NAME},
    "ping": {"type": Role.NAME},
    "error": {"type": Role.NAME, "error": Role.ERROR},
}
"""By type; others are dropped."""
