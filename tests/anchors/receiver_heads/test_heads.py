"""Which heads are chosen, and what is said about the choice; laws on profiles that are made up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kurtosis

from antidistill.anchors.receiver_heads.heads import choose, kurtoses, load, sharpness
from antidistill.anchors.receiver_heads.options import VARIANTS, Options, variant
from antidistill.anchors.receiver_heads.profile import Profile
from antidistill.errors import BadOption, InputError, UnknownName

PLAIN = Options(depth="none", edges=0, average="mean", heads=2)


def made(values, seed=0):
    """A profile of made-up scores; the null is noise."""
    values = np.asarray(values, dtype=np.float64)
    noise = np.random.default_rng(seed + 100).gamma(4.0, size=values.shape)
    heads = tuple((number // 4, number % 4) for number in range(len(values)))
    return Profile(heads, values, np.where(np.isnan(values), np.nan, noise))


def pile(traces=8, heads=12, sentences=60, sharp=(5, 9), layer_zero=()):
    """Profiles of noise; the `sharp` heads look at three sentences of each trace, others than in the next trace."""
    rng = np.random.default_rng(1)
    found = {}
    for number in range(traces):
        values = rng.gamma(4.0, size=(heads, sentences))
        for head in (*sharp, *layer_zero):
            values[head, rng.integers(0, sentences - 4, 3)] += 60
        values[:, -4:] = np.nan
        found[f"{number:02x}"] = made(values, number)
    return found


def test_the_heads_that_look_at_few_sentences_are_chosen_and_stand_out_from_the_null():
    found = choose(pile(), "m", PLAIN)
    assert set(found.heads) == {(1, 1), (2, 1)}
    assert min(found.sharpness) > 5 > max(found.null)
    assert found.above_null == pytest.approx(2 / 8, abs=0.3)
    assert found.reliability.value > 0.3
    assert found.overlap.value == 1.0
    assert found.seen == tuple(pile())
    assert found.eligible == 8


def test_layer_zero_is_in_only_where_it_is_asked_for():
    profiles = pile(sharp=(5,), layer_zero=(1,))
    assert (0, 1) not in choose(profiles, "m", PLAIN).heads
    assert (0, 1) in choose(
        profiles, "m", Options(depth="none", edges=0, average="mean", heads=2, layer_zero=True)
    ).heads


def test_where_nothing_is_special_the_halves_do_not_agree():
    found = choose(pile(sharp=(), traces=12, heads=40), "m", PLAIN)
    assert abs(found.reliability.value) < 0.5
    assert found.overlap.value < 0.5


def test_fewer_than_four_traces_have_no_reliability():
    found = choose(pile(traces=3), "m", PLAIN)
    assert found.reliability is None
    assert found.overlap is None


@given(st.integers(0, 10**6), st.floats(0.1, 50), st.floats(-5, 5))
def test_kurtosis_is_scipys_and_does_not_care_for_scale_and_place(seed, scale, move):
    values = np.random.default_rng(seed).gamma(1.0, size=(5, 30))
    expected = kurtosis(values, axis=1)
    assert kurtoses(made(values), PLAIN) == pytest.approx(expected)
    assert kurtoses(made(values * scale + move), PLAIN) == pytest.approx(expected, rel=1e-5)


def test_subtracting_the_mean_makes_flat_heads_look_like_receivers_and_regression_does_not():
    rng = np.random.default_rng(0)
    values = np.concatenate([1 + rng.normal(0, 0.01, (8, 60)), rng.normal(1, 0.01, (4, 60))])
    values[8:, 17] += 20  # four heads that spike at one sentence
    flat = slice(0, 8)
    assert kurtoses(made(values), PLAIN)[flat].max() < 3
    assert kurtoses(made(values), Options(edges=0, baseline="subtract"))[flat].min() > 40
    assert kurtoses(made(values), Options(edges=0, baseline="regress"))[flat].max() < 3


def test_edges_are_left_out_and_a_head_without_spread_counts_as_flat():
    values = np.random.default_rng(0).normal(10, 1, (3, 40))
    values[0, 0] = values[1, 39] = 99
    values[2] = 7
    assert kurtoses(made(values), PLAIN)[:2].min() > 20
    assert kurtoses(made(values), Options(edges=2))[:2].max() < 3
    assert kurtoses(made(values), PLAIN)[2] == pytest.approx(0, abs=2.1)


def test_averages_do_not_let_long_traces_rule():
    short, long = np.zeros((4, 20)), np.zeros((4, 400))
    short[0, 3] = long[1, 3] = 1
    for values in (short, long):
        values += np.random.default_rng(0).normal(0, 0.01, values.shape)
    by = {
        name: sharpness([made(short), made(long)], Options(edges=0, average=name)).mean(0)
        for name in ("mean", "length", "rank")
    }
    assert by["mean"][1] > 10 * by["mean"][0]
    assert by["length"][0] == pytest.approx(by["length"][1], rel=0.2)
    assert by["rank"][0] == pytest.approx(by["rank"][1], abs=0.35)


def test_traces_that_are_all_too_short_are_an_error_that_says_how_long_they_must_be():
    with pytest.raises(InputError, match="none of the 2 traces has 18 sentences"):
        choose(pile(traces=2, sentences=12), "m", Options())


def test_saved_receivers_come_back_the_same(tmp_path):
    found = choose(pile(), "m", PLAIN)
    found.save(tmp_path / "heads.json")
    again = load(tmp_path / "heads.json")
    assert again.to_json() == found.to_json()
    (tmp_path / "heads.json").write_text('{"model": "m"}')
    with pytest.raises(InputError, match=r"heads\.json does not hold receiver heads"):
        load(tmp_path / "heads.json")


def test_options_out_of_range_and_unknown_variants_are_refused():
    for option in (
        {"gap": 0},
        {"heads": 0},
        {"edges": -1},
        {"depth": "deep"},
        {"baseline": "mean"},
        {"average": "sum"},
    ):
        with pytest.raises(BadOption, match=next(iter(option))):
            Options(**option)
    assert variant("appendix-d").baseline == "subtract"
    assert variant("original").layer_zero
    assert variant("controlled") == Options() == VARIANTS["controlled"]
    with pytest.raises(UnknownName, match="did you mean 'original'"):
        variant("orginal")
