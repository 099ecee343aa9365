"""Asking: raw and forced answers, by whom, and outputs that are not asked for twice."""

from dataclasses import replace

import pytest
from tests.distill import small

from antidistill.distill import Asking, Forcer, Training, evaluate, train
from antidistill.errors import UnknownName

pytest.importorskip("trl", reason="needs pip install 'antidistill[train]'")
pytestmark = pytest.mark.models

ASKING = Asking(max_new_tokens=40, force=True)
CUT = replace(ASKING, max_new_tokens=11)
"""So short that the reasoning holds the sum, but no text is ended."""


@pytest.fixture(scope="module")
def able():
    """A student that learned the world."""
    settings = Training(learning_rate=5e-3, batch=32, device_batch=32, max_length=128, precision="float32", epochs=10)
    return train(small.model(), small.tokenizer(), small.traces(600), settings, small.PLAIN).model


def asked(model, asking, forcers=None, **more):
    return evaluate(model, small.tokenizer(), small.questions(), asking, small.PLAIN, forcers=forcers, **more)


def test_a_forced_answer_is_that_of_who_was_forced(able):
    """The same unfinished reasoning: one who knows the world makes an answer of it, one who does not makes none."""
    forcers = {
        "teacher": Forcer(able, small.tokenizer(), small.PLAIN),
        "stranger": Forcer(small.model(seed=7), small.tokenizer(), small.PLAIN),
    }
    found = asked(able, CUT, forcers).estimates()
    assert found["accuracy"].value < 0.5
    assert found["accuracy_forced_by_teacher"].value == found["accuracy_forced_by_student"].value > 0.7
    assert found["accuracy_forced_by_stranger"].value < 0.3


def test_nobody_is_forced_unless_it_is_asked_for(able):
    found = asked(able, replace(ASKING, force=False), {"teacher": Forcer(able, small.tokenizer(), small.PLAIN)})
    assert not any("forced" in name for name in found.estimates())
    assert not found.outcomes[0].forced


def test_samples_are_outcomes_of_their_own(able):
    asking = Asking(max_new_tokens=40, temperature=1.0, samples=2)
    found = evaluate(able, small.tokenizer(), small.questions()[:20], asking, small.PLAIN)
    assert [(o.question, o.sample) for o in found.outcomes[:4]] == [("0+0", 0), ("0+0", 1), ("0+1", 0), ("0+1", 1)]
    assert found.estimate("accuracy").n == 20
    again = evaluate(able, small.tokenizer(), small.questions()[:20], asking, small.PLAIN)
    assert again == found
    other = evaluate(able, small.tokenizer(), small.questions()[:20], replace(asking, seed=1), small.PLAIN)
    assert other != found


def test_outputs_that_are_there_are_read_back_also_behind_a_line_that_was_cut_off(able, tmp_path):
    whole = asked(able, ASKING, folder=tmp_path)
    file = tmp_path / "outputs.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    assert len(lines) == 2 * len(small.questions())
    file.write_bytes(b"".join(lines[:50]) + lines[50][:20])
    steps = []
    assert asked(able, ASKING, folder=tmp_path, progress=steps.append) == whole
    assert any(step.startswith("raw: ") for step in steps)
    steps.clear()
    assert asked(small.model(seed=3), ASKING, folder=tmp_path, progress=steps.append) == whole
    assert steps == []


def test_a_marker_that_the_student_says_is_counted(able):
    found = asked(able, Asking(max_new_tokens=40, temperature=1.0))
    said = [outcome.markers for outcome in found.outcomes]
    assert found.estimates()["says_marker"].value == sum(number > 0 for number in said) / len(said)
    assert 0 < max(said) <= max(outcome.sentences for outcome in found.outcomes)


def test_an_unknown_grader_is_named(able):
    questions = [replace(small.questions()[0], grader="matt")]
    with pytest.raises(UnknownName, match="math"):
        evaluate(able, small.tokenizer(), questions, ASKING, small.PLAIN)
