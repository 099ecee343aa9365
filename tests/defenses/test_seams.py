"""Seams read well: nothing in a guarded text tells that something was cut."""

import re
from itertools import pairwise

import pyarrow.parquet as pq
import pytest

from antidistill.defenses import edit, make
from antidistill.defenses.seams import Cuts
from antidistill.text import native
from antidistill.text.markers import DEFAULT
from antidistill.text.survey import ITEM, RAGGED
from antidistill.trace import apply_edits, trace_key

KEY = b"a secret of the tests"
CUTTERS = [("traceguard", {"k": 50}), ("branches", {"share": 0.4}), ("random-sentences", {"share": 0.3}), ("steps", {"share": 0.4}), ("anchors", {"share": 0.3}),
           ("marker-words", {})]  # fmt: skip


def seam_faults(text: str) -> dict[str, int]:
    """Counts of what a careless cut leaves behind."""
    paragraphs = [paragraph for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]
    return {
        "space before a line end": len(re.findall(r"[^\s] +\n", text)),
        "double spaces": len(re.findall(r"\S  +\S", text)),
        "three line ends": len(re.findall(r"\n\n\n", text)),
        "white space at the ends": len(text) - len(text.strip()),
        "small letter after a stop": len(re.findall(r"[.!?] [a-z]{2}", text)),
        "small letter opens a paragraph": sum(
            paragraph[:2].isalpha() and paragraph[:2].islower() for paragraph in paragraphs
        ),
        "gap in a numbered list": _gaps(text),
        "open round brackets": abs(text.count("(") - text.count(")")),
        "odd display mathematics": text.count("$$") % 2,
        "open \\[": abs(text.count("\\[") - text.count("\\]")),
        "odd fences": text.count("```") % 2,
        "odd bold marks": text.count("**") % 2,
        "colon at the end": int(text.rstrip().endswith(":")),
    }


def _gaps(text: str) -> int:
    numbers = [
        int(number) for number in re.findall(r"^[\s>*_#]*(?:Step |Case )?(\d{1,2})[.):](?=\s)", text, re.MULTILINE)
    ]
    return sum(after not in {1, before, before + 1} for before, after in pairwise(numbers))


@pytest.mark.parametrize(("method", "options"), CUTTERS)
def test_guarded_traces_have_no_more_seam_faults_than_clean_ones(method, options, shared):
    defense = make(method, key=KEY, **options)
    rows = pq.read_table(shared / "traces_gsm8k_4models.parquet", columns=["question", "reasoning"]).to_pylist()
    worse = []
    for row in rows[::5]:
        text = row["reasoning"]
        left = apply_edits(text, edit(defense, text, trace_key(row["question"])))
        clean = seam_faults(text)
        worse += [(name, row["question"][:60]) for name, count in seam_faults(left).items() if count > clean[name]]
    assert worse == []


def test_the_examples_have_no_more_seam_faults_than_before(examples):
    import orjson

    for line in examples.read_bytes().splitlines():
        row = orjson.loads(line)
        for method, options in CUTTERS:
            text = row["reasoning"]
            left = apply_edits(text, edit(make(method, key=KEY, **options), text, trace_key(row["prompt"])))
            clean, cut = seam_faults(text), seam_faults(left)
            assert {name: cut[name] for name in cut if cut[name] > clean[name]} == {}, (row["id"], method)


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("One. Two. Three.", "Two. ", "One. Three."),
        ("One. Two.\n\nThree.", "Two.\n\n", "One.\n\nThree."),
        ("One.\n\nTwo. Three.", "Two. ", "One.\n\nThree."),
        ("One.\n\nTwo.", "Two.", "One."),
        ("One. Two.\n", "Two.\n", "One.\n"),
        ("\nOne. Two.", "\nOne. ", "\nTwo."),
    ],
)
def test_the_stronger_separator_stays(text, span, expected):
    start = text.index(span)
    cuts = Cuts(text)
    assert cuts.cut(start, start + len(span), last=start + len(span) == len(text))
    assert apply_edits(text, cuts.close()) == expected


def test_neighbouring_cuts_keep_the_strongest_separator():
    text = "One. Two.\n\nThree. Four."
    cuts = Cuts(text)
    assert cuts.cut(5, 11, last=False)
    assert cuts.cut(11, 18, last=False)
    assert apply_edits(text, cuts.close()) == "One.\n\nFour."


STAY = {
    "after a colon": ("It is: Two. Three.", "Two. "),
    "after a comma": ("If x is 2,\n\nthen it ends.\n\nThree.", "then it ends.\n\n"),
    "after dots": ("It equals... 16 and 16. Three.", "16 and 16. "),
    "everything": ("All of it.", "All of it."),
    "what announces": ("One. We write:\n\n- a\n- b", "We write:\n\n"),
    "a part of a bullet": ("One.\n- Two. Three.\n- Four.", "- Two. "),
    "a bullet above a deeper one": ("One.\n- Two.\n  - Three.\n- Four.", "- Two.\n  "),
    "a bullet with more lines": ("One.\n- Two.\n  Three.\n- Four.", "- Two.\n  "),
    "the first line of code": ("One.\n\n    x = 1\n    y = 2\n\nTwo.", "x = 1\n    "),
    "a comment in code": ("One.\n\n\tx = 1\n\ty. Wait, no.\n\nTwo.", "Wait, no.\n\n"),
    "what leaves code without its indentation": ("One.\nTwo.\n    x = 1\n", "Two.\n    "),
    "what leaves a line with another indentation": ("  One.\n  Two.\nThree.", "One.\n  Two.\n"),
    "a display that a line leads to": ("One. So we get\n$$x = 1.$$\nThree.", "$$x = 1.$$\n"),
    "code that a line leads to": ("So we write\n```\nx\n```\nThree.", "```\nx\n```\n"),
    "an equation that a line leads to": ("So we get\nx = 1.\nThree.", "x = 1.\n"),
    "a figure in a column": ("We add\n 4.20\n+ 1.35\n-----\n 5.55", "+ 1.35\n"),
    "below a heading": ("## Check\nTwo. Three.", "Two. "),
    "below a bold heading": ("**Conclusion.** Two. Three.", "Two. "),
    "before its continuation": ("One.\nx = 2\nwhere x is it. Three.", "x = 2\n"),
}


