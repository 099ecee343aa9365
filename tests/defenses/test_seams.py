"""Seams read well: nothing in a guarded text tells that something was cut."""

import re
from itertools import pairwise

import pyarrow.parquet as pq
import pytest

from antidistill.defenses import edit, make
from antidistill.defenses.seams import Cuts
from antidistill.text.survey import list_number
from antidistill.trace import apply_edits, trace_key

KEY = b"a secret of the tests"
CUTTERS = [("traceguard", {"k": 50}), ("branches", {"share": 0.4}), ("random-sentences", {"share": 0.3}), ("steps", {"share": 0.4}),
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
    numbers = [number for number in map(list_number, text.split("\n")) if number]
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


@pytest.mark.parametrize(("text", "span"), [("It is: Two. Three.", "Two. "), ("All of it.", "All of it.")])
def test_what_would_tell_stays(text, span):
    start = text.index(span)
    cuts = Cuts(text)
    assert not cuts.cut(start, start + len(span), last=start + len(span) == len(text))
    assert cuts.close() == []
