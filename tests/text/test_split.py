"""Which sentences a text has: the cases that other splitters get wrong, and one way of writing after the other."""

from itertools import pairwise

import pytest

from antidistill import split
from antidistill.text import Sentence, Splitter

# Each text is written as its sentences, so that the expected cuts can be read: ["one. ", "two."] is the text "one. two.".
REFERENCE_FAULTS = {
    "decimals": ["is 3.14 and so on. ", "It equals 2.5. ", "Then"],
    "number ends the sentence": ["So x = 3. ", "5 is the other root of it."],
    "abbreviations": ["use, e.g. the sine rule. ", "See Fig. 3 for Dr. Smith, i.e. the proof vs. the claim."],
    "braces before the stop": ["p = \\frac{1}{2}. ", "Then"],
    "stop inside display mathematics": ["\\[ a = b.\n\\] so b = c. ", "Then"],
    "stop before the closing dollar": ["$x=1.$ ", "Then $y=2$. ", "So"],
    "stop before a quotation mark": ['"stop." ', "Then"],
    "stop before a bracket": ["(see below.) ", "Next"],
    "code block": ["Code:\n", "```python\n# ok. yes\n\nx = 1. # no\n```\n", "Then go."],
    "lists": ["Steps:\n", "1. Compute.\n", "2. Compute.\n", "- a\n", "- b"],
    "ellipses": ["Hmm... maybe. ", "Wait... let me think again... ", "Then"],
    "Chinese stops": ["你好。", "这是！", "真的？", "是的"],
    "equations on lines": ["a = 1\n", "b = 2\n", "c = 3"],
    "short sentences": ["Wait. ", "No. ", "Yes. ", "OK so it is 5."],
    "a think tag in the text": ["The tag <think> opens it. ", "Then more follows. ", "And more."],
    "last sentence without white space": ["First. ", "Then stop here now."],
}
STOPS = {
    "nothing": [],
    "no stop at all": ["no stop at all"],
    "only white space": [" \n\t "],
    "decimals and versions": ["pi is 3.14159, version 1.2.3 is out, and .5 is a half. ", "Fine."],
    "list numbers": ["1. One.\n", "2) Two.\n   ", "10. Ten. ", "Then 3. ", "So"],
    "labels": ["A. Paris\n", "B. London\n", "The answer is B. ", "Wait."],
    "initials": ["J. R. R. Tolkien wrote it. ", "Yes."],
    "initials in a sentence": ["It is by J. K. Rowling and A. B. C. Dee. ", "So the answer is B. ", "Then C. ", "Yes."],
    "titles": ["Mr. Smith met Mrs. Jones and Prof. Lee. ", "They left."],
    "numbered abbreviations": ["See eq. (3), No. 5 and Sec. $2$. ", "No. ", "Not that."],
    "etc.": ["apples, pears, etc. in a bag, etc. ", "Then"],
    "ellipsis before one small letter": ["like... a lot… a very lot. ", "So"],
    "ellipsis before a capital letter": ["Hmm… ", "Wait... ", "No."],
    "several marks": ["Really?! ", "Yes!! ", "No?"],
    "quotation marks and brackets": ["He said “stop.” ", "(Why?) ", '**Wait.** ', "*No.* ", "'Yes.' ", "«Non.» ", "Then [see.] ", "So"],
    "a question inside a sentence": ['"Really?" he said. ', "Then"],
    "factorials": ["It is 5! = 120, and 4! * 2! / (3! - 1!) = 9.6. ", "Good."],
    "dots as arguments": ["So sin(...) + cos(...) ≈ 1, f(x, ...) ≤ 2. ", "Then"],
    "blank lines": ["one\n\n", "two\n \t\n\n", "three"],
    "Windows lines": ["One.\r\n", "Two\r\n\r\n", "Three"],
    "a wrapped line": ["this line of text\nis wrapped here. ", "Then"],
    "headings": ["## Step one\n", "We add.\n", "### Step two\n", "We stop."],
    "mixed languages": ["So x = 5。", "等等，不对……再想想！」", "Then 3.5 是答案。 ", "OK."],
}  # fmt: skip
REGIONS = {
    "dollars": ["We get $a. B$ and $f(x) = 1.2. C$ then. ", "So"],
    "double dollars": ["Then $$a = b. C = d!$$ holds. ", "So"],
    "a stop before double dollars": ["$$a = b.$$ ", "So"],
    "round delimiters": ["As \\(a. B\\) holds. ", "So \\(x = 1.\\) ", "Then"],
    "square delimiters": ["As \\[\na. B\n\\] holds. ", "So \\[x = 1. \\] ", "Then"],
    "environment": ["\\begin{align*}\na &= 1. \\\\\n\nB &= 2.\n\\end{align*}\n", "So"],
    "unknown command": ["Then \\boxed{5}. ", "So \\beta. ", "Yes"],
    "prices": ["It costs $5. ", "Then $6 and $7.50. ", "So $1,000. ", "Fine."],
    "sums of money": ["He has $5 + $6 = $11. ", "Then $20/hour. ", "So"],
    "escaped dollars": ["It is \\$5. ", "Then \\$6. ", "So"],
    "unclosed mathematics": ["A \\(x. ", "So $$z. ", "And \\[w. ", "Then $y. ", "End"],
    "inline code": ["Use `a. B` or ``c. `D`. E`` here. ", "So"],
    "unclosed code": ["A back quote ` is there. ", "So"],
    "code fence in one line": ["```x = 1. Y``` is it. ", "So"],
    "longer fence": ["````\n```\nA. B\n```\n````\n", "So"],
    "quoted fence": ["> ```\n> A. B\n> ```\n", "So"],
    "unclosed fence": ["Code:\n", "```python\n# A. B\n\nC. D"],
    "table": ["Here:\n", "| A. B | c |\n|---|---|\n| D. E | f |\n", "Then x. ", "So"],
    "bars that are no table": ["So P(A|B). ", "Then |x| = 3. ", "So"],
    "a bar that opens a line": ["|x| = 3. ", "So x = 3."],
}


