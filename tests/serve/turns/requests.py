"""Requests of a second turn in every dialect, as clients send them: a guarded text, a token or none."""


def _assistant(**fields):
    return {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "4", **fields}]}


def _blocks(*blocks):
    return {"messages": [{"role": "assistant", "content": [*blocks, {"type": "text", "text": "4"}]}]}


def _details(text, token):
    sealed = [{"type": "reasoning.encrypted", "data": token}] if token else []
    return [{"type": "reasoning.text", "text": text, "index": 0}, *sealed]


def _pieces(text, token):
    sealed = [{"type": "reasoning.encrypted", "data": token}] if token else []
    return [
        *({"type": "reasoning.text", "text": text[at : at + 7], "index": 0} for at in range(0, len(text), 7)),
        *sealed,
    ]


def _item(text, token, field="content"):
    kind = {"content": "reasoning_text", "summary": "summary_text"}[field]
    item = {"type": "reasoning", "id": "rs_1", "summary": [], field: [{"type": kind, "text": text}]}
    return {"input": [{"role": "user", "content": "?"}, item | ({"encrypted_content": token} if token else {})]}


WITH_TEXT = {
    "reasoning_content": lambda text, token: _assistant(
        reasoning_content=text, reasoning_details=_details(text, token)
    ),
    "reasoning": lambda text, token: _assistant(reasoning=text),
    "both": lambda text, token: _assistant(reasoning=text, reasoning_content=text),
    "ollama": lambda text, token: _assistant(thinking=text),
    "reasoning_details": lambda text, token: _assistant(reasoning_details=_details(text, token)),
    "details in pieces": lambda text, token: _assistant(reasoning_details=_pieces(text, token)),
    "think tags": lambda text, token: _assistant(content=f"<think>{text}</think>\n\n4"),
    "no opening tag": lambda text, token: _assistant(content=f"{text}</think>\n\n4"),
    "harmony": lambda text, token: _assistant(
        content=f"<|channel|>analysis<|message|>{text}<|end|><|start|>assistant<|channel|>final<|message|>4"
    ),
    "tags in a block": lambda text, token: _blocks({"type": "text", "text": f"<think>{text}</think>4"}),
    "anthropic": lambda text, token: _blocks({"type": "thinking", "thinking": text, "signature": token or "engine"}),
    "mistral": lambda text, token: _blocks({"type": "thinking", "thinking": [{"type": "text", "text": text}]}),
    "litellm": lambda text, token: _assistant(
        thinking_blocks=[{"type": "thinking", "thinking": text, "signature": token or "engine"}]
    ),
    "responses": _item,
    "responses summary": lambda text, token: _item(text, token, "summary"),
}
"""By dialect: the body of a request that carries a guarded text, and its token where the dialect has a field for one."""

TOKEN_ONLY = {
    "anthropic": lambda token: _blocks({"type": "thinking", "thinking": "", "signature": token}),
    "redacted": lambda token: _blocks({"type": "redacted_thinking", "data": token}),
    "responses": lambda token: {"input": [{"type": "reasoning", "summary": [], "encrypted_content": token}]},
    "openrouter": lambda token: _assistant(reasoning_details=[{"type": "reasoning.encrypted", "data": token}]),
}
"""By dialect: the same from a client that keeps only the token."""
