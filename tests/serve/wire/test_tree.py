"""JSON with a few parts changed: everything else keeps its bytes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.errors import UpstreamGarbage
from antidistill.serve.wire.tree import Tree, dumps, loads, quoted, string

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
objects = st.dictionaries(st.text("abc", min_size=1, max_size=2), values, min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(objects, st.booleans())
def test_an_untouched_text_is_the_same_bytes_and_its_values_are_those_of_json(value, ascii_only):
    data = json.dumps(value, ensure_ascii=ascii_only, indent=1).encode()
    tree = Tree(data)
    assert tree.render() == data
    assert not tree.changed
    for name, node in tree.root.members:
        assert tree.value(node) == value[name]


@settings(max_examples=150, deadline=None)
@given(objects, values, st.data())
def test_replaced_dropped_and_added_members(value, other, data):
    name = data.draw(st.sampled_from(sorted(value)))
    tree = Tree(json.dumps(value).encode())
    tree.replace(tree.root.get(name), dumps(other))
    assert loads(tree.render()) == {**value, name: other}
    tree = Tree(json.dumps(value).encode())
    tree.drop(tree.root.get(name))
    tree.add(tree.root, "zz", b"1")
    assert loads(tree.render()) == {**{key: one for key, one in value.items() if key != name}, "zz": 1}


def test_parts_beside_a_change_keep_numbers_and_escapes():
    tree = Tree(b'{"a": 1.0e5, "b": "\\u00e9\\/", "c": "x"}')
    tree.replace(tree.root.get("c"), b'"y"')
    assert b"1.0e5" in tree.render()
    assert b'"\\u00e9\\/"' in tree.render()


@given(st.integers())
def test_integers_of_any_length_are_read_exactly_where_that_is_asked_for(number):
    assert loads(b'{"a": %d}' % number, exact=True) == {"a": number}


def test_a_name_that_stands_twice_means_its_last_value():
    tree = Tree(b'{"a": 1, "a": 2}')
    assert tree.value(tree.root.get("a")) == 2


@pytest.mark.parametrize("data", [b"", b"{", b'{"a"}', b"[1,]", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_garbage(data):
    with pytest.raises(UpstreamGarbage):
        Tree(data)


@given(st.text())
def test_texts_come_back(text):
    assert string(quoted(text)[1:-1]) == text