@pytest.mark.parametrize("sentences", [*REFERENCE_FAULTS.values(), *STOPS.values(), *REGIONS.values()],
                         ids=[*REFERENCE_FAULTS, *STOPS, *REGIONS])  # fmt: skip
def test_sentences(sentences):
    assert split("".join(sentences)) == sentences


@pytest.mark.parametrize(
    "abbreviation", ["e.g.", "i.e.", "vs.", "cf.", "approx.", "resp.", "Dr.", "Mr.", "Mrs.", "Prof.", "w.r.t."]
)
def test_an_abbreviation_ends_no_sentence(abbreviation):
    assert len(split(f"We take {abbreviation} Newton here. Then")) == 2


@pytest.mark.parametrize("opening", ["\\(", "\\[", "$$", "$", "\\begin{align}", "`"])
def test_an_unclosed_region_is_plain_text(opening):
    text = f"{opening}x holds. Then it is. So\n\n" + "It is so. " * 600
    assert len(split(text)) == 603


def test_a_sentence_knows_its_place():
    text = "  One. Two.\n\nThree"
    first, second, third = split(text)
    assert [(part.start, part.end) for part in (first, second, third)] == [(0, 7), (7, 13), (13, 18)]
    assert isinstance(second, Sentence)
    assert second == text[second.start : second.end]
    assert second.strip() == "Two."


OPEN_CODE = [
    "Code:\n```py\n" + "x = 1. A\n" * 19_000,
    "Code:\n````\n" + "```\nA. B\n" * 19_000 + "````\nThen a. Then",
    "Code:\n```\n" + "x = 1. A " * 19_000 + "\n```\nThen a. Then",
]


@pytest.mark.parametrize(
    "unit",
    [
        "Wait, is 3.5 of $x.$ right? Yes.\n\n",
        "a",
        "。",
        "\n",
        ". ",
        "`",
        "```\nx\n",
        "$",
        "\\(",
        "|",
        "等等。",
        "x = 1\n",
    ],
)
def test_a_long_text_tiles(unit):
    text = (unit * 175_000)[:175_000]
    sentences = split(text)
    assert "".join(sentences) == text
    assert all(before.end == after.start for before, after in pairwise(sentences))


@pytest.mark.parametrize("unit", ["Wait, is 3.5 of $x.$ right? Yes.\n\n", "no stop ", ".", " ", "`", *OPEN_CODE])
def test_a_long_text_one_character_at_a_time(unit):
    text = unit if unit in OPEN_CODE else (unit * 175_000)[:175_000]
    splitter = Splitter()
    cuts = [cut for character in text for cut in splitter.feed(character).cuts] + splitter.close().cuts
    assert [0, *cuts] == [sentence.start for sentence in split(text)]


def test_a_boundary_is_reported_as_soon_as_it_is_certain():
    splitter = Splitter()
    assert splitter.feed("One is here. ") == ([], 13)
    assert splitter.feed("T") == ([13], 14)
    assert splitter.feed("wo, e.g. $a. B") == ([], 25)
    assert splitter.feed("$.") == ([], 30)
    assert splitter.close() == ([], 30)
