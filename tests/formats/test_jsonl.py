"""JSON lines: what is read, what is refused, and that a change leaves every other byte alone."""

import json
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antidistill.errors import RowError
from antidistill.formats.found import Change, strings
from antidistill.formats.jsonl import decode, drop, edit_string, splice
from antidistill.formats.scan import spans
from antidistill.text import native
from antidistill.trace import apply_spans

LONG = 'Okay. So 2 + 2 = 4.\nWait, let me check: “vier” → 4, \t"four" \\ / 😀 \u2028 \x7f \x01. ' * 20


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (b'{"a": 1}\r\n', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "\\u0000"}', {"a": "\0"}),
        (b'{"a": Infinity, "b": [-Infinity]}', {"a": math.inf, "b": [-math.inf]}),
        (b'{"a": 18446744073709551616}', {"a": 18446744073709551616}),
        (b"{}", {}),
    ],
)
def test_lines_that_are_read(line, row):
    assert decode(line) == row


@pytest.mark.parametrize("name", ["id", "uuid", "UID"])
def test_ids_beyond_64_bits_keep_their_digits(name):
    one, other = (decode(b'{"%s": 1844674407370955161%d7, "x": 0.5}' % (name.encode(), n))[name] for n in (1, 2))
    assert (one, other) == (184467440737095516117, 184467440737095516127)


def test_ids_that_are_floats_stay_floats():
    assert decode(b'{"id": 1.50, "x": 18446744073709551617}') == {"id": 1.5, "x": 18446744073709551616.0}


def test_nan_is_read():
    assert math.isnan(decode(b'{"a": NaN}')["a"])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"a": "\xff"}', "byte 8 of the line is not UTF-8"),
        (b'{"a": "b', "not whole JSON"),
        (b"", "not whole JSON"),
        (b'{"a": 1} {"a": 2}', "not whole JSON"),
        (b'{"a": "\0"}', "not whole JSON"),
        (b'{"a": "\\ud83d"}', "surrogate"),
        (b'{"\\udc00": NaN}', "surrogate"),
        (b"[1]", "holds an array"),
        (b'"text"', "holds text"),
        (b"NaN", "holds a number"),
        (b"null", "holds null"),
        (b"[" * 100_000, "not whole JSON"),
        (b'{"a":' + b"1" * 10_000 + b"}", "not whole JSON"),
    ],
)
def test_lines_that_are_refused(line, says):
    with pytest.raises(RowError, match=says):
        decode(line)


WRITERS = {
    "orjson": orjson.dumps,
    "python": lambda row: json.dumps(row).encode(),
    "python, not ASCII": lambda row: json.dumps(row, ensure_ascii=False).encode(),
    "spaces": lambda row: json.dumps(row, indent=2).encode(),
    "slashes": lambda row: json.dumps(row).replace("/", "\\/").encode(),
    "large hex": lambda row: json.dumps(row).replace("\\u201c", "\\u201C").encode(),
    "letters": lambda row: json.dumps(row).replace("O", "\\u004f").encode(),
}


@pytest.fixture(params=WRITERS)
def write(request):
    return WRITERS[request.param]


@pytest.mark.parametrize("old", [LONG, "It is 4.", '", "', "", "true", '", "a'])
def test_only_the_string_changes(write, old):
    """The new line is what the same writer would have written."""
    row = {"id": 7, "x": 1.50, "prompt": "x, ", "reasoning": old, "z": ["b", None], "answer": 'It is: "4'}
    new = old[: len(old) // 2] + old[-3:]
    assert splice(write(row), [Change(("reasoning",), old, new)]) == write({**row, "reasoning": new})


def test_number_formats_and_spaces_stay():
    line = b'{ "n":1.50E+2 ,\t"big":123456789012345678901234567890, "reasoning" :"Old text.","nan":NaN } \r\n'
    expected = line.replace(b"Old text.", b"New.")
    assert splice(line, [Change(("reasoning",), "Old text.", "New.")]) == expected


def test_equal_strings_elsewhere_stay():
    line = b'{"Wait.": "Wait.", "reasoning": "Wait.", "answer": "Wait.", "m": [{"t": "Wait."}]}'
    changes = [Change(("reasoning",), "Wait.", ""), Change(("m", 0, "t"), "Wait.", "")]
    assert splice(line, changes) == b'{"Wait.": "Wait.", "reasoning": "", "answer": "Wait.", "m": [{"t": ""}]}'


def test_equal_string_that_is_written_otherwise_stays():
    line = b'{"reasoning": "\\u0057ait.", "answer": "Wait."}'
    assert splice(line, [Change(("reasoning",), "Wait.", "")]) == b'{"reasoning": "", "answer": "Wait."}'


def test_copies_change_together():
    line = orjson.dumps({"reasoning": LONG, "text": LONG, "answer": "4"})
    changes = [Change((name,), LONG, "Short.") for name in ("reasoning", "text")]
    assert splice(line, changes) == orjson.dumps({"reasoning": "Short.", "text": "Short.", "answer": "4"})


def test_new_text_equal_to_the_next_old_text():
    line = b'{"a": "One. Two.", "b": "One."}'
    changes = [Change(("a",), "One. Two.", "One."), Change(("b",), "One.", "")]
    assert splice(line, changes) == b'{"a": "One.", "b": ""}'


def test_characters_that_the_line_has_not_yet():
    line = b'{"a": "x\\/y"}'
    assert splice(line, [Change(("a",), "x/y", 'é/"\n')]) == b'{"a": "\\u00e9\\/\\"\\n"}'
    line = '{"a": "x\\/y", "b": "é"}'.encode()
    assert splice(line, [Change(("a",), "x/y", "é/")]) == '{"a": "é\\/", "b": "é"}'.encode()


def test_another_line_is_an_error():
    with pytest.raises(RowError, match="another text"):
        splice(b'{"a": "b"}', [Change(("a",), "c", "d")])


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([("n",)], b'{"a": "x", "u": {"t": 5, "k": [1, 2]}, "z": null}'),
        ([("a",)], b'{"n": 1.0, "u": {"t": 5, "k": [1, 2]}, "z": null}'),
        ([("z",)], b'{"n": 1.0, "a": "x", "u": {"t": 5, "k": [1, 2]}}'),
        ([("u",), ("z",)], b'{"n": 1.0, "a": "x"}'),
        ([("u", "t"), ("u", "k", 0)], b'{"n": 1.0, "a": "x", "u": {"t": null, "k": [null, 2]}, "z": null}'),
        ([("n",), ("a",), ("u",), ("z",)], b"{}"),
        ([("other",)], b'{"n": 1.0, "a": "x", "u": {"t": 5, "k": [1, 2]}, "z": null}'),
    ],
)
def test_drop(paths, expected):
    line = b'{"n": 1.0, "a": "x", "u": {"t": 5, "k": [1, 2]}, "z": null}'
    assert drop(line, paths) == expected


