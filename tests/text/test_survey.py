"""Starts and flags of sentences: the C form equals the Python form."""

import importlib
import os

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.texts import FRAGMENTS, reasonings

from antidistill.text import native
from antidistill.text.markers import DEFAULT, Markers
from antidistill.text.survey import BULLET, EQUATION, ITEM, MARKER, RAGGED, candidates, is_item, is_ragged, survey

OTHER = Markers(("é", "x", "do", "let  me", "嗯", "2."), ("ſo", "no"))
texts = reasonings | st.lists(
    st.sampled_from([*FRAGMENTS, "9. ", "00. x", "0) ", "1)", "12", "3. ", "***", "****", '"', "≈", "``", "“", "）", "「", "no, ", "oh ", "嗯", "é", "É", "\n- ", "+ ", "• ", "–", "Step 3", "case 12: ", "Part 1.", "ſtep 2: ", "(b) ", "(2", "a) ", "\r"]),
    max_size=12,
).map("".join)  # fmt: skip


@pytest.fixture(scope="module")
def native_survey():
    if not native.BUILT:
        if os.environ.get("CI") == "true":
            pytest.fail("the C extension was not built")
        pytest.skip("the C extension was not built: no C compiler at installation")
    return native.survey


@pytest.mark.parametrize("markers", [DEFAULT, OTHER], ids=["default", "other"])
@settings(max_examples=600, deadline=None)
@given(text=texts)
def test_both_forms_agree(native_survey, markers, text):
    assert native_survey(text, markers) == survey(text, markers)


def test_both_forms_agree_on_the_shared_traces(native_survey, shared):
    for name in ("traces_gsm8k_4models.parquet", "traces_thought_anchors_math.parquet"):
        for text in pq.read_table(shared / name, columns=["reasoning"])["reasoning"].to_pylist()[::7]:
            assert native_survey(text, DEFAULT) == survey(text, DEFAULT)


@pytest.mark.parametrize("form", [native.survey, survey], ids=["in use", "python"])
@pytest.mark.parametrize(
    ("sentence", "flags"),
    [
        ("We add.", 0),
        ("Wait, no.", MARKER),
        ("So x = 3.", EQUATION),
        ("It is ≈ 3.", EQUATION),
        ("```python\nx = 1\n```", 0),
        ("(see above.", RAGGED),
        ('He said "no.', RAGGED),
        ("**Wait, no.", MARKER | RAGGED),
        ("2. Wait, x = 3.", ITEM | MARKER | EQUATION),
        ("100 it is.", 0),
        ("- Wait, no.", BULLET | MARKER),
        ("  • x = 3", BULLET | EQUATION),
        ("- **Step 2:** add.", BULLET | ITEM),
        ("-5 is it.", 0),
        ("**Case 2**\n", ITEM),
    ],
)
def test_flags(form, sentence, flags):
    assert form(sentence, DEFAULT) == ([0], bytes([flags]))


def test_an_empty_text_has_no_sentences():
    assert native.survey("", DEFAULT) == survey("", DEFAULT) == ([], b"")


def test_words_have_to_be_words(native_survey):
    scan_module = importlib.import_module("antidistill.text._scan")
    with pytest.raises(TypeError, match="tuple of str"):
        scan_module.survey("text", ["wait"], ())
    with pytest.raises(TypeError, match="tuple of str"):
        scan_module.survey("text", (1,), ())
    with pytest.raises(TypeError, match="text is a str"):
        scan_module.survey(b"text", (), ())


def test_ragged():
    assert not is_ragged('(a) [b] {c} “d” **e** "f"')
    assert is_ragged("(a")
    assert is_ragged("a**")


@pytest.mark.parametrize(
    "text",
    ["1. a", " 12) a", "**3. a", "- 2. a", "a) b", "B. b", "(b) c", "(2) c", "Step 3: a", "**Step 3:** a", "### Step 3\n", "Case 2. a",
     "part 1) a", "- **Case 2** a", "Step 12 - a", "Step 3 (a)", "3: a", "Day 4: a", "Month9:2", "- Book 1: a"],
)  # fmt: skip
def test_items(text):
    assert is_item(text)


@pytest.mark.parametrize(
    "text",
    [
        "123. a",
        "1.a",
        "a",
        "",
        "ab) c",
        "(b. c",
        "Step 3 is",
        "Step three: a",
        "Steps 3 a",
        "Step 3 a",
        "Step 123: a",
        "Remembering it 3: a",
        "- a",
        "(see) a",
    ],
)
def test_no_items(text):
    assert not is_item(text)


@pytest.mark.parametrize("fit", [(0, 0), (MARKER, MARKER), (MARKER | EQUATION, EQUATION), (ITEM, ITEM), (RAGGED, 0)])
@settings(max_examples=150, deadline=None)
@given(text=texts)
def test_both_forms_find_the_same_candidates(native_survey, fit, text):
    assert native.candidates(text, OTHER, *fit) == candidates(text, OTHER, *fit)
