"""What the words and numbers of the page mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antidistill.report.material import Material


def notes(material: Material) -> Mapping[str, Any]:
    """Which of the notes apply."""
    return {"measured": material.visibility is not None, "mixed": material.mix is not None}
