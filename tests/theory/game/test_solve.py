"""The game's answer: against an independent solver, against finite differences, and in its laws."""

import itertools
import math

import nashpy
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.theory.game.tables import table, weights

from antidistill.errors import BadOption, NoCommitment, UnknownName, UsageError
from antidistill.theory.game import Limit, parse, solve

FEW = {"samples": 100}
GRID = [np.array(point) / 40 for point in itertools.product(range(41), repeat=3) if sum(point) == 40]


def matrices(rows, columns):
    cells = st.integers(-20, 20).map(lambda number: number / 4)
    return st.lists(st.lists(cells, min_size=columns, max_size=columns), min_size=rows, max_size=rows).map(np.array)


def metrics(rows):
    return st.lists(st.integers(0, 20).map(lambda number: number / 20), min_size=rows, max_size=rows).map(np.array)


@pytest.mark.parametrize("seed", range(25))
def test_the_worst_case_agrees_with_nashpy(seed):
    """Vertex enumeration of the zero-sum game: another algorithm by other authors."""
    random = np.random.default_rng(seed)
    damage = random.normal(0, 3, random.integers(2, 5, 2))
    row, column = next(nashpy.Game(damage).vertex_enumeration())
    payoffs = table(damage)
    solution = solve(payoffs, **FEW)
    assert solution.value == pytest.approx(row @ damage @ column, abs=1e-7)
    assert weights(solution, payoffs) == pytest.approx(row, abs=1e-6)
    assert [solution.against.get(name, 0) for name in payoffs.columns] == pytest.approx(column, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(matrices(3, 2), metrics(3), metrics(3), st.floats(0, 1), st.floats(0, 1))
def test_no_mixture_that_keeps_the_limits_does_better(damage, visibility, utility, most, least):
    limits = (Limit("visibility", most), Limit("utility", least, at_least=True))
    payoffs = table(damage, visibility=visibility, utility=utility)
    kept = [x for x in GRID if x @ visibility <= most and x @ utility >= least]
    try:
        solution = solve(payoffs, limits, **FEW)
    except NoCommitment:
        assert not kept
        return
    mixture = weights(solution, payoffs)
    assert mixture @ visibility <= most + 1e-6
    assert mixture @ utility >= least - 1e-6
    assert solution.value == pytest.approx((mixture @ damage).min(), abs=1e-5)
    assert all((x @ damage).min() <= solution.value + 1e-6 for x in kept)


@settings(max_examples=40, deadline=None)
@given(matrices(4, 3), metrics(4), st.floats(0.05, 0.95))
def test_a_price_is_what_a_wider_limit_gains(damage, visibility, most):
    step = 1e-4
    assume(np.abs(visibility - most).min() > 2 * step)
    payoffs = table(damage, visibility=visibility)
    try:
        solution = solve(payoffs, [Limit("visibility", most)], **FEW)
    except NoCommitment:
        return
    wider = solve(payoffs, [Limit("visibility", most + step)], **FEW).value - solution.value
    price = solution.prices["visibility"]
    assert price.wider * step >= wider - 1e-6
    assert (price.wider > 0) == (solution.binding == ["visibility"])
    if visibility.min() <= most - step and price.narrower is not None:
        narrower = solution.value - solve(payoffs, [Limit("visibility", most - step)], **FEW).value
        assert price.narrower * step <= narrower + 1e-6
        assert price.wider <= price.narrower + 1e-9


def test_prices_at_a_corner_say_both_sides():
    """At 0.6 the second row is just allowed: wider gains nothing, narrower loses 40 per unit."""
    payoffs = table([[0, 0], [4, 4]], visibility=[0.5, 0.6])
    price = solve(payoffs, [Limit("visibility", 0.6)], **FEW).prices["visibility"]
    assert price.wider == 0
    assert price.narrower == pytest.approx(40)
    inside = solve(payoffs, [Limit("visibility", 0.55)], **FEW)
    assert inside.commitment == pytest.approx({"r0": 0.5, "r1": 0.5})
    assert inside.prices["visibility"].wider == pytest.approx(40)
    assert inside.binding == ["visibility"]


def test_a_limit_that_cannot_be_narrowed_has_no_price_for_it():
    payoffs = table([[0, 0], [4, 4]], visibility=[0.5, 0.6])
    price = solve(payoffs, [Limit("visibility", 0.5)], **FEW).prices["visibility"]
    assert price.wider == pytest.approx(40)
    assert price.narrower is None


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e5])
def test_units_do_not_matter(scale):
    payoffs = table(np.array([[1, 3], [3, 1.5]]) * scale, tokens=np.array([100, 200]) * scale)
    solution = solve(payoffs, [Limit("tokens", 120 * scale)], **FEW)
    assert solution.commitment == pytest.approx({"r0": 0.8, "r1": 0.2})
    assert solution.value == pytest.approx(1.4 * scale)
    assert solution.prices["tokens"].wider == pytest.approx(0.02)