LONG_PIECES = ["a" * 48, "\\" * 48, '"' * 48, "\\", '"', "b", "é", '", "']
SCALARS = st.one_of(
    st.lists(st.sampled_from(LONG_PIECES), min_size=2, max_size=5).map("".join),
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(['", "', ": ", "true", "\\", '"', "}{", "a/b", "Wait."]),
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.sampled_from(["a", "Wait.", '", "'])
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=3), max_leaves=12)
ROWS = st.dictionaries(KEYS, VALUES, max_size=5)


@st.composite
def written(draw, rows=ROWS):
    """A row and one of the ways to write it."""
    row = draw(rows)
    return row, draw(st.sampled_from(list(WRITERS.values())))(row)


@given(written(), st.data())
def test_splice_is_decode_change_encode(case, data):
    row, line = case
    places = list(strings(row))
    if not places:
        return
    chosen = data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=3, unique_by=lambda place: place[0]))
    changes = [Change(path, old, data.draw(st.text(st.characters(exclude_categories=["Cs"])))) for path, old in chosen]
    result = splice(line, changes)
    assert decode(result) == _changed(row, changes)
    assert _without_changed(result, changes) == _without_changed(line, changes)


def _changed(row, changes):
    row = json.loads(json.dumps(row))
    for path, _, new, _ in changes:
        target = row
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = new
    return row


def _without_changed(line, changes):
    """The bytes of the line outside the changed strings."""
    paths = {change.path for change in changes}
    for span in sorted((s for s in spans(line) if s.path in paths), key=lambda s: -s.start):
        line = line[: span.start] + b"*" + line[span.end :]
    return line


@given(written())
def test_spans_hold_the_values(case):
    row, line = case
    found = {span.path: json.loads(line[span.start : span.end]) for span in spans(line)}
    assert found[()] == row
    for path, text in strings(row):
        assert found[path] == text


@given(written(), st.data())
def test_drop_is_decode_delete_encode(case, data):
    row, line = case
    paths = [span.path for span in spans(line) if span.path]
    chosen = data.draw(st.lists(st.sampled_from(paths), max_size=3)) if paths else []
    outer = [p for p in chosen if not any(p[:n] in chosen for n in range(1, len(p)))]
    expected = _changed(row, [Change(path, "", None) for path in outer])
    expected = {k: v for k, v in expected.items() if (k,) not in outer}
    assert decode(drop(line, outer)) == expected


CHARACTERS = st.sampled_from('ab .\n\t"\\/\x01\x7fé中😀')


@st.composite
def edited_texts(draw):
    text = draw(st.text(CHARACTERS, max_size=60))
    bounds = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pairs = zip(bounds[::2], bounds[1::2], strict=False)
    return text, [(start, end, draw(st.text(CHARACTERS, max_size=3)), "test") for start, end in pairs]


@pytest.mark.skipif(not native.BUILT, reason="the quick way needs a compiler")
@pytest.mark.parametrize("writer", ["orjson", "python", "python, not ASCII", "spaces"])
@given(edited_texts())
def test_an_edited_string_is_what_its_writer_makes_of_the_edited_text(writer, edited):
    text, edits = edited
    write = WRITERS[writer]
    other = "é" * (writer in ("orjson", "python, not ASCII"))  # a line that is ASCII stays ASCII
    after = apply_spans(text, edits)[0]
    line, expected = (write({"x": other, "reasoning": t, "y": 1}) for t in (text, after))
    at = line.index(b'"', line.index(b'"reasoning"') + 11)
    result = edit_string(line, at, text, edits, line.isascii())
    if result is None:
        assert "\x7f" in text  # which json.dumps escapes and orjson does not
    elif "\x7f" not in after:
        assert result.line == expected
        assert result.line[result.new_end :] == line[result.old_end :]


@given(edited_texts())
def test_an_edited_string_gives_up_where_the_line_holds_another(edited):
    text, edits = edited
    line = orjson.dumps({"reasoning": f"{text}, and more"})
    assert edit_string(line, 13, text, edits, line.isascii()) is None
    assert edit_string(line, -1, text, edits, line.isascii()) is None
