"""Methods at a matched budget."""

import random

import pytest

from antidistill.defenses import spec
from antidistill.defenses.matching import AS_PUBLISHED, BY_SHARE, guarded, matched, removed_share
from antidistill.errors import UnknownName
from antidistill.trace import Trace

KEY = b"key"


@pytest.fixture(scope="module")
def traces():
    """Traces in which every third sentence or so opens with a marker."""
    chance = random.Random(0)

    def sentence(number):
        return f"{chance.choice(['Wait, ', 'So ', 'Then '])}{number} and {chance.randrange(90)} make a sum."

    return [Trace(str(n), f"prompt {n}", " ".join(map(sentence, range(12))), "4") for n in range(150)]


@pytest.mark.parametrize("doses", [AS_PUBLISHED, BY_SHARE])
@pytest.mark.parametrize("method", sorted(set(BY_SHARE) - {"steps"}))
def test_the_share_is_removed(method, doses, traces):
    found = matched(method, 0.2, traces, KEY, doses)
    assert removed_share(traces, guarded(traces, found)) == pytest.approx(0.2, abs=0.03)


def test_a_share_out_of_reach_takes_what_there_is(traces):
    most = removed_share(traces, guarded(traces, matched("traceguard", 1.0, traces, KEY)))
    assert 0.2 < most < 0.5
    assert most == removed_share(traces, guarded(traces, matched("traceguard", 0.9, traces, KEY)))


def test_a_method_without_a_dose_is_taken_as_it_is(traces):
    assert '"exchange"' in spec(matched("exchange", 0.2, traces, KEY))
    with pytest.raises(UnknownName):
        matched("nothing", 0.2, traces, KEY)
