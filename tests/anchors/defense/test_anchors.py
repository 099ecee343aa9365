"""The defense `anchors`: high scores go first, the share is met, and options are checked."""

import pyarrow.parquet as pq
import pytest
from tests.test_imports import HEAVY, loaded_by

import antidistill as ad
from antidistill.anchors import make as make_scorer
from antidistill.anchors.scores import Scores
from antidistill.anchors.text_score.scorer import TextScore
from antidistill.defenses import edit, make
from antidistill.errors import BadOption, RowError, UnknownName
from antidistill.trace import Trace, apply_edits

KEY = b"a secret of the tests"
LONG = "This one is by far the longest of all the sentences of it. "
TEXT = f"So it is. {LONG}It is so. We go on. It goes on. Wait, it is not. We stop. Hmm, is it so? We end. " * 3


def removed(text: str, **options) -> list[str]:
    return [text[one.start : one.end] for one in edit(make("anchors", key=KEY, **options), text, b"k" * 32)]


@pytest.fixture(scope="module")
def traces(shared):
    table = pq.read_table(shared / "traces_gsm8k_4models.parquet", columns=["question", "reasoning", "model"])
    return [Trace("", row["question"], row["reasoning"], "") for row in table.slice(900, 120).to_pylist()]


def test_the_highest_scores_of_the_chosen_scorer_go():
    assert removed(TEXT, scorer="length", share=0.2)[0].strip() == LONG.strip()
    assert all("longest" not in piece for piece in removed(TEXT, scorer="markers", share=0.1))


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_the_share_is_nearly_met_over_many_traces(traces, share):
    found = make("anchors", key=KEY, share=share)
    gone = sum(len(trace.reasoning) - len(ad.guard(trace, found).reasoning) for trace in traces)
    assert gone / sum(len(trace.reasoning) for trace in traces) == pytest.approx(share, rel=0.2)


def test_what_goes_has_higher_scores_than_what_stays(traces):
    found, scorer = make("anchors", key=KEY, share=0.15), TextScore(view="stream", position=False)
    gone, stay = [], []
    for trace in traces[:30]:
        edits = ad.guard(trace, found).edits
        for sentence, value in zip(ad.split(trace.reasoning), scorer.values(ad.split(trace.reasoning)), strict=True):
            middle = (sentence.start + sentence.end) / 2
            (gone if any(one.start < middle < one.end for one in edits) else stay).append(value)
    assert sorted(gone)[len(gone) // 4] > sorted(stay)[len(stay) // 2]


def test_another_key_makes_other_choices_near_the_border(traces):
    text = max((trace.reasoning for trace in traces), key=len)
    ours, theirs = (edit(make("anchors", key=key, share=0.15), text, b"k" * 32) for key in (b"one", b"two"))
    assert ours != theirs
    assert {one.start for one in ours} & {one.start for one in theirs}


def test_a_branch_goes_as_a_whole_and_an_exchange_removes_nothing():
    assert removed(TEXT, act="branch", scorer="length", share=0.1)[0].startswith(("Wait", "Hmm", " Wait", " Hmm"))
    swapped = apply_edits(TEXT, edit(make("anchors", key=KEY, act="exchange", share=0.3), TEXT, b"k" * 32))
    assert sorted(swapped.split()) == sorted(TEXT.split())
    assert swapped != TEXT


def test_only_what_needs_no_more_than_the_past_streams():
    streams = {"text": True, "length": False, "markers": False}
    assert {name: make("anchors", key=KEY, scorer=name).streams for name in streams} == streams
    assert not make("anchors", key=KEY, act="exchange").streams
    assert not make("anchors", key=KEY, scorer={"scorer": "text", "position": True}).streams
    assert make("anchors", key=KEY, scorer={"scorer": "text"}).streams


def test_a_sentence_leaves_once_the_next_begins():
    editor = make("anchors", key=KEY, share=0.001).begin(b"k" * 32)
    assert editor.feed("It is so. ") == ""
    assert editor.feed("We go") == "It is so."
    assert editor.feed(" on. An") == " We go on."


def test_a_row_that_the_scorer_refuses_is_refused_with_its_reason(monkeypatch):
    def refuse(self, trace, sentences=None):
        raise RowError("the trace has 3 sentences and the gap is 4")

    monkeypatch.setattr(type(make_scorer("length")), "score", refuse)
    with pytest.raises(RowError, match="gap is 4"):
        removed(TEXT, scorer="length")


def test_a_sentence_without_a_score_stays(monkeypatch):
    monkeypatch.setattr(
        type(make_scorer("length")),
        "score",
        lambda self, trace, sentences: Scores("length", (None,) * (len(sentences) - 1) + (1.0,)),
    )
    assert [piece.strip() for piece in removed("It is so. " * 9 + "We end.", scorer="length", share=0.2)] == ["We end."]


@pytest.mark.parametrize("text", ["", " \n", "x", "One sentence."])
def test_where_nothing_can_go_nothing_goes(text):
    for scorer in ("text", "length"):
        assert removed(text, scorer=scorer, share=1.0) == []


@pytest.mark.parametrize("wrong", [{"share": 0}, {"act": "burn"}, {"scorer": 3}, {"scorer": {"view": "stream"}}])
def test_options_are_checked(wrong):
    with pytest.raises(BadOption):
        make("anchors", key=KEY, **wrong)


def test_a_key_is_needed_and_names_are_checked():
    with pytest.raises(BadOption, match="key"):
        make("anchors")
    with pytest.raises(UnknownName, match="text"):
        make("anchors", key=KEY, scorer="texts")


def test_guarding_with_the_text_score_loads_nothing_heavy():
    modules = loaded_by(
        "import antidistill as ad; "
        "ad.guard(ad.Trace('1', 'p', 'So. Wait, no.', 'a'), ad.defense('anchors', key=b'a secret'))"
    )
    assert not modules & set(HEAVY)
