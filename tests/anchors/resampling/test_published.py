"""Rollouts and labels in the layout that others published."""

import json

import pytest

from antidistill import Trace
from antidistill.anchors import make
from antidistill.anchors.resampling import read_labels, read_problem
from antidistill.anchors.resampling.published import spans
from antidistill.errors import InputError, RowError

CHUNKS = ["We need 12 + 15.", "It is 27.", "So the answer is 27."]
REASONING = "We need\n12 + 15. It is 27.\n\nSo the answer is 27."


def solution(answer, resampled, correct):
    keys = {"chunk_removed": "x", "prefix_without_chunk": "y", "rollout": "z", "full_cot": "w"}
    return {**keys, "chunk_resampled": resampled, "answer": answer, "is_correct": correct}


@pytest.fixture
def problem(tmp_path):
    """A folder as published, of three sentences, with rollouts that had to answer at once beside it."""
    folder = tmp_path / "correct_base_solution" / "problem_7"
    forced = tmp_path / "correct_base_solution_forced_answer" / "problem_7"
    for place, shares in ((folder, (2, 6, 9)), (forced, (1, 1, 10))):
        for number, right in enumerate(shares):
            target = place / f"chunk_{number}" / "solutions.json"
            target.parent.mkdir(parents=True)
            rows = [solution("27", CHUNKS[number], True)] * right + [solution("", "Hmm.", False)] * (10 - right)
            target.write_text(json.dumps([*rows, {"error": "the API failed"}]))
    (folder / "chunks.json").write_text(json.dumps({"source_text": "s", "solution_text": "t", "chunks": CHUNKS}))
    labels = [
        {"chunk": text, "chunk_idx": number, "function_tags": ["plan_generation"], "depends_on": [], "accuracy": 0.5}
        | {"counterfactual_importance_kl": number / 10, "summary": "s"}
        for number, text in enumerate(CHUNKS)
    ]
    (folder / "chunks_labeled.json").write_text(json.dumps(labels[::-1]))
    return folder


def test_a_problem_gives_its_rollouts(problem):
    found = read_problem(problem)
    assert found.sentences == tuple(CHUNKS)
    assert [len(place) for place in found.before] == [10] * 3
    assert [sum(each.correct for each in place) for place in found.before] == [2, 6, 9]
    assert [sum(each.correct for each in place) for place in found.forced] == [1, 1, 10]
    assert {each.answer for each in found.before[0]} == {"27", None}
    assert found.before[0][-1].sentence == "Hmm."
    assert found.failed == {}


def test_labels_give_every_number_by_its_name(problem):
    labels = read_labels(problem)
    assert [label.text for label in labels] == CHUNKS
    assert [label.values["counterfactual_importance_kl"] for label in labels] == [0, 0.1, 0.2]
    assert labels[0].function == "plan_generation"
    assert read_labels(problem / "chunks_labeled.json") == labels


def test_as_a_scorer_every_sentence_gets_what_was_published_about_it(problem):
    trace = Trace("runs/problem_7", "12 + 15?", REASONING, "27")
    for place in (problem, problem.parent):
        found = make("resampling", published=place, measure="resampling-kl").score(trace, spans(REASONING, CHUNKS))
        assert len(found.values) == 3
        assert found.values[0] > found.values[1] > 0
        assert found.values[2] is None  # nobody published rollouts behind the whole reasoning
        assert found.evidence["importance"]["values"]["resampling-accuracy"][:2] == pytest.approx([0.4, 0.3])
    forced = make("resampling", published=problem, measure="forced-accuracy").score(trace, spans(REASONING, CHUNKS))
    assert forced.values[:2] == pytest.approx((0, 0.9))


def test_other_sentences_than_the_published_ones_get_what_they_stand_in(problem):
    trace = Trace("problem_7", "12 + 15?", REASONING, "27")
    whole = type(spans(REASONING, CHUNKS)[0])
    halves = [whole(REASONING[:8], 0, 8), whole(REASONING[8:20], 8, 20), whole(REASONING[20:], 20, len(REASONING))]
    found = make("resampling", published=problem, measure="resampling-kl").score(trace, halves)
    assert found.values[0] == found.values[1]
    assert found.evidence["owners"] == [0, 0, 1]


def test_published_sentences_are_found_whatever_white_space_they_lost():
    found = spans(REASONING, CHUNKS)
    assert "".join(found) == REASONING
    with pytest.raises(RowError, match="published sentence 1.*not in the reasoning"):
        spans(REASONING, [CHUNKS[0], "Something else."])


def test_what_is_missing_or_broken_is_a_reason(problem, tmp_path):
    (problem / "chunk_1" / "solutions.json").write_text("[{")
    found = read_problem(problem)
    assert found.before[1] == ()
    assert "no JSON" in found.failed[1]
    trace = Trace("problem_7", "q", REASONING, "27")
    with pytest.raises(RowError, match="no sentence has a resampling-kl"):
        make("resampling", published=problem, measure="resampling-kl").score(trace)
    with pytest.raises(RowError, match="has no rollouts of 'problem_8'"):
        make("resampling", published=problem.parent).score(Trace("problem_8", "q", REASONING, "27"))
    with pytest.raises(InputError, match="cannot be read"):
        read_problem(tmp_path)
    (problem / "chunks.json").write_text('{"chunks": [1, 2]}')
    with pytest.raises(InputError, match="no list of sentences"):
        read_problem(problem)
    with pytest.raises(RowError, match="no list of sentences"):
        make("resampling", published=problem).score(trace)


@pytest.mark.parametrize("content", ["[1, 2]", "{}", "nothing", '[{"chunk_idx": 0}]'])
def test_labels_of_another_shape_are_refused(tmp_path, content):
    (tmp_path / "chunks_labeled.json").write_text(content)
    with pytest.raises(InputError):
        read_labels(tmp_path)
