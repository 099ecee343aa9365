"""The sections of the page, in order. A new section is one function, one template and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from antidistill.report.material import Material
from antidistill.report.sections.distributions import distributions
from antidistill.report.sections.frontier import frontier
from antidistill.report.sections.notes import notes
from antidistill.report.sections.reader import reader
from antidistill.report.sections.summary import summary
from antidistill.report.sections.tradeoff import tradeoff
from antidistill.report.sections.visibility import visibility


class Section(NamedTuple):
    """A part of the page.

    Attributes:
        name: its anchor; `templates/<name>.html` draws it.
        title: its heading.
        context: what its template needs; None leaves the section out.
    """

    name: str
    title: str
    context: Callable[[Material], Mapping[str, Any] | None]


SECTIONS = (
    Section("summary", "Summary", summary),
    Section("visibility", "Visibility", visibility),
    Section("tradeoff", "Visibility against removed share", tradeoff),
    Section("frontier", "Damage against visibility", frontier),
    Section("distributions", "What the traces look like", distributions),
    Section("reader", "Reader", reader),
    Section("notes", "How to read the numbers", notes),
)

__all__ = ["SECTIONS", "Section"]
