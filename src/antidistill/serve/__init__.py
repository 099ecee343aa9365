"""The reverse proxy that guards reasoning in flight, and the same guard as plug-ins."""
