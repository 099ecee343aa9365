"""The example traces keep what their page promises."""

import datetime
import json
import math
import re
from itertools import pairwise, permutations
from statistics import pstdev

import pytest

from antidistill.text import split
from antidistill.text.markers import Markers

COLUMNS = {"id", "topic", "prompt", "reasoning", "answer"}
LISTED = Markers(
    words=("wait", "alternatively", "hmm", "alright", "actually", "hold on", "let me check"), leads=("but", "oh")
)

FEATURES = {
    "price": r"\$\d+\.\d\d[ ,.]",
    "price beside mathematics": r"\$\d+ and .*\$[a-z]|\$[a-z][^$\n]*\$.*\$\d+[ ,.]",
    "inline dollars": r"\$[^$\n]+\\[a-z]+[^$\n]*\$",
    "display dollars": r"(?s)\$\$.+?\$\$",
    "inline parentheses": r"\\\(.+?\\\)",
    "display brackets": r"(?s)\\\[.+?\\\]",
    "stop inside display mathematics": r"(?s)\\\[[^\]]*\.\n\\\]",
    "align": r"(?s)\\begin\{align\}.+?\\end\{align\}",
    "boxed": r"\\boxed\{",
    "python": r"(?s)```python\n.+?\n```",
    "sql": r"(?s)```sql\n.+?\n```",
    "stop in a comment": r"(?m)^\s*(#|--|//) .*[a-z0-9]\. [A-Z]",
    "blank line in code": r"(?s)```[a-z]+\n(?:(?!```).)*?\n\n(?:(?!```).)*?```",
    "inline code": r"(?<!`)`[^`\n]+`(?!`)",
    "numbered list": r"(?m)^1\. .+\n2\. ",
    "bulleted list": r"(?m)^- .+\n- ",
    "table": r"(?m)^\|.+\|\n\|[-:| ]+\|\n\|.+\|$",
    "units and decimals": r"\d\.\d+ (?:m/s|kg|V|g/mol)",
    "abbreviations": r"(?s)Dr\. .*\be\.g\. .*Fig\. 3",
    "ellipsis": r"\w\.\.\. \w",
    "quote behind the stop": r'[.?!]" [A-Z]',
    "bracket behind the stop": r"\.[)\]] [A-Z]",
    "bold marker": r"(?m)^\*\*Wait\*\*",
    "marker behind a bullet": r"(?m)^- Wait",
    "but wait": r"(?m)^But wait,",
    "oh, wait": r"(?m)^Oh, wait",
    "chinese stops": r"(?s)^(?=.*。)(?=.*！)(?=.*？)",
    "chinese hesitation": r"等等|嗯",
    "french": r"Les rayons du soleil",
    "german": r"Die Züge nähern sich",
}


def least_route():
    roads = {"AB": 4, "AC": 2, "BC": 1, "BD": 5, "CD": 8, "CE": 10, "DE": 2, "DF": 6, "EF": 3}
    routes = [("A", *middle, "F") for size in range(5) for middle in permutations("BCDE", size)]
    lengths = [[roads.get("".join(sorted(step)), math.inf) for step in pairwise(route)] for route in routes]
    return min(map(sum, lengths))


def staircase(steps):
    ways = [1, 1, 2]
    while len(ways) <= steps:
        ways.append(sum(ways[-3:]))
    return ways[steps]


def best_bake():
    loaves = ((rye, wheat) for rye in range(91) for wheat in range(101))
    possible = [pair for pair in loaves if 4 * pair[0] + 5 * pair[1] <= 500 and 10 * pair[0] + 6 * pair[1] <= 900]
    return max(possible, key=lambda pair: 1.8 * pair[0] + 1.5 * pair[1])


