"""What can be compared: text defenses, samplers, and the controls that calibrate a world."""

from __future__ import annotations

from antidistill import registry
from antidistill.errors import UnknownName

CLEAN, PLAIN, ANSWER = "none", "no-reflection", "answer-only"
CONTROLS = (PLAIN, ANSWER)
"""What calibrates a world: the same problems written without reflection, and their answers alone."""


def is_text(method: str) -> bool:
    """True for a text defense, False for a sampler; `none` is a sampler here: the teacher as it is.

    Raises:
        UnknownName: it is neither.
    """
    if method in registry.names("samplers"):
        return False
    if method in registry.names("defenses"):
        return True
    raise UnknownName("method", method, methods())


def needs_proxy(method: str) -> bool:
    """True for a sampler that works with a proxy."""
    return not is_text(method) and bool(registry.load("samplers", method).aids)


def home(method: str) -> tuple[str, ...]:
    """The package that a text defense comes from, with the data of its scorer; nothing for samplers and controls.

    Traces are made anew when it changes. A plug-in's is its whole top package.
    """
    if method in CONTROLS or not is_text(method):
        return ()
    parts = registry.load("defenses", method).__module__.split(".")
    return (".".join(parts[: 2 if parts[0] == "antidistill" else 1]),)


def methods() -> list[str]:
    """All methods that the lab can compare."""
    return list(dict.fromkeys([*registry.names("defenses"), *registry.names("samplers")]))
