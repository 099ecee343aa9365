"""The boundary rules: the C form equals the Python form, a stream equals the whole text, and no sentence is lost."""

import importlib
import os
import random
from itertools import accumulate, pairwise

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.texts import FRAGMENTS, cut_points, pieces

from antidistill.text.scan import ABBREVIATIONS, LOOKBACK, NUMBERED_ABBREVIATIONS, OPEN_ABBREVIATIONS, REGION
from antidistill.text.scan import scan as python_scan

SPLIT = importlib.import_module("antidistill.text.split")  # the package has a function of the same name
TRACES = ["traces_gsm8k_4models.parquet", "traces_illposed_stress.parquet", "traces_thought_anchors_math.parquet"]
SIGNS = ".!?…。！？\n\r\t $`\\|\"')*_」”=+-<>/,(){}[]#0x5AabÉéǅ²١Ａ你😀𐐀𐐨\x00\x1c\x85\u2028\u3000\xa0\ud800\udfff"
SPECIALS = [
    *SIGNS, "..", "\r\n", "$$", "\\(", "\\)", "\\[", "\\]", "\\$", "\\begin{a}", "\\end{a}", "\\begin{", "\\b", "\\begin{" + "a" * 25 + "}",
    "``", "```", "````", "\n```\n", "\n> ```py\n", "\n|", "$5 ", "$5.00, ab", "$1,000\nif", "e.g", "Fig", "Etc", "No", "J", "12", "１２",
    "A. B. ", "the", "ab", "The", "+ ", "- ", " <", " " * 13, " " * (LOOKBACK + 1), "-" * (LOOKBACK - 1), "x" * (REGION - 3),
    "." * (REGION + 1), " " * (REGION + 1), "`" * (REGION + 1), "\n" * (REGION + 1),
]  # fmt: skip
hard_texts = st.lists(st.sampled_from(SPECIALS + FRAGMENTS), max_size=40).map("".join) | st.text(
    st.sampled_from(SIGNS), max_size=80
)


@pytest.fixture(scope="module")
def native():
    try:
        return importlib.import_module("antidistill.text._scan").scan
    except ImportError:
        if os.environ.get("CI") == "true":
            pytest.fail("the C extension was not built")
        pytest.skip("the C extension was not built: no C compiler at installation")


@pytest.fixture(scope="module", params=["c", "python"])
def scan(request):
    """Each implementation, in use by a `Splitter` that forgets old text as soon as it may."""
    chosen = request.getfixturevalue("native") if request.param == "c" else python_scan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SPLIT, "scan", chosen)
        patch.setattr(SPLIT, "_TRIM", SPLIT._KEPT)
        yield chosen


@pytest.fixture(scope="module")
def traces(shared):
    return [
        text for name in TRACES for text in pq.read_table(shared / name, columns=["reasoning"])["reasoning"].to_pylist()
    ]


def stream(parts):
    """Cuts that the splitter reports for a text in pieces; checks what it promises after each piece."""
    splitter = SPLIT.Splitter()
    cuts, safe = [], 0
    for arrived, progress in zip(
        [*accumulate(map(len, parts)), sum(map(len, parts))],
        [*map(splitter.feed, parts), splitter.close()],
        strict=True,
    ):
        assert all(cut >= safe for cut in progress.cuts), "a cut in text that was said to be safe"
        cuts += progress.cuts
        assert (cuts or [0])[-1] <= progress.safe <= arrived
        safe = max(safe, progress.safe)
    assert safe == sum(map(len, parts))
    return cuts


@pytest.mark.parametrize("final", [True, False])
def test_c_equals_python_on_the_shared_traces(native, traces, final):
    different = [text for text in traces if native(text, 0, final) != tuple(python_scan(text, 0, final))]
    assert different == []