@pytest.mark.parametrize(("text", "span"), STAY.values(), ids=STAY)
def test_what_would_tell_stays(text, span):
    start = text.index(span)
    cuts = Cuts(text)
    assert not cuts.cut(start, start + len(span), last=start + len(span) == len(text))
    assert cuts.close() == []


GO = {
    "a whole bullet": ("One.\n- Two.\n- Three.\n", "- Two.\n", "One.\n- Three.\n"),
    "the last bullet": ("One.\n- Two.\n- Three.\n\nFour.", "- Three.\n\n", "One.\n- Two.\n\nFour."),
    "a whole deeper bullet": ("One.\n  - Two.\n  - Three.\n", "- Two.\n  ", "One.\n  - Three.\n"),
    "the end of a bullet": ("- One. Two.\n- Three.", "Two.\n", "- One.\n- Three."),
    "a line of the same indentation": ("  One.\n  Two.\n  Three.", "Two.\n  ", "  One.\n  Three."),
    "text before code": ("One. Two.\n\n    x = 1\n", "Two.\n\n    ", "One.\n\n    x = 1\n"),
    "a display behind a stop": ("We get 1.\n$$x = 1.$$\nThree.", "$$x = 1.$$\n", "We get 1.\nThree."),
    "an equation behind an equation": ("x = 1\ny = 2\nz = 3", "y = 2\n", "x = 1\nz = 3"),
}


@pytest.mark.parametrize(("text", "span", "expected"), GO.values(), ids=GO)
def test_what_does_not_tell_goes(text, span, expected):
    start = text.index(span)
    cuts = Cuts(text)
    assert cuts.cut(start, start + len(span), last=start + len(span) == len(text))
    assert apply_edits(text, cuts.close()) == expected


LISTED = """Plan.

Step 1: We add. Wait, no. It is 2.
Step 2: Hmm, we double. So 4.
**Step 3:** Alternatively, stop. Hmm, ok.

The list:
- Wait, one. It is small.
- Hmm, two.
  - Wait, deeper.
- Alternatively, three = 3.

(a) Wait, x = 1.
(b) Hmm, y = 2.

Actually, all is well. Wait, it is. The end."""


@pytest.mark.parametrize(("method", "options"), [*CUTTERS, ("exchange", {}), ("branches", {"share": 1.0})])
def test_steps_keep_their_numbers_and_bullets_their_text(method, options):
    for key in range(30):
        left = apply_edits(LISTED, edit(make(method, key=KEY, **options), LISTED, bytes([key]) * 32))
        assert re.findall(r"(?m)^\W*Step (\d)", left) == ["1", "2", "3"]
        assert re.findall(r"(?m)^\((\w)\)", left) == ["a", "b"]
        items = re.findall(r"(?m)^ *- ?(.*)$", left)
        assert all(re.match(r"(Wait, )?[Oo]ne\.|(Hmm, )?[Tt]wo\.|(Wait, )?[Dd]eeper\.|(Alternatively, )?[Tt]hree = 3\.", item)
                   for item in items), left  # fmt: skip


def test_exchange_moves_sentences_that_stand_alone():
    text = "So. Wait, one. Go on.\n- Hmm, two.\n\n    # Wait, three.\n\nHmm, let me list:\n\nWait, five. End."
    left = apply_edits(text, edit(make("exchange", key=KEY), text, b""))
    assert left == text.replace("one", "X").replace("five", "one").replace("X", "five")


@pytest.mark.skipif(not native.BUILT, reason="the C extension was not built: no C compiler at installation")
@pytest.mark.parametrize(("mask", "most"), [(1, 20), (0, 1_000_000)], ids=["markers", "all"])
def test_both_forms_cut_the_same_of_the_shared_traces(mask, most, shared):
    names = ["traces_gsm8k_4models.parquet", "traces_illposed_stress.parquet", "traces_thought_anchors_math.parquet"]
    texts = [text for name in names for text in pq.read_table(shared / name)["reasoning"].to_pylist()]
    different = [text for text in texts if native.cut_first(text, DEFAULT, mask, mask, most) != _cut(text, mask, most)]
    assert different == []


def _cut(text, mask, most):
    cuts, left = Cuts(text), most
    for _, start, end, flags in native.candidates(text, DEFAULT, mask, mask):
        if left and not flags & (RAGGED | ITEM):
            left -= cuts.cut(start, end, end == len(text))
    return [(cut.start, cut.end) for cut in cuts.close()]
