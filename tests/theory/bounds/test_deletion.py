"""Bounds on deletions, against the exact laws of small Markov chains."""

from itertools import combinations, product

import numpy as np
import pytest
from tests.theory import laws

from antidistill.errors import BadOption
from antidistill.theory.bounds import deletion

ROUNDING = 1e-9
LEFT = 4
CHAINS = [(order, size) for order in (1, 2, 3) for size in (2, 3)]


def chain(order, size, delta, sharp, seed):
    """Transitions of shape (V,) * (m + 1), all at least delta; the sharper, the nearer to a deterministic chain."""
    random = np.random.default_rng(seed)
    free = random.dirichlet([1 / sharp] * size, size=(size,) * order)
    return delta + (1 - size * delta) * free


def stationary(transitions):
    """Law of m symbols in a row that one step does not change."""
    order = transitions.ndim - 1
    law = np.full(transitions.shape[:-1], 1 / transitions.shape[0] ** order)
    for _ in range(3000):
        law = (law[..., None] * transitions).sum(axis=0)
    return law


def contiguous(transitions, length):
    """Law of `length` symbols in a row, shape (V,) * length."""
    order = transitions.ndim - 1
    law = stationary(transitions)
    while law.ndim > length:
        law = law.sum(axis=-1)
    while law.ndim < length:
        law = law[..., None] * transitions.reshape((1,) * (law.ndim - order) + transitions.shape)
    return law


def runs(places):
    return sum(place - 1 not in places for place in places)


@pytest.mark.parametrize("sharp", [1, 20])
@pytest.mark.parametrize("deleted", [1, 2, 3])
@pytest.mark.parametrize(("order", "size"), CHAINS)
def test_every_pattern_of_deletions_keeps_the_bounds(order, size, deleted, sharp):
    delta = 0.02
    share = deletion.per_transition(delta, size)
    published = deleted * order * deletion.per_transition_published(delta)
    for seed in range(3):
        transitions = chain(order, size, delta, sharp, seed)
        clean = contiguous(transitions, LEFT)
        long = contiguous(transitions, LEFT + deleted)
        for places in combinations(range(LEFT + deleted), deleted):
            guarded = long.sum(axis=places)
            blocks = deletion.disturbed(deleted, order, blocks=runs(places), length=LEFT) * share
            scattered = deletion.disturbed(deleted, order, length=LEFT) * share
            for divergence in (laws.kl(clean, guarded), laws.kl(guarded, clean)):
                assert divergence <= blocks + ROUNDING
            assert blocks <= scattered <= published


def test_random_places_keep_the_bounds():
    transitions = chain(2, 2, 0.05, 20, seed=5)
    patterns = list(combinations(range(LEFT + 2), 2))
    weights = np.random.default_rng(2).dirichlet(np.ones(len(patterns)))
    long = contiguous(transitions, LEFT + 2)
    guarded = sum(weight * long.sum(axis=places) for weight, places in zip(weights, patterns, strict=True))
    assert laws.kl(contiguous(transitions, LEFT), guarded) <= deletion.disturbed(
        2, 2, length=LEFT
    ) * deletion.per_transition(0.05)


def test_the_log_ratio_itself_is_bounded():
    """What a detector with both laws can read off a single trace."""
    delta = 0.05
    transitions = chain(1, 3, delta, 20, seed=1)
    clean, guarded = contiguous(transitions, LEFT), contiguous(transitions, LEFT + 2).sum(axis=(1, 3))
    ratio = np.abs(np.log(clean / guarded)).max()
    assert ratio <= 2 * deletion.per_transition_ratio(delta, 3) + ROUNDING


def test_the_bound_is_nearly_attained():
    """A chain that alternates: one deletion turns the likely symbol into the unlikely one."""
    delta = 0.01
    alternating = np.array([[delta, 1 - delta], [1 - delta, delta]])
    clean, guarded = contiguous(alternating, 2), contiguous(alternating, 3).sum(axis=1)
    assert 0.84 * deletion.per_transition(delta) < laws.kl(clean, guarded) <= deletion.per_transition(delta)


def test_one_block_costs_less_than_the_same_symbols_apart():
    transitions = chain(1, 2, 0.02, 20, seed=3)
    clean, long = contiguous(transitions, 5), contiguous(transitions, 8)
    together = laws.kl(clean, long.sum(axis=(3, 4, 5)))
    apart = laws.kl(clean, long.sum(axis=(1, 3, 5)))
    assert together < apart


def test_deletions_that_look_at_the_content_are_not_covered():
    """Fair coins: delta = 1/2 makes the bound 0. Deleting places keeps the law, deleting the first 1 does not."""
    fair = np.full((2, 2), 0.5)
    assert deletion.per_transition(0.5) == 0
    clean, long = contiguous(fair, 3), contiguous(fair, 4)
    assert laws.kl(clean, long.sum(axis=2)) == pytest.approx(0, abs=1e-12)
    guarded = np.zeros((2, 2, 2))
    for word in product((0, 1), repeat=4):
        place = word.index(1) if 1 in word else 3
        guarded[word[:place] + word[place + 1 :]] += long[word]
    assert laws.kl(clean, guarded) > 0.1


def test_more_symbols_in_the_alphabet_never_loosen_the_bound():
    shares = [deletion.per_transition(0.01, size) for size in (2, 5, 50, 100)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == 0
    assert shares[0] < deletion.per_transition_ratio(0.01) < deletion.per_transition_published(0.01)


@pytest.mark.parametrize("size", [2, 3, 7, 49, 98, 103, 1000])
def test_an_even_chain_hides_every_deletion(size):
    found = {b.bound: b.value for b in deletion.bounds(3, 2, 1 / size, vocabulary=size)}
    assert found["scattered"] == pytest.approx(0, abs=1e-12)
    assert found["total-error-at-least"] == pytest.approx(1, abs=1e-6)


def test_known_numbers():
    rows = {b.bound: b.value for b in deletion.bounds(162, 50, 0.001, blocks=12)}
    assert rows["proposition-4.1"] == pytest.approx(55_953, abs=1)
    assert rows["blocks"] == pytest.approx(12 * 50 * deletion.per_transition(0.001))
    assert rows["total-error-at-least"] == pytest.approx(0)
    capped = {b.bound: b.value for b in deletion.bounds(162, 50, 0.001, length=1000)}
    assert capped["scattered"] == pytest.approx(1000 * deletion.per_transition(0.001))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"deleted": 0}, "deleted"),
        ({"order": 0}, "order"),
        ({"delta": 0.0}, "delta"),
        ({"delta": 0.6}, "delta"),
        ({"delta": 0.3, "vocabulary": 4}, "delta"),
        ({"vocabulary": 1}, "vocabulary"),
        ({"blocks": 0}, "blocks"),
        ({"blocks": 4}, "blocks"),
        ({"length": 0}, "length"),
        ({"traces": 0}, "traces"),
        ({"deleted": 10**400}, "deleted"),
    ],
)
def test_numbers_out_of_range_are_named(change, named):
    with pytest.raises(BadOption, match=f"option {named}="):
        deletion.bounds(**({"deleted": 3, "order": 1, "delta": 0.1} | change))