@settings(max_examples=30, deadline=None)
@given(matrices(3, 3), st.lists(st.integers(1, 9), min_size=3, max_size=3))
def test_a_prior_relaxes_the_worst_case(damage, parts):
    prior = np.array(parts) / sum(parts)
    payoffs = table(damage)
    worst, bayes = solve(payoffs, **FEW), solve(payoffs, prior=prior, **FEW)
    assert bayes.value == pytest.approx((damage @ prior).max(), abs=1e-6)
    assert bayes.value >= worst.value - 1e-6
    assert bayes.worst_case <= worst.value + 1e-6
    assert bayes.has_prior
    assert bayes.against == pytest.approx({f"c{number}": p for number, p in enumerate(prior)})


@settings(max_examples=30, deadline=None)
@given(matrices(4, 3), metrics(4), st.floats(0, 1))
def test_a_single_defense_is_never_better_than_a_mixture(damage, visibility, most):
    limits = [Limit("visibility", most)]
    payoffs = table(damage, visibility=visibility)
    kept = [row for row, seen in enumerate(visibility) if seen <= most]
    if not kept:
        with pytest.raises(NoCommitment):
            solve(payoffs, limits, only_pure=True, **FEW)
        return
    single, mixture = solve(payoffs, limits, only_pure=True, **FEW), solve(payoffs, limits, **FEW)
    assert single.value == max(damage[row].min() for row in kept)
    assert list(single.commitment.values()) == [1.0]
    assert mixture.value >= single.value - 1e-6
    assert mixture.single.value == single.value


def test_the_price_of_a_single_defense_is_the_best_step_to_another():
    payoffs = table([[1, 1], [2, 2], [5, 5]], visibility=[0.5, 0.6, 0.7])
    solution = solve(payoffs, [Limit("visibility", 0.55)], only_pure=True, **FEW)
    price = solution.prices["visibility"]
    assert (price.wider, price.step) == (pytest.approx(4 / 0.15), pytest.approx(0.15))


def test_a_mixture_may_keep_what_no_single_defense_keeps():
    payoffs = table([[1, 1], [2, 2]], visibility=[0.5, 0.9], utility=[0.2, 1.0])
    limits = [Limit("visibility", 0.8), Limit("utility", 0.5, at_least=True)]
    solution = solve(payoffs, limits, **FEW)
    assert solution.single is None
    assert solution.reached["visibility"] == pytest.approx(0.8)
    with pytest.raises(NoCommitment, match="no single defense keeps visibility <= 0.8 and utility >= 0.5 together"):
        solve(payoffs, limits, only_pure=True, **FEW)


def test_an_empty_set_names_the_nearest_defense():
    payoffs = table([[1, 1], [2, 2]], visibility=[0.5, 0.9], utility=[0.2, 1.0])
    with pytest.raises(NoCommitment, match="no defense keeps visibility <= 0.4: the nearest, 'r0', reaches 0.5"):
        solve(payoffs, [Limit("visibility", 0.4)])
    with pytest.raises(NoCommitment, match="'r1', reaches 1;"):
        solve(payoffs, [Limit("utility", 1.5, at_least=True)])
    with pytest.raises(NoCommitment, match="no defense and no mixture of defenses keeps"):
        solve(payoffs, [Limit("visibility", 0.6), Limit("utility", 0.9, at_least=True)])