RESULTS = {
    "bakery-change": f"${50 - 3 * 4.75 - 2 * 6.2:.2f}",
    "phone-plans": f"n = {200 + (40 - 25) / 0.1:.0f} texts",
    "bicycle-discounts": f"${(640 - 40) * 0.85 * 1.08 - (640 * 0.85 - 40) * 1.08:.2f} more",
    "dinner-tip": f"${84 * 0.18:.2f}",
    "last-two-digits": f"\\boxed{{{pow(7, 2026, 100)}}}",
    "ball-upwards": f"{14.7**2 / 19.6:.1f}\\ \\text{{m}}",
    "parallel-resistors": f"{12 / 6 * 2 / 3:.2f}\\ A",
    "four-dice": f"{6**4 - 5**4}}}{{{6**4}",
    "screening-test": f"{100 * 95 / (95 + 396):.1f}",
    "two-hearts": f"{{1}}{{{math.comb(52, 2) // math.comb(13, 2)}}}",
    "propane-oxygen": f"{11 / 44.09 * 5 * 32:.1f} g",
    "acetic-acid-ph": f"{-math.log10(math.sqrt(1.8e-6)):.2f}",
    "moon-landing-weekday": f"{datetime.date(1969, 7, 20):%A}",
    "reform-days": f"{366 - len(range(3, 14))} days",
    "letter-count": f"**{'possessionlessness'.count('s')}** times",
    "caesar-shift": "".join(chr((ord(c) - 65 - 3) % 26 + 65) if c != " " else " " for c in "PHHW DW QRRQ"),
    "banana-words": f"{len(set(permutations('BANANA')))}",
    "class-scores": f"{pstdev([6, 8, 9, 9, 13]):.2f}",
    "kepler-mars": f"{1.524**1.5 * 365.25:.0f}\\ days",
    "staircase-paths": f"**{staircase(10)}**",
    "shortest-route": f"{least_route()} km",
    "bakery-lp": "{} rye and {} wheat".format(*best_bake()),
    "eggs-remainders": " and ".join(str(n) for n in range(200) if (n % 3, n % 5, n % 7) == (2, 3, 2)),
    "plain-percentages": f"{14000 * 14000 / 12500:,.0f}",
    "clock-hands": f"{40 * 6 - (3 * 30 + 40 / 2):.0f}°",
    "prescription-label": f"{18 * 40 / 2 / 50:.1f} ml per dose",
    "one-line-product": f"{25 * 36}",
}


def marker_count(row):
    return sum(LISTED.opening(sentence) > 0 for sentence in split(row["reasoning"]))


@pytest.fixture(scope="module")
def lines(examples):
    return examples.read_bytes().decode("utf-8").splitlines()


@pytest.fixture(scope="module")
def rows(lines):
    return [json.loads(line) for line in lines]


def test_rows_are_complete_and_distinct(rows):
    assert len(rows) >= 48
    for row in rows:
        assert set(row) == COLUMNS
        assert all(isinstance(value, str) and value.strip() for value in row.values()), row["id"]
    assert len({row["id"] for row in rows}) == len({row["prompt"] for row in rows}) == len(rows)


def test_file_is_utf8_and_not_ascii_escaped(lines, rows):
    assert lines == [json.dumps(row, ensure_ascii=False) for row in rows]


def test_page_names_the_number_of_traces(examples, rows):
    assert f"holds {len(rows)} short" in (examples.parent / "README.md").read_text("utf-8")


def test_lengths_and_markers_vary(rows):
    sizes = [(len(row["reasoning"]), marker_count(row), len(split(row["reasoning"]))) for row in rows]
    assert sum(markers >= 4 for _, markers, _ in sizes) >= 36
    assert sum(length >= 4000 and markers >= 12 for length, markers, _ in sizes) >= 6
    assert sum(600 <= length <= 2500 and 4 <= markers <= 12 for length, markers, _ in sizes) > len(rows) / 2
    assert sum(2 <= sentences <= 4 for _, _, sentences in sizes) >= 3
    assert sum(sentences == 1 for _, _, sentences in sizes) == 1
    assert any(markers == 0 and sentences > 1 for _, markers, sentences in sizes)


@pytest.mark.parametrize("pattern", FEATURES.values(), ids=FEATURES)
def test_every_kind_of_text_occurs(rows, pattern):
    assert any(re.search(pattern, row["reasoning"]) for row in rows)


def test_multiple_choice_prompts_have_four_options(rows):
    assert sum(all(f"\n{letter}) " in row["prompt"] for letter in "ABCD") for row in rows) >= 3


def test_one_trace_is_chinese_and_one_is_mixed(rows):
    shares = [len(re.findall("[一-鿿]", row["reasoning"])) / len(row["reasoning"]) for row in rows]
    assert sum(share > 0.4 for share in shares) == 1
    assert sum(0.1 < share < 0.4 for share in shares) == 1


def test_one_answer_holds_escapes_quotes_and_backslashes(rows):
    assert any(all(piece in row["answer"] for piece in (r"\u00e9", '\\"', "\\\\", "\\n")) for row in rows)


def test_mathematics_and_code_are_closed(rows):
    for row in rows:
        for text in (row["reasoning"], row["answer"]):
            fences = re.findall(r"(?m)^```", text)
            prose = re.sub(r"(?s)```.*?```|`[^`\n]+`", "", text)
            assert len(fences) % 2 == 0, row["id"]
            assert prose.count("$$") % 2 == 0, row["id"]
            assert [prose.count(mark) for mark in (r"\(", r"\[", r"\begin{")] == [
                prose.count(mark) for mark in (r"\)", r"\]", r"\end{")
            ], row["id"]


@pytest.mark.parametrize(("name", "result"), RESULTS.items(), ids=RESULTS)
def test_answer_is_correct(rows, name, result):
    (answer,) = [row["answer"] for row in rows if row["id"] == name]
    assert result in answer