@settings(max_examples=400, deadline=None)
@given(text=hard_texts, position=st.integers(-3, 200), final=st.booleans())
@example(text="", position=0, final=True)
@example(text="$5", position=2, final=False)
def test_c_equals_python_on_hard_texts(native, text, position, final):
    assert native(text, position, final) == tuple(python_scan(text, position, final))


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize(
    "count",
    [*range(LOOKBACK - 16, LOOKBACK + 17), *range(REGION - 3, REGION + 4), *range(2 * REGION - 20, 2 * REGION + 4)],
)
def test_c_equals_python_at_the_edges_of_what_a_rule_sees(native, count, final):
    fill = ["-" * count, " " * count, "x" * count, "=" + "x" * count, "|" + "x" * count, "." * count, "`" * count]
    texts = [head + middle + tail for middle in fill for head in ("", "\n", "\n\n", "a. ", "$", "$$", "\\(", "`", "``", "\\begin{a}", "\n|")
             for tail in ("1. Ab", "A. Ab", "\nab", "\n|", "|", "``` a\n", "$ A", ".$$ A", ".\\) A", "` A", "`` A", ".\\end{a} A", "\n\nA.", ". A")]  # fmt: skip
    different = [text for text in texts if native(text, 0, final) != tuple(python_scan(text, 0, final))]
    assert different == []


@settings(max_examples=200, deadline=None)
@given(text=hard_texts)
def test_c_equals_python_at_every_end_of_the_text(native, text):
    text = text[:300]
    for end in range(len(text)):
        assert native(text[:end], 0, False) == tuple(python_scan(text[:end], 0, False))


@settings(max_examples=300, deadline=None)
@given(text=hard_texts, cuts=cut_points)
def test_stream_equals_batch(scan, text, cuts):
    assert stream(pieces(text, cuts)) == scan(text, 0, True)[0]


@settings(max_examples=60, deadline=None)
@given(text=hard_texts)
def test_stream_equals_batch_one_character_at_a_time(scan, text):
    text = text[: 2 * REGION]
    assert stream(list(text)) == scan(text, 0, True)[0]


@pytest.mark.parametrize("count", [LOOKBACK - 12, LOOKBACK - 1, LOOKBACK, LOOKBACK + 1])
def test_a_stream_remembers_the_start_of_the_line(scan, count):
    text = "no stop " * 100 + "\n" + "-" * count + "1. Ab. Then = x\n" + "|" + "x" * (count - 1) + "\n|ab\n"
    assert stream(list(text)) == scan(text, 0, True)[0]


@pytest.mark.parametrize("longest", [1, 7, 400])
def test_stream_equals_batch_on_the_shared_traces(scan, traces, longest):
    generator = random.Random(longest)
    for text in generator.sample(traces, 25):
        cuts = [cut for cut in accumulate(generator.randint(1, longest) for _ in text) if cut < len(text)]
        assert stream(pieces(text, cuts)) == scan(text, 0, True)[0]


@settings(max_examples=300, deadline=None)
@given(text=hard_texts)
def test_the_spans_tile_the_text(scan, text):
    sentences = SPLIT.split(text)
    assert "".join(sentences) == text
    assert all(sentence == text[sentence.start : sentence.end] and sentence for sentence in sentences)
    assert all(before.end == after.start for before, after in pairwise(sentences))


def test_the_spans_tile_the_shared_traces(scan, traces):
    assert all("".join(SPLIT.split(text)) == text for text in traces)


def test_bad_arguments_are_refused(native):
    for arguments in [(), ("a.", 0), (b"a.", 0, True), (None, 0, True), ("a.", "0", True), ("a.", 0, True, 1)]:
        with pytest.raises(TypeError):
            native(*arguments)
    with pytest.raises(OverflowError):
        native("a.", 1 << 80, True)


@pytest.mark.parametrize("word", sorted(ABBREVIATIONS | NUMBERED_ABBREVIATIONS | OPEN_ABBREVIATIONS))
def test_c_knows_every_abbreviation(native, word):
    for form in (word, word.capitalize(), word.upper(), f"{word}x", f"x{word}", word[:-1]):
        for behind in ("4", "$x$", "\\(x\\)", "(a)", "Then", "then", "ΩΩ"):
            text = f"We see {form}. {behind} is it."
            assert native(text, 0, True) == tuple(python_scan(text, 0, True)), text


@pytest.mark.parametrize("filler", ["x", "é", "Ω", "。x", "😀"])
@pytest.mark.parametrize("sign", ".!?…。！？\n$`\\|")
def test_c_finds_a_sign_wherever_it_stands_in_a_block(native, sign, filler):
    for place in range(40):
        text = f"{filler * place}{sign} A{filler * (40 - place)}"
        assert native(text, 0, True) == tuple(python_scan(text, 0, True)), text
