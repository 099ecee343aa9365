"""Fields of requests that reach the engine; all others are dropped, because new ones that move reasoning appear often.

Left out on purpose: tokens and probabilities (`logprobs`, `top_logprobs`, `prompt_logprobs`, `n_probs`, `return_token_ids`,
`return_tokens_as_token_ids`, `return_hidden_states`, `return_routed_experts`), echoes and prefixes (`echo`, `prefix`,
`continue_final_message`, `add_generation_prompt`, `prefill_assistant`), what moves reasoning into the answer
(`separate_reasoning`,
`stream_reasoning`, `reasoning_format`, `skip_special_tokens`, `spaces_between_special_tokens`, `chat_template`,
`thinking_forced_open`, `include_stop_str_in_output`), code (`custom_logit_processor`, `logits_processors`, `vllm_xargs`), and
background and stored responses.
"""

from __future__ import annotations

_SAMPLING = """
model stream stream_options temperature top_p top_k min_p top_a typical_p tfs_z n seed stop max_tokens min_tokens ignore_eos
presence_penalty frequency_penalty repetition_penalty repeat_penalty length_penalty logit_bias stop_token_ids bad_words
tools tool_choice parallel_tool_calls response_format user metadata service_tier priority cache_salt cache_prompt
guided_json guided_regex guided_choice guided_grammar structured_outputs json_schema regex ebnf grammar
reasoning_effort reasoning thinking thinking_budget thinking_token_budget enable_thinking chat_template_kwargs
prompt_cache_key safety_identifier verbosity
""".split()
_CHAT = """
messages functions function_call max_completion_tokens modalities audio prediction web_search_options documents include_reasoning
provider models route transforms plugins usage mm_processor_kwargs
""".split()
_MESSAGES = """
messages system stop_sequences output_config output_format context_management container mcp_servers betas cache_control
""".split()
_RESPONSES = """
input instructions max_output_tokens text truncation previous_response_id max_tool_calls conversation prompt include store
""".split()
_OLLAMA = """messages options format keep_alive think""".split()

FIELDS: dict[str, frozenset[str]] = {
    "/v1/chat/completions": frozenset((*_SAMPLING, *_CHAT)),
    "/v1/messages": frozenset((*_SAMPLING, *_MESSAGES)),
    "/v1/responses": frozenset((*_SAMPLING, *_RESPONSES)),
    "/api/chat": frozenset((*_SAMPLING, *_OLLAMA)),
}
"""Top-level fields by route."""

INNER: dict[str, frozenset[str]] = {
    "chat_template_kwargs": frozenset(
        ("enable_thinking", "thinking", "thinking_budget", "preserve_thinking", "clear_thinking", "reasoning_effort")
    ),
    "stream_options": frozenset(("include_usage", "include_obfuscation")),
    "usage": frozenset(("include",)),
}
"""Fields inside of these."""

INCLUDES = frozenset(
    (
        "reasoning.encrypted_content",
        "web_search_call.action.sources",
        "file_search_call.results",
        "computer_call_output.output.image_url",
        "message.input_image.image_url",
    )
)
"""What a Responses request may ask to be included."""

MESSAGE_TRICKS = ("prefix", "partial")
"""Fields of a message that make the engine go on writing it."""

HEADERS = frozenset(
    """
    accept content-type user-agent authorization x-api-key api-key anthropic-version anthropic-beta openai-organization
    openai-project http-referer x-title traceparent tracestate x-request-id
    """.split()
)
"""Request headers that reach the engine; `x-sglext-*` and its kin ask for token ids."""

ANSWER_HEADERS = frozenset(
    """
    retry-after openai-processing-ms openai-version anthropic-organization-id request-id cf-ray
    x-ratelimit-limit-requests x-ratelimit-limit-tokens x-ratelimit-remaining-requests x-ratelimit-remaining-tokens
    x-ratelimit-reset-requests x-ratelimit-reset-tokens
    """.split()
)
"""Response headers that reach the client."""
