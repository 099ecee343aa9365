"""The answer in words says what the numbers say."""

from dataclasses import replace

import numpy as np
from tests.theory.game.tables import table

from antidistill.theory.game import Limit, parse, solve
from antidistill.theory.game.words import answers, sentences

PAYOFFS = table([[0, 0], [4, 4], [8, 6]], visibility=[0.5, 0.6, 0.9])


def words(*limits, payoffs=PAYOFFS, **options):
    return " ".join(sentences(solve(payoffs, limits, samples=100, **options)))


def test_a_single_row_is_named_without_a_probability():
    text = words()
    assert text.startswith("Commit to r2. Guaranteed damage, whatever the student: 6 (no interval")
    assert "c1" in text


def test_a_mixture_names_its_probabilities_and_the_price():
    text = words(Limit("visibility", 0.55))
    assert "r0 with probability 0.5" in text
    assert "r1 with probability 0.5" in text
    assert "The limit visibility <= 0.55 (reached: 0.55) binds: widening it by 0.01 is worth 0.4 of damage." in text
    assert "The best single defense is r0: 0." in text


def test_limits_that_do_not_bind_say_so():
    assert "does not bind" in words(Limit("visibility", 0.95))


def test_a_corner_says_what_narrowing_costs():
    flat = table([[0, 0], [4, 4]], visibility=[0.5, 0.6])
    text = words(Limit("visibility", 0.6), payoffs=flat)
    assert "is met exactly: widening it alone gains nothing, narrowing it by 0.01 costs 0.4." in text


def test_a_single_defense_says_how_far_to_the_next():
    text = words(Limit("visibility", 0.55), only_pure=True)
    assert "binds: widened by 0.05 it allows 4 more damage." in text


def test_a_prior_names_the_worst_case_beside_it():
    text = words(prior=np.array([0.5, 0.5]))
    assert "Expected damage over the prior: 7" in text
    assert "Against the worst adversary: 6." in text


def test_costs_of_the_adversary_are_mentioned():
    paid = table([[0], [10]], responses={"filter": {"damage": [[0], [0]], "cost": 4.0}})
    assert "An adversary that ignores its costs leaves" in words(payoffs=paid)


def test_intervals_and_choices_are_told():
    noisy = parse(
        {"rows": ["a", "b"], "columns": ["c"], "damage": [[1], [1.2]], "standard_errors": [[0.3], [0.3]]},
    )
    text = words(payoffs=noisy)
    assert "95 % interval" in text
    assert "Solved again on resampled payoffs, the mean commitment is b with probability" in text


def test_a_mixture_that_no_single_defense_replaces_says_so():
    both = table([[1], [2]], visibility=[0.5, 0.9], utility=[0.2, 1.0])
    text = words(Limit("visibility", 0.8), Limit("utility", 0.5, at_least=True), payoffs=both)
    assert "No single defense keeps the limits" in text


def test_answers_are_one_per_limit_also_where_nothing_keeps_it():
    payoffs = parse({"rows": ["a", "b"], "columns": ["x"], "damage": [[1], [5]], "visibility": {"a": 0.6, "b": 0.9}})
    named = replace(payoffs, visibility_name="AUROC")
    free, tight, hopeless = answers(payoffs, [0.7, 0.5])
    assert free.startswith("without a limit: Commit to b.")
    assert tight.startswith("with a visibility of at most 0.7: Commit to a with probability 0.667 and b")
    assert hopeless.startswith("with a visibility of at most 0.5: ")
    assert answers(named, [0.7])[1].startswith("with an AUROC of at most 0.7: ")
    assert "Commit" not in hopeless


def test_a_cautious_limit_shows_the_end_that_it_counts():
    seen = {"a": 0.5, "b": {"value": 0.7, "low": 0.6, "high": 0.8, "n": 50}}
    payoffs = parse({"rows": ["a", "b"], "columns": ["x"], "damage": [[0], [3]], "visibility": seen})
    assert "(reached: 0.6333, counted: 0.7, its bad end) binds" in words(
        Limit("visibility", 0.7), payoffs=payoffs, cautious=True
    )
    assert "(reached: 0.7) " in words(Limit("visibility", 0.7), payoffs=payoffs)


def test_an_interval_of_no_width_is_not_called_a_missing_one():
    cell = {"value": 1.0, "low": 1.0, "high": 1.0, "n": 9}
    assert "no interval wider than 0)" in words(payoffs=parse({"rows": ["a"], "columns": ["x"], "damage": [[cell]]}))
