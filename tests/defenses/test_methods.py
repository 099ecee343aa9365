"""What each text defense takes from a text, and what it leaves."""

import pytest

from antidistill.defenses import edit, make
from antidistill.errors import BadOption, UnknownName
from antidistill.trace import apply_edits

KEY = b"a secret of the tests"
TEXT = """We add 2 and 3. That is 5.

Wait, is that right? Let me recount. 2 + 3 = 5.

Hmm, the question asks for the double. So 2 * 5 = 10. Alternatively, add twice. 5 + 5 = 10.

Actually, that is all. The answer is 10."""


def guarded(text, method, trace_key=b"", **options):
    return apply_edits(text, edit(make(method, key=KEY, **options), text, trace_key))


def test_traceguard_deletes_the_first_marker_sentences():
    assert guarded(TEXT, "traceguard", k=2) == (
        "We add 2 and 3. That is 5.\n\nLet me recount. 2 + 3 = 5.\n\n"
        "So 2 * 5 = 10. Alternatively, add twice. 5 + 5 = 10.\n\nActually, that is all. The answer is 10."
    )


def test_traceguard_up_to_a_share_never_exceeds_it():
    text = TEXT * 5
    for share in (0.05, 0.1, 0.2):
        removed = len(text) - len(guarded(text, "traceguard", share=share))
        assert 0 < removed <= share * len(text)


def test_traceguard_without_markers_changes_nothing():
    assert guarded("We add. It is 5.", "traceguard") == "We add. It is 5."


def test_own_markers_replace_the_default_ones():
    assert guarded("So far. Next, we add. Wait, no.", "traceguard", markers=["next"]) == "So far. Wait, no."


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Go on. Wait, that is wrong. Yes.", "Go on. That is wrong. Yes."),
        ("Go on. Hmm... maybe five. Yes.", "Go on. Maybe five. Yes."),
        ("Go on. Wait, no, actually, it is 5. Yes.", "Go on. It is 5. Yes."),
        ("Go on. Hmm, wait, it is 5. Yes.", "Go on. It is 5. Yes."),
        ("Go on. But wait, $x$ is 5. Yes.", "Go on. $x$ is 5. Yes."),
        ("Go on. **Wait**, it is 5. Yes.", "Go on. It is 5. Yes."),
        ("Go on. **Wait, it is 5.** Yes.", "Go on. **It is 5.** Yes."),
        ('Go on. "Wait, what?" Yes.', 'Go on. "What?" Yes.'),
        ("Go on. Hmm. Yes.", "Go on. Yes."),
        ("Go on. Oh, wait — then it is 5. Yes.", "Go on. Then it is 5. Yes."),
        ("Go on. Wait -- it is 5. Yes.", "Go on. It is 5. Yes."),
        ("Go on. Wait -5 is it. Yes.", "Go on. -5 is it. Yes."),
        ('Go on. "Wait," he said. Yes.', 'Go on. "Wait," he said. Yes.'),
        ("Go on. “Hmm…” he said. Yes.", "Go on. “Hmm…” he said. Yes."),
        ("Go on. Wait, a = 1. Yes.", "Go on. a = 1. Yes."),
        ("Go on.\n- Wait, it is 5.\nYes.", "Go on.\n- It is 5.\nYes."),
        ("Go on.\n\n    # Wait, it is 5.\n\nYes.", "Go on.\n\n    # Wait, it is 5.\n\nYes."),
        ("Go on. Wait, x is 5. Yes.", "Go on. x is 5. Yes."),
        ("Go on. Wait, pH is 5. Yes.", "Go on. pH is 5. Yes."),
        ("Go on. Wait, a line is 5. Yes.", "Go on. A line is 5. Yes."),
        ("Go on. Wait for the bus. Yes.", "Go on. Wait for the bus. Yes."),
        ("Go on. Let me check if it is 5. Yes.", "Go on. Let me check if it is 5. Yes."),
        ("Go on.\n2. Wait, it is 5.\nYes.", "Go on.\n2. It is 5.\nYes."),
        ("Go on. Alternatively we add. Yes.", "Go on. We add. Yes."),
        ("好。等等，不是五。好。", "好。不是五。好。"),
    ],
)
def test_marker_words_leave_a_sentence_that_reads_well(sentence, expected):
    assert guarded(sentence, "marker-words") == expected


