"""The Responses dialect: events, items and fields of OpenAI, vLLM and SGLang. Sources: docs/design/wire-dialects.md.

Left out on purpose: `input`, `input_messages` and `output_messages` (vLLM), which repeat raw text.
"""

from __future__ import annotations

from antidistill.serve.dialects.shapes import ByType, Each, Role, Shape

_TITLES = ("title", "url", "filename")
_PLACES = ("type", "index", "start_index", "end_index", "file_id", "container_id")
_ANNOTATION: Shape = {**dict.fromkeys(_PLACES, Role.NAME), **dict.fromkeys(_TITLES, Role.KEEP)}
_ANNOTATIONS = ("file_citation", "url_citation", "container_file_citation", "file_path")
ANNOTATION = ByType(dict.fromkeys(_ANNOTATIONS, _ANNOTATION))
PART = ByType(
    {
        "output_text": {
            "type": Role.NAME,
            "text": Role.CONTENT,
            "annotations": Each(ANNOTATION),
            "logprobs": Role.NO_LIST,
        },
        "refusal": {"type": Role.NAME, "refusal": Role.ANSWER},
        "reasoning_text": {"type": Role.NAME, "text": Role.REASONING},
        "summary_text": {"type": Role.NAME, "text": Role.REASONING},
    }
)
_THOUGHT: Shape = {"type": Role.NAME, "text": Role.REASONING}
_THOUGHTS = ByType(dict.fromkeys(("reasoning_text", "summary_text", "output_text", "text"), _THOUGHT))
"""Whatever text stands in a reasoning item is reasoning; LiteLLM calls it "output_text"."""
_REASONING: Shape = {
    "id": Role.NAME,
    "type": Role.NAME,
    "status": Role.NAME,
    "summary": Each(_THOUGHTS),
    "content": Each(_THOUGHTS),
    "encrypted_content": Role.SEAL,
}
_MESSAGE: Shape = {
    "id": Role.NAME,
    "type": Role.NAME,
    "role": Role.NAME,
    "status": Role.NAME,
    "phase": Role.NAME,
    "content": Each(PART),
}
_CALLS = """
function_call function_call_output custom_tool_call file_search_call web_search_call computer_call code_interpreter_call
image_generation_call local_shell_call local_shell_call_output shell_call shell_call_output apply_patch_call
apply_patch_call_output mcp_call mcp_list_tools mcp_approval_request compaction
""".split()
ITEM = ByType({"reasoning": _REASONING, "message": _MESSAGE, **dict.fromkeys(_CALLS, Role.ANSWER)})

_NAMES = """
id object created_at completed_at model status parallel_tool_calls temperature top_p max_output_tokens max_tool_calls
previous_response_id truncation user service_tier store background top_logprobs prompt_cache_key safety_identifier
frequency_penalty presence_penalty prompt_cache_retention
""".split()
RESPONSE: dict[str, Shape] = {
    **dict.fromkeys(_NAMES, Role.NAME),
    "output": Each(ITEM),
    "usage": Role.USAGE,
    "error": Role.ERROR,
    "incomplete_details": {"reason": Role.NAME},
    "reasoning": {"effort": Role.NAME, "summary": Role.NAME, "generate_summary": Role.NAME},
    **dict.fromkeys(("tool_choice", "tools", "instructions", "metadata", "text", "conversation", "prompt"), Role.ECHO),
}

_PLACE: dict[str, Shape] = dict.fromkeys(
    ("type", "sequence_number", "item_id", "output_index", "content_index", "summary_index", "obfuscation"), Role.NAME
)
_LIFE: Shape = {**_PLACE, "response": RESPONSE}
_ITEM: Shape = {**_PLACE, "item": ITEM}
_PART: Shape = {**_PLACE, "part": PART}
_STEPS = """
web_search_call.in_progress web_search_call.searching web_search_call.completed file_search_call.in_progress
file_search_call.searching file_search_call.completed code_interpreter_call.in_progress code_interpreter_call.interpreting
code_interpreter_call.completed image_generation_call.in_progress image_generation_call.generating
image_generation_call.completed mcp_call.in_progress mcp_call.completed mcp_call.failed mcp_list_tools.in_progress
mcp_list_tools.completed mcp_list_tools.failed
""".split()
_ARGUMENTS = ("function_call_arguments", "mcp_call_arguments", "custom_tool_call_input", "code_interpreter_call_code")
EVENTS: dict[str, Shape] = {
    **{f"response.{name}": _LIFE for name in ("created", "queued", "in_progress", "completed", "incomplete", "failed")},
    **{f"response.output_item.{name}": _ITEM for name in ("added", "done")},
    **{
        f"response.{kind}.{name}": _PART
        for kind in ("content_part", "reasoning_part", "reasoning_summary_part")
        for name in ("added", "done")
    },
    **{
        f"response.{kind}.delta": {**_PLACE, "delta": Role.REASONING}
        for kind in ("reasoning_text", "reasoning_summary_text")
    },
    **{
        f"response.{kind}.done": {**_PLACE, "text": Role.REASONING}
        for kind in ("reasoning_text", "reasoning_summary_text")
    },
    "response.output_text.delta": {**_PLACE, "delta": Role.CONTENT, "logprobs": Role.NO_LIST},
    "response.output_text.done": {**_PLACE, "text": Role.CONTENT, "logprobs": Role.NO_LIST},
    "response.output_text.annotation.added": {**_PLACE, "annotation_index": Role.NAME, "annotation": ANNOTATION},
    "response.refusal.delta": {**_PLACE, "delta": Role.ANSWER},
    "response.refusal.done": {**_PLACE, "refusal": Role.ANSWER},
    **{f"response.{kind}.delta": {**_PLACE, "delta": Role.ANSWER} for kind in _ARGUMENTS},
    **{
        f"response.{kind}.done": {
            **_PLACE,
            **dict.fromkeys(("arguments", "input", "code"), Role.ANSWER),
            "name": Role.NAME,
        }
        for kind in _ARGUMENTS
    },
    **{f"response.{step}": _PLACE for step in _STEPS},
    "error": {**_PLACE, "code": Role.NAME, "message": Role.ERROR, "param": Role.NAME, "error": Role.ERROR},
}
"""By type; others are dropped."""
IN_REASONING: dict[str, Shape] = {
    "response.output_text.delta": {**_PLACE, "delta": Role.REASONING, "logprobs": Role.NO_LIST},
    "response.output_text.done": {**_PLACE, "text": Role.REASONING, "logprobs": Role.NO_LIST},
    "response.content_part.added": {**_PLACE, "part": _THOUGHTS},
    "response.content_part.done": {**_PLACE, "part": _THOUGHTS},
}
"""What these events are where they speak of a reasoning item: LiteLLM streams its text as that of an answer."""
LAST = frozenset(("response.completed", "response.incomplete", "response.failed"))
"""Events that end a response."""
