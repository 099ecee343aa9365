"""What real cuts disturb."""

from hypothesis import given, settings
from hypothesis import strategies as st

from antidistill.theory.bounds.cuts import Span, count, mean


@st.composite
def edited(draw):
    """Sorted edits that do not overlap, some of which touch, some of which insert text; and the length of the text."""
    position, found = 0, []
    for _ in range(draw(st.integers(0, 8))):
        start = position + draw(st.integers(0, 30))
        position = start + draw(st.integers(1, 30))
        found.append(Span(start, position, draw(st.sampled_from([0, 0, 0, 5]))))
    return found, position + draw(st.integers(0, 60))


def windows(edits, length, order):
    """Transitions disturbed, one character per symbol, by walking over every character."""
    gone = {place for span in edits if not span.inserted for place in range(span.start, span.end)}
    disturbed, since = 0, order
    for place in range(length):
        if place in gone:
            since = 0
        elif since < order:
            disturbed += 1
            since += 1
    return disturbed


@settings(deadline=None)
@given(edited(), st.integers(1, 40))
def test_disturbed_transitions_are_counted_once(text, order):
    edits, length = text
    cuts = count(edits, length, order, characters=1)
    assert cuts.disturbed == windows(edits, length, order)
    assert cuts.deleted + cuts.scattered <= max(length, cuts.deleted)
    assert cuts.inserts == sum(span.inserted > 0 for span in edits)


@settings(deadline=None)
@given(edited(), st.integers(1, 40), st.floats(1, 10))
def test_scattering_never_disturbs_less(text, order, characters):
    cuts = count(*text, order, characters)
    assert cuts.disturbed <= cuts.scattered
    assert cuts.disturbed <= cuts.blocks * order <= cuts.deleted * order


def test_cuts_that_touch_are_one_block():
    edits = [Span(10, 30, 0), Span(30, 50, 0), Span(100, 104, 0), Span(200, 210, 3)]
    cuts = count(edits, length=4000, order=20, characters=4)
    assert (cuts.deleted, cuts.blocks, cuts.inserts) == (11, 2, 1)
    assert cuts.disturbed == 13 + 20
    assert cuts.scattered == 220


def test_what_is_left_caps_the_count():
    assert count([Span(0, 40, 0)], length=52, order=20, characters=4) == (10, 1, 3, 3, 0)
    assert count([Span(12, 52, 0)], length=52, order=20, characters=4) == (10, 1, 0, 3, 0)


def test_no_edit_disturbs_nothing():
    assert count([], 400, 50, 4) == (0, 0, 0, 0, 0)


def test_a_mean_has_its_interval():
    found = mean([1, 2, 3, 4])
    assert (found.value, found.n) == (2.5, 4)
    assert found.low < 2.5 < found.high
    assert mean([3]) == (3.0, None, None, 1)
