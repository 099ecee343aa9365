"""The page: sections, style and script put into one HTML file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from antidistill.errors import MissingExtra
from antidistill.report import wording
from antidistill.report.frontier import Frontier
from antidistill.report.material import Material, Options
from antidistill.report.pairing import pair_up
from antidistill.report.recorded import Recorded
from antidistill.report.sections import SECTIONS
from antidistill.report.visibility import read
from antidistill.trace import Trace

if TYPE_CHECKING:
    from jinja2 import Environment


def build(
    clean: Sequence[Trace],
    guarded: Sequence[Trace],
    detection: Mapping[str, Any] | None,
    *,
    slices: Mapping[str, tuple[float, Mapping[str, Any]]] | None = None,
    also: Mapping[str, Mapping[str, Any]] | None = None,
    ledger: Recorded | None = None,
    frontier: Frontier | None = None,
    options: Options | None = None,
) -> str:
    """The report of a guarded file, as HTML.

    Args:
        clean: the originals.
        guarded: what the defense made of them.
        detection: result of `antidistill.detect` as JSON; None leaves the sections about visibility out.
        slices: further points of the plot: per name of a slice of these traces, its removed share (0 to 1) and detection.
        also: further points of the plot: detections of other files, by name.
        ledger: what `read_ledger` gave; without it the edits are found by a comparison of sentences.
        frontier: what `read_frontier` gave: damage and visibility of methods, measured elsewhere.
        options: what the report contains.

    Raises:
        MissingExtra: jinja2 is not installed.
        InputError: the two sides share no trace, or a detection has an unexpected shape.
        LedgerError: the edits are those of other traces.
    """
    options = options or Options()
    material = Material(
        pairing=pair_up(clean, guarded, options.by),
        options=options,
        visibility=None if detection is None else read(detection),
        slices={name: (share, read(value)) for name, (share, value) in (slices or {}).items()},
        also={name: read(value) for name, value in (also or {}).items()},
        recorded=ledger,
        frontier=frontier,
    )
    return render(material)


def render(material: Material) -> str:
    """The page of this material."""
    contexts = [(section, section.context(material)) for section in SECTIONS]
    script, style = asset("keys.js") + asset("report.js"), asset("report.css")
    page = environment().get_template("page.html")
    return page.render(
        sections=[(section, context) for section, context in contexts if context is not None],
        options=material.options,
        script=script,
        style=style,
        policy=policy(script, style),
        version=metadata.version("antidistill"),
    )


def environment() -> Environment:
    """The templates of the page.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtra("report", "jinja2", "report") from error
    templates = Environment(
        loader=PackageLoader("antidistill.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    words = (wording.count, wording.percent, wording.number, wording.interval)
    templates.filters.update({word.__name__: word for word in words})
    return templates


def asset(name: str) -> str:
    """A file of the page's folder."""
    return files("antidistill.report").joinpath("templates", name).read_text(encoding="utf-8")


def policy(script: str, style: str) -> str:
    """Forbids every request and every script and style but these two, known by their hash."""
    return (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; script-src {_hash(script)}; style-src {_hash(style)}"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
