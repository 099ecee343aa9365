"""Text keeps a contrast that people can read, in light and in dark mode."""

import re
from importlib.resources import files

import pytest

STYLE = files("antidistill.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
ON_PAPER = ["ink", "soft", "accent", "del", "ins", "move", *(f"m{method}" for method in range(10))]
ON_THEIR_FILL = [
    ("ink", "panel"),
    ("soft", "panel"),
    ("del", "del-fill"),
    ("ins", "ins-fill"),
    ("move", "move-fill"),
    ("notice", "notice-fill"),
    ("ink", "notice-fill"),
]


def colours(scheme):
    light, dark = STYLE.split("prefers-color-scheme: dark", 1)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return found if scheme == "light" else found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))


def luminance(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [*((name, "paper") for name in ON_PAPER), *ON_THEIR_FILL])
def test_contrast_is_at_least_4_5(scheme, text, ground):
    values = sorted(luminance(colours(scheme)[name]) for name in (text, ground))
    assert (values[1] + 0.05) / (values[0] + 0.05) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_method_has_a_colour_of_its_own(scheme):
    found = [colours(scheme)[f"m{method}"] for method in range(10)]
    assert len(set(found)) == 10
    assert all(f".m{method} {{ --mark: var(--m{method}); }}" in STYLE for method in range(10))
