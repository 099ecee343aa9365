"""The rules of `scan` and `survey` in C where the extension was built, else in Python: the same answers, slower."""

from __future__ import annotations

from antidistill.text.markers import Markers

try:
    from antidistill.text import _scan
except ImportError:  # no compiler was there at installation
    from antidistill.text.scan import scan as scan
    from antidistill.text.survey import candidates as candidates
    from antidistill.text.survey import survey as survey

    BUILT = False
else:
    scan = _scan.scan
    BUILT = True

    def survey(text: str, markers: Markers) -> tuple[list[int], bytes]:
        """Sentence starts of `text` and the flags of each sentence, as `antidistill.text.survey.survey` gives them."""
        return _scan.survey(text, markers.words, markers.leads)

    def candidates(text: str, markers: Markers, mask: int, value: int) -> list[tuple[int, int, int, int]]:
        """The sentences with `flags & mask == value`, as `antidistill.text.survey.candidates` gives them."""
        return _scan.candidates(text, markers.words, markers.leads, mask, value)
