"""The rules of `scan` and `survey` in C where the extension was built, else in Python: the same answers, slower."""

from __future__ import annotations

from collections.abc import Callable

from antidistill.text.markers import Markers

scan: Callable[[str, int, bool], tuple[list[int], int, int]]

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

    def cut_first(text: str, markers: Markers, mask: int, value: int, most: int) -> list[tuple[int, int]]:
        """Spans that go when the first `most` candidates are cut, by the rules of `antidistill.defenses.seams`."""
        return _scan.cut_first(text, markers.words, markers.leads, mask, value, most)