def test_branches_keep_what_precedes_the_first_marker_and_the_last_branch():
    for number in range(30):
        left = guarded(TEXT, "branches", trace_key=bytes([number]), share=1.0)
        assert left.startswith("We add 2 and 3. That is 5.\n\n")
        assert left.endswith("Actually, that is all. The answer is 10.")


def test_branches_go_as_a_whole():
    branches = [
        "Wait, is that right? Let me recount. 2 + 3 = 5.",
        "Hmm, the question asks for the double. So 2 * 5 = 10.",
    ]
    seen = set()
    for number in range(60):
        left = guarded(TEXT, "branches", trace_key=bytes([number]), share=0.5)
        for branch in branches:
            sentences = branch.replace("? ", "?|").replace(". ", ".|").split("|")
            present = [sentence in left for sentence in sentences[:2]]
            assert len(set(present)) == 1
            seen.add((branch, present[0]))
    assert len(seen) == 4


def test_exchange_keeps_every_character():
    text = TEXT.replace("Wait, is", "Wait, why is")
    left = guarded(text, "exchange")
    assert left != text
    assert sorted(left) == sorted(text)
    assert left.startswith("We add 2 and 3. That is 5.\n\n")


def test_steps_take_equations_outside_marker_sentences_only():
    text = "Wait, 1 + 1 = 2. " + " ".join(f"Now {number} + 1 = {number + 1}. It follows." for number in range(40))
    left = guarded(text, "steps", share=0.5)
    assert left.startswith("Wait, 1 + 1 = 2.")
    assert left.count("It follows.") == 40
    assert 5 < left.count("Now") < 38


def test_random_sentences_match_another_method():
    text = (TEXT + "\n\n") * 8
    target = len(text) - len(guarded(text, "traceguard", k=10))
    removed = len(text) - len(guarded(text, "random-sentences", match={"method": "traceguard", "k": 10}))
    assert abs(removed - target) < 40


@pytest.mark.parametrize("method", ["random-sentences", "steps", "branches"])
def test_the_removed_share_is_near_the_budget_over_many_traces(method):
    sentence = "Wait, we look at item {0}. Then {0} + 1 = {1} and we go on with it. "
    text = "Some words first. " + "".join(sentence.format(number, number + 1) for number in range(60))
    removed = sum(
        len(text) - len(guarded(text, method, trace_key=bytes([number]), share=0.15)) for number in range(100)
    )
    assert removed / (100 * len(text)) == pytest.approx(0.15, abs=0.02)


def test_a_mix_guards_about_its_share_of_traces():
    text = "So far. Wait, no. It is 5. The end."
    changed = sum(guarded(text, "traceguard", trace_key=bytes([number, 7]), mix=0.3) != text for number in range(200))
    assert 35 < changed < 85
    assert guarded(text, "traceguard", mix=0.0) == text
    assert guarded(text, "traceguard", mix=1.0) != text


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("traceguard", {"k": 0}, "k=0"),
        ("traceguard", {"k": True}, "k=True"),
        ("traceguard", {"k": 3, "share": 0.1}, "not both"),
        ("traceguard", {"share": 1.5}, "share=1.5"),
        ("branches", {"share": 0}, "share=0"),
        ("branches", {"share": "much"}, "share='much'"),
        ("branches", {"key": b""}, "key"),
        ("branches", {"mix": 2}, "mix=2"),
        ("traceguard", {"markers": []}, "at least one word"),
        ("random-sentences", {"match": {"k": 3}}, "'method'"),
        ("random-sentences", {"match": "none", "share": 0.1}, "left out"),
    ],
)
def test_options_out_of_range_are_named(method, options, message):
    with pytest.raises(BadOption, match=message):
        make(method, **{"key": KEY, **options})


@pytest.mark.parametrize(
    ("method", "options", "suggestion"),
    [("tracegard", {}, "did you mean 'traceguard'"), ("branches", {"shares": 0.1}, "did you mean 'share'")],
)
def test_unknown_names_are_answered_with_a_suggestion(method, options, suggestion):
    with pytest.raises(UnknownName, match=suggestion):
        make(method, key=KEY, **options)
