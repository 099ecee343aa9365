import pytest

from antidistill.report.material import Material, Options
from antidistill.report.pairing import pair_up
from antidistill.report.sections.summary import figures, summary
from antidistill.trace import Trace


def traces(*reasonings, answer="42"):
    return [
        Trace(str(place), "", reasoning, answer, {"model": f"m{place}"}) for place, reasoning in enumerate(reasonings)
    ]


def test_figures_are_counts_over_all_traces():
    pairs = pair_up(traces("x" * 90, "y" * 10), traces("x" * 80, "y" * 10)).pairs
    assert figures(pairs) == {"rows": 2, "changed": 1, "removed_share": pytest.approx(0.1), "answers_identical": 2}


def test_an_answer_that_changed_is_counted():
    pairs = pair_up(traces("x"), traces("x", answer="43")).pairs
    assert figures(pairs)["answers_identical"] == 0


def test_traces_without_a_partner_and_groups_are_told():
    context = summary(Material(pair_up(traces("a", "b", "c"), traces("a", "b")), Options()))
    assert context["alone"] == (1, 0)
    assert list(context["groups"]) == ["m0", "m1"]
    assert context["verdict"] == ""
