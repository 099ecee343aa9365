"""Where each value stands in a line."""

import pytest

from antidistill.formats.scan import spans


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{}", {(): b"{}"}),
        (b' { "a" : 1.50 } ', {("a",): b"1.50", (): b'{ "a" : 1.50 }'}),
        (b'{"a":[[],{},"x",-2]}', {("a", 0): b"[]", ("a", 1): b"{}", ("a", 2): b'"x"', ("a", 3): b"-2"}),
        (b'{"a":{"b":"}"},"c":NaN}', {("a", "b"): b'"}"', ("a",): b'{"b":"}"}', ("c",): b"NaN"}),
        (b'{"\\u0061\\"":"\\\\","b":"\\""}', {('a"',): b'"\\\\"', ("b",): b'"\\""'}),
    ],
)
def test_spans(line, expected):
    found = {span.path: line[span.start : span.end] for span in spans(line)}
    assert {path: found[path] for path in expected} == expected


def test_members_start_at_their_keys():
    line = b'{"a": [1, 2], "b": 3}'
    members = {span.path: line[span.member : span.end] for span in spans(line)}
    assert members[("a",)] == b'"a": [1, 2]'
    assert members[("a", 1)] == b"2"
    assert members[("b",)] == b'"b": 3'
