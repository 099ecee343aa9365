"""Methods at a matched price."""

import random

import pytest

from antidistill.defenses import spec
from antidistill.distill.matched import guarded, removed_share
from antidistill.errors import UnknownName
from antidistill.lab.matching import defense_at, search
from antidistill.lab.worlds import make
from antidistill.trace import Trace


def test_the_search_finds_the_position_of_a_price():
    found = search(lambda position: position**2, 0.25, 12)
    assert found.position == pytest.approx(0.5, abs=0.01)
    assert found.price == pytest.approx(0.25, abs=0.01)


def test_a_price_out_of_reach_takes_the_nearest_end():
    assert search(lambda position: 0.1 * position, 0.9, 6).position > 0.95
    assert search(lambda position: 1 + position, 0.5, 6).position < 0.05


@pytest.fixture(scope="module")
def traces():
    world, generator = make("corrections"), random.Random(0)
    asked = [world.problem(generator) for _ in range(150)]
    return [Trace(str(n), p.prompt, world.write(p, generator), p.answer) for n, p in enumerate(asked)]


@pytest.mark.parametrize("method", ["traceguard", "random-sentences", "branches"])
def test_text_defenses_remove_the_share(method, traces):
    found = defense_at(method, 0.2, traces, b"key")
    assert removed_share(traces, guarded(traces, found)) == pytest.approx(0.2, abs=0.03)


def test_a_method_without_a_dose_is_taken_as_it_is(traces):
    assert '"exchange"' in spec(defense_at("exchange", 0.2, traces, b"key"))
    with pytest.raises(UnknownName):
        defense_at("nothing", 0.2, traces, b"key")
