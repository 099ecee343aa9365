"""No prompt on both sides of a split, none seen both clean and guarded, and nothing learnt from held-out labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from antidistill.measure import intervals
from antidistill.measure.crossfit import Blocks, cross_fit, splits, stacked, within

sizes = {
    "prompts": st.lists(st.integers(0, 40), min_size=1, max_size=120).map(np.array),
    "repeats": st.integers(1, 3),
    "folds": st.integers(2, 5),
    "seed": st.integers(0, 5),
}


@given(**sizes)
def test_no_prompt_meets_itself(prompts, repeats, folds, seed):
    for cut in splits(prompts, repeats, folds, seed):
        parts = [set(prompts[rows]) for rows in (cut.train_clean, cut.train_guarded, cut.test_clean, cut.test_guarded)]
        assert sum(map(len, parts)) == len(set().union(*parts))


@given(**sizes)
def test_a_choice_within_training_sees_no_test_trace(prompts, repeats, folds, seed):
    for cut in splits(prompts, repeats, folds, seed):
        inner = within(cut, prompts)
        for training, parts in (
            (cut.train_clean, (inner.train_clean, inner.test_clean)),
            (cut.train_guarded, (inner.train_guarded, inner.test_guarded)),
        ):
            assert sorted(np.concatenate(parts)) == sorted(training)
            assert not set(prompts[parts[0]]) & set(prompts[parts[1]])


@given(**sizes)
def test_each_repeat_tests_each_prompt_once_with_all_its_rows(prompts, repeats, folds, seed):
    tested = [[] for _ in range(repeats)]
    for cut in splits(prompts, repeats, folds, seed):
        tested[cut.repeat] += [*cut.test_clean, *cut.test_guarded]
    assert all(sorted(rows) == list(range(len(prompts))) for rows in tested)


@given(**sizes)
def test_folds_are_balanced(prompts, repeats, folds, seed):
    for cut in splits(prompts, repeats, folds, seed):
        ours, theirs = (len(set(prompts[rows])) for rows in (cut.test_clean, cut.test_guarded))
        assert abs(ours - theirs) <= 1


def test_the_seed_decides_and_repeats_differ():
    prompts = np.arange(40)
    first, again, other = (list(splits(prompts, 2, 4, seed)) for seed in (0, 0, 1))
    assert all(np.array_equal(a.test_clean, b.test_clean) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a.test_clean, b.test_clean) for a, b in zip(first, other, strict=True))
    assert set(first[0].train_clean) | set(first[0].test_clean) != set(first[4].train_clean) | set(first[4].test_clean)


class Memory:
    """Knows by heart what it was shown, and nothing else."""

    def fit(self, rows, labels):
        self.known = dict(zip(rows[:, 0], labels, strict=True))
        return self

    def decision_function(self, rows):
        return np.array([self.known.get(value, 0.5) for value in rows[:, 0]], dtype=float)


def test_a_learner_that_only_remembers_guesses():
    prompts = np.repeat(np.arange(60), 2)
    named = prompts[:, None].astype(float)
    folds = cross_fit(Memory, named, named, prompts, list(splits(prompts, 1, 5, 0)))
    assert intervals.auroc(folds).value == 0.5


def test_rows_of_every_kind_of_matrix_are_stacked():
    dense = np.arange(6.0).reshape(3, 2)
    blocks = Blocks({"dense": dense, "sparse": csr_matrix(dense)})
    both = stacked(blocks[np.array([0, 2])], blocks[np.array([1])])
    for part in (both.parts["dense"], both.parts["sparse"].toarray()):
        assert part == pytest.approx(dense[[0, 2, 1]])
