"""The scores that others have to beat."""

from antidistill.anchors import make, score_all
from antidistill.trace import Trace

TRACE = Trace("1", "p", "First, we add the two. Wait, no. It is 5.  ", "5")


def test_each_says_what_its_name_says():
    found = {name: score_all(make(name), [TRACE])[0].values for name in ("position", "length", "markers")}
    assert found["position"] == (0.0, -1.0, -2.0)
    assert found["length"] == (22.0, 9.0, 8.0)
    assert found["markers"] == (0.0, 1.0, 0.0)


def test_a_row_without_reasoning_gets_a_reason():
    assert "no reasoning" in score_all(make("length"), [Trace("1", "p", "", "a")])[0].reason
