from collections import Counter

import pytest

from antidistill.errors import LedgerError
from antidistill.report.material import Material, Options
from antidistill.report.pairing import pair_up
from antidistill.report.recorded import Recorded
from antidistill.report.sections.reader import choose, reader
from antidistill.trace import Trace


def traces(*models):
    return [Trace(str(place), "", "A. Wait, b. C.", "", {"model": model}) for place, model in enumerate(models)]


def material(clean, guarded, recorded=None, **options):
    return Material(pair_up(clean, guarded), Options(**options), recorded=recorded)


@pytest.mark.parametrize(("most", "counts"), [(4, {"a": 2, "b": 2}), (7, {"a": 5, "b": 2}), (99, {"a": 8, "b": 2})])
def test_every_group_has_as_many_traces_as_possible(most, counts):
    pairs = pair_up(*[traces(*"aaaaaaaabb")] * 2).pairs
    chosen = choose(pairs, most)
    assert chosen == sorted(chosen)
    assert Counter(pairs[index].group for index in chosen) == counts


def test_the_index_counts_edits_by_reason():
    clean = traces("a")
    guarded = [Trace("0", "", "A. C.", "", {})]
    context = reader(material(clean, guarded, Recorded({"0": [[(3, 12, 0, "marker")]]})))
    assert context["index"] == [{"id": "0", "group": "a", "edits": {"marker": 1}}]
    assert context["from_ledger"]


def test_an_answer_that_differs_is_told():
    clean = traces("a")
    guarded = [Trace("0", "", "A. Wait, b. C.", "other", {})]
    assert reader(material(clean, guarded))["traces"][0]["answerSame"] is False


def test_without_originals_an_edit_holds_a_length():
    clean = traces("a")
    guarded = [Trace("0", "", "A. C.", "", {})]
    (trace,) = reader(material(clean, guarded, originals=False))["traces"]
    assert trace["parts"] == ["A. ", ["deleted", "deleted", 9, ""], "C."]


def test_zero_traces_leave_the_section_out():
    assert reader(material(traces("a"), traces("a"), max_traces=0)) is None


def test_traces_with_one_id_take_their_edits_in_order():
    clean = [Trace("x", "", "A. B. C.", ""), Trace("x", "", "D. E. F.", "")]
    guarded = [Trace("x", "", "A. C.", ""), Trace("x", "", "D. E.", "")]
    context = reader(material(clean, guarded, Recorded({"x": [[(3, 6, 0, "one")], [(5, 8, 0, "two")]]})))
    assert [entry["edits"] for entry in context["index"]] == [{"one": 1}, {"two": 1}]


def test_a_changed_trace_that_the_ledger_does_not_know_is_an_error():
    guarded = [Trace("0", "", "A. C.", "", {})]
    with pytest.raises(LedgerError, match="'0' was changed but is not in the ledger"):
        reader(material(traces("a"), guarded, Recorded({})))
