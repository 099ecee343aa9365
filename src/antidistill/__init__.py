"""antidistill edits the reasoning that a model shows so that training on it works worse, and measures the edit.

The names of the front door are loaded on first use, so that `import antidistill` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antidistill.defenses import guard as guard
    from antidistill.defenses import make as defense
    from antidistill.formats import read as read
    from antidistill.formats import write as write
    from antidistill.measure import detect as detect
    from antidistill.text import Sentence as Sentence
    from antidistill.text import split as split
    from antidistill.trace import Edit as Edit
    from antidistill.trace import Estimate as Estimate
    from antidistill.trace import Guarded as Guarded
    from antidistill.trace import Trace as Trace

_FRONT_DOOR = {
    "Edit": "antidistill.trace:Edit",
    "Estimate": "antidistill.trace:Estimate",
    "Guarded": "antidistill.trace:Guarded",
    "Sentence": "antidistill.text:Sentence",
    "Trace": "antidistill.trace:Trace",
    "defense": "antidistill.defenses:make",
    "detect": "antidistill.measure:detect",
    "guard": "antidistill.defenses:guard",
    "read": "antidistill.formats:read",
    "split": "antidistill.text:split",
    "write": "antidistill.formats:write",
}

__all__ = [
    "Edit",
    "Estimate",
    "Guarded",
    "Sentence",
    "Trace",
    "defense",
    "detect",
    "guard",
    "read",
    "split",
    "write",
]


def __getattr__(name: str) -> Any:
    target = _FRONT_DOOR.get(name)
    if target is None:
        raise AttributeError(f"module 'antidistill' has no attribute {name!r}")
    module, attribute = target.split(":")
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
