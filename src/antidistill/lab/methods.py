"""What can be compared: text defenses, also mixed in at some traces only, samplers, and the controls that calibrate a world."""

from __future__ import annotations

from antidistill import registry
from antidistill.errors import BadOption, UnknownName

CLEAN, PLAIN, ANSWER = "none", "no-reflection", "answer-only"
CONTROLS = (PLAIN, ANSWER)
"""What calibrates a world: the same problems written without reflection, and their answers alone."""


def unmixed(method: str) -> tuple[str, float | None]:
    """Name and probability of `NAME@P`, a text defense that guards each trace with probability P; None where there is no `@P`.

    Raises:
        BadOption: P is no probability above 0 and below 1, NAME is a sampler, or options are given.
    """
    if ":" in method:
        raise BadOption(
            "method",
            method,
            "a name, or NAME@P: its dose comes from --share or --price, other options stay as they are",
        )
    name, mixed, given = method.partition("@")
    if not mixed:
        return name, None
    try:
        probability = float(given)
    except ValueError:
        probability = 0.0
    if not 0 < probability < 1:
        raise BadOption("method", method, "NAME@P with a probability P above 0 and below 1, such as traceguard@0.5")
    if name in registry.names("samplers"):
        raise BadOption("method", method, "a text defense where it has @P: samplers cannot be mixed in")
    return name, probability


def is_text(method: str) -> bool:
    """True for a text defense, False for a sampler; `none` is a sampler here: the teacher as it is.

    Raises:
        UnknownName: it is neither.
        BadOption: it is no `NAME@P` that can be (`unmixed`).
    """
    name, _ = unmixed(method)
    if name in registry.names("samplers"):
        return False
    if name in registry.names("defenses"):
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
    parts = registry.load("defenses", unmixed(method)[0]).__module__.split(".")
    return (".".join(parts[: 2 if parts[0] == "antidistill" else 1]),)


def methods() -> list[str]:
    """All methods that the lab can compare."""
    return list(dict.fromkeys([*registry.names("defenses"), *registry.names("samplers")]))
