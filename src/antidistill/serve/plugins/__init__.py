"""The same guard inside other people's servers and clients: LiteLLM, vLLM, ASGI applications, the OpenAI client.

Each module needs the package it plugs into and is imported by name; see docs/plugins.md.
"""