def test_limits_that_make_no_sense_are_named():
    payoffs = table([[1, 1]], visibility=[0.5])
    with pytest.raises(UnknownName, match="did you mean 'visibility'"):
        solve(payoffs, [Limit("visibilty", 0.4)])
    with pytest.raises(BadOption, match="one limit per metric"):
        solve(payoffs, [Limit("visibility", 0.6), Limit("visibility", 0.5)])
    with pytest.raises(BadOption, match="a finite bound"):
        solve(payoffs, [Limit("visibility", math.nan)])


def test_cautious_limits_count_the_bad_end():
    visibility = {"a": 0.5, "b": {"value": 0.58, "low": 0.54, "high": 0.62}}
    payoffs = parse({"rows": ["a", "b"], "columns": ["c"], "damage": [[1], [2]], "visibility": visibility})
    limits = [Limit("visibility", 0.59)]
    assert solve(payoffs, limits, only_pure=True, **FEW).commitment == {"b": 1.0}
    assert solve(payoffs, limits, only_pure=True, cautious=True, **FEW).commitment == {"a": 1.0}


def test_an_adversary_that_pays_for_filtering_filters_only_where_it_pays():
    """r1 hurts by 10, filtering leaves 0 and costs 4: above 4 of damage the adversary filters, so the defender stays just below."""
    filtered = {"filter": {"damage": [[0], [0]], "cost": 4.0}}
    payoffs = table([[0], [10]], responses=filtered)
    solution = solve(payoffs, **FEW)
    assert solution.commitment == pytest.approx({"r0": 0.6, "r1": 0.4}, abs=1e-5)
    assert solution.value == pytest.approx(4.0, abs=1e-5)
    assert solution.against == {"c0": 1.0}
    assert solution.worst_case == pytest.approx(0, abs=1e-6)
    dear = table([[0], [10]], responses={"filter": {"damage": [[0], [0]], "cost": 12.0}})
    assert solve(dear, **FEW).commitment == {"r1": 1.0}


def test_filtering_for_nothing_is_the_worst_case():
    payoffs = table([[0, 1], [10, 2]], responses={"filter": {"damage": [[0, 1], [3, 1.5]]}})
    both = table([[0, 1, 0, 1], [10, 2, 3, 1.5]])
    assert solve(payoffs, **FEW).value == pytest.approx(solve(both, **FEW).value)
    prior = np.array([0.5, 0.5])
    assert solve(payoffs, prior=prior, **FEW).value == pytest.approx((3 + 1.5) / 2)


def test_with_a_prior_every_architecture_decides_for_itself():
    filtered = {"filter": {"damage": [[0, 0], [0, 0]], "cost": {"c0": 4.0, "c1": 20.0}}}
    payoffs = table([[0, 0], [10, 10]], responses=filtered)
    prior = np.array([0.1, 0.9])
    solution = solve(payoffs, prior=prior, **FEW)
    assert solution.commitment == {"r1": 1.0}
    assert solution.value == pytest.approx(9.0)
    assert solution.against == pytest.approx({"c0 + filter": 0.1, "c1": 0.9})
    assert solve(payoffs, prior=prior[::-1], **FEW).value == pytest.approx(4.0, abs=1e-5)


def test_too_many_programs_are_refused():
    columns, filtered = 13, {"filter": {"damage": [[0.0] * 13, [0.0] * 13], "cost": 1.0}}
    payoffs = table([[0] * columns, [10] * columns], responses=filtered)
    with pytest.raises(UsageError, match="8192 linear programs"):
        solve(payoffs, prior=np.full(columns, 1 / columns), **FEW)


def test_the_json_has_the_fixed_fields():
    payoffs = table([[0, 0], [4, 4]], visibility=[0.5, 0.6])
    content = solve(payoffs, [Limit("visibility", 0.55)], **FEW).to_json()
    assert content["commitment"] == pytest.approx({"r0": 0.5, "r1": 0.5})
    assert content["value"] == pytest.approx(2.0)
    assert content["low"] is content["high"] is content["chosen"] is None
    assert content["binding"] == ["visibility"]
    assert content["prices"] == pytest.approx({"visibility": 40.0})
