"""Texts for the property tests: sentences, seams and delimiters in every combination."""

from itertools import pairwise

from hypothesis import strategies as st

FRAGMENTS = [
    "Wait, ", "Wait", "Hmm. ", "Hmm", "But wait, ", "Alternatively, ", "**Wait** ", "- Wait, ", "2. Wait, ", "Hold on a second. ",
    "So x = 3. ", "the answer is 4", "Let me check that: ", "We have 2+2=4. ", "It follows.", "(see ", "above) ", '"quoted." ',
    "$x=1.$ ", "$5 ", "$$a = b$$", "\\[ a = b. \\]", "\\(c\\)", "\\begin{align} x &= 1. \\end{align}", "`code. Wait`", "\n```python\nx = 1. \n",
    "\n```\n", "\n\n", "\n", " ", "  ", "1. First. ", "2. Second. ", "| a. | b |\n", "等等，不对。", "然后！", "e.g. ", "Dr. Smith ", "3.14 ",
    "\n- Wait, ", "\n  - ", "\n    ", "\n\n\t", "Step 2: ", "### Step 3\n", "**So.** ", "## Hmm\n", "we get\n", "where x is 3. ", "J. K. ",
    "...", "?", "! ", "x", "y ", "A. ", "Total = 5\n", "then ", "Therefore ", "\t", "é", "😀", "\u2028", ":", ":\n",
]  # fmt: skip

reasonings = st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join) | st.text(max_size=120)
cut_points = st.lists(st.integers(min_value=0, max_value=10_000), max_size=12)


def pieces(text: str, cuts: list[int]) -> list[str]:
    """The text cut at the given places (modulo its length)."""
    bounds = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(bounds)]
